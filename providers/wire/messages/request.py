"""The messages of an Anthropic Messages request (also of ``count_tokens``).

Strategy: blocks become parts in their order; ``system`` is a first message of its own. Cache marks are left out, and so
is Claude Code's billing line (a first system block ``x-anthropic-billing-header: …`` whose text changes with every
request, observed 2026): a resent history must give the same messages as before.
"""

from providers.wire.media import from_url, inline
from providers.wire.parts import PartReader, content_parts, opaque, text_parts
from providers.wire.request import (
    MediaPart,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    RequestSummary,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from providers.wire.session import session_of
from providers.wire.values import arguments_json, mapping, sequence, string, whole

_BILLING = "x-anthropic-billing-header:"


def read_request(body: dict[str, object]) -> RequestSummary:
    """Read a request body. Never raises: what it cannot understand becomes an OpaquePart."""
    messages = [_message(entry) for entry in sequence(body.get("messages"))]
    system = [part for part in content_parts(body.get("system"), _PARTS) if not _is_billing(part)]
    if system:
        messages.insert(0, Message("system", tuple(system)))
    return RequestSummary(tuple(messages), session_of(body), body.get("stream") is True)


def _message(entry: object) -> Message:
    message = mapping(entry)
    if not message:
        return Message("", (opaque("", entry),))
    return Message(whole(string(message.get("role"))), tuple(content_parts(message.get("content"), _PARTS)))


def _is_billing(part: Part) -> bool:
    return isinstance(part, TextPart) and part.text.startswith(_BILLING)


def _text(block: dict[str, object]) -> list[Part]:
    citations = [OpaquePart("citation", opaque("", citation).raw) for citation in sequence(block.get("citations"))]
    return [*text_parts(block.get("text")), *citations]


def _thinking(block: dict[str, object]) -> list[Part]:
    return [ReasoningPart(whole(string(block.get("thinking"))), string(block.get("signature")))]


def _redacted(block: dict[str, object]) -> list[Part]:
    return [ReasoningPart("", encrypted=string(block.get("data")))]


def _tool_use(block: dict[str, object]) -> list[Part]:
    arguments = block.get("input")
    text = arguments_json({} if arguments is None else arguments)
    part = ToolCallPart(whole(string(block.get("id"))), whole(string(block.get("name"))), text)
    return [part, opaque("caller", block["caller"])] if block.get("caller") else [part]


def _tool_result(block: dict[str, object]) -> list[Part]:
    parts = tuple(content_parts(block.get("content"), _PARTS))
    return [ToolResultPart(whole(string(block.get("tool_use_id"))), parts, block.get("is_error") is True)]


def _media(kind: str) -> PartReader:
    """A reader for image and document blocks: their source is inline, a URL, a file, or blocks again."""

    def read(block: dict[str, object]) -> list[Part]:
        source = mapping(block.get("source"))
        media_type = whole(string(source.get("media_type")))
        match source.get("type"):
            case "base64":
                return [inline(kind, media_type, string(source.get("data")))]
            case "url":
                return [from_url(kind, whole(string(source.get("url"))))]
            case "file":
                return [MediaPart(kind, media_type, 0, whole(string(source.get("file_id"))))]
            case "text":
                return text_parts(source.get("data"))
            case "content":
                return content_parts(source.get("content"), _PARTS)
            case _:
                return [opaque(block.get("type"), block)]

    return read


_PARTS: dict[str, PartReader] = {
    "text": _text,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "image": _media("image"),
    "document": _media("file"),
}
