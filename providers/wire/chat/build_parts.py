"""Neutral parts of a user's or a tool's turn → chat content parts (specs: translation 3.4)."""

import base64
import binascii
from collections.abc import Callable, Iterable
from typing import Any

from providers.wire.chat.build_cache import Marks
from providers.wire.chat.build_opaque import text_of_opaque
from providers.wire.chat.building import Building
from providers.wire.neutral import Audio, Document, Image, Opaque, Part, Refusal, SearchResult, Text
from providers.wire.values import whole

Content = list[dict[str, Any]]


class Parts:
    """Makes content parts. Never an empty text: several providers refuse it."""

    def __init__(self, building: Building, marks: Marks) -> None:
        self._building = building
        self._marks = marks

    def content(self, parts: Iterable[Part]) -> Content:
        """The content parts of neutral ones; calls, results and thinking are the history's business."""
        out: Content = []
        for part in parts:
            if reader := _PARTS.get(type(part)):
                reader(self, part, out)
        return out

    def _say(self, text: str, part: Part, out: Content) -> None:
        cache = part.cache if isinstance(part, Text | Document | SearchResult) else None
        if text:
            out.append(self._marks.put({"type": "text", "text": text}, cache))
        else:
            self._marks.hand_on(cache)

    def _text(self, part: Text, out: Content) -> None:
        self._say(part.text, part, out)

    def _refusal(self, part: Refusal, out: Content) -> None:
        self._say(part.text, part, out)

    def _image(self, part: Image, out: Content) -> None:
        if part.file_id:
            raise self._building.rejected("turns", "image.file_id", "file ids of another provider; send the image")
        if part.url and not self._building.target.image_urls:
            raise self._building.unfetched("image.url")
        if part.raw.get("transformations"):
            self._building.drop("turns", "image.transformations")
        url = part.url or f"data:{part.media_type};base64,{part.data}"
        image = {"url": url, **({"detail": part.detail} if part.detail else {})}
        out.append(self._marks.put({"type": "image_url", "image_url": image}, part.cache))

    def _audio(self, part: Audio, out: Content) -> None:
        if not part.data:
            raise self._building.rejected("turns", "audio.id", "earlier audio of another provider; send the audio")
        out.append({"type": "input_audio", "input_audio": {"data": part.data, "format": part.format}})

    def _document(self, part: Document, out: Content) -> None:
        if part.file_id:
            raise self._building.rejected("turns", "document.file_id", "file ids of another provider; send the file")
        if part.url:
            raise self._building.unfetched("document.url")
        if part.citations:
            self._building.drop("turns", "document.citations")
        text = part.text or _text_in(part)
        if part.parts:
            self._flattened(part, out)
        elif text:
            self._building.approximate("turns", "document")
            self._say(_headed(part, text), part, out)
        else:
            self._file(part, out)

    def _flattened(self, part: Document, out: Content) -> None:
        """A document of parts: its heading, and the parts in order."""
        self._building.approximate("turns", "document")
        if heading := _headed(part, ""):
            out.append({"type": "text", "text": heading})
        out += self.content(part.parts)
        self._marks.hand_on(part.cache)

    def _file(self, part: Document, out: Content) -> None:
        if part.context:
            self._building.approximate("turns", "document.context")
            out.append({"type": "text", "text": part.context})
        media_type = part.media_type or "application/pdf"
        name = part.title or f"document.{'pdf' if media_type == 'application/pdf' else 'bin'}"
        file = {"filename": name, "file_data": f"data:{media_type};base64,{part.data}"}
        out.append(self._marks.put({"type": "file", "file": file}, part.cache))

    def _search_result(self, part: SearchResult, out: Content) -> None:
        self._building.approximate("turns", "search_result")
        said = "".join(text.text for text in part.parts)
        self._say(f"[{part.title}]({part.source})\n{said}", part, out)

    def _opaque(self, part: Opaque, out: Content) -> None:
        self._say(text_of_opaque(part, self._building), part, out)


_PARTS: dict[type[Part], Callable[[Parts, Any, Content], None]] = {
    Text: Parts._text,
    Refusal: Parts._refusal,
    Image: Parts._image,
    Audio: Parts._audio,
    Document: Parts._document,
    SearchResult: Parts._search_result,
    Opaque: Parts._opaque,
}


def plain(content: Content) -> str | Content:
    """Content as simple as it can be said: one text without a mark is a string, which every server takes."""
    if not content:
        return ""
    only = content[0]
    return only["text"] if len(content) == 1 and only.keys() == {"type", "text"} else content


def _headed(part: Document, text: str) -> str:
    return "\n".join(line for line in (part.title, part.context, text) if line)


def _text_in(part: Document) -> str:
    """The text of a file that is one; its bytes came as base64."""
    if not part.media_type.startswith("text/") or not part.data:
        return ""
    try:
        return whole(base64.b64decode(part.data).decode("utf-8", "replace"))
    except (binascii.Error, ValueError):
        return ""
