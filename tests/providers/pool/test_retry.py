"""Which failure is followed by what: the table, the waits, and whole calls played to their end."""

from dataclasses import dataclass, field, replace
from heapq import heapify, heappop, heappush
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.pool.error_class import ErrorClass
from providers.pool.retry import DEFAULTS, NAMEABLE, RULES, Here, RetryPolicy, Ruling, Standing, Where, rule
from providers.pool.retry_budget import FLOOR, PERCENT, RetryBudget

MS = 1_000
SECOND = 1_000_000
EMPTY = RetryBudget(percent=0, floor=0)
FAR = 3600 * SECOND
FIRST = Standing(now=0, deadline=FAR, attempts=1)
EAGER = RetryPolicy(repeat_sent=True)


def ruling(
    kind: str,
    policy: RetryPolicy = DEFAULTS,
    *,
    budget: RetryBudget | None = None,
    chance: float = 0.5,
    **where: Any,
) -> Ruling:
    standing = replace(FIRST, **where)
    return rule(ErrorClass(kind), standing, budget or RetryBudget(), chance, policy)


def test_every_class_has_a_row() -> None:
    assert set(RULES) == set(ErrorClass)


# kind → with another target ahead, alone; both again where the operator lets sent requests be repeated.
TABLE: dict[str, tuple[str, str, str, str]] = {
    "refused": ("next", "here", "next", "here"),
    "dns": ("next", "here", "next", "here"),
    "tls": ("next", "stop", "next", "stop"),
    "connect_timeout": ("next", "here", "next", "here"),
    "reset": ("next", "here", "next", "here"),
    "cut": ("stop", "stop", "next", "here"),
    "stall": ("stop", "stop", "next", "here"),
    "server_error": ("here", "here", "here", "here"),
    "gateway_timeout": ("stop", "stop", "next", "here"),
    "overloaded": ("next", "here", "next", "here"),
    "loading": ("next", "here", "next", "here"),
    "rate_limit": ("next", "stop", "next", "stop"),
    "spend_limit": ("next", "stop", "next", "stop"),
    "auth": ("next", "stop", "next", "stop"),
    "context_length": ("stop", "stop", "stop", "stop"),
    "content_filter": ("stop", "stop", "stop", "stop"),
    "malformed": ("next", "stop", "next", "stop"),
    "unsupported": ("next", "stop", "next", "stop"),
    "request": ("stop", "stop", "stop", "stop"),
    "ended": ("stop", "stop", "stop", "stop"),
}


@pytest.mark.parametrize("kind", ErrorClass)
def test_the_table(kind: str) -> None:
    found = [ruling(kind, policy, ahead=ahead).where for policy in (DEFAULTS, EAGER) for ahead in (1, 0)]
    assert tuple(found) == TABLE[kind]


@pytest.mark.parametrize("kind", ErrorClass)
def test_a_target_that_the_registry_names_for_a_class_goes_first(kind: ErrorClass) -> None:
    found = ruling(kind, named=frozenset(ErrorClass))
    if kind not in NAMEABLE:
        assert found.where is Where.STOP
    else:
        assert found.where == ("here" if kind is ErrorClass.SERVER_ERROR else "named")
        assert ruling(kind, attempts=2, ahead=1, named=frozenset([kind])).where is Where.NAMED


def test_what_another_provider_must_not_be_asked() -> None:
    assert set(ErrorClass) - NAMEABLE == {"content_filter", "request", "ended"}


@pytest.mark.parametrize(
    ("kind", "standing", "why"),
    [
        ("refused", {"ahead": 1}, "refused: next target"),
        ("context_length", {"named": frozenset([ErrorClass.CONTEXT_LENGTH])}, "context_length: named target"),
        ("refused", {}, "refused: again after 300 ms"),
        ("refused", {"attempts": 3}, "refused: 3 attempts were made"),
        ("auth", {"attempts": 3, "ahead": 1}, "auth: 3 attempts were made"),
        ("auth", {}, "auth: no target is left"),
        ("request", {"ahead": 1}, "request: no other target is asked"),
        ("stall", {"ahead": 1}, "stall: the provider may have been at work"),
        ("rate_limit", {}, "rate_limit: no wait was asked for"),
        ("rate_limit", {"asked": 90 * SECOND}, "rate_limit: the provider asks for 90 s"),
        ("rate_limit", {"asked": 2 * SECOND, "deadline": 2 * SECOND}, "rate_limit: the deadline would pass"),
        ("overloaded", {"deadline": 100 * MS}, "overloaded: the deadline would pass"),
        ("overloaded", {"now": FAR}, "overloaded: the deadline has passed"),
        (
            "loading",
            {"now": 700 * SECOND, "loading_since": 100 * SECOND},
            "loading: it has not loaded its model in time",
        ),
        ("loading", {"deadline": SECOND // 2}, "loading: the deadline would pass"),
    ],
)
def test_the_reason_is_said(kind: str, standing: dict[str, Any], why: str) -> None:
    found = ruling(kind, **standing)
    assert found.why == why
    assert found.why.isascii()
    assert found.why.isprintable()


def test_a_spent_budget_leaves_the_next_target() -> None:
    assert ruling("refused", budget=EMPTY) == Ruling(Where.STOP, 0, "refused: the retry budget is spent")
    assert ruling("server_error", budget=EMPTY, ahead=1).where is Where.NEXT
    assert ruling("refused", budget=EMPTY, ahead=1).where is Where.NEXT
    assert ruling("loading", budget=EMPTY).where is Where.HERE


def test_only_a_repetition_is_charged() -> None:
    budget = RetryBudget()
    repeated = [kind for kind in ErrorClass if ruling(kind, budget=budget, ahead=1).where is Where.HERE]
    assert repeated == ["server_error"]
    assert (budget.taken, budget.denied) == (1, 0)


def test_a_repetition_takes_no_attempt_that_a_further_target_needs() -> None:
    assert ruling("server_error", attempts=1, ahead=1).where is Where.HERE
    assert ruling("server_error", attempts=2, ahead=1).where is Where.NEXT
    assert ruling("server_error", attempts=1, ahead=2).where is Where.NEXT
    assert ruling("rate_limit", attempts=2, ahead=1, asked=0).where is Where.NEXT


@pytest.mark.parametrize(
    ("here", "least", "most"),
    [(1, 100, 500), (2, 100, 1000), (3, 100, 2000), (4, 100, 2000), (1000, 100, 2000)],
)
def test_waits_double_up_to_two_seconds(here: int, least: int, most: int) -> None:
    long = RetryPolicy(attempts=2000)
    assert ruling("refused", long, here=here, chance=0.0).wait_us == least * MS
    assert ruling("refused", long, here=here, chance=1.0).wait_us == most * MS


@pytest.mark.parametrize(
    ("kind", "asked", "ahead", "expected"),
    [
        ("rate_limit", 2000, 0, 2100),
        ("rate_limit", 60_000, 0, 63_000),
        ("rate_limit", 300, 1, 315),
        ("rate_limit", 500, 1, 525),
        ("rate_limit", 0, 1, 100),  # a moment that has passed: not at once, all the same
        ("rate_limit", 2000, 1, None),
        ("rate_limit", 501, 1, None),
        ("overloaded", 2000, 0, 2100),
        ("overloaded", 300, 1, None),
        ("server_error", 300, 1, 315),
        ("server_error", 2000, 1, None),
        ("loading", 5000, 0, 5000),
        ("loading", 100, 0, 750),
        ("loading", None, 0, 750),
    ],
)
def test_an_asked_wait(kind: str, asked: int | None, ahead: int, expected: int | None) -> None:
    found = ruling(kind, ahead=ahead, asked=asked if asked is None else asked * MS)
    if expected is None:
        assert found == Ruling(Where.NEXT, 0, f"{kind}: next target")
    else:
        assert (found.where, found.wait_us) == (Where.HERE, expected * MS)


def test_a_loading_server_is_asked_beyond_the_attempts() -> None:
    assert ruling("loading", attempts=3, loading_since=0).where is Where.HERE
    assert ruling("loading", attempts=3, ahead=1).where is Where.HERE  # there is no attempt left for the next one
    assert ruling("loading", attempts=2, ahead=1).where is Where.NEXT


@dataclass
class Played:
    """A call that fails and fails, as an exchange would play it."""

    policy: RetryPolicy
    budget: RetryBudget
    deadline: int
    ahead: int
    named: frozenset[ErrorClass]
    now: int = 0
    attempts: int = 0
    polls: int = 0
    here: int = 0
    loading_since: int | None = None
    rulings: list[Ruling] = field(default_factory=list)

    def fail(self, kind: ErrorClass, asked: int | None, took: int, chance: float) -> Ruling:
        self.now += took
        if kind is ErrorClass.LOADING:
            self.polls += 1
            self.loading_since = self.now if self.loading_since is None else self.loading_since
        else:
            self.attempts += 1
            self.here += 1
        standing = Standing(
            self.now,
            self.deadline,
            self.attempts,
            max(1, self.here),
            self.ahead,
            self.named,
            asked,
            self.loading_since,
        )
        found = rule(kind, standing, self.budget, chance, self.policy)
        if found.where is Where.NEXT:
            self.ahead -= 1
        if found.where is Where.NAMED:
            self.named -= {kind}
        if found.where is not Where.HERE:
            self.here, self.loading_since = 0, None
        self.now += found.wait_us
        self.rulings.append(found)
        return found


kinds = st.sampled_from(ErrorClass)
policies = st.builds(
    RetryPolicy, attempts=st.integers(1, 6), repeat_sent=st.booleans(), loading=st.integers(0, 20 * SECOND)
)
failures = st.lists(
    st.tuples(
        kinds,
        st.none() | st.integers(0, 100 * SECOND),
        st.integers(0, 3 * SECOND),
        st.floats(0, 1, exclude_max=True),
    ),
    min_size=1,
    max_size=60,
)


# However a call fails: its attempts stay within the policy's, no wait passes its deadline, every further target is
# asked once at most, only classes that allow it are named, and what is never repeated ends it.
@given(policies, failures, st.integers(1, 60 * SECOND), st.integers(0, 4), st.frozensets(kinds))
def test_a_call_keeps_within_its_bounds(
    policy: RetryPolicy,
    failing: list[tuple[ErrorClass, int | None, int, float]],
    deadline: int,
    ahead: int,
    named: frozenset[ErrorClass],
) -> None:
    played = Played(policy, RetryBudget(), deadline, ahead, named)
    for kind, asked, took, chance in failing:
        failed_at = played.now + took
        found = played.fail(kind, asked, took, chance)
        assert played.now < deadline or played.now == failed_at
        assert found.wait_us == 0 or found.where is Where.HERE
        assert found.where is not Where.HERE or RULES[kind].here is not Here.NEVER
        assert found.where is not Where.NAMED or kind in NAMEABLE
        assert policy.repeat_sent or not RULES[kind].risky or found.where in (Where.NAMED, Where.STOP)
        if found.where is Where.STOP:
            break
    assert played.attempts <= policy.attempts
    assert played.ahead >= 0
    moved = sum(one.where is Where.NEXT for one in played.rulings)
    assert moved == ahead - played.ahead
    assert played.budget.taken + played.polls >= sum(one.where is Where.HERE for one in played.rulings)


# An outage under load: the provider gets its calls, a fifth more, and the floor of every window.
@settings(max_examples=25)
@given(st.integers(1, 80), st.sampled_from(["refused", "server_error", "overloaded"]), st.floats(0, 0.99))
def test_an_outage_costs_a_fifth_more(per_second: int, kind: str, chance: float) -> None:
    budget = RetryBudget()
    calls, attempts = 30 * per_second, 0
    due = [(call * SECOND // per_second, 1) for call in range(calls)]
    heapify(due)
    while due:
        now, here = heappop(due)
        if here == 1:
            budget.call(now)
        attempts += 1
        found = rule(ErrorClass(kind), Standing(now, now + FAR, attempts=here, here=here), budget, chance)
        if found.where is Where.HERE:
            heappush(due, (now + found.wait_us, here + 1))
    assert calls <= attempts <= calls + calls * PERCENT // 100 + 4 * FLOOR
