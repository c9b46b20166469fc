"""Reasoning of an earlier turn, for a Responses provider.

Encrypted reasoning goes back to the one that can read it, and to nobody else: it is bound to its maker. Its text alone
goes to servers that make no signatures; OpenAI takes no item without its encrypted half.
"""

from providers.wire import side_channel
from providers.wire.capabilities import Capabilities
from providers.wire.neutral import Json, Thinking


def reasoning_item(part: Thinking, target: Capabilities, number: int) -> Json | None:
    """The item, or None where the target cannot take it. ``number`` is special to it in the request."""
    sealed = part.encrypted or part.signature
    packed = side_channel.unpack(sealed)
    if packed is not None:
        part = side_channel.thinking_of(part.text, *packed)
        sealed = part.encrypted or part.signature
    id_ = part.id or f"rs_{number}"
    if sealed and target.signatures and part.format == target.signatures:
        texts = part.summary or ((part.text,) if part.text else ())
        summary = [{"type": "summary_text", "text": text} for text in texts]
        return {"type": "reasoning", "id": id_, "summary": summary, "encrypted_content": sealed}
    if target.signatures or not target.reasoning_back or not part.text:
        return None
    content = [{"type": "reasoning_text", "text": part.text}]
    return {"type": "reasoning", "id": id_, "summary": [], "content": content}
