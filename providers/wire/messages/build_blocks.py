"""Neutral parts → content blocks of a Messages request.

Strategy: a table from the part's class to a function that gives its blocks, mostly one. Blank text is no block: the API
refuses it, though it answers with such blocks itself. What another model made (its reasoning, its server tools) is left
out with a note; what the user gave and Anthropic cannot take is refused, because the model would answer without it.
"""

import base64
import binascii
from collections.abc import Callable, Iterable
from typing import Any

from providers.wire.endpoints import Dialect
from providers.wire.messages.building import Building
from providers.wire.messages.open_call import RAW_ARGUMENTS, arguments_of
from providers.wire.neutral import (
    Audio,
    Document,
    Image,
    Json,
    Opaque,
    Part,
    Refusal,
    SearchResult,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)

_PICTURES = {"image/jpeg", "image/png", "image/gif", "image/webp"}
# A model here has never answered with one: it comes from another, and the API takes none in an assistant's turn.
_NEVER_ANSWERED = (Image, Document)
_ALSO = {"image/jpg": "image/jpeg"}
_PDF = "application/pdf"
_PDF_IN_BASE64 = "JVBERi"  # %PDF
# Items of a Responses history whose loss would be the loss of the history itself.
_IRREPLACEABLE = frozenset(("item_reference", "compaction", "compaction_summary", "mcp_approval_response"))


def blocks_of(building: Building, parts: Iterable[Part], role: str) -> list[Json]:
    """The blocks of a turn's parts, in order. Raises Rejected for what cannot be said."""
    blocks: list[Json] = []
    for part in parts:
        if type(part) is Opaque:
            blocks += _opaque(building, part, role)
        elif role == "assistant" and type(part) in _NEVER_ANSWERED:
            building.drop("turns", f".{type(part).__name__.lower()}")
        else:
            blocks += _BLOCKS[type(part)](building, part)
    return blocks


def _text(building: Building, part: Text) -> list[Json]:
    if not part.text.strip():
        if part.cache is not None:
            building.drop("cache")
        return []
    block: Json = {"type": "text", "text": part.text}
    if part.citations:
        # Anthropic's own, which came back through the side channel; it may want them again
        if building.is_anthropic and all(
            str(citation.get("type")).endswith("_location") for citation in part.citations
        ):
            block["citations"] = list(part.citations)
        else:
            building.drop("turns", ".annotations")
    return [building.mark(block, part.cache)]


def _refusal(_building: Building, part: Refusal) -> list[Json]:
    return [{"type": "text", "text": part.text}] if part.text.strip() else []


def _image(building: Building, part: Image) -> list[Json]:
    if part.file_id:
        raise building.rejected("an image by the id of another provider's file", "turns", ".image.file_id")
    if part.detail not in ("", "auto"):
        building.drop("turns", ".image.detail")
    if part.url:
        if not building.target.image_urls:
            raise building.unfetched(".image.url")
        return [building.mark({"type": "image", "source": {"type": "url", "url": part.url}}, part.cache)]
    media_type = _ALSO.get(part.media_type.lower(), part.media_type.lower())
    if media_type not in _PICTURES:
        what = f"an image of type {media_type or 'unknown'} (jpeg, png, gif and webp can)"
        raise building.rejected(what, "turns", ".image")
    source = {"type": "base64", "media_type": media_type, "data": part.data}
    return [building.mark({"type": "image", "source": source}, part.cache)]


def _document(building: Building, part: Document) -> list[Json]:
    if part.file_id:
        raise building.rejected("a file by the id of another provider's file", "turns", ".file.file_id")
    block: Json = {"type": "document", "source": _document_source(building, part)}
    if part.title:
        block["title"] = part.title
    if part.context:
        block["context"] = part.context
    if part.citations:
        block["citations"] = {"enabled": True}
    return [building.mark(block, part.cache)]


def _document_source(building: Building, part: Document) -> Json:
    if part.url:
        if not building.target.image_urls:
            raise building.unfetched(".file.url")
        return {"type": "url", "url": part.url}
    if part.parts:
        return {"type": "content", "content": blocks_of(building, part.parts, "user")}
    if not part.data:
        return {"type": "text", "media_type": "text/plain", "data": part.text}
    media_type = part.media_type.partition(";")[0].strip().lower()
    if media_type == _PDF or part.data.startswith(_PDF_IN_BASE64):
        return {"type": "base64", "media_type": _PDF, "data": part.data}
    if media_type.startswith("text/") or media_type in ("application/json", ""):
        try:
            text = base64.b64decode(part.data).decode()
        except (binascii.Error, ValueError):
            text = ""
        if text.strip():
            building.approximate("turns", ".file")
            return {"type": "text", "media_type": "text/plain", "data": text}
    what = f"a file of type {media_type or 'unknown'} (PDF and text can)"
    raise building.rejected(what, "turns", ".file")


def _audio(building: Building, _part: Audio) -> list[Json]:
    raise building.rejected("audio input", "turns", ".input_audio")


def _thinking(building: Building, part: Thinking) -> list[Json]:
    """Reasoning goes back only to the kind of model that made it: a signature binds it."""
    own = bool(part.format) and part.format == building.target.signatures
    if own and part.signature:
        return [{"type": "thinking", "thinking": part.text, "signature": part.signature}]
    if own and part.encrypted:
        return [{"type": "redacted_thinking", "data": part.encrypted}]
    building.drop("turns", ".reasoning")
    return []


def _tool_use(building: Building, part: ToolUse) -> list[Json]:
    arguments = arguments_of(part.arguments, custom=part.custom)
    if RAW_ARGUMENTS in arguments:
        building.approximate("turns", ".tool_calls.arguments")
    for name in part.extra:
        building.drop("turns", f".tool_calls.{name}")
    block: Json = {
        "type": "tool_use",
        "id": building.call_ids.of_call(part.id),
        "name": building.tool_name(part.name),
        "input": arguments,
    }
    return [building.mark(block, part.cache)]


def _tool_result(building: Building, part: ToolResult) -> list[Json]:
    block: Json = {"type": "tool_result", "tool_use_id": building.call_ids.of_result(part.call_id)}
    if content := blocks_of(building, part.parts, "user"):
        block["content"] = content
    if part.is_error:
        block["is_error"] = True
    return [building.mark(block, part.cache)]


def _search_result(building: Building, part: SearchResult) -> list[Json]:
    content = blocks_of(building, part.parts, "user")
    block: Json = {"type": "search_result", "title": part.title, "source": part.source, "content": content}
    return [building.mark(block, part.cache)]


def _opaque(building: Building, part: Opaque, role: str) -> list[Json]:
    """A block of Anthropic's own that came back to it, or what nobody here can say."""
    if part.dialect is Dialect.MESSAGES and building.is_anthropic:
        return [dict(part.raw)]
    if part.type in _IRREPLACEABLE or (role == "user" and part.dialect is building.request.dialect):
        raise building.rejected(f"a part of type {part.type or 'unknown'}", "turns", f".{part.type or 'type'}")
    building.drop("turns", f".{part.type}")
    return []


_BLOCKS: dict[type[Part], Callable[[Building, Any], list[Json]]] = {
    Text: _text,
    Refusal: _refusal,
    Image: _image,
    Document: _document,
    Audio: _audio,
    Thinking: _thinking,
    ToolUse: _tool_use,
    ToolResult: _tool_result,
    SearchResult: _search_result,
}
