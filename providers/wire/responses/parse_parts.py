"""Content parts of a Responses request as neutral parts; what is not understood stays opaque."""

from collections.abc import Callable

from providers.wire.endpoints import Dialect
from providers.wire.neutral import Audio, Cache, Document, Image, Json, Opaque, Part, Refusal, Text
from providers.wire.values import mapping, sequence, string, whole

_PDF = "application/pdf"
# The end of a file's name → its media type, for data that does not say.
_MEDIA_TYPES = {"pdf": _PDF, "txt": "text/plain", "md": "text/markdown", "csv": "text/csv", "json": "application/json"}


def content_parts(content: object) -> tuple[Part, ...]:
    """The parts of a content: a text, null, or a list. An empty text is no part."""
    if isinstance(content, str):
        return (Text(whole(content)),) if content else ()
    parts: list[Part] = []
    for entry in sequence(content) or ([content] if isinstance(content, dict) else []):
        part: Json = {"type": "text", "text": entry} if isinstance(entry, str) else mapping(entry)
        kind = string(part.get("type"))
        reader = _PARTS.get(kind)
        read = reader(part) if reader else Opaque(Dialect.RESPONSES, kind, part)
        if read is not None:
            parts.append(read)
    return tuple(parts)


def cache_of(part: Json) -> Cache | None:
    """The cache mark on a part; 12 hours is the longer of the two lifetimes, as one hour is Anthropic's."""
    mark = part.get("prompt_cache_breakpoint")
    if not isinstance(mark, dict):
        return None
    return Cache("1h" if mark.get("ttl") == "12h" else "")


def split_data(url: str) -> tuple[str, str]:
    """Media type and base64 data of a ``data:`` URL."""
    head, _, data = url.removeprefix("data:").partition(",")
    return head.partition(";")[0], data


def _text(part: Json) -> Part | None:
    text = whole(string(part.get("text")))
    citations = tuple(mapping(annotation) for annotation in sequence(part.get("annotations")))
    kept = sequence(mapping(part.get("x_patchbay")).get("citations"))
    if kept:  # what another dialect had written, and annotations were made of
        citations = tuple(mapping(citation) for citation in kept)
    return Text(text, cache_of(part), citations) if text else None


def _refusal(part: Json) -> Part | None:
    text = whole(string(part.get("refusal")))
    return Refusal(text) if text else None


def _image(part: Json) -> Part:
    image = part.get("image_url")
    url = whole(string(image) or string(mapping(image).get("url")))
    detail, cache = string(part.get("detail")), cache_of(part)
    if url.startswith("data:"):
        media_type, data = split_data(url)
        return Image(media_type=media_type, data=data, detail=detail, cache=cache, raw=part)
    return Image(url=url, file_id=string(part.get("file_id")), detail=detail, cache=cache, raw=part)


def _file(part: Json) -> Part:
    name, data = whole(string(part.get("filename"))), string(part.get("file_data"))
    media_type = ""
    if data.startswith("data:"):
        media_type, data = split_data(data)
    if data and media_type in ("", "application/octet-stream"):
        media_type = _MEDIA_TYPES.get(name.rpartition(".")[2].lower(), media_type or _PDF)
    return Document(
        media_type=media_type,
        data=data,
        url=whole(string(part.get("file_url"))),
        file_id=string(part.get("file_id")),
        title=name,
        cache=cache_of(part),
        raw=part,
    )


def _audio(part: Json) -> Part:
    audio = mapping(part.get("input_audio")) or part
    return Audio(data=string(audio.get("data")), format=string(audio.get("format")))


_PARTS: dict[str, Callable[[Json], Part | None]] = {
    "text": _text,
    "input_text": _text,
    "output_text": _text,
    "refusal": _refusal,
    "input_image": _image,
    "input_file": _file,
    "input_audio": _audio,
}
