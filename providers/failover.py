"""Who is asked next when a try has failed: the policies of `providers.pool`, put to work for one call.

`Failover` holds what all calls share, the breakers, the budgets for repetitions and the places at servers; a `Course`
is one call's way through its plan. Healthy calls cost two look-ups: nothing is stored for a provider that answers.
Times in monotonic µs.

Where a provider has several servers, a failure of one of them is answered by the next of them, at once, as long as one
attempt stays for the next target; only then the rules of `providers.pool.retry` count. Which server it is, and its
breaker's word, is settled when the call is let in, since it may have stood in line for a while.
"""

import random
import time
from collections import deque
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace

from providers.balancing import Balancing, judges_our_key
from providers.breaker_news import BreakerNews
from providers.entrance import Entrance, circuit, key_name, let
from providers.exchange.account import Outcome
from providers.exchange.course import Lost, Next
from providers.exchange.plan import Make, Plan, Target
from providers.key_troubles import KeyTroubles
from providers.places import Places
from providers.pool.breaker import Breakers, Circuit
from providers.pool.call_facts import CallFacts
from providers.pool.error_class import OF_ONE_SERVER, ErrorClass, classify
from providers.pool.retry import DEFAULTS, RULES, RetryPolicy, Standing, Where, rule
from providers.pool.retry_budget import RetryBudget
from providers.pool.waits import asked_wait
from providers.probing import Probing
from providers.provider import Replica
from providers.resolve import Target as Aim

_MOST_ASKED = 3600.0  # seconds: the breakers cap it further


def _monotonic() -> int:
    return time.monotonic_ns() // 1000


class Failover:
    """What the calls of one proxy share.

    ``chance`` gives numbers from 0 to below 1, ``wall`` seconds since the epoch, ``clock`` monotonic µs.
    """

    def __init__(
        self,
        policy: RetryPolicy = DEFAULTS,
        *,
        chance: Callable[[], float] = random.random,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], int] = _monotonic,
    ) -> None:
        self.breakers, self.news = Breakers(), BreakerNews()
        self.breakers.on_open, self.breakers.on_close = self.news.opened, self.news.closed
        self.probing = Probing(self.breakers, chance)
        self.places = Places()
        self.key_troubles = KeyTroubles()
        self._balancing = Balancing()
        self._clock = clock
        self.policy = policy
        self.chance = chance
        self.wall = wall
        self._budgets: dict[str, RetryBudget] = {}
        self._policies: dict[int, RetryPolicy] = {}

    def budget(self, provider: str) -> RetryBudget:
        """Return the budget for repetitions at a provider."""
        return self._budgets.setdefault(provider, RetryBudget())

    def called(self, provider: str, now: int) -> None:
        """A call goes to a provider."""
        self.budget(provider).call(now)
        self.probing.used(provider, now)

    def forget(self, provider: str, kept: Container[str] = ()) -> None:
        """Begin anew with a provider whose key or address was changed, or that is gone; ``kept``: its servers now."""
        self.breakers.forget(provider)
        self.news.forget(provider)
        self.probing.forget(provider)
        self.places.forget(provider, kept)
        self._balancing.forget(provider)
        self.key_troubles.forget(provider)
        self.budget(provider).reset()

    def budgets_exhausted(self) -> dict[str, int]:
        """Return how often a provider's budget allowed no further repetition, since the start: for metrics."""
        return {provider: budget.denied for provider, budget in self._budgets.items()}

    def servers(self, target: Aim, call: CallFacts, model: str) -> Sequence[Replica]:
        """Return the servers of a target in the order to ask them (`providers.targeting.Servers`).

        One that loads its model counts as full. What other programs have a server do counts where that is known.
        """
        provider, now = target.provider, self._clock()
        limit, name_of, probing = provider.sharing.max_in_flight, provider.name, self.probing
        ours = {server.name: self.places.busy(name_of, server.name) for server in provider.replicas}
        busy = {name: calls + probing.others(name_of, name, now) for name, calls in ours.items()}
        full = [
            name
            for name, calls in ours.items()
            if (limit is not None and calls >= limit) or probing.is_loading(name_of, name, now)
        ]
        key = key_name(ours=judges_our_key(provider))
        broken = [name for name in busy if self.breakers.denied(Circuit(provider.name, name, key), now) is not None]
        return self._balancing.in_order(target, call, model, in_flight=busy, full=full, broken=broken)

    def course(self, attempts: int = DEFAULTS.attempts) -> "Course":
        """Return the way of a new call, on which providers are asked so often at most."""
        policy = self._policies.get(attempts)
        if policy is None:
            policy = self._policies[attempts] = replace(self.policy, attempts=attempts)
        return Course(self, policy)


class Course(Entrance):
    """One call's way through its plan (`providers.exchange.course.Course`)."""

    def __init__(self, failover: Failover, policy: RetryPolicy) -> None:
        super().__init__(failover.breakers, failover.places)
        self._all = failover
        self._policy = policy
        self._plan: Plan | None = None
        self._ahead: deque[Make] = deque()
        self._attempts = 0
        self._here = 0
        self._loading_since: int | None = None
        self._took_over = False

    def begin(self, plan: Plan, now: int, until: int) -> Next:
        """Return the first target whose breaker lets the call through, or the last one."""
        self._plan, self._until = plan, until
        self._ahead = deque(plan.later)
        self._here = 1
        first = plan.first
        denied = self._admit(first, now, last=not self._ahead)
        if denied is not None:
            self._note_all_broken(first)
            following = self._onward(self._following(now), now, f"{first.provider} was passed over: {denied.why}")
            if following is not None:
                return following
            self._admit(first, now, last=True)
        self._all.called(first.provider, now)
        return Next(first, 0, "")

    def lost(self, lost: Lost, now: int) -> Next | None:
        """Rule on a try that failed before the client got anything of its answer, or on one for which was no room."""
        self._give_back(now)
        if lost.outcome is Outcome.SHED:
            self._note_full(lost.target)
            return self._past(lost.target, now)
        kind = _kind(lost)
        asked = asked_wait(lost.headers, self._all.wall(), most=_MOST_ASKED)
        asked_us = None if asked is None else int(asked * 1e6)
        self._report(kind, lost.target, now, asked_us)
        if kind is not ErrorClass.LOADING:
            self._attempts += 1
        elif self._loading_since is None:
            self._loading_since = now - lost.held_us
        if self._policy.attempts == 1:
            return None
        if (sibling := self._sibling(kind, lost.target, now)) is not None:
            return sibling
        standing, budget = self._standing(lost.target, now, asked_us), self._all.budget(lost.target.provider)
        ruling = rule(kind, standing, budget, self._all.chance(), self._policy)
        match ruling.where:
            case Where.HERE:
                return self._again(lost.target, now, ruling.wait_us, ruling.why)
            case Where.NEXT:
                return self._onward(self._following(now), now, ruling.why)
            case Where.NAMED:
                return self._onward(self._named(lost.target, kind, now), now, ruling.why)
        return None

    def answered(self, target: Target, now: int) -> None:
        """The answer is good so far: its breaker, if it was open, closes; what counts is how it ends."""
        if self._permit is not None:
            self._breakers.answering(self._permit)
        self._all.probing.answered(target.provider, target.server, now)

    def left(self, target: Target, now: int) -> None:
        """Nobody can say what the provider would have done."""
        if self._permit is not None:
            self._breakers.drop(self._permit)
            self._permit = None

    def cut(self, lost: Lost, now: int) -> None:
        """An answer broke off after the client had got some of it: that counts against the provider all the same."""
        self._permit = self._permit or let(self._breakers.admit(circuit(lost.target), now, last=True))
        self._report(_kind(lost), lost.target, now, None)
        self._give_back(now)

    def go_on(self, lost: Lost, text: str, now: int) -> Next | None:
        """Return the next target of the plan that goes on with an answer; a named one is for calls from the start."""
        assert self._plan is not None
        kind, going_on = _kind(lost), self._plan.going_on
        self._give_back(now)
        self._attempts += 1
        spent = self._attempts >= self._policy.attempts or now >= self._until
        if spent or self._took_over or not RULES[kind].onward:
            return None
        while left := len(self._ahead):
            self._ahead.popleft()
            target = going_on[-left](text) if left <= len(going_on) else None
            if target is not None and self._admit(target, now, last=not self._ahead) is None:
                return self._onward(target, now, f"{kind}: the next target goes on with the answer")
        return None

    def _standing(self, target: Target, now: int, asked: int | None) -> Standing:
        named = frozenset(map(ErrorClass, self._instead(target))) if not self._took_over else frozenset()
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
        self._tried.clear()
        # The breaker is asked for the time of that try: a wait that was asked for keeps it open until then.
        if (denied := self._admit(target, now + wait, last=not self._ahead)) is not None:
            return self._onward(self._following(now), now, f"{why}, but {denied.why}")
        return Next(target, wait, why)

    def _sibling(self, kind: ErrorClass, target: Target, now: int) -> Next | None:
        """Another server of the same provider, before anybody else is asked."""
        if not target.servers or kind not in OF_ONE_SERVER or now >= self._until:
            return None
        self._tried.add(target.server)
        kept = 1 if self._has_others() else 0
        too_risky = RULES[kind].risky and not self._policy.repeat_sent
        if too_risky or self._policy.attempts - self._attempts <= kept:
            return None
        left = [server for server in target.servers if server.name not in self._tried]
        if all(self._denial(target, server, now) is not None for server in left):
            return None
        return Next(target, 0, f"{kind}: next endpoint")

    def _has_others(self) -> bool:
        return bool(self._ahead) and not self._took_over

    def _past(self, target: Target, now: int) -> Next | None:
        """All servers of a target are full: who is asked instead; nobody has failed."""
        if self._took_over:
            return None
        if (kind := ErrorClass.OVERLOADED) in self._instead(target):
            return self._onward(self._named(target, kind, now), now, f"{target.provider} is full: named target")
        return self._onward(self._following(now), now, f"{target.provider} is full: next target")

    def _onward(self, target: Target | None, now: int, why: str) -> Next | None:
        if target is None:
            return None
        self._here, self._loading_since = 1, None
        self._tried.clear()
        self._all.called(target.provider, now)
        return Next(target, 0, why)

    def _following(self, now: int) -> Target | None:
        """The next target that can be asked; the last one is asked whatever its breaker says."""
        while self._ahead:
            target = self._ahead.popleft()()
            if target is None:
                continue
            if self._admit(target, now, last=not self._ahead) is None:
                return target
            self._note_all_broken(target)
        return None

    def _instead(self, target: Target) -> Mapping[str, tuple[Make, ...]]:
        """Who takes over from a target after an error of a class."""
        assert self._plan is not None
        return self._plan.instead if target.instead is None else target.instead

    def _named(self, failed: Target, kind: ErrorClass, now: int) -> Target | None:
        self._took_over = True
        made = (make() for make in self._instead(failed).get(kind, ()))
        found = next((target for target in made if target is not None), None)
        if found is not None:
            self._admit(found, now, last=True)
        return found

    def _report(self, kind: ErrorClass, target: Target, now: int, asked: int | None) -> None:
        self._note_failed(kind, target)
        self._all.key_troubles.note(target.provider, kind, now)
        if self._permit is not None:
            self._breakers.over(self._permit, kind, now, asked=asked)
            self._permit = None


def _kind(lost: Lost) -> ErrorClass:
    return classify(lost.outcome, lost.status or None, lost.failure, sent=lost.sent, our_key=lost.target.our_key)
