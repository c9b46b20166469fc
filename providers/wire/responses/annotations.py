"""Citations on a text, as Responses has them: annotations with a place, and what fits none kept beside.

Chat's ``url_citation`` has its place with it. Anthropic's citations come ahead of the text they support, and that text
is a block of its own: its annotation covers the content part, and is known when the part ends. Citations of documents
have no file id here, so they stay as they are in the part's ``x_patchbay``.
"""

from providers.wire.events import Opaque
from providers.wire.values import count, mapping, parse, string

_TYPES = ("annotation", "citation")
_OF_OUR_OWN = frozenset(("file_citation", "url_citation", "container_file_citation", "file_path"))


class Cited:
    """The citations of one content part. ``all`` are its annotations, ``kept`` what could be none."""

    def __init__(self) -> None:
        self.all: list[dict[str, object]] = []
        self.kept: list[object] = []
        self._waiting: list[dict[str, object]] = []

    @staticmethod
    def knows(event: Opaque) -> bool:
        """Whether this is a citation."""
        return event.type in _TYPES

    def take(self, event: Opaque) -> list[dict[str, object]]:
        """Take one; return the annotations that it becomes now."""
        try:
            raw = parse(event.raw)
        except ValueError:
            raw = event.raw
        citation = mapping(raw)
        kind = string(citation.get("type"))
        if kind == "web_search_result_location":
            self._waiting.append(citation)
            self.kept.append(raw)  # encrypted_index and cited_text have no other place
            return []
        nested = mapping(citation.get(kind))
        if kind not in _OF_OUR_OWN:
            self.kept.append(raw)
            return []
        annotation = {"type": kind, **nested} if nested else dict(citation)
        if kind == "url_citation":
            annotation = _located(annotation, count(annotation.get("start_index")), count(annotation.get("end_index")))
        self.all.append(annotation)
        return [annotation]

    def at_end(self, length: int) -> list[dict[str, object]]:
        """The annotations that cover the whole part, which has ``length`` characters."""
        found = [_located({"type": "url_citation", **citation}, 0, length) for citation in self._waiting]
        self._waiting.clear()
        self.all += found
        return found


def _located(source: dict[str, object], start: int | None, end: int | None) -> dict[str, object]:
    return {
        "type": "url_citation",
        "url": string(source.get("url")),
        "title": string(source.get("title")),
        "start_index": start or 0,
        "end_index": end or 0,
    }
