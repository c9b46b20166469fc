"""Events played into the chat writers, and what an accumulator makes of the chunks."""

import json
from collections.abc import Iterable
from typing import Any

from openai.lib.streaming._deltas import accumulate_delta

from providers.wire.chat.writer import BodyWriter, StreamWriter
from providers.wire.endpoints import Dialect
from providers.wire.events import Event
from providers.wire.writer import Answering, Writer

TERMS: dict[str, Any] = {"include_usage": True, "signatures": "anthropic-claude-v1", "provider": Dialect.MESSAGES}


def answering(**more: Any) -> Answering:
    return Answering("ours", "asked", 1760000000, **{**TERMS, **more})


def write(writer: Writer, events: Iterable[Event]) -> bytes:
    return b"".join([*map(writer.write, events), writer.close()])


def chunks(stream: bytes) -> list[dict[str, Any]]:
    """The JSON of a stream's events, without its ``[DONE]``, which must be there."""
    lines = [line.removeprefix("data: ") for line in stream.decode().split("\n\n") if line.startswith("data: ")]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def deltas(*events: Event, **more: Any) -> list[dict[str, Any]]:
    told = chunks(write(StreamWriter(answering(**more)), events))
    return [chunk["choices"][0]["delta"] for chunk in told if chunk["choices"]]


def message(*events: Event, **more: Any) -> dict[str, Any]:
    """The message of a stream as the openai SDK puts it together; the plain answer must say the same."""
    joined: dict[object, object] = {}
    for delta in deltas(*events, **more):
        joined = accumulate_delta(joined, dict[object, object](delta.items()))
    streamed: dict[str, Any] = json.loads(json.dumps(joined))
    body = json.loads(write(BodyWriter(answering(**more)), events))
    plain = {key: value for key, value in body["choices"][0]["message"].items() if value is not None}
    for key in ("tool_calls", "annotations", "images"):
        for entry in streamed.get(key, ()):
            del entry["index"]
    assert plain == {key: value for key, value in streamed.items() if key != "content" or value or "content" in plain}
    return plain


def finish(*events: Event, **more: Any) -> str:
    told = chunks(write(StreamWriter(answering(**more)), events))
    body = json.loads(write(BodyWriter(answering(**more)), events))
    (reason,) = [choice["finish_reason"] for chunk in told for choice in chunk["choices"] if choice["finish_reason"]]
    assert body["choices"][0]["finish_reason"] == reason
    said: str = reason
    return said
