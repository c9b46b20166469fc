"""Parts of a request that stand behind an address, for a target that downloads nothing: which they are, and inlining.

Nothing is downloaded here (`providers.fetching` does): `wanted` says what must be, `inlined` puts it in its place. What
an assistant said is left alone: a target has no place for its pictures anyway.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Document, Image, Part, Request, ToolResult

_SCHEMES = ("http://", "https://")
# Chat's files are inline, or of the provider's own store (openai 3.52, 2026-11-20).
_NO_FILE_ADDRESSES = (Dialect.CHAT,)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a part is, as the client wrote it; ``kind`` is what the client says is there: image or document."""

    kind: str
    url: str


@dataclass(frozen=True, slots=True)
class Inline:
    """What was there: base64 ``data`` of ``media_type``."""

    media_type: str
    data: str


def wanted(request: Request, target: Capabilities, provider: Dialect) -> tuple[Address, ...]:
    """What has to be downloaded for ``target``, which speaks ``provider``: each address once, in order."""
    kinds = {"image": not target.image_urls, "document": not target.image_urls or provider in _NO_FILE_ADDRESSES}
    parts = (part for turn in request.turns if turn.role != "assistant" for part in turn.parts)
    return tuple(dict.fromkeys(found for found in _addresses(parts) if kinds[found.kind]))


def inlined(request: Request, media: Mapping[Address, Inline]) -> Request:
    """The request with what was downloaded in the place of its address."""
    turns = (
        turn if turn.role == "assistant" else replace(turn, parts=tuple(_inlined(part, media) for part in turn.parts))
        for turn in request.turns
    )
    return replace(request, turns=tuple(turns))


def path_to(value: object, text: str, dialect: Dialect) -> str:
    """Where ``text`` first stands in a request body, as the dialect writes paths; "" if nowhere."""
    dots = dialect is Dialect.MESSAGES
    ahead: list[tuple[str, object]] = [("", value)]
    while ahead:
        path, found = ahead.pop()
        if found == text:
            return path
        if isinstance(found, dict):
            ahead += [(f"{path}.{key}" if path else key, entry) for key, entry in reversed(found.items())]
        elif isinstance(found, list):
            numbered = [(f"{path}.{at}" if dots else f"{path}[{at}]", entry) for at, entry in enumerate(found)]
            ahead += reversed(numbered)
    return ""


def _addresses(parts: Iterable[Part]) -> Iterator[Address]:
    for part in parts:
        if isinstance(part, ToolResult | Document) and part.parts:
            yield from _addresses(part.parts)
        elif address := _address(part):
            yield address


def _address(part: Part) -> Address | None:
    if not isinstance(part, Image | Document) or not part.url.lower().startswith(_SCHEMES):
        return None
    return Address("image" if isinstance(part, Image) else "document", part.url)


def _inlined(part: Part, media: Mapping[Address, Inline]) -> Part:
    if isinstance(part, ToolResult | Document) and part.parts:
        return replace(part, parts=tuple(_inlined(inner, media) for inner in part.parts))
    address = _address(part)
    found = media.get(address) if address else None
    if found is None or not isinstance(part, Image | Document):
        return part
    return replace(part, url="", media_type=found.media_type, data=found.data)
