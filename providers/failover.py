"""Who is asked next when a try has failed: the policies of `providers.pool`, put to work for one call.

`Failover` holds what all calls share, the breakers and the budgets for repetitions; a `Course` is one call's way
through its plan. Healthy calls cost two look-ups: nothing is stored for a provider that answers. Times in monotonic µs.
"""

import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from providers.exchange.course import Lost, Next
from providers.exchange.plan import Plan, Target
from providers.pool.breaker import Breakers, Circuit, Denied, Permit
from providers.pool.error_class import ErrorClass, classify
from providers.pool.retry import DEFAULTS, RetryPolicy, Standing, Where, rule
from providers.pool.retry_budget import RetryBudget
from providers.pool.waits import asked_wait

_MOST_ASKED = 3600.0  # seconds: the breakers cap it further


class Failover:
    """What the calls of one proxy share.

    ``chance`` gives numbers from 0 to below 1, ``wall`` seconds since the epoch.
    """

    def __init__(
        self,
        policy: RetryPolicy = DEFAULTS,
        *,
        chance: Callable[[], float] = random.random,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.breakers = Breakers()
        self.policy = policy
        self.chance = chance
        self.wall = wall
        self._budgets: dict[str, RetryBudget] = {}

    def budget(self, provider: str) -> RetryBudget:
        """Return the budget for repetitions at a provider."""
        return self._budgets.setdefault(provider, RetryBudget())

    def course(self, attempts: int = DEFAULTS.attempts) -> "Course":
        """Return the way of a new call, on which providers are asked so often at most."""
        return Course(self, attempts)


class Course:
    """One call's way through its plan (`providers.exchange.course.Course`)."""

    def __init__(self, failover: Failover, attempts: int) -> None:
        self._all = failover
        self._policy = replace(failover.policy, attempts=attempts)
        self._plan: Plan | None = None
        self._ahead: deque[Callable[[], Target | None]] = deque()
        self._permit: Permit | None = None
        self._until = 0
        self._attempts = 0
        self._here = 0
        self._loading_since: int | None = None
        self._took_over = False

    def begin(self, plan: Plan, now: int, until: int) -> Next:
        """Return the first target whose breaker lets the call through, or the last one."""
        self._plan, self._until = plan, until
        self._ahead = deque((*(partial(_itself, target) for target in plan.targets[1:]), *plan.later))
        self._here = 1
        first = plan.targets[0]
        admitted = self._all.breakers.admit(_circuit(first), now, last=not self._ahead)
        if isinstance(admitted, Denied):
            following = self._onward(self._following(now), now, f"{first.provider} was passed over: {admitted.why}")
            if following is not None:
                return following
            admitted = self._all.breakers.admit(_circuit(first), now, last=True)
        self._permit = _let(admitted)
        self._all.budget(first.provider).call(now)
        return Next(first, 0, "")

    def lost(self, lost: Lost, now: int) -> Next | None:
        """Rule on a try that failed before the client got anything of its answer."""
        kind = _kind(lost)
        asked = asked_wait(lost.headers, self._all.wall(), most=_MOST_ASKED)
        asked_us = None if asked is None else int(asked * 1e6)
        self._report(kind, now, asked_us)
        if kind is not ErrorClass.LOADING:
            self._attempts += 1
        elif self._loading_since is None:
            self._loading_since = now - lost.held_us
        if self._policy.attempts == 1:
            return None
        ruling = rule(kind, self._standing(now, asked_us), self._budget_of(lost), self._all.chance(), self._policy)
        match ruling.where:
            case Where.HERE:
                return self._again(lost.target, now, ruling.wait_us, ruling.why)
            case Where.NEXT:
                return self._onward(self._following(now), now, ruling.why)
            case Where.NAMED:
                return self._onward(self._named(kind, now), now, ruling.why)
        return None

    def answered(self, target: Target, now: int) -> None:
        """The answer is good: its breaker, if it was open, closes."""
        if self._permit is not None:
            self._all.breakers.over(self._permit, None, now)
            self._permit = None

    def left(self, target: Target, now: int) -> None:
        """Nobody can say what the provider would have done."""
        if self._permit is not None:
            self._all.breakers.drop(self._permit)
            self._permit = None

    def cut(self, lost: Lost, now: int) -> None:
        """An answer broke off after the client had got some of it: that counts against the provider all the same."""
        self._permit = self._permit or _let(self._all.breakers.admit(_circuit(lost.target), now, last=True))
        self._report(_kind(lost), now, None)

    def _standing(self, now: int, asked: int | None) -> Standing:
        assert self._plan is not None
        named = frozenset(ErrorClass(kind) for kind in self._plan.instead) if not self._took_over else frozenset()
        ahead = 0 if self._took_over else len(self._ahead)
        return Standing(
            now,
            self._until,
            self._attempts,
            here=self._here,
            ahead=ahead,
            named=named,
            asked=asked,
            loading_since=self._loading_since,
        )

    def _again(self, target: Target, now: int, wait: int, why: str) -> Next | None:
        self._here += 1
        admitted = self._all.breakers.admit(_circuit(target), now, last=not self._ahead)
        if isinstance(admitted, Denied):
            return self._onward(self._following(now), now, f"{why}, but {admitted.why}")
        self._permit = admitted
        return Next(target, wait, why)

    def _onward(self, target: Target | None, now: int, why: str) -> Next | None:
        if target is None:
            return None
        self._here, self._loading_since = 1, None
        self._all.budget(target.provider).call(now)
        return Next(target, 0, why)

    def _following(self, now: int) -> Target | None:
        """The next target that can be asked; the last one is asked whatever its breaker says."""
        while self._ahead:
            target = self._ahead.popleft()()
            if target is not None and (admitted := self._admitted(target, now, last=not self._ahead)) is not None:
                return admitted
        return None

    def _named(self, kind: ErrorClass, now: int) -> Target | None:
        assert self._plan is not None
        self._took_over = True
        made = (make() for make in self._plan.instead.get(kind, ()))
        found = next((target for target in made if target is not None), None)
        return None if found is None else self._admitted(found, now, last=True)

    def _admitted(self, target: Target, now: int, *, last: bool = False) -> Target | None:
        admitted = self._all.breakers.admit(_circuit(target), now, last=last)
        if isinstance(admitted, Denied):
            return None
        self._permit = admitted
        return target

    def _report(self, kind: ErrorClass, now: int, asked: int | None) -> None:
        if self._permit is not None:
            self._all.breakers.over(self._permit, kind, now, asked=asked)
            self._permit = None

    def _budget_of(self, lost: Lost) -> RetryBudget:
        return self._all.budget(lost.target.provider)


def _itself(target: Target) -> Target | None:
    return target


def _kind(lost: Lost) -> ErrorClass:
    return classify(lost.outcome, lost.status or None, lost.failure, sent=lost.sent, our_key=lost.target.our_key)


def _circuit(target: Target) -> Circuit:
    return Circuit(target.provider, f"{target.host}:{target.port}", "ours" if target.our_key else "")


def _let(admitted: Permit | Denied) -> Permit | None:
    return admitted if isinstance(admitted, Permit) else None
