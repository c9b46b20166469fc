"""A Messages request on its way to a Messages provider: what our own answers packed into it is taken out again.

Strategy: same dialect, same bytes; so this is for bodies only that `holds_foreign` finds something in, because an
earlier turn of the conversation was answered by another provider. What the provider made itself (the same format of
signatures) becomes bare again, everything else that is packed goes: a real Anthropic endpoint answers 400 to a
signature that is not its own. The text of such reasoning goes with it: without a signature it is not accepted. So does
reasoning that was never signed, such as llama-server's, on its way to a provider that signs.
"""

import re

from providers.wire import side_channel
from providers.wire.neutral import Json
from providers.wire.values import mapping, sequence, string

_PACKED = side_channel.PREFIX.encode()
_UNSIGNED = re.compile(rb'"signature"\s*:\s*""')


def holds_foreign(body: bytes) -> bool:
    """Whether a body must be looked through."""
    return _PACKED in body or (b'"signature"' in body and _UNSIGNED.search(body) is not None)


def without_foreign(body: Json, signatures: str) -> Json:
    """The body without what is packed. ``signatures`` is the format that the provider accepts, "" for none.

    The body itself is not changed; what needs no change is shared with it.
    """
    messages = body.get("messages")
    if not isinstance(messages, list):
        return body
    return {**body, "messages": [kept for message in messages for kept in _message(message, signatures)]}


def _message(message: object, signatures: str) -> list[object]:
    """The message, or nothing when nothing of it is left."""
    content = mapping(message).get("content")
    if not isinstance(content, list) or not content:
        return [message]
    blocks = [kept for block in content for kept in _block(block, signatures)]
    return [{**mapping(message), "content": blocks}] if blocks else []


def _block(block: object, signatures: str) -> list[object]:
    fields = mapping(block)
    match fields.get("type"):
        case "thinking":
            return _sealed(fields, "signature", "signature", signatures)
        case "redacted_thinking":
            return _sealed(fields, "data", "encrypted", signatures)
        case "text" if fields.get("citations"):
            return [_cited(fields)]
        case _:
            return [block]


def _sealed(block: Json, name: str, packed_as: str, signatures: str) -> list[object]:
    seal = string(block.get(name))
    if not seal and signatures:
        return []
    if not side_channel.is_packed(seal):
        return [block]
    format_, payload = side_channel.unpack(seal) or ("", {})
    own = string(payload.get(packed_as)) if signatures and format_ == signatures and not payload.get("late") else ""
    return [{**block, name: own}] if own else []


def _cited(block: Json) -> Json:
    """A citation that was made of another dialect's has nothing that Anthropic could look up."""
    citations = [
        citation
        for citation in sequence(block["citations"])
        if not side_channel.is_packed(string(mapping(citation).get("encrypted_index")))
    ]
    rest = {name: value for name, value in block.items() if name != "citations"}
    return rest | {"citations": citations} if citations else rest
