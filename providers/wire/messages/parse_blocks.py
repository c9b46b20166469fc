"""Content blocks of a Messages request → neutral parts, in their order.

Strategy: a table from block type to a function that appends what the block means. A block that nobody here knows, or
whose source has an unknown form, stays whole as `Opaque`. What the side channel carried is put back where it belongs: a
late signature onto the reasoning before it, a tool call's own field onto the call.
"""

from collections.abc import Callable
from dataclasses import replace

from providers.wire import side_channel
from providers.wire.endpoints import Dialect
from providers.wire.neutral import (
    Cache,
    Document,
    Image,
    Json,
    Opaque,
    Part,
    SearchResult,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from providers.wire.notes import Rejected
from providers.wire.values import arguments_json, mapping, sequence, string

_TEXT_SOURCE = "text/plain"


def parse_content(content: object, path: str) -> tuple[Part, ...]:
    """The parts of a message's content: text, nothing, or blocks.

    Raises Rejected, with a path below ``path``, where a block is no object.
    """
    if content is None or isinstance(content, str):
        return (Text(content),) if content else ()
    if not isinstance(content, list):
        raise Rejected(path, "content is a text or a list of blocks")
    parts: list[Part] = []
    for index, block in enumerate(content):
        if isinstance(block, str):
            block = {"type": "text", "text": block}
        if not isinstance(block, dict):
            raise Rejected(f"{path}.{index}", "a content block is an object with a type")
        _BLOCKS.get(string(block.get("type")), _opaque)(block, parts)
    return tuple(parts)


def cache_of(value: object) -> Cache | None:
    """A mark, from ``cache_control``."""
    return Cache(string(mapping(value).get("ttl"))) if value else None


def _cache(block: Json) -> Cache | None:
    return cache_of(block.get("cache_control"))


def _opaque(block: Json, parts: list[Part]) -> None:
    parts.append(Opaque(Dialect.MESSAGES, string(block.get("type")), block))


def _text(block: Json, parts: list[Part]) -> None:
    if text := string(block.get("text")):
        citations = tuple(_citation(mapping(entry)) for entry in sequence(block.get("citations")))
        parts.append(Text(text, _cache(block), citations))


def _citation(citation: Json) -> Json:
    """A citation; one that was made of another dialect's is that again."""
    packed = side_channel.unpack(string(citation.get("encrypted_index")))
    return mapping(packed[1].get("raw")) if packed else citation


def _image(block: Json, parts: list[Part]) -> None:
    source = mapping(block.get("source"))
    raw = {"transformations": block["transformations"]} if block.get("transformations") else {}
    cache = _cache(block)
    match source.get("type"):
        case "base64":
            media_type = string(source.get("media_type"))
            parts.append(Image(media_type=media_type, data=string(source.get("data")), cache=cache, raw=raw))
        case "url":
            parts.append(Image(url=string(source.get("url")), cache=cache, raw=raw))
        case "file":
            parts.append(Image(file_id=string(source.get("file_id")), cache=cache, raw=raw))
        case _:
            _opaque(block, parts)


def _document(block: Json, parts: list[Part]) -> None:
    source = mapping(block.get("source"))
    read = _DOCUMENT_SOURCES.get(string(source.get("type")))
    if read is None:
        _opaque(block, parts)
        return
    document = replace(
        read(source),
        title=string(block.get("title")),
        context=string(block.get("context")),
        citations=mapping(block.get("citations")).get("enabled") is True,
        cache=_cache(block),
    )
    parts.append(document)


def _search_result(block: Json, parts: list[Part]) -> None:
    texts = tuple(part for part in parse_content(block.get("content"), "content") if isinstance(part, Text))
    raw = {"citations": block["citations"]} if block.get("citations") else {}
    found = SearchResult(string(block.get("title")), string(block.get("source")), texts, _cache(block), raw)
    parts.append(found)


def _thinking(block: Json, parts: list[Part]) -> None:
    text, signature = string(block.get("thinking")), string(block.get("signature"))
    if not side_channel.is_packed(signature):
        parts.append(Thinking(text, signature, format=side_channel.ANTHROPIC if signature else ""))
    else:
        _carried(text, signature, parts)


def _redacted(block: Json, parts: list[Part]) -> None:
    data = string(block.get("data"))
    if not side_channel.is_packed(data):
        parts.append(Thinking(encrypted=data, format=side_channel.ANTHROPIC, redacted=True))
    else:
        _carried("", data, parts)


def _carried(text: str, packed: str, parts: list[Part]) -> None:
    """What a gateway packed; of what cannot be unpacked only the text is left."""
    format_, payload = side_channel.unpack(packed) or ("", {})
    if format_ == side_channel.OPAQUE:
        if field := side_channel.call_field_of(payload):
            _give_to_call(*field, parts)
        elif part := side_channel.opaque_of(payload):
            parts.append(part)
        return
    thinking = side_channel.thinking_of(text, format_, payload)
    if payload.get("late") and _seal_earlier(thinking, parts):
        return
    if text or thinking.signature or thinking.encrypted:
        parts.append(thinking)


def _seal_earlier(late: Thinking, parts: list[Part]) -> bool:
    """Give a signature that came late to the reasoning it belongs to: the last that has none."""
    for at in range(len(parts) - 1, -1, -1):
        part = parts[at]
        if isinstance(part, Thinking) and not part.signature and not part.encrypted:
            format_, id_ = late.format or part.format, late.id or part.id
            parts[at] = replace(part, signature=late.signature, encrypted=late.encrypted, format=format_, id=id_)
            return True
    return False


def _give_to_call(call_id: str, name: str, value: object, parts: list[Part]) -> None:
    for at in range(len(parts) - 1, -1, -1):
        part = parts[at]
        if isinstance(part, ToolUse) and part.id == call_id:
            parts[at] = replace(part, extra={**part.extra, name: value})
            return


def _tool_use(block: Json, parts: list[Part]) -> None:
    """A call. Who called it (``caller``) matters to Anthropic's code execution alone, which nobody else has."""
    arguments = block.get("input")
    text = "{}" if arguments is None else arguments_json(arguments)
    parts.append(ToolUse(string(block.get("id")), string(block.get("name")), text, cache=_cache(block)))


def _tool_result(block: Json, parts: list[Part]) -> None:
    content = parse_content(block.get("content"), "content")
    is_error = block.get("is_error") is True
    parts.append(ToolResult(string(block.get("tool_use_id")), content, is_error, cache=_cache(block)))


_DOCUMENT_SOURCES: dict[str, Callable[[Json], Document]] = {
    "base64": lambda source: Document(media_type=string(source.get("media_type")), data=string(source.get("data"))),
    "text": lambda source: Document(
        media_type=string(source.get("media_type")) or _TEXT_SOURCE, text=string(source.get("data"))
    ),
    "url": lambda source: Document(url=string(source.get("url"))),
    "file": lambda source: Document(file_id=string(source.get("file_id"))),
    "content": lambda source: Document(parts=parse_content(source.get("content"), "source.content")),
}
_BLOCKS: dict[str, Callable[[Json, list[Part]], None]] = {
    "text": _text,
    "image": _image,
    "document": _document,
    "search_result": _search_result,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
}
