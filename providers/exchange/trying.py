"""How a try begins: at once, after a wait, or out of a line.

Where a provider's servers are shared (`Target.servers`), the course is asked for a place before each try; where there
is none yet the exchange is QUEUED until it is woken with `Timer.PLACE`. Nobody has been asked then: a call that is
turned away has made no attempt.
"""

from collections.abc import Callable
from typing import assert_never

from providers.exchange.account import EndedBy, Outcome
from providers.exchange.attempt import Attempt
from providers.exchange.commands import Command, Dial, SetTimer, Timer
from providers.exchange.course import Entry, Full, InLine, Next
from providers.exchange.ending import Ending, Phase
from providers.exchange.faults import FAULTS, as_told
from providers.exchange.plan import Target


class Trying(Ending):
    """The beginning of each try."""

    _following: Target  # while WAITING: who is asked next
    _wake: Callable[[], None]

    def _ask(self, target: Target, now: int) -> list[Command]:
        """Make a try, as soon as there is room for it."""
        if not target.servers:
            return self._dial(target, now, fresh=False)
        return self._let_in(target, self._course.enter(target, now, self._wake), now)

    def _let_in(self, target: Target, entry: Entry, now: int) -> list[Command]:
        match entry:
            case Target():
                return self._dial(entry, now, fresh=False)
            case InLine():
                self._aim(entry.target, now)
                self.phase = Phase.QUEUED
                return [SetTimer(Timer.PHASE, max(0, entry.until - now) / 1e6)]
            case Full():
                self._aim(target, now)
                self.phase = Phase.QUEUED
                return self._shed(now)
        assert_never(entry)

    def _leave_line(self, name: Timer, now: int) -> list[Command]:
        """It is the call's turn, or it has waited for as long as it may."""
        if name not in (Timer.PLACE, Timer.PHASE):
            return []
        if (entry := self._course.placed(now)) is not None:
            return self._let_in(self.attempt.target, entry, now)
        return self._shed(now) if name is Timer.PHASE else []

    def _shed(self, now: int) -> list[Command]:
        """There is no room: the next target is asked, or the client is told when to come back."""
        following = self._course.lost(self._lost(Outcome.SHED, None, now), now)
        if following is not None:
            return self._turn(following, now)
        told = as_told(FAULTS[Outcome.SHED], Outcome.SHED, self._call, self.attempt.target.provider)
        return self._lose(told, now, EndedBy.GATEWAY)

    def _dial(self, target: Target, now: int, *, fresh: bool) -> list[Command]:
        self._aim(target, now)
        self.account.attempts.append(self.attempt.account)
        self.phase = Phase.DIALLING
        return [SetTimer(Timer.PHASE, target.deadlines.connect), Dial(target, fresh)]

    def _aim(self, target: Target, now: int) -> None:
        if self.phase is Phase.NEW and target is self.attempt.target:
            self.attempt.began = self.attempt.last_data = now
        else:
            self.attempt = Attempt(self._call, target, self._settings.keep_limit, now)
        self.account.provider, self.account.kind, self.account.model = target.provider, target.kind, target.model
        self.account.ttft_us = None

    def _turn(self, following: Next, now: int) -> list[Command]:
        """Make the next try, now or after a wait."""
        self._turns.append(following.why)
        if not following.wait_us:
            return self._ask(following.target, now)
        self._following = following.target
        self.phase = Phase.WAITING
        return [SetTimer(Timer.RETRY, following.wait_us / 1e6)]
