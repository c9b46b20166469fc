"""Ways to write neutral events as Messages answers, and what the official SDK makes of them."""

import json
from collections.abc import Sequence
from typing import Any

import anthropic
import httpx2
from anthropic.types import Message

from providers.wire import side_channel
from providers.wire.endpoints import Dialect
from providers.wire.events import Event
from providers.wire.messages.writer import BodyWriter, StreamWriter
from providers.wire.writer import Answering

CHAT = Answering("pb1", "asked", 1, provider=Dialect.CHAT)
RESPONSES = Answering("pb1", "asked", 1, provider=Dialect.RESPONSES, signatures=side_channel.OPENAI)
NATIVE = Answering("pb1", "asked", 1, provider=Dialect.MESSAGES, signatures=side_channel.ANTHROPIC)


def streamed(events: Sequence[Event], answering: Answering = CHAT) -> bytes:
    """The whole stream of these events."""
    writer = StreamWriter(answering)
    return b"".join([*(writer.write(event) for event in events), writer.close()])


def sent(events: Sequence[Event], answering: Answering = CHAT) -> list[dict[str, Any]]:
    """The stream's events, without message_start, message_delta and message_stop."""
    values = [
        json.loads(line[6:]) for line in streamed(events, answering).decode().splitlines() if line[:6] == "data: "
    ]
    assert values[0]["type"] == "message_start"
    assert [value["type"] for value in values[-2:]] == ["message_delta", "message_stop"]
    return values[1:-2]


def judged(stream: bytes, size: int = 7) -> Message:
    """What the official SDK's accumulator makes of a stream that comes in pieces of ``size`` bytes."""
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    transport = httpx2.MockTransport(
        lambda _request: httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=iter(pieces))
    )
    client = anthropic.Anthropic(
        api_key="none",
        base_url="http://upstream.invalid",
        http_client=httpx2.Client(transport=transport),
        max_retries=0,
    )
    with client.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "Hi"}]) as stream_:
        return stream_.get_final_message()


def message(events: Sequence[Event], answering: Answering = CHAT) -> dict[str, Any]:
    """The plain answer of these events, as the SDK's typed model has it."""
    writer = BodyWriter(answering)
    assert b"".join(writer.write(event) for event in events) == b""
    value: dict[str, Any] = json.loads(writer.close())
    Message.model_validate(value)
    return value


def content(events: Sequence[Event], answering: Answering = CHAT) -> list[dict[str, Any]]:
    """The blocks of an answer: the SDK's from the stream, which must be those of the plain answer, too."""
    plain: list[dict[str, Any]] = message(events, answering)["content"]
    accumulated = judged(streamed(events, answering))
    assert [block.to_dict(mode="json") for block in accumulated.content] == plain
    return plain
