"""Streams and plain answers of the chat dialect, read back by the openai SDK."""

import json
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion

from providers.wire.chat.writer import BodyWriter, StreamWriter
from providers.wire.endpoints import Dialect, Operation
from providers.wire.events import Begin, Comment, Event, Finish, FinishReason, Terminal, Text, ToolCall, Usage
from providers.wire.readers import reader_for
from tests.providers.wire import lookalikes_messages, lookalikes_responses
from tests.providers.wire.chat.written import answering, chunks, write
from tests.providers.wire.playbook import events_of
from tests.providers.wire.test_judges import openai_client

EVENTS: tuple[Event, ...] = (
    Begin("id", "m"),
    Comment("ping"),
    Text("Hi"),
    Usage(3, 4),
    Finish(FinishReason.STOP, "end_turn"),
    Terminal(),
)


def test_a_stream_from_begin_to_end() -> None:
    stream = write(StreamWriter(answering()), EVENTS)
    head = '{"id":"id","object":"chat.completion.chunk","created":1760000000,"model":"m",'
    usage = '"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}'
    delta = '{"role":"assistant","content":"Hi"}'
    assert stream.decode().split("\n\n") == [
        ": ping",
        f'data: {head}"usage":null,"choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]}}',
        f'data: {head}"usage":null,"choices":[{{"index":0,"delta":{{}},"finish_reason":"stop"}}]}}',
        f'data: {head}"choices":[],{usage}}}',
        "data: [DONE]",
        "",
    ]


def test_nothing_is_written_behind_the_end() -> None:
    stream = write(StreamWriter(answering()), (*EVENTS, Comment("ping"), Text("Ho")))
    assert stream == write(StreamWriter(answering()), EVENTS)


def test_usage_is_not_told_unasked() -> None:
    told = chunks(write(StreamWriter(answering(include_usage=False)), EVENTS))
    assert not any("usage" in chunk for chunk in told)


def test_the_end_comes_once() -> None:
    writer = StreamWriter(answering())
    assert b"[DONE]" in write(writer, EVENTS)
    assert writer.write(Terminal()) + writer.close() == b""
    plain = BodyWriter(answering())
    assert write(plain, EVENTS)
    assert plain.close() == b""


def test_nothing_is_ended_before_the_provider_ends_it() -> None:
    writer = StreamWriter(answering())
    assert b'finish_reason":"' not in b"".join(map(writer.write, EVENTS[:-1]))


def test_a_plain_answer() -> None:
    body = json.loads(write(BodyWriter(answering()), EVENTS))
    assert body == {
        "id": "id",
        "object": "chat.completion",
        "created": 1760000000,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hi", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
    }
    assert "usage" not in json.loads(write(BodyWriter(answering()), [Text("Hi")]))


def test_no_text_beside_calls_is_null() -> None:
    body = json.loads(write(BodyWriter(answering()), [ToolCall(0, "a", "f")]))
    assert body["choices"][0]["message"]["content"] is None


STREAMS = [
    *((Operation.MESSAGES, name, stream) for name, stream in lookalikes_messages.STREAMS.items()),
    *((Operation.RESPONSES, name, stream) for name, stream in lookalikes_responses.STREAMS.items()),
]


@pytest.mark.parametrize(("operation", "name", "stream"), STREAMS)
def test_a_plain_answer_is_what_the_sdk_makes_of_the_stream(operation: Operation, name: str, stream: bytes) -> None:
    """Also everything beside text and calls: reasoning details, annotations, provider_fields."""
    read = events_of(lambda: reader_for(operation, stream=True), stream)
    terms: dict[str, Any] = {"provider": Dialect(operation.value)}
    told = write(StreamWriter(answering(**terms)), read)
    body = ChatCompletion.model_validate_json(write(BodyWriter(answering(**terms)), read))
    with openai_client(told).chat.completions.stream(model="m", messages=[]) as judged:
        for _ in judged:
            pass
        streamed: openai.types.chat.ChatCompletion = judged.current_completion_snapshot
    seen, plain = streamed.choices[0].message, body.choices[0].message
    assert (seen.content or "", seen.refusal) == (plain.content or "", plain.refusal)
    for extra in ("reasoning_content", "reasoning_details", "provider_fields", "images"):
        assert (seen.model_extra or {}).get(extra) == (plain.model_extra or {}).get(extra), (name, extra)
    assert len(seen.annotations or []) == len(plain.annotations or [])
    assert streamed.usage == body.usage
    assert streamed.choices[0].finish_reason == body.choices[0].finish_reason
