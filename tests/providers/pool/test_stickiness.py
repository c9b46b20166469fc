"""What calls stick by: sessions, and beginnings of prompts in each dialect."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.pool.call_facts import CallFacts
from providers.pool.stickiness import Sticky, sticky_key
from providers.wire.endpoints import Operation

Json = dict[str, object]


def key(body: Json, sticky: Sticky | None = "prefix", model: str = "m") -> str:
    return sticky_key(sticky, CallFacts(Operation.CHAT, body, (), lambda: 0), model)


def turn(role: str, content: object) -> Json:
    return {"role": role, "content": content}


SYSTEM, FIRST, ANSWER, SECOND = (
    turn("system", "be brief"),
    turn("user", "hello"),
    turn("assistant", "hi"),
    turn("user", "more"),
)


def test_sessions() -> None:
    assert key({"prompt_cache_key": "s"}, "session") == "s"
    assert key({}, "session") == ""
    assert key({"prompt_cache_key": "s"}, None) == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # a conversation that goes on
        ({"messages": [SYSTEM, FIRST]}, {"messages": [SYSTEM, FIRST, ANSWER, SECOND]}),
        ({"system": "s", "messages": [FIRST]}, {"system": "s", "messages": [FIRST, ANSWER, SECOND]}),
        ({"instructions": "s", "input": [FIRST]}, {"instructions": "s", "input": [FIRST, ANSWER, SECOND]}),
        # what does not belong to the beginning
        ({"messages": [FIRST], "temperature": 0}, {"messages": [FIRST], "temperature": 1}),
        # a long beginning that is shared
        ({"prompt": "x" * 2000 + "a"}, {"prompt": "x" * 2000 + "b"}),
        ({"messages": [turn("user", "x" * 2000 + "a")]}, {"messages": [turn("user", "x" * 2000 + "b")]}),
    ],
)
def test_what_stays_together(one: Json, other: Json) -> None:
    assert key(one) == key(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"messages": [SYSTEM, FIRST]}, {"messages": [SYSTEM, SECOND]}),
        ({"messages": [SYSTEM, FIRST]}, {"messages": [turn("developer", "be long"), FIRST]}),
        ({"system": "s" * 5000 + "a", "messages": [FIRST]}, {"system": "s" * 5000 + "b", "messages": [FIRST]}),
        ({"prompt": "a"}, {"prompt": "b"}),
        ({"input": ["a"]}, {"input": ["b"]}),
    ],
)
def test_what_is_spread(one: Json, other: Json) -> None:
    assert key(one) != key(other)


def test_the_model_counts() -> None:
    assert key({"prompt": "a"}, model="m") != key({"prompt": "a"}, model="n")
    assert key({"prompt": "a"}, model="\ud800") != ""


@pytest.mark.parametrize("body", [{}, {"messages": []}, {"messages": None, "input": ""}])
def test_nothing_sticks_by_nothing(body: Json) -> None:
    assert key(body) == ""


def test_instructions_alone_are_a_beginning() -> None:
    assert key({"messages": [SYSTEM]}) not in ("", key({"messages": [turn("system", "other")]}))


# A message that is added at the end never moves a conversation that has begun.
@given(st.text(), st.lists(st.tuples(st.sampled_from(["user", "assistant", "tool"]), st.text()), max_size=4))
def test_a_conversation_never_moves(first: str, rest: list[tuple[str, str]]) -> None:
    begun = [turn("user", first)]
    assert key({"messages": begun}) == key({"messages": [*begun, *(turn(*one) for one in rest)]})
