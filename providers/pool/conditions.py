"""When a target takes a call: the conditions of a route, and which of them a call does not meet.

All conditions of one target must hold. A pattern is one of those that model names have (``*``, ``?``, ``[..]``), case
counts. Times are the machine's own; a span that ends before it begins goes over midnight.
"""

import fnmatch
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from providers.pool.call_facts import CallFacts

MINUTES_OF_DAY = 24 * 60
_SPAN = re.compile(r"(\d\d):([0-5]\d)-(\d\d):([0-5]\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Conditions:
    """What must hold; None and empty: does not matter.

    ``header`` has names in lower case, each with a pattern for one of its values; ``time`` is from a minute of the day
    (included) to another (not included).
    """

    has_tools: bool | None = None
    has_images: bool | None = None
    tokens_over: int | None = None
    header: tuple[tuple[str, str], ...] = ()
    session: str | None = None
    time: tuple[int, int] | None = None
    _patterns: tuple[tuple[str, Callable[[str], object]], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the patterns once."""
        written = [*self.header, *([("", self.session)] if self.session is not None else [])]
        made = tuple((name, re.compile(fnmatch.translate(pattern)).match) for name, pattern in written)
        object.__setattr__(self, "_patterns", made)

    def __str__(self) -> str:
        return ", ".join(_told(self))

    def unmet(self, call: CallFacts) -> str:
        """Say what does not hold, "" if all does. The cheap ones are asked first."""
        return next((why for check in _CHECKS if (why := check(self, call))), "")

    def matches(self, name: str, values: Iterable[str]) -> bool:
        """Whether one of the values fits the pattern of a header, or of the session (``name`` "")."""
        match = dict(self._patterns)[name]
        return any(match(value) for value in values)


def parse_span(text: str) -> tuple[int, int]:
    """``22:00-06:00`` as minutes of the day; ValueError says what is wrong. ``24:00`` may end a span."""
    found = _SPAN.fullmatch(text)
    if not found:
        raise ValueError("is no span of time such as 22:00-06:00")
    hours, minutes, until_hours, until_minutes = map(int, found.groups())
    begin, end = hours * 60 + minutes, until_hours * 60 + until_minutes
    if begin >= MINUTES_OF_DAY or end > MINUTES_OF_DAY:
        raise ValueError("has an hour that no day has")
    if begin == end:
        raise ValueError("begins when it ends: leave the condition out, or say 00:00-24:00")
    return begin, end


def in_span(span: tuple[int, int], minute: int) -> bool:
    """Whether a minute of the day lies in a span."""
    begin, end = span
    return begin <= minute < end if begin < end else minute >= begin or minute < end


def unmet(conditions: Iterable[Conditions], call: CallFacts) -> str:
    """Say what the first of ``conditions`` that does not hold wants, "" if all hold."""
    return next((why for one in conditions if (why := one.unmet(call))), "")


def _tools(wanted: Conditions, call: CallFacts) -> str:
    if wanted.has_tools is None or wanted.has_tools == call.has_tools:
        return ""
    return "the call has no tools" if wanted.has_tools else "the call has tools"


def _time(wanted: Conditions, call: CallFacts) -> str:
    if wanted.time is None or in_span(wanted.time, call.minute):
        return ""
    return f"it is {_clock(call.minute)}, not {_span(wanted.time)}"


def _header(wanted: Conditions, call: CallFacts) -> str:
    # The value is the client's own, perhaps a secret: it is never told.
    missing = (name for name, _ in wanted.header if not wanted.matches(name, call.header(name)))
    return next((f"the header {name} does not fit {dict(wanted.header)[name]!r}" for name in missing), "")


def _session(wanted: Conditions, call: CallFacts) -> str:
    if wanted.session is None or (call.session and wanted.matches("", [call.session])):
        return ""
    return f"the session does not fit {wanted.session!r}" if call.session else "the call names no session"


def _images(wanted: Conditions, call: CallFacts) -> str:
    if wanted.has_images is None or wanted.has_images == call.has_images:
        return ""
    return "the call has no images" if wanted.has_images else "the call has images"


def _tokens(wanted: Conditions, call: CallFacts) -> str:
    if wanted.tokens_over is None or call.tokens > wanted.tokens_over:
        return ""
    return f"the prompt has about {call.tokens} tokens, not over {wanted.tokens_over}"


_CHECKS: tuple[Callable[[Conditions, CallFacts], str], ...] = (_tools, _time, _header, _session, _images, _tokens)


def _told(wanted: Conditions) -> Iterator[str]:
    """Yield the conditions in words."""
    for has, what in ((wanted.has_tools, "tools"), (wanted.has_images, "images")):
        if has is not None:
            yield f"with {what}" if has else f"without {what}"
    if wanted.tokens_over is not None:
        yield f"over {wanted.tokens_over} tokens"
    yield from (f"header {name} like {pattern!r}" for name, pattern in wanted.header)
    if wanted.session is not None:
        yield f"session like {wanted.session!r}"
    if wanted.time is not None:
        yield f"from {_span(wanted.time)}"


def _span(span: tuple[int, int]) -> str:
    return "-".join(map(_clock, span))


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
