"""Whole Messages answers and streams, token counts; and streams that end badly."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire.events import (
    Begin,
    Comment,
    Event,
    Failure,
    Finish,
    FinishReason,
    Opaque,
    PartEnd,
    Terminal,
    Text,
    Usage,
)
from providers.wire.messages.reader import MessagesBodyReader, MessagesStreamReader, TokenCountReader
from providers.wire.reader import Reader
from providers.wire.request import TextPart, ToolCallPart
from tests.providers.wire.messages.blocks_play import PING, STOP, delta, message_delta, message_start, read, start, stop
from tests.providers.wire.playbook import JSON, answer_of, cut, events_of, named, parts_of, play, sse

HELLO = [start(0, type="text", text=""), PING, delta(0, "text_delta", text="Hi"), stop(0)]
WHOLE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "Hi"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 5},
}


def test_a_stream_from_begin_to_end() -> None:
    stream = named(message_start(), *HELLO, message_delta(), STOP)
    assert events_of(MessagesStreamReader, stream) == [
        Begin("msg_1", "m"),
        Usage(3, 1),
        Comment("ping"),
        Text("Hi"),
        PartEnd(0),
        Usage(3, 5),
        Finish(FinishReason.STOP, "end_turn"),
        Terminal(),
    ]


def test_names_are_not_needed() -> None:
    events = [message_start(), *HELLO, message_delta(), STOP]
    assert events_of(MessagesStreamReader, sse(*events)) == events_of(MessagesStreamReader, named(*events))


@pytest.mark.parametrize("reader", [MessagesStreamReader, MessagesBodyReader])
def test_the_form_is_taken_from_the_bytes(reader: type[Reader]) -> None:
    expected: list[Event] = [
        Begin("msg_1", "m"),
        Text("Hi"),
        PartEnd(0),
        Usage(3, 5),
        Finish(FinishReason.STOP, "end_turn"),
        Terminal(),
    ]
    assert events_of(reader, json.dumps(WHOLE).encode()) == expected
    streamed = events_of(reader, named(message_start(), *HELLO, message_delta(), STOP))
    assert answer_of(streamed).message() == answer_of(expected).message()
    assert answer_of(streamed).usage == Usage(3, 5)


def test_a_start_that_is_already_filled() -> None:
    """Programmatic tool calling: the whole answer in message_start, then nothing but the end (recorded 13 times)."""
    content = [{"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}]
    events = read(message_start(content, stop_reason="tool_use"), STOP)
    answer = answer_of(events)
    assert answer.message().parts == (ToolCallPart("a", "f", '{"x": 1}'),)
    assert (answer.finish, answer.terminal) == (FinishReason.TOOL_CALLS, True)


def test_a_second_start_changes_nothing() -> None:
    events = read(message_start(), *HELLO, message_start([{"type": "text", "text": "again"}]), message_delta(), STOP)
    assert parts_of(events) == (TextPart("Hi"),)
    assert [event.type for event in events if isinstance(event, Opaque)] == ["message_start"]


def test_a_start_that_is_only_repeated_says_nothing() -> None:
    events = read(message_start(), message_start(), *HELLO, message_delta(), STOP)
    assert not any(isinstance(event, Opaque) for event in events)
    unnamed = {"type": "message_start", "message": {"content": []}}
    assert [event.type for event in read(unnamed, unnamed) if isinstance(event, Opaque)] == ["message_start"]


def test_a_name_stands_in_for_a_missing_type() -> None:
    stream = b"event: message_stop\ndata: {}\n\n"
    assert events_of(MessagesStreamReader, stream) == [Terminal()]


def test_another_answer_behind_the_end_is_not_told_as_this_one() -> None:
    answer = answer_of(read(message_start(), *HELLO, message_delta(), STOP, message_start(), *HELLO, STOP))
    assert answer.message().parts == (TextPart("Hi"),)


def test_what_was_counted_beside_tokens_is_told_once() -> None:
    counts = {"input_tokens": 1, "output_tokens": 2, "server_tool_use": {"web_search_requests": 1}}
    wanted = Opaque('{"server_tool_use":{"web_search_requests":1}}', "usage")
    streamed = read(message_start(usage=counts), *HELLO, message_delta("end_turn", counts), STOP)
    assert [event for event in streamed if isinstance(event, Opaque)] == [wanted]
    whole = json.dumps({"content": [], "usage": counts}).encode()
    assert [event for event in events_of(MessagesBodyReader, whole) if isinstance(event, Opaque)] == [wanted]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("end_turn", FinishReason.STOP),
        ("max_tokens", FinishReason.LENGTH),
        ("model_context_window_exceeded", FinishReason.LENGTH),
        ("stop_sequence", FinishReason.STOP_SEQUENCE),
        ("tool_use", FinishReason.TOOL_CALLS),
        ("refusal", FinishReason.REFUSAL),
        ("pause_turn", FinishReason.PAUSE),
        ("compaction", FinishReason.UNKNOWN),
    ],
)
def test_stop_reasons(raw: str, reason: FinishReason) -> None:
    sequence = "END" if raw == "stop_sequence" else ""
    events = read(message_start(), *HELLO, message_delta(raw, stop_sequence=sequence or None), STOP)
    assert Finish(reason, raw, sequence) in events


def test_a_reason_said_twice_counts_once_and_null_is_none() -> None:
    events = read(message_start(), message_delta(None), message_delta(), message_delta(), STOP)
    assert sum(isinstance(event, Finish) for event in events) == 1


def test_what_stands_beside_is_kept() -> None:
    ending = {
        **message_delta("refusal", stop_details={"explanation": "no"}, container={"id": "c"}),
        "context_management": {"applied_edits": [1]},
    }
    events = read(message_start(service="x"), ending, {"type": "new_event", "a": 1}, STOP)
    assert [event for event in events if isinstance(event, Opaque)] == [
        Opaque('"x"', "service"),
        Opaque('{"explanation":"no"}', "stop_details"),
        Opaque('{"id":"c"}', "container"),
        Opaque('{"applied_edits":[1]}', "context_management"),
        Opaque('{"type": "new_event", "a": 1}', "new_event"),
    ]


def test_bedrocks_counts_on_the_last_event_count_only_if_there_are_no_others() -> None:
    metrics = {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 7, "outputTokenCount": 2}}
    bare = {**message_start(), "message": {"id": "msg_1", "model": "m", "content": []}}
    assert answer_of(read(bare, {**STOP, **metrics})).usage == Usage(7, 2)
    assert answer_of(read(message_start(), {**STOP, **metrics})).usage == Usage(3, 1)
    assert answer_of(read(bare, STOP)).usage == Usage()
    assert answer_of(read(message_start(), {**STOP, "usage": {"output_tokens": 8}})).usage == Usage(3, 8)


ERROR = {
    "type": "error",
    "error": {"type": "overloaded_error", "message": "Overloaded", "details": {"error_code": "o"}},
}


def test_an_error_is_a_failure_and_no_end() -> None:
    for events in ([message_start(), *HELLO, ERROR], [message_start(), ERROR, STOP]):
        answer = answer_of(read(*events))
        assert answer.failure is not None
        assert (answer.failure.message, answer.failure.type, answer.failure.code) == (
            "Overloaded",
            "overloaded_error",
            "o",
        )
        assert not answer.terminal


@pytest.mark.parametrize("count", [1, 3, 5, 6])
def test_a_stream_that_breaks_off_has_no_end(count: int) -> None:
    events = [message_start(), *HELLO, message_delta()][:count]
    assert Terminal() not in read(*events)


def test_only_one_end_and_what_gateways_send_behind_it() -> None:
    stream = named(message_start(), *HELLO, message_delta(), STOP, STOP) + b"data: [DONE]\n\n"
    events = events_of(MessagesStreamReader, stream)
    assert events.count(Terminal()) == 1
    assert not any(isinstance(event, Opaque) for event in events)


def test_json_that_is_no_message_stays_opaque() -> None:
    assert events_of(MessagesBodyReader, b'{"a":1}') == [Opaque('{"a":1}'), Terminal()]


def test_odd_blocks_of_a_whole_answer_are_kept() -> None:
    events: list[Event] = events_of(MessagesBodyReader, b'{"content":["odd",{"type":"new"}]}')
    assert events[1:] == [
        Opaque('{"type":"","value":"odd"}', "", 0),
        PartEnd(0),
        Opaque('{"type":"new"}', "new", 1),
        PartEnd(1),
        Terminal(),
    ]


def test_token_counts() -> None:
    assert events_of(TokenCountReader, b'{"input_tokens": 15}') == [Begin(), Usage(15), Terminal()]
    [failure] = events_of(TokenCountReader, json.dumps(ERROR).encode())
    assert isinstance(failure, Failure)
    assert isinstance(events_of(TokenCountReader, named(ERROR))[0], Failure)


# Any cut of the bytes gives the same events.
@given(st.lists(st.integers(0, 5000), max_size=12), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_cuts_change_nothing(places: list[int], line_end: bytes) -> None:
    stream = named(message_start(), *HELLO, start(1, type="tool_use", id="a", name="ž"), stop(1), message_delta(), STOP)
    ended = stream.replace(b"\n", line_end)
    assert play(MessagesStreamReader(), cut(ended, places)) == play(MessagesStreamReader(), [stream])


KEYS = st.sampled_from(
    "type index delta content_block message content text thinking signature input id name usage "
    "input_tokens stop_reason stop_details partial_json citation citations data error caller".split()
)
TYPES = st.sampled_from(
    "message_start content_block_start content_block_delta content_block_stop message_delta message_stop "
    "text thinking tool_use server_tool_use redacted_thinking text_delta thinking_delta signature_delta "
    "input_json_delta citations_delta error end_turn".split()
)
ODD = st.recursive(
    JSON | TYPES | st.integers(0, 2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)


# Whatever shape an answer has, no reader raises.
@given(st.lists(st.tuples(TYPES, st.dictionaries(KEYS, ODD, max_size=5)), max_size=5))
def test_odd_shapes_never_raise(values: list[tuple[str, dict[str, Any]]]) -> None:
    events = [{**value, "type": kind} for kind, value in values]
    answer_of(play(MessagesStreamReader(), [named(*events)])).message()
    for event in events:
        answer_of(play(MessagesBodyReader(), [json.dumps(event).encode()])).message()
        play(TokenCountReader(), [json.dumps(event).encode()])
