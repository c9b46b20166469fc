"""The true order of an assistant's parts, from the ``provider_fields`` that our own answer carried.

Strategy: the object names the parts by kind and number, and texts by their length. It is believed only if it fits the
message: every part of the message is named, and the text is as long as it says. A client that edited its history, or
merged messages, is served with what it sent.
"""

from dataclasses import replace

from providers.wire.chat.provider_fields import KINDS
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Json, Opaque, Part, Refusal, Text, Thinking, ToolUse
from providers.wire.values import count, mapping, sequence, string

_KIND_OF: dict[type[Part], str] = {Thinking: "reasoning", Refusal: "refusal", ToolUse: "tool_call"}
_DIALECTS = {dialect.value: dialect for dialect in Dialect}


def restored(parts: list[Part], fields: Json) -> list[Part]:
    """The parts in the order of ``fields``, with what stood between them; as they are if that does not fit."""
    records = [mapping(record) for record in sequence(fields.get("parts"))]
    if not records:
        return parts
    dialect = _DIALECTS.get(string(fields.get("dialect")))
    queues: dict[str, list[Part]] = {kind: [] for kind in KINDS}
    others: list[Part] = []
    for part in parts:
        if not isinstance(part, Text):
            queues.get(_KIND_OF.get(type(part), ""), others).append(part)
    texts = _Texts([part for part in parts if isinstance(part, Text)])
    out: list[Part] = []
    for record in records:
        kind = string(record.get("type"))
        if kind == "text":
            out += texts.take(record)
        elif kind in queues:
            if not queues[kind]:
                return parts
            out.append(queues[kind].pop(0))
        elif kind == "opaque" and dialect and isinstance(value := record.get("value"), dict):
            out.append(Opaque(dialect, string(record.get("name")), value))
    if not texts.fit or any(queues.values()):
        return parts
    return out + others


class _Texts:
    """The text of a message, given out in pieces."""

    def __init__(self, texts: list[Text]) -> None:
        self._text = "".join(text.text for text in texts)
        self._last = texts[-1] if texts else Text("")
        self._at = 0
        self._long_enough = True

    @property
    def fit(self) -> bool:
        """Whether the pieces were the whole text."""
        return self._long_enough and self._at == len(self._text)

    def take(self, record: Json) -> list[Part]:
        """The next piece, with its citations; the message's own mark stands on the last one."""
        end = self._at + max(0, count(record.get("length")) or 0)
        piece = self._text[self._at : end]
        self._long_enough = self._long_enough and end <= len(self._text)
        self._at = end
        if not piece:
            return []
        citations = tuple(entry for entry in sequence(record.get("citations")) if isinstance(entry, dict))
        is_last = end == len(self._text)
        return [replace(self._last, text=piece, cache=self._last.cache if is_last else None, citations=citations)]
