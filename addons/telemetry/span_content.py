"""What was said, as OpenTelemetry's conventions for generative AI write it: a JSON list of messages with parts."""

import json
from collections.abc import Mapping, Sequence

from addons.telemetry.dialects import summary_of
from providers.wire.answer import Answer
from providers.wire.request import (
    MediaPart,
    Message,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

Json = dict[str, object]

# Characters of a list of messages: a batch of 512 spans must stay far below what exporters and collectors take.
LONGEST = 64 * 1024
_LONGEST_TEXT = 16 * 1024


def input_messages(dialect: str, request: Mapping[str, object] | None) -> str:
    """Write what was asked, the newest messages if not all of them fit; "" where nothing was read."""
    if request is None:
        return ""
    return _written([_message(message) for message in summary_of(dialect, request).messages])


def output_messages(answer: Answer | None) -> str:
    """Write what was answered; "" if nothing was."""
    if answer is None or not answer.has_content:
        return ""
    reason = {"finish_reason": answer.finish.value} if answer.finish is not None else {}
    return _written([{**_message(answer.message()), **reason}])


def _written(messages: Sequence[Json]) -> str:
    kept: list[str] = []
    room = LONGEST
    for message in reversed(messages):
        text = json.dumps(message, ensure_ascii=False)
        if len(text) > room:
            break
        room -= len(text) + 2
        kept.append(text)
    return f"[{', '.join(reversed(kept))}]" if kept else ""


def _message(message: Message) -> Json:
    return {"role": message.role, "parts": [part for each in message.parts for part in _part(each)]}


def _part(part: Part) -> list[Json]:
    """Write a part; what is opaque has no place there."""
    match part:
        case TextPart() | RefusalPart():
            return [{"type": "text", "content": _cut(part.text)}]
        case ReasoningPart():
            return [{"type": "reasoning", "content": _cut(part.text)}] if part.text else []
        case ToolCallPart():
            return [{"type": "tool_call", "id": part.id, "name": part.name, "arguments": _cut(part.arguments)}]
        case ToolResultPart():
            said = [piece for each in part.parts for piece in _part(each)]
            return [{"type": "tool_call_response", "id": part.call_id, "response": said}]
        case MediaPart():
            # without its address, which may hold a key
            return [{"type": "media", "modality": part.kind, "mime_type": part.media_type}]
        case _:
            return []


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}… (cut: {len(text):,} characters in all)"
