"""Who is asked next when a try has failed: what the exchange asks of whoever decides that."""

from collections.abc import Callable
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


@dataclass(frozen=True, slots=True)
class InLine:
    """The call has a place in the line of ``target``, until ``until`` (monotonic µs)."""

    target: Target
    until: int


@dataclass(frozen=True, slots=True)
class Full:
    """There is no room for the call, and none in line."""


# What becomes of a call that wants to be let in: the target is asked now, at the server that it leads to.
Entry = Target | InLine | Full


class Course(Protocol):
    """Decides for one call. Times in monotonic µs."""

    def begin(self, plan: Plan, now: int, until: int) -> Next:
        """Return the first target; ``until`` is when the whole call must have ended."""

    def lost(self, lost: Lost, now: int) -> Next | None:
        """A try failed: return who is asked next, None if nobody is."""

    def enter(self, target: Target, now: int, wake: Callable[[], None]) -> Entry:
        """Be let in at one of the servers of a target that has `Target.servers`, right before it is asked.

        ``wake`` is called once it is the call's turn, in the middle of another call's affairs: then `placed` is asked.
        """

    def placed(self, now: int) -> Entry | None:
        """What has become of a place in line; None: it is not the call's turn yet."""

    def answered(self, target: Target, now: int) -> None:
        """The try's answer is good: the client gets it."""

    def left(self, target: Target, now: int) -> None:
        """A try ended by nobody's fault of the provider's: the client has gone, or we stop."""

    def cut(self, lost: Lost, now: int) -> None:
        """A try failed after the client had got some of its answer."""

    def go_on(self, lost: Lost, text: str, now: int) -> Next | None:
        """After `cut`: return who goes on with the answer, of which the client has ``text``; None if nobody does."""

    def over(self, now: int) -> None:
        """The call has ended, however it did."""

    def again(self, now: int) -> float | None:
        """After nobody took the call: the seconds until somebody may; None: nobody can say."""


class Straight:
    """One target, one try."""

    def begin(self, plan: Plan, now: int, until: int) -> Next:
        """Return the plan's first target."""
        return Next(plan.first, 0, "")

    def lost(self, lost: Lost, now: int) -> Next | None:
        """Ask nobody else."""
        return None

    def enter(self, target: Target, now: int, wake: Callable[[], None]) -> Entry:
        """Ask at once: nothing is counted."""
        return target

    def placed(self, now: int) -> Entry | None:
        """There is no line."""
        return None

    def answered(self, target: Target, now: int) -> None:
        """Take no note."""

    def left(self, target: Target, now: int) -> None:
        """Take no note."""

    def cut(self, lost: Lost, now: int) -> None:
        """Take no note."""

    def over(self, now: int) -> None:
        """Take no note."""

    def again(self, now: int) -> float | None:
        """Nobody can say."""
        return None

    def go_on(self, lost: Lost, text: str, now: int) -> Next | None:
        """Ask nobody else."""
        return None
