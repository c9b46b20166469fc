"""The content of a message and its finish reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire.events import (
    Event,
    Finish,
    FinishReason,
    Opaque,
    PartEnd,
    Reasoning,
    Refusal,
    Terminal,
    Text,
    Timings,
    ToolCall,
    Vectors,
)
from tests.providers.wire.chat.written import deltas, finish, message


def test_text_is_told_as_it_comes() -> None:
    assert deltas(Text("a"), Text("b"), Text("c", 1), PartEnd(1), PartEnd(9)) == [
        {"role": "assistant", "content": "a"},
        {"content": "b"},
        {"content": "c"},
        {},
    ]


def test_halves_of_a_character() -> None:
    assert message(Text("\ud83d"), Text("\udc0e"))["content"] == "🐎"
    assert message(Text("a\ud83d"), Reasoning("x", 1))["content"] == "a\ufffd"
    assert message(Text("a\ud83d"))["content"] == "a\ufffd"


def test_a_refusal_grows() -> None:
    assert message(Text("a"), Refusal("n", 1), Refusal("o", 1))["refusal"] == "no"


def test_an_explanation_is_a_refusal() -> None:
    details = Opaque('{"type": "refusal", "explanation": "unsafe"}', "stop_details")
    refused = Finish(FinishReason.REFUSAL, "refusal")
    assert message(details, refused)["refusal"] == "unsafe"
    assert message(Refusal("no"), details, refused)["refusal"] == "no"
    assert "refusal" not in message(Opaque("1", "other"), refused)
    assert "refusal" not in message(details, Finish(FinishReason.STOP, "end_turn"))


def test_an_empty_answer_has_an_empty_text() -> None:
    assert deltas() == [{"role": "assistant", "content": ""}]


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (FinishReason.STOP, "stop"),
        (FinishReason.LENGTH, "length"),
        (FinishReason.STOP_SEQUENCE, "stop"),
        (FinishReason.REFUSAL, "content_filter"),
        (FinishReason.PAUSE, "stop"),
        (FinishReason.UNKNOWN, "stop"),
        (FinishReason.TOOL_CALLS, "stop"),
    ],
)
def test_why_it_stopped(reason: FinishReason, said: str) -> None:
    assert finish(Text("a"), Finish(reason, reason.value)) == said


@pytest.mark.parametrize(
    "end",
    [
        (),
        (Finish(FinishReason.STOP, "stop"),),
        (Finish(FinishReason.TOOL_CALLS, "x"),),
        (Finish(FinishReason.UNKNOWN, "server_timeout"),),
    ],
)
def test_a_call_is_why_it_stopped(end: tuple[Event, ...]) -> None:
    assert finish(ToolCall(0, "a", "f"), *end) == "tool_calls"
    assert finish(ToolCall(0, "a", "f"), Finish(FinishReason.LENGTH, "length")) == "length"


def test_the_last_reason_counts() -> None:
    assert finish(Text("a"), Finish(FinishReason.STOP, "stop"), Finish(FinishReason.LENGTH, "length")) == "length"


def test_what_says_nothing_says_nothing() -> None:
    assert deltas(Timings(), Vectors(1), Text("a"), Terminal()) == [{"role": "assistant", "content": "a"}, {}]


# Whatever texts come in whatever parts, the content is all of them in order.
@given(st.lists(st.tuples(st.text(min_size=1), st.integers(0, 2)), min_size=1))
def test_the_content_is_all_of_the_text(pieces: list[tuple[str, int]]) -> None:
    said = message(*(Text(text, part) for text, part in pieces))
    assert said["content"] == "".join(text for text, _ in pieces)
