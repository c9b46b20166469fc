"""Reasoning of any provider as chat deltas: plain text, and OpenRouter's details that lose nothing.

Strategy: one entry of ``reasoning_details`` per block, and one more where a block has an encrypted form beside its text
(a Responses item); the index is dense in order of first appearance. ``id`` and ``format`` come once per entry.
"""

from typing import Any

from providers.wire.events import Reasoning
from providers.wire.halves import Halves

TEXT, ENCRYPTED = "reasoning.text", "reasoning.encrypted"


class ReasoningDeltas:
    """The reasoning of one answer. ``format`` is whose signatures they are, where an event does not say."""

    def __init__(self, format_: str) -> None:
        self._format = format_
        self._entries: dict[tuple[int, str], int] = {}
        self._halves = Halves()
        self._last = Reasoning("")

    def take(self, event: Reasoning, delta: dict[str, Any]) -> None:
        """Add what an event says to the delta."""
        if event.text:
            self._last = event
            self._say(event, self._halves.join(event.text), delta)
        if event.signature:
            self._entry(event, TEXT, {"signature": event.signature}, delta)
        if event.encrypted:
            self._entry(event, ENCRYPTED, {"data": event.encrypted}, delta)

    def end(self, delta: dict[str, Any]) -> None:
        """The answer is whole: tell a half that waits."""
        self._say(self._last, self._halves.rest(), delta)

    def _say(self, event: Reasoning, text: str, delta: dict[str, Any]) -> None:
        if text:
            delta["reasoning_content"] = text
            self._entry(event, TEXT, {"text": text}, delta)

    def _entry(self, event: Reasoning, kind: str, said: dict[str, str], delta: dict[str, Any]) -> None:
        key = (event.part, kind)
        index = self._entries.get(key)
        entry: dict[str, object] = {"type": kind}
        if index is None:
            index = self._entries[key] = len(self._entries)
            if kind == TEXT:
                entry["text"] = ""  # a block that shows nothing but its signature has a text, too
            if event.id:
                entry["id"] = event.id
            if format_ := event.format or self._format:
                entry["format"] = format_
        entry.update(said, index=index)
        delta.setdefault("reasoning_details", []).append(entry)
