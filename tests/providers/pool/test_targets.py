"""Which targets of a route one call may be answered by: each sieve, and who stays where all would go."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.pool.call_facts import CallFacts
from providers.pool.conditions import Conditions
from providers.pool.targets import CONTEXT_LENGTH, Choice, Judge, choose
from providers.wire.endpoints import Operation

TOOLS = (Conditions(has_tools=True),)
NO_TOOLS = (Conditions(has_tools=False),)


@dataclass(frozen=True)
class One:
    """A target as the policies see it, with all that could be known of it."""

    name: str
    when: tuple[Conditions, ...] = ()
    barred: str = ""
    window: int | None = None
    broken: str = ""
    fallback: "Mapping[str, tuple[One, ...]]" = field(default_factory=dict)

    def instead(self, error: str) -> "tuple[One, ...]":
        return self.fallback.get(error, ())


JUDGE = Judge[One](lambda one: one.barred, lambda one: one.window, lambda one: one.broken)


def call(tokens: int = 100) -> CallFacts:
    body: dict[str, object] = {"messages": [{"role": "user", "content": "a" * (4 * (tokens - 4))}]}
    return CallFacts(Operation.CHAT, body, (), lambda: 0)


def larger(*targets: One) -> dict[str, tuple[One, ...]]:
    return {CONTEXT_LENGTH: targets}


def chosen(*targets: One, tokens: int = 100) -> tuple[str, list[str]]:
    choice = choose(targets, call(tokens), JUDGE)
    return "".join(one.name for one in choice.targets), [str(one) for one in choice.left_out]


SMALL = "the prompt has about 100 tokens, the model reads 50"


@pytest.mark.parametrize(
    ("targets", "expected", "left_out"),
    [
        ((), "", []),
        ((One("a"),), "a", []),
        ((One("a"), One("b")), "ab", []),
        # conditions: nobody stays
        ((One("a", TOOLS), One("b")), "b", ["a: the call has no tools"]),
        ((One("a", NO_TOOLS), One("b", (*NO_TOOLS, *TOOLS))), "a", ["b: the call has no tools"]),
        ((One("a", TOOLS),), "", ["a: the call has no tools"]),
        # barred: the first that fits stays, to say so itself
        ((One("a", barred="no key"), One("b")), "b", ["a: no key"]),
        ((One("a", barred="no key"),), "a", []),
        ((One("a", barred="no key"), One("b", barred="not yours")), "a", ["b: not yours"]),
        ((One("a", TOOLS), One("b", barred="no key")), "b", ["a: the call has no tools"]),
        # too small: whoever is named for that, else all stay
        ((One("a", window=50), One("b")), "b", [f"a: {SMALL}"]),
        ((One("a", window=91), One("b")), "ab", []),
        ((One("a", window=50), One("b", window=50)), "ab", []),
        ((One("a", window=50),), "a", []),
        ((One("a", window=50, fallback=larger(One("x"), One("y"))),), "xy", [f"a: {SMALL}"]),
        ((One("a", window=200, fallback=larger(One("x"))),), "a", []),
        ((One("a", window=50), One("b", window=50, fallback=larger(One("x")))), "x", [f"a: {SMALL}", f"b: {SMALL}"]),
        ((One("a", window=50, fallback=larger(One("x", TOOLS))),), "a", []),
        (
            (One("a", window=50, fallback=larger(One("x", window=50, fallback=larger(One("z"))))),),
            "z",
            [f"a: {SMALL}", f"x: {SMALL}"],
        ),
        # broken: the last stays
        ((One("a", broken="open"), One("b")), "b", ["a: open"]),
        ((One("a"), One("b", broken="open")), "a", ["b: open"]),
        ((One("a", broken="open"), One("b", broken="open too")), "b", ["a: open"]),
        ((One("a", broken="open"),), "a", []),
        ((One("a", broken="open"), One("b", barred="no key")), "a", ["b: no key"]),
    ],
)
def test_who_may_answer(targets: tuple[One, ...], expected: str, left_out: list[str]) -> None:
    assert chosen(*targets) == (expected, left_out)


def test_a_choice_says_who_was_left_out() -> None:
    choice = choose((One("a", TOOLS), One("b", (Conditions(tokens_over=500),))), call(), JUDGE)
    assert choice.targets == ()
    assert str(choice) == "a: the call has no tools; b: the prompt has about 100 tokens, not over 500"


def test_nothing_is_asked_where_there_is_nothing_to_choose() -> None:
    def never(one: One) -> str:
        raise AssertionError(one)

    def never_window(one: One) -> int | None:
        raise AssertionError(one)

    assert choose((One("a"),), call(), Judge[One](never, never_window, never)) == Choice((One("a"),))


REASON = st.sampled_from(["", "", "why"])
CONDITIONS = st.sampled_from([(), (), TOOLS, NO_TOOLS])
WINDOW = st.sampled_from([None, 50, 200])
LEAF = st.builds(One, st.uuids().map(str), CONDITIONS, REASON, WINDOW, REASON)
ONE = st.builds(
    One, st.uuids().map(str), CONDITIONS, REASON, WINDOW, REASON, st.lists(LEAF, max_size=2).map(lambda x: larger(*x))
)


# Those chosen keep the order of the registry, no target is both chosen and left out, each that is not chosen has its
# reason, and nobody is chosen whose conditions do not hold.
@given(st.lists(ONE, max_size=4))
def test_every_target_is_accounted_for(targets: list[One]) -> None:
    choice = choose(targets, call(), JUDGE)
    names = [one.name for one in choice.targets]
    all_of_them = [inner for one in targets for inner in (one, *one.instead(CONTEXT_LENGTH))]
    assert names == [one.name for one in all_of_them if one.name in names]
    left_out = {one.name for one in choice.left_out}
    assert not left_out & set(names)
    assert all(one.name in names or one.name in left_out for one in targets)
    assert all(one.when != TOOLS for one in choice.targets)
    assert all(reason.why for reason in choice.left_out)


# A call that meets the conditions of some target is never without one.
@given(st.lists(ONE, min_size=1, max_size=4))
def test_no_call_is_lost_that_some_target_takes(targets: list[One]) -> None:
    fits = any(one.when != TOOLS for one in targets)
    assert bool(choose(targets, call(), JUDGE).targets) == fits
