"""The one namespaced object of the side channel: what an answer holds and a chat message cannot say.

Strategy: a chat message has text, reasoning and calls, each by its kind; the order between them, citations, server
tools' blocks and the provider's own stop reason have no place. They go into ``provider_fields`` of the message, once,
at the end, and only where there is something to say::

    {"dialect": "messages", "stop_reason": "pause_turn", "stop_sequence": "…", "other": [{"type": …, "value": …}],
     "parts": [{"type": "reasoning"}, {"type": "text", "length": 12, "citations": […]}, {"type": "tool_call"},
               {"type": "opaque", "name": "server_tool_use", "value": {…}}]}

The n-th part of a kind is the message's own n-th; ``length`` counts characters of ``content``. A client that sends it
back with a changed message is believed for the message alone.
"""

from dataclasses import dataclass, field

from providers.wire.events import Finish, FinishReason
from providers.wire.values import parse

# The provider's words that a chat finish reason says as well.
_SAID = frozenset("stop end_turn completed length max_tokens max_output_tokens tool_calls tool_use".split()) | {
    "",
    "refusal",
    "content_filter",
}
# The parts that a chat message has, and the order in which it tells them.
_ORDER = {"reasoning": 0, "text": 1, "refusal": 2, "tool_call": 3}
KINDS = tuple(kind for kind in _ORDER if kind != "text")


@dataclass(slots=True)
class Record:
    """One part of the answer. ``start`` is where a text begins in the content, ``length`` how long it is so far."""

    kind: str
    start: int = 0
    length: int = 0
    said: dict[str, object] = field(default_factory=dict)
    lists: dict[str, list[object]] = field(default_factory=dict)

    def add(self, key: str, value: object) -> None:
        """Append to one of the lists that stand beside the part."""
        self.lists.setdefault(key, []).append(value)

    def to_json(self) -> dict[str, object]:
        """As it is sent."""
        length = {"length": self.length} if self.kind == "text" else {}
        return {"type": self.kind, **length, **self.said, **self.lists}


class ProviderFields:
    """Collects while an answer goes by."""

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect
        self.records: list[Record] = []
        self.other: list[dict[str, object]] = []

    def open(self, kind: str, start: int = 0) -> Record:
        """Begin a part."""
        record = Record(kind, start)
        self.records.append(record)
        return record

    def beside(self, kind: str, raw: str) -> None:
        """Keep something that belongs to no part."""
        self.other.append({"type": kind, "value": value_of(raw)})

    def to_json(self, finish: Finish | None) -> dict[str, object]:
        """The object as it is sent; empty when chat has said everything."""
        fields: dict[str, object] = {}
        if finish and (finish.raw not in _SAID or finish.reason is FinishReason.PAUSE):
            fields["stop_reason"] = finish.raw
        if finish and finish.sequence:
            fields["stop_sequence"] = finish.sequence
        if self.other:
            fields["other"] = self.other
        if self._has_more_than_chat():
            fields["parts"] = [record.to_json() for record in self.records]
        if fields and self._dialect:
            fields["dialect"] = self._dialect
        return fields

    def _has_more_than_chat(self) -> bool:
        ranks = [_ORDER.get(record.kind, -1) for record in self.records]
        return ranks != sorted(ranks) or any(record.said or record.lists for record in self.records)


def value_of(raw: str) -> object:
    """The JSON value of a raw text, or the text itself."""
    try:
        return parse(raw)
    except ValueError:
        return raw
