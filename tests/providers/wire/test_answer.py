"""What events add up to."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire import events
from providers.wire.answer import Answer
from providers.wire.events import (
    Begin,
    Comment,
    Failure,
    Finish,
    FinishReason,
    Media,
    Opaque,
    PartEnd,
    Reasoning,
    Refusal,
    Terminal,
    Text,
    Timings,
    ToolArguments,
    ToolCall,
    Usage,
    Vectors,
)
from providers.wire.request import (
    MediaPart,
    Message,
    OpaquePart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)
from tests.providers.wire.playbook import answer_of


def test_an_empty_answer() -> None:
    answer = Answer()
    assert answer.message() == Message("assistant", ())
    assert (answer.usage, answer.finish, answer.failure, answer.terminal, answer.has_content) == (
        Usage(),
        None,
        None,
        False,
        False,
    )


def test_a_picture_is_a_reference_in_the_record() -> None:
    answer = answer_of([Media("image", "image/png", 3, 0, "blake2b:00", "YWJj")])
    assert answer.message().parts == (MediaPart("image", "image/png", 3, "blake2b:00"),)
    assert b"YWJj" not in pickle.dumps(answer)  # nothing that it holds has the picture itself


def test_parts_stand_in_order_and_their_pieces_are_merged() -> None:
    answer = answer_of(
        [
            Begin("i", "m"),
            Reasoning("h", 0),
            Reasoning("m", 0, format="f"),
            Reasoning("", 0, "s", "e", "r"),
            Text("a", 1),
            ToolCall(2, "t", "f"),
            ToolArguments(2, "{"),
            Text("b", 1),
            ToolArguments(2, "}"),
            PartEnd(2),
            Refusal("no", 3),
            Media("image", "image/png", 7, 4, "x"),
            Opaque("{}", "new", 5),
            Opaque("beside", "citation", 1),
            Opaque("nowhere", "usage"),
            Comment("ping"),
        ]
    )
    assert answer.message().parts == (
        ReasoningPart("hm", "s", "e", "r", "f"),
        TextPart("ab"),
        OpaquePart("citation", "beside"),
        ToolCallPart("t", "f", "{}"),
        RefusalPart("no"),
        MediaPart("image", "image/png", 7, "x"),
        OpaquePart("new", "{}"),
    )
    assert (answer.id, answer.model) == ("i", "m")


def test_a_citation_may_come_before_its_text() -> None:
    answer = answer_of([Opaque("1", "citation", 0), Opaque("2", "citation", 0), Text("a", 0)])
    assert answer.message().parts == (TextPart("a"), OpaquePart("citation", "1"), OpaquePart("citation", "2"))


def test_arguments_without_a_call_are_kept() -> None:
    assert answer_of([ToolArguments(0, "{}")]).message().parts == (ToolCallPart("", "", "{}"),)


def test_a_later_name_counts_and_an_empty_one_does_not() -> None:
    answer = answer_of([Begin("i", ""), Begin("", "m")])
    assert (answer.id, answer.model) == ("i", "m")


def test_the_last_finish_and_the_first_failure_count() -> None:
    answer = answer_of(
        [
            Finish(FinishReason.STOP, "stop"),
            Finish(FinishReason.STOP_SEQUENCE, "stop_sequence", "END"),
            Failure("first"),
            Failure("second"),
            Timings(1),
            Vectors(2, 3),
            Terminal(),
        ]
    )
    assert (answer.finish, answer.finish_raw, answer.finish_sequence) == (
        FinishReason.STOP_SEQUENCE,
        "stop_sequence",
        "END",
    )
    assert (answer.failure, answer.timings, answer.vectors, answer.terminal) == (
        Failure("first"),
        Timings(1),
        Vectors(2, 3),
        True,
    )


COUNT = st.none() | st.integers(0, 9)


# Usage is the last number that was said of each field.
@given(st.lists(st.builds(Usage, *[COUNT] * 8, st.none() | st.text(max_size=1))))
def test_usage_is_merged_field_by_field(said: list[Usage]) -> None:
    merged = answer_of(said).usage
    for name in Usage.__slots__:
        numbers = [number for usage in said if (number := getattr(usage, name)) is not None]
        assert getattr(merged, name) == (numbers[-1] if numbers else None)


@pytest.mark.parametrize(
    ("event", "content"),
    [
        (Begin(), False),
        (Usage(1), False),
        (Comment(""), False),
        (Finish(FinishReason.STOP, ""), False),
        (Terminal(), False),
        (Text("a"), True),
        (Reasoning("a"), True),
        (ToolCall(0, "", ""), True),
        (Vectors(1), True),
    ],
)
def test_has_content(event: events.Event, content: bool) -> None:
    assert answer_of([event]).has_content is content


# However a text is cut, also inside of surrogate pairs, the message holds it whole.
@given(st.text(), st.lists(st.integers(0, 50)))
def test_text_cut_inside_of_characters(text: str, places: list[int]) -> None:
    halves = text.encode("utf-16-le", "surrogatepass")
    units = [halves[at : at + 2].decode("utf-16-le", "surrogatepass") for at in range(0, len(halves), 2)]
    answer = answer_of([Text(unit) for unit in units])
    assert answer.message().parts == ((TextPart(text),) if text else ())
