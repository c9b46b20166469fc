"""Look-alikes of chat chunks, as short as a test needs them."""

from collections.abc import Sequence
from typing import Any

from providers.wire.chat.reader import ChatStreamReader
from providers.wire.events import Begin, Event
from tests.providers.wire.playbook import events_of, sse


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """A chunk of OpenAI's shape; ``more`` are keys of the envelope."""
    choice = {"index": 0, "delta": delta or {}, "logprobs": None, "finish_reason": finish}
    envelope = {"id": "c1", "object": "chat.completion.chunk", "created": 1760000000, "model": "m"}
    return {**envelope, "choices": [choice], **more}


def call(
    index: int | None = None, id_: str | None = None, name: str | None = None, arguments: Any = None
) -> dict[str, Any]:
    """A fragment of a tool call with the keys that are given."""
    function = {"name": name, "arguments": arguments}
    entry = {
        "index": index,
        "id": id_,
        "function": {key: value for key, value in function.items() if value is not None},
    }
    return {key: value for key, value in entry.items() if value is not None}


def read(*chunks: Any, done: bool = False) -> list[Event]:
    """The events of a stream without its ``Begin``, the same in any cut."""
    return [event for event in events_of(ChatStreamReader, sse(*chunks, done=done)) if not isinstance(event, Begin)]


def read_calls(*fragments: Sequence[dict[str, Any]]) -> list[Event]:
    """The events of chunks that hold these lists of tool-call fragments, without the end of the stream."""
    return read(*(chunk({"tool_calls": list(entries)}) for entries in fragments))
