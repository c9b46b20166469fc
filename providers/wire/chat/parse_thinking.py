"""Reasoning that chat clients send back → neutral thinking, from whichever carrier keeps most.

Strategy: several carriers repeat each other, so one is read: ``reasoning_details`` (OpenRouter, ours), else LiteLLM's
``thinking_blocks``, else plain text. Clients send the fragments of a stream back as they came: those of one ``index``
are one block again, or its signature would be broken. A block's text and its encrypted form are two entries there and
one thinking here.
"""

from dataclasses import replace

from providers.wire.neutral import Json, Thinking
from providers.wire.side_channel import ANTHROPIC
from providers.wire.values import mapping, sequence, string, whole

# Type of an entry → where its content stands.
_CONTENT = {
    "reasoning.text": "text",
    "reasoning.summary": "summary",
    "reasoning.encrypted": "data",
    "thinking": "thinking",
    "redacted_thinking": "data",
}
_BLOCKS = ("thinking", "redacted_thinking")  # Anthropic's own, verbatim


def thinking_of(message: Json) -> list[Thinking]:
    """The reasoning of an assistant's message, in order."""
    blocks = _joined(_merged(sequence(message.get("reasoning_details")) or sequence(message.get("thinking_blocks"))))
    plain = whole(string(message.get("reasoning_content")) or string(message.get("reasoning")))
    if not plain or any(block.text for block in blocks):
        return blocks
    if blocks and not blocks[0].redacted:  # the text came beside its signature
        return [replace(blocks[0], text=plain), *blocks[1:]]
    return [Thinking(plain), *blocks]


def _merged(entries: list[object]) -> list[Json]:
    """One entry per index, with texts joined and the rest as it came last."""
    merged: dict[object, Json] = {}
    for position, value in enumerate(entries):
        entry = mapping(value)
        content = _CONTENT.get(string(entry.get("type")))
        if content is None:
            continue
        index = entry.get("index")
        key: object = index if isinstance(index, int) else f"at {position}"
        block = merged.setdefault(key, {"text": "", "data": "", "type": entry["type"]})
        place = "data" if content == "data" else "text"
        block[place] = string(block[place]) + string(entry.get(content))
        block.update({name: entry[name] for name in ("signature", "id", "format") if entry.get(name)})
    return list(merged.values())


def _joined(blocks: list[Json]) -> list[Thinking]:
    thinking: list[Thinking] = []
    for block in blocks:
        one = _thinking(block)
        before = thinking[-1] if thinking else None
        if before and one.encrypted and not one.redacted and _is_open(before, one):
            summary = before.summary
            thinking[-1] = replace(one, text=before.text, summary=summary, signature=before.signature)
        else:
            thinking.append(one)
    return thinking


def _is_open(before: Thinking, encrypted: Thinking) -> bool:
    """Whether the entry before is the text of this encrypted one: it has no seal of its own and the same id or none."""
    return not (before.signature or before.encrypted) and before.id in ("", encrypted.id)


def _thinking(block: Json) -> Thinking:
    kind, text, data = block["type"], whole(string(block["text"])), string(block["data"])
    format_ = string(block.get("format")) or (ANTHROPIC if kind in _BLOCKS else "")
    return Thinking(
        text=text,
        signature=string(block.get("signature")),
        encrypted=data,
        id=string(block.get("id")),
        format=format_,
        # a Responses item is encrypted, too, but has a text to show; it has an id
        redacted=bool(data) and not text and (format_ == ANTHROPIC or not (format_ or block.get("id"))),
        summary=(text,) if kind == "reasoning.summary" and text else (),
    )
