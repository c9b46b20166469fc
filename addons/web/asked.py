"""What a request of the page asks for, judged once: everything else is an error that says what is meant."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from mitmproxy import http

from addons.telemetry.history import MOST, Wanted
from addons.web.replies import ProblemError

_LONGEST = 500  # characters of a value
_DAYS = 3660


@dataclass(frozen=True, slots=True)
class Asked:
    """The query of a request, and by which name and port we were found."""

    query: Mapping[str, str]
    host: str

    @classmethod
    def of(cls, flow: http.HTTPFlow) -> "Asked":
        """Read a request."""
        return cls(dict(flow.request.query.items()), flow.request.host_header or "")

    def text(self, name: str) -> str | None:
        """Return a value, None where it is missing or empty. Raises ProblemError."""
        value = self.query.get(name, "").strip()
        if len(value) > _LONGEST:
            raise ProblemError(400, f"{name} is too long: {_LONGEST} characters are the most.")
        return value or None

    def number(self, name: str, default: int | None, least: int, most: int) -> int | None:
        """Return a whole number. Raises ProblemError."""
        value = self.text(name)
        if value is None:
            return default
        if not (value.isascii() and value.isdigit() and least <= int(value) <= most):
            raise ProblemError(400, f"{name} must be a whole number from {least} to {most}.")
        return int(value)

    def choice[T: str](self, name: str, allowed: tuple[T, ...]) -> T:
        """Return one of the values, the first by default. Raises ProblemError."""
        value = self.text(name) or allowed[0]
        for each in allowed:
            if each == value:
                return each
        raise ProblemError(400, f"{name} must be {' or '.join(allowed)}.")

    def limit(self, default: int = 50) -> int:
        """Return how many rows are wanted. Raises ProblemError."""
        return self.number("limit", default, 1, MOST) or default

    def days(self, default: int = 30) -> int:
        """Return how many days are wanted. Raises ProblemError."""
        return self.number("days", default, 1, _DAYS) or default

    def wanted(self) -> Wanted:
        """Return which calls are wanted. Raises ProblemError."""
        since, until = self._day()
        return Wanted(
            provider=self.text("provider"),
            model=self.text("model"),
            outcome=self.text("outcome"),
            client=self.text("client"),
            since=since,
            until=until,
            below=self.number("before", None, 0, 2**62),
            search=self.text("search"),
        )

    def _day(self) -> tuple[float | None, float | None]:
        """Return where a day of this machine's calendar begins and ends, in seconds since the epoch."""
        value = self.text("day")
        if value is None:
            return None, None
        try:
            day = date.fromisoformat(value)
            return midnight(day), midnight(day + timedelta(days=1))
        except (ValueError, OverflowError):
            raise ProblemError(400, "day must be a date like 2030-01-31.") from None


def midnight(day: date) -> float:
    """Return when a day of this machine's calendar begins, in seconds since the epoch. Raises OverflowError."""
    try:
        return datetime(day.year, day.month, day.day).timestamp()
    except OSError as error:  # where the system's clock does not reach
        raise OverflowError(day) from error
