"""An answer put together from its events, as YAML: what the model thought, said and called, and how it ended."""

from collections.abc import Callable
from typing import Any

from addons.views.outline import Outline
from providers.wire import request as wire
from providers.wire.answer import Answer
from providers.wire.events import Usage
from providers.wire.values import parse

Json = dict[str, object]
_COUNTS = ("input", "output", "cache_read", "cache_write", "reasoning")


def turn_of(answer: Answer) -> str:
    """Return the answer's turn as text."""
    parts: list[object] = [_PARTS[type(part)](part) for part in answer.message().parts]
    # Under the name of a conversation it has a conversation's room.
    turn: Json = {"messages": [{"role": "assistant", "content": parts}], **_ending(answer)}
    return Outline({name: value for name, value in turn.items() if value is not None}).text


def usage_of(usage: Usage) -> Json:
    """Return the counts that the provider gave."""
    counts = {name: object.__getattribute__(usage, name) for name in _COUNTS}
    return {name: count for name, count in counts.items() if count is not None}


def _ending(answer: Answer) -> Json:
    finish = None if answer.finish is None else str(answer.finish)
    raw = answer.finish_raw
    failure = answer.failure
    return {
        "finish": f"{finish} ({raw})" if finish and raw and raw != finish else finish,
        "usage": usage_of(answer.usage) or None,
        "failure": None if failure is None else failure.message or failure.type or failure.code,
    }


def _call(part: wire.ToolCallPart) -> Json:
    arguments: object = part.arguments
    try:
        found = parse(part.arguments)
    except ValueError:
        found = None
    arguments = found if isinstance(found, dict) else part.arguments
    return {"type": "tool_call", "id": part.id, "name": part.name, "arguments": arguments}


def _thinking(part: wire.ReasoningPart) -> Json:
    """The text is folded by its name, and so is what proves it."""
    shown = {"thinking": part.text, "signature": part.signature, "encrypted": part.encrypted}
    return {"type": "thinking", **{name: text for name, text in shown.items() if text}}


def _media(part: wire.MediaPart) -> Json:
    size = f"{part.size:,} bytes" if part.size else ""
    about = ", ".join(word for word in (part.media_type, size) if word)
    return {"type": part.kind, **({"about": about} if about else {}), "ref": part.ref[:100]}


def _opaque(part: wire.OpaquePart) -> Json:
    try:
        raw = parse(part.raw)
    except ValueError:
        raw = part.raw
    return {"type": part.type, "value": raw}


_PARTS: dict[type[wire.Part], Callable[[Any], Json]] = {
    wire.TextPart: lambda part: {"type": "text", "text": part.text},
    wire.RefusalPart: lambda part: {"type": "refusal", "text": part.text},
    wire.ReasoningPart: _thinking,
    wire.ToolCallPart: _call,
    wire.MediaPart: _media,
    wire.OpaquePart: _opaque,
}
