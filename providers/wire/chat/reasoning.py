"""Reasoning as chat providers send it: five carriers, of which several may bring the same text at once.

Strategy: in one chunk the carrier that keeps most wins (``reasoning_details``, LiteLLM's ``thinking_blocks``), and
plain text counts only if that brought none. A provider that streams plain text and repeats it whole in details at the
end, where the signature is, has its text counted once. Details are joined by ``index``; without one by ``id``, or to
the last of them, until it is signed.
"""

from collections.abc import Callable

from providers.wire.events import Event, Opaque, Reasoning
from providers.wire.values import count, mapping, raw_json, sequence, string

FIELDS = ("reasoning_details", "thinking_blocks", "reasoning_content", "reasoning")
# Type of an entry → where its content stands; data is no text.
_FIELD_OF = {
    "reasoning.text": "text",
    "reasoning.summary": "summary",
    "reasoning.encrypted": "data",
    "thinking": "thinking",
    "redacted_thinking": "data",
}


class ReasoningReader:
    """The reasoning of one answer. ``grow`` gives the part that pieces of this key belong to, a new one if need be."""

    def __init__(self, grow: Callable[[str], int], open_part: Callable[[str], int]) -> None:
        self._grow = grow
        self._open_part = open_part
        self._not_retold = ""  # plain text that has not come again in details
        self._plain_part: int | None = None
        self._blocks: dict[object, int] = {}  # details entry → part
        self._signed: set[int] = set()
        self._last: object = "blocks"

    def read(self, delta: dict[str, object], out: list[Event]) -> None:
        """Take what one delta, or a whole message, says of the reasoning."""
        entries = sequence(delta.get("reasoning_details")) or sequence(delta.get("thinking_blocks"))
        plain = string(delta.get("reasoning_content")) or string(delta.get("reasoning"))
        if plain and not any(_text_of(mapping(entry)) for entry in entries):
            self._plain_part = self._grow("reasoning")
            self._not_retold += plain
            out.append(Reasoning(plain, self._plain_part))
        for entry in entries:
            self._block(entry, out)

    def _block(self, entry: object, out: list[Event]) -> None:
        block = mapping(entry)
        field = _FIELD_OF.get(string(block.get("type")))
        if field is None:
            out.append(Opaque(raw_json(entry), "reasoning_details"))
            return
        part, first = self._part(block)
        signature = string(block.get("signature"))
        if signature:
            self._signed.add(part)
        event = Reasoning(
            self._new_text(_text_of(block)),
            part,
            signature,
            string(block.get("data")),
            string(block.get("id")) if first else "",
            string(block.get("format")) if first else "",
        )
        if event != Reasoning("", part):
            out.append(event)

    def _new_text(self, text: str) -> str:
        """The text, or nothing when it repeats what was told as plain text, from its beginning on."""
        if not text or not self._not_retold.startswith(text):
            return text
        self._not_retold = self._not_retold[len(text) :].lstrip()
        return ""

    def _part(self, block: dict[str, object]) -> tuple[int, bool]:
        """The part of an entry, and whether this is its first one."""
        index = count(block.get("index"))
        key: object = index if index is not None else string(block.get("id")) or self._last
        known = self._blocks.get(key)
        if known is not None and index is None and known in self._signed:
            known = None
        if known is not None:
            return known, False
        if not self._blocks and self._plain_part is not None:
            part = self._plain_part  # the details of what was told as plain text
        else:
            part = self._open_part(f"reasoning {key}")
        self._blocks[key] = part
        self._last = key
        return part, True


def _text_of(block: dict[str, object]) -> str:
    field = _FIELD_OF.get(string(block.get("type")), "data")
    return "" if field == "data" else string(block.get(field))
