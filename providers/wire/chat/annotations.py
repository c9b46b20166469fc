"""Citations of an answer as chat's annotations: web sources alone have a place there.

Strategy: Anthropic's citations come before the text that they support, and mean the whole block; chat wants character
offsets in the joined text, so they are told when the block ends. Annotations of Responses have offsets in their own
part, and are told at once. Either is kept as it was in the side channel, because most of it has no place in chat.
"""

from typing import Any

from providers.wire.chat.provider_fields import Record
from providers.wire.values import count, mapping, string

_WEB = "web_search_result_location"


class Annotations:
    """All annotations of one answer, with a dense index."""

    def __init__(self) -> None:
        self._told = 0
        self._held: list[dict[str, object]] = []

    def add(self, kind: str, value: object, record: Record, delta: dict[str, Any]) -> None:
        """Take a ``citation`` (held) or an ``annotation`` (told) of the text ``record``."""
        record.add("citations", value)
        source = mapping(value)
        if kind == "citation":
            self._held.append(source)
        elif source.get("type") == "url_citation":
            nested = mapping(source.get("url_citation"))  # a chat provider's own form
            self._tell(nested or source, record, delta)

    def close(self, record: Record, delta: dict[str, Any]) -> None:
        """The text is whole: tell what was held."""
        held, self._held = self._held, []
        for citation in held:
            if citation.get("type") == _WEB:
                place: dict[str, object] = {"start_index": 0, "end_index": record.length}
                self._tell({**citation, **place}, record, delta)

    def _tell(self, source: dict[str, object], record: Record, delta: dict[str, Any]) -> None:
        citation = {
            "start_index": record.start + (count(source.get("start_index")) or 0),
            "end_index": record.start + (count(source.get("end_index")) or 0),
            "title": string(source.get("title")),
            "url": string(source.get("url")),
        }
        entry = {"index": self._told, "type": "url_citation", "url_citation": citation}
        self._told += 1
        delta.setdefault("annotations", []).append(entry)
