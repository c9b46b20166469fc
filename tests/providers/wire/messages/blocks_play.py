"""Look-alikes of Messages events, as short as a test needs them."""

from typing import Any

from providers.wire.events import Begin, Event
from providers.wire.messages.reader import MessagesStreamReader
from tests.providers.wire.playbook import events_of, named


def start(index: int, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, kind: str, **more: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **more}}


def stop(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def message_start(content: list[Any] | None = None, usage: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": content or []}
    counts = usage or {"input_tokens": 3, "output_tokens": 1}
    return {
        "type": "message_start",
        "message": {**message, "stop_reason": None, "stop_sequence": None, "usage": counts, **more},
    }


def message_delta(
    stop_reason: str | None = "end_turn", usage: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    delta_ = {"stop_reason": stop_reason, "stop_sequence": None, **more}
    return {"type": "message_delta", "delta": delta_, "usage": usage or {"output_tokens": 5}}


PING = {"type": "ping"}
STOP = {"type": "message_stop"}


def read(*events: dict[str, Any]) -> list[Event]:
    """The events of a stream without its ``Begin``, the same in any cut."""
    return [event for event in events_of(MessagesStreamReader, named(*events)) if not isinstance(event, Begin)]
