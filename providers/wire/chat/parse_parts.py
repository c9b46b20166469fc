"""Content of chat messages → neutral parts. What is not understood stays whole in an Opaque part."""

from collections.abc import Callable

from providers.wire.chat.parse_cache import cache_of
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Audio, Document, Image, Json, Opaque, Part, Refusal, Text, Thinking
from providers.wire.values import mapping, sequence, string, whole


def content_of(content: object) -> list[Part]:
    """The parts of a message's content: text, null, or a list of typed parts (one alone counts as a list of one)."""
    if isinstance(content, str):
        return [Text(whole(content))] if content else []
    parts: list[Part] = []
    for entry in content if isinstance(content, list) else [content]:
        if isinstance(entry, str):
            parts += content_of(entry)
        elif isinstance(entry, dict):
            parts.append(_part(entry))
    return parts


def _part(entry: Json) -> Part:
    kind = string(entry.get("type"))
    reader = _PARTS.get(kind)
    return (reader(entry) if reader else None) or Opaque(Dialect.CHAT, kind, entry)


def data_url(url: str) -> tuple[str, str] | None:
    """Media type and base64 data of a ``data:`` URL, None for any other address."""
    if not url.startswith("data:"):
        return None
    head, _, data = url[len("data:") :].partition(",")
    return head.partition(";")[0], data


def _text(entry: Json) -> Part:
    return Text(whole(string(entry.get("text"))), cache_of(entry))


def _refusal(entry: Json) -> Part:
    return Refusal(whole(string(entry.get("refusal"))))


def _image(entry: Json) -> Part | None:
    said = entry.get("image_url")
    image = mapping(said)
    url = string(said) or string(image.get("url"))
    if not url:
        return None
    detail, cache = string(image.get("detail")), cache_of(entry)
    if inline := data_url(url):
        return Image(media_type=inline[0], data=inline[1], detail=detail, cache=cache, raw=entry)
    return Image(url=whole(url), detail=detail, cache=cache, raw=entry)


def _audio(entry: Json) -> Part | None:
    audio = mapping(entry.get("input_audio"))
    data = string(audio.get("data"))
    return Audio(data, string(audio.get("format"))) if data else None


def _file(entry: Json) -> Part | None:
    """A file: its bytes as a ``data:`` URL (some clients send bare base64), an address (OpenRouter), or an id."""
    file = mapping(entry.get("file"))
    said, title, cache = string(file.get("file_data")), whole(string(file.get("filename"))), cache_of(entry)
    if said.startswith(("http://", "https://")):
        return Document(url=whole(said), title=title, cache=cache, raw=entry)
    if said:
        media_type, data = data_url(said) or ("", said)
        known = media_type or ("application/pdf" if title.lower().endswith(".pdf") else "")
        return Document(media_type=known, data=data, title=title, cache=cache, raw=entry)
    if id_ := whole(string(file.get("file_id"))):
        return Document(file_id=id_, title=title, cache=cache, raw=entry)
    return None


def _thinking(entry: Json) -> Part:
    """Mistral's reasoning inside of the content."""
    said = entry.get("thinking")
    pieces = [said] if isinstance(said, str) else [mapping(piece).get("text") for piece in sequence(said)]
    return Thinking(whole("".join(string(piece) for piece in pieces)), string(entry.get("signature")))


_PARTS: dict[str, Callable[[Json], Part | None]] = {
    "text": _text,
    "input_text": _text,  # Responses' words, which several clients send here, too
    "output_text": _text,
    "refusal": _refusal,
    "thinking": _thinking,
    "image_url": _image,
    "input_audio": _audio,
    "file": _file,
}
