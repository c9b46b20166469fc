"""Content parts for a Responses provider, and the cache marks on them.

A mark stands on a text, image or file of the user's side. One on a tool, a call or an assistant's text moves to the
next part that can carry it, with a note: the prefix that is cached only grows.
"""

from collections.abc import Callable
from typing import Any

from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect
from providers.wire.field_names import field_name
from providers.wire.neutral import Audio, Cache, Document, Image, Json, Part, Request, SearchResult, Text
from providers.wire.notes import Notes, Rejected, Unfetched

_LONG = "1h"  # Anthropic's longer lifetime; OpenAI's is 12 hours
_DETAILS = ("low", "high", "auto", "original")


class Marks:
    """The cache marks of one request. ``allowed``: the part at hand may carry one; ``written``: how many do."""

    def __init__(self, request: Request, target: Capabilities, notes: Notes) -> None:
        self.allowed = True
        self.written = 0
        self._open = target.cache_marks == "openai"
        self._notes = notes
        self._name = field_name(request.dialect, "cache")
        self._deferred: Cache | None = None
        for tool in request.tools:
            self.defer(tool.cache)

    def defer(self, cache: Cache | None) -> None:
        """A mark on what cannot carry one."""
        if cache is None:
            return
        if self._open:
            self._notes.approximate(self._name)
            self._deferred = cache
        else:
            self._notes.drop(self._name)

    def put(self, cache: Cache | None, parts: list[Json]) -> None:
        """Mark the last of these parts, which may be none."""
        if not parts or not self.allowed:
            self.defer(cache)
            return
        mark = cache or self._deferred
        if mark is None:
            return
        if not self._open:
            self._notes.drop(self._name)
            return
        self._deferred = None
        breakpoint_: Json = {"mode": "explicit"}
        if mark.ttl == _LONG:
            self._notes.approximate(f"{self._name}.ttl")
            breakpoint_["ttl"] = "12h"
        parts[-1]["prompt_cache_breakpoint"] = breakpoint_
        self.written += 1

    def finish(self) -> None:
        """No part comes any more."""
        if self._deferred is not None:
            self._notes.drop(self._name)


class Parts:
    """Writes the parts of one request."""

    def __init__(self, request: Request, target: Capabilities, notes: Notes, marks: Marks) -> None:
        self._dialect = request.dialect
        self._target = target
        self._notes = notes
        self._marks = marks
        self._path = f"{field_name(request.dialect, 'turns')}.content"
        self._writers: dict[type, Callable[[Any], list[Json]]] = {
            Text: self._text,
            Image: self._image,
            Document: self._document,
            SearchResult: self._search_result,
            Audio: self._audio,
        }

    def content(self, part: Part) -> list[Json]:
        """The content parts that a part becomes, none for an empty text."""
        write = self._writers.get(type(part))
        if write is None:
            raise Rejected(self._path, f"a part of this kind ({type(part).__name__}) cannot stand here")
        return write(part)

    def _text(self, part: Text) -> list[Json]:
        written: list[Json] = [_text(part.text)] if part.text else []
        self._marks.put(part.cache, written)
        return written

    def _image(self, part: Image) -> list[Json]:
        if part.raw.get("transformations"):
            self._notes.drop(f"{self._path}.transformations")
        image: Json = {"type": "input_image", "detail": part.detail if part.detail in _DETAILS else "auto"}
        if part.file_id:
            image["file_id"] = self._own_file(part.file_id)
        elif part.data:
            image["image_url"] = f"data:{part.media_type or 'image/png'};base64,{part.data}"
        elif self._target.image_urls:
            image["image_url"] = part.url
        else:
            raise self._unfetched()
        self._marks.put(part.cache, [image])
        return [image]

    def _document(self, part: Document) -> list[Json]:
        if part.citations:
            self._notes.drop(f"{self._path}.citations")
        heading = "\n".join(line for line in (part.title, part.context) if line)
        written: list[Json]
        if part.text or part.parts:
            written = [_text(f"{heading}\n\n{part.text}" if heading else part.text)] if part.text or heading else []
            for inner in part.parts:
                written += self.content(inner)
            self._notes.approximate(f"{self._path}.document")
        else:
            written = [self._file(part)]
            if part.context:
                written.insert(0, _text(heading))
        self._marks.put(part.cache, written)
        return written

    def _file(self, part: Document) -> Json:
        file: Json = {"type": "input_file"}
        if part.file_id:
            file["file_id"] = self._own_file(part.file_id)
            return file
        if part.url:
            if not self._target.image_urls:
                raise self._unfetched()
            file["file_url"] = part.url
            return file
        file["filename"] = part.title or "document.pdf"
        file["file_data"] = f"data:{part.media_type or 'application/pdf'};base64,{part.data}"
        return file

    def _unfetched(self) -> Unfetched:
        return Unfetched(self._path, "the provider downloads nothing: send it inline, as base64")

    def _own_file(self, id_: str) -> str:
        """OpenAI's clients may know OpenAI's files; Anthropic's are another vendor's."""
        if self._dialect is Dialect.MESSAGES or not self._target.openai_extras:
            raise Rejected(self._path, f"the provider does not have the file {id_!r}: give its content instead")
        return id_

    def _search_result(self, part: SearchResult) -> list[Json]:
        self._notes.approximate(f"{self._path}.search_result")
        text = "".join(inner.text for inner in part.parts)
        written = [_text(f"[{part.title}]({part.source})\n{text}")]
        self._marks.put(part.cache, written)
        return written

    def _audio(self, part: Audio) -> list[Json]:
        # openai 3.52 (2026-11-20) has no audio among the content parts of an input message
        raise Rejected(self._path, "the provider's Responses API takes no audio")


def _text(text: str) -> Json:
    return {"type": "input_text", "text": text}
