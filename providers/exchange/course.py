"""Who is asked next when a try has failed: what the exchange asks of whoever decides that."""

from dataclasses import dataclass
from typing import Protocol

from providers.exchange.account import Outcome
from providers.exchange.answer_head import Headers
from providers.exchange.plan import Plan, Target
from providers.wire.events import Failure


@dataclass(frozen=True, slots=True)
class Lost:
    """A try that failed before the client got anything of its answer.

    ``status`` and ``headers`` are of the answer's head (0 and empty: there was none), ``failure`` what the provider
    said, if it said something. ``sent``: the request had been written. ``held_us``: how long the try took.
    """

    target: Target
    outcome: Outcome
    status: int
    headers: Headers
    failure: Failure | None
    sent: bool
    held_us: int


@dataclass(frozen=True, slots=True)
class Next:
    """Ask ``target`` after ``wait_us``; ``why`` is for people, "" if that is how it always goes."""

    target: Target
    wait_us: int
    why: str


class Course(Protocol):
    """Decides for one call. Times in monotonic µs."""

    def begin(self, plan: Plan, now: int, until: int) -> Next:
        """Return the first target; ``until`` is when the whole call must have ended."""

    def lost(self, lost: Lost, now: int) -> Next | None:
        """A try failed: return who is asked next, None if nobody is."""

    def answered(self, target: Target, now: int) -> None:
        """The try's answer is good: the client gets it."""

    def left(self, target: Target, now: int) -> None:
        """A try ended by nobody's fault of the provider's: the client has gone, or we stop."""

    def cut(self, lost: Lost, now: int) -> None:
        """A try failed after the client had got some of its answer."""


class Straight:
    """One target, one try."""

    def begin(self, plan: Plan, now: int, until: int) -> Next:
        """Return the plan's first target."""
        return Next(plan.targets[0], 0, "")

    def lost(self, lost: Lost, now: int) -> Next | None:
        """Ask nobody else."""
        return None

    def answered(self, target: Target, now: int) -> None:
        """Take no note."""

    def left(self, target: Target, now: int) -> None:
        """Take no note."""

    def cut(self, lost: Lost, now: int) -> None:
        """Take no note."""
