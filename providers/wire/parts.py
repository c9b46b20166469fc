"""What the request readers of all dialects share: from JSON values of any shape to neutral parts, never raising."""

from collections.abc import Callable, Mapping

from providers.wire.request import OpaquePart, Part, TextPart
from providers.wire.values import mapping, raw_json, string, whole

PartReader = Callable[[dict[str, object]], list[Part]]


def text_parts(value: object) -> list[Part]:
    """A text as one part; an empty one is no part."""
    text = string(value)
    return [TextPart(whole(text))] if text else []


def opaque(kind: object, value: object) -> OpaquePart:
    """Keep what is not understood, under the client's word for it."""
    return OpaquePart(whole(string(kind)), raw_json(value))


def content_parts(content: object, readers: Mapping[str, PartReader]) -> list[Part]:
    """The parts of a message's content: text, null, or a list of typed parts (one alone counts as a list of one)."""
    if content is None:
        return []
    if isinstance(content, str):
        return text_parts(content)
    parts: list[Part] = []
    for entry in content if isinstance(content, list) else [content]:
        part = mapping(entry)
        reader = readers.get(string(part.get("type")))
        if reader:
            parts += reader(part)
        elif isinstance(entry, str):
            parts += text_parts(entry)
        else:
            parts.append(opaque(part.get("type"), entry))
    return parts


def unknown_keys(value: dict[str, object], known: frozenset[str]) -> list[Part]:
    """What a message carries beside the keys that are read."""
    return [opaque(key, item) for key, item in value.items() if item and key not in known]
