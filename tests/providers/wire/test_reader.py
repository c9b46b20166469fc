"""What all readers share: forms, errors, and what stands ahead."""

import json
from typing import Any

import pytest

from providers.wire import reader as wire_reader
from providers.wire.endpoints import Operation
from providers.wire.events import Begin, Comment, Failure, Opaque, Terminal, Text
from providers.wire.reader import Reader, failure_of
from providers.wire.readers import reader_for
from tests.providers.wire.playbook import answer_of, events_of, play, sse

ALL = [(operation, stream) for operation in Operation for stream in (True, False)]
ANSWER = {"choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]}


def chat_stream() -> Reader:
    return reader_for(Operation.CHAT, stream=True)


def chat_body() -> Reader:
    return reader_for(Operation.CHAT, stream=False)


@pytest.mark.parametrize(("operation", "stream"), ALL)
@pytest.mark.parametrize(
    ("body", "message", "type_", "code"),
    [
        (b'{"error":{"message":"m","type":"t","param":null,"code":"c"}}', "m", "t", "c"),
        (b'{"type":"error","error":{"type":"t","message":"m"},"request_id":"r"}', "m", "t", ""),
        (
            b'{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}',
            "Loading model",
            "unavailable_error",
            "503",
        ),
        (b'{"code":"c","error":"m"}', "m", "", "c"),
        (b'{"error":"m"}', "m", "", ""),
        (b'{"error":["odd"]}', '["odd"]', "", ""),
        (b'{"error":{"odd":1}}', '{"odd":1}', "", ""),
        (b'{"detail":"Unauthorized"}', "Unauthorized", "", ""),
        (b'{"detail":[{"loc":["body"],"msg":"missing"}]}', '[{"loc":["body"],"msg":"missing"}]', "", ""),
        (b'{"object":"error","message":"m","type":"t","code":404}', "m", "t", "404"),
        (b'{"message":"m"}', "m", "", ""),
        (b" \r\n<html><body>502 Bad Gateway</body></html>\n", "<html><body>502 Bad Gateway</body></html>", "", ""),
        (b"upstream connect error", "upstream connect error", "", ""),
    ],
)
def test_an_error_body_is_a_failure_and_no_end(
    operation: Operation, stream: bool, body: bytes, message: str, type_: str, code: str
) -> None:
    events = play(reader_for(operation, stream), [body])
    assert [(event.message, event.type, event.code) for event in events if isinstance(event, Failure)] == [
        (message, type_, code)
    ]
    assert Terminal() not in events


@pytest.mark.parametrize(("operation", "stream"), ALL)
def test_a_cut_body_is_kept_and_no_end(operation: Operation, stream: bool) -> None:
    assert events_of(lambda: reader_for(operation, stream), b'{"choices": [{') == [
        Opaque('{"choices": [{', "malformed")
    ]


@pytest.mark.parametrize(("operation", "stream"), ALL)
@pytest.mark.parametrize("body", [b"", b" \n\n", b"\xef\xbb\xbf"])
def test_nothing_is_nothing(operation: Operation, stream: bool, body: bytes) -> None:
    assert events_of(lambda: reader_for(operation, stream), body) == []


@pytest.mark.parametrize("make", [chat_stream, chat_body])
@pytest.mark.parametrize("ahead", [b"", b" \n\n ", b"\xef\xbb\xbf\n", b": OPENROUTER PROCESSING\n\n: again\n\n"])
def test_what_stands_ahead_of_a_body(make: Any, ahead: bytes) -> None:
    events = events_of(make, ahead + json.dumps(ANSWER).encode())
    comments = [event.text for event in events if isinstance(event, Comment)]
    assert comments == (["OPENROUTER PROCESSING", "again"] if b":" in ahead else [])
    assert answer_of(events).terminal


def test_comments_alone_are_no_answer() -> None:
    assert events_of(chat_stream, b": a\n\n:b") == [Comment("a"), Comment("b")]
    assert events_of(chat_body, b": a\n\n:b") == [Comment("a"), Comment("b")]
    assert events_of(chat_stream, b"event: x\n\n") == []
    assert events_of(chat_body, b"event: x\n\n") == []


def test_events_of_a_stream_come_at_once_and_of_a_body_at_the_end() -> None:
    streaming, collecting = chat_stream(), chat_body()
    stream = sse({"choices": [{"index": 0, "delta": {"content": "Hi"}}]})
    assert streaming.feed(b": a\n" + stream) == [Comment("a"), Begin(), Text("Hi")]
    assert collecting.feed(stream) == []
    assert collecting.close() == [Begin(), Text("Hi")]


def test_empty_events_show_life() -> None:
    assert events_of(chat_stream, b"event: heartbeat\ndata:\n\n") == [Comment("heartbeat")]


def test_an_error_event_without_json_is_a_failure() -> None:
    assert events_of(chat_stream, b"event: error\ndata: overloaded\n\n") == [Failure("overloaded")]
    [failure] = events_of(chat_stream, b'event: error\ndata: {"odd": 1}\n\n')
    assert isinstance(failure, Failure)
    assert failure.message == '{"odd":1}'
    assert events_of(chat_stream, b"event: error\ndata: [1]\n\n") == [Failure("[1]")]


@pytest.mark.parametrize(("last", "ends"), [(b"}", [Terminal()]), (b"} \n", [Terminal()]), (b"x", [])])
def test_a_body_too_long_to_read_is_judged_by_its_last_byte(
    monkeypatch: pytest.MonkeyPatch, last: bytes, ends: list[Terminal]
) -> None:
    monkeypatch.setattr(wire_reader, "MAX_BODY", 100)
    expected = [Opaque(f"an answer of {121 + len(last)} bytes, not read", "oversized"), *ends]
    assert play(chat_body(), [b"{", b" " * 60, b"a" * 60, last, b""]) == expected


def test_a_stream_reader_keeps_no_more_than_that_of_what_is_no_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire_reader, "MAX_BODY", 100)
    events = play(chat_stream(), [b"{" + b" " * 99, b" " * 99, b"}" * 99])
    assert [type(event) for event in events] == [Opaque]


def test_a_deep_body_is_kept() -> None:
    events = play(chat_body(), [b"[" * 200_000])
    assert [event.type for event in events if isinstance(event, Opaque)] == ["malformed"]


@pytest.mark.parametrize("value", [None, [], "text", {}, {"error": None}, {"message": "m", "choices": []}])
def test_good_values_are_no_failures(value: object) -> None:
    assert failure_of(value) is None


def test_a_failure_keeps_the_whole_error() -> None:
    body = {"error": {"message": "m", "code": 429, "metadata": {"raw": "slow down"}}}
    failure = failure_of(body)
    assert failure is not None
    assert json.loads(failure.raw) == body


def test_an_error_field_that_is_null_is_no_error() -> None:
    [*_, text] = events_of(chat_stream, sse({"error": None, "choices": [{"index": 0, "delta": {"content": "a"}}]}))
    assert text == Text("a")


@pytest.mark.parametrize("data", ["{broken", "[1]", "7", '"text"', "null"])
def test_an_event_that_is_no_object_is_kept_and_the_next_one_is_read(data: str) -> None:
    good = sse({"choices": [{"index": 0, "delta": {"content": "a"}}]})
    events = events_of(chat_stream, f"data: {data}\n\n".encode() + good)
    assert events == [Opaque(data, "malformed"), Begin(), Text("a")]


def test_an_answer_that_failed_inside_has_no_good_end() -> None:
    """OpenRouter says so in a choice, with what the model had said until then."""
    failed = {"choices": [{"index": 0, "message": {"content": "a"}, "finish_reason": "error"}]}
    events = events_of(chat_body, json.dumps(failed).encode())
    assert Text("a") in events
    assert isinstance(events[-1], Failure)
    assert Terminal() not in events
