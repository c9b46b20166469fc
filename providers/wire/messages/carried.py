"""What a Messages client cannot be told in a block of its own: packed into the strings that it sends back verbatim.

Strategy: what an Anthropic model made stands bare, where it belongs. Anything else is packed (`side_channel`), also a
signature that says nothing: so the gateway finds what must not reach a real Anthropic endpoint by its prefix alone.
"""

from providers.wire import side_channel
from providers.wire.endpoints import Dialect
from providers.wire.events import Media, Opaque, Reasoning
from providers.wire.neutral import Json
from providers.wire.values import mapping, parse, string
from providers.wire.writer import Answering


class Thought:
    """The opaque half of one part of reasoning, as it comes in."""

    __slots__ = ("closed", "encrypted", "format", "id", "signature")

    def __init__(self) -> None:
        self.signature = ""
        self.encrypted = ""
        self.id = ""
        self.format = ""
        self.closed = False  # its block has ended: what comes now is late

    def add(self, event: Reasoning) -> None:
        """Take what a piece says; a later signature replaces the earlier one, as the SDK has it."""
        self.signature = event.signature or self.signature
        self.encrypted = event.encrypted or self.encrypted
        self.id = event.id or self.id
        self.format = event.format or self.format

    def sealed(self, answering: Answering) -> str:
        """The string for ``thinking.signature``."""
        format_ = self.format or answering.signatures
        if self.signature and not self.encrypted and _is_native(format_, answering):
            return self.signature
        return side_channel.pack_reasoning(
            format_, signature=self.signature, encrypted=self.encrypted, id=self.id, late=self.closed
        )

    def redacted(self, answering: Answering) -> Json:
        """The block for reasoning without a text of its own."""
        format_ = self.format or answering.signatures
        bare = self.encrypted and not self.closed and _is_native(format_, answering)
        return {"type": "redacted_thinking", "data": self.encrypted if bare else self.sealed(answering)}


def _is_native(format: str, answering: Answering) -> bool:
    return format == side_channel.ANTHROPIC or answering.provider is Dialect.MESSAGES


def citation_of(event: Opaque, answering: Answering) -> Json | None:
    """A citation as a text block takes it, or None for an annotation that has no such form (a file's, say)."""
    value = mapping(value_of(event.raw))
    if event.type == "citation":
        return value or None
    web = mapping(value.get("url_citation")) or value
    if value.get("type") != "url_citation" or not web.get("url"):
        return None
    return {
        "type": "web_search_result_location",
        "url": string(web.get("url")),
        "title": string(web.get("title")),
        "cited_text": string(web.get("content")),
        "encrypted_index": side_channel.pack_opaque(_dialect(answering), event.type, value),
    }


def block_of(event: Opaque | Media, answering: Answering, call_id: str = "") -> Json:
    """A block for what is not understood: itself where the client's dialect has it, else packed.

    An answer has no pictures here, and what is packed comes back with each turn: so it is the reference, and a note.
    """
    if isinstance(event, Media):
        answering.notes.drop(f"content.{event.kind}")
        picture = {"kind": event.kind, "media_type": event.media_type, "size": event.size, "ref": event.ref}
        return _packed(side_channel.pack_opaque(_dialect(answering), "media", picture))
    value = value_of(event.raw)
    if answering.provider is Dialect.MESSAGES and isinstance(value, dict) and value.get("type") == event.type:
        return value
    return _packed(side_channel.pack_opaque(_dialect(answering), event.type, value, call_id))


def value_of(raw: str) -> object:
    """The value of an opaque event; what is no JSON is its text."""
    try:
        return parse(raw)
    except ValueError:
        return raw


def _packed(data: str) -> Json:
    return {"type": "redacted_thinking", "data": data}


def _dialect(answering: Answering) -> Dialect:
    return answering.provider or Dialect.CHAT
