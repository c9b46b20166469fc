"""Images, audio and files: references to them for the record, and those of an answer with what a writer passes on.

A reference is a digest of what stands inline, or the address of what does not.
"""

import base64
import binascii
import hashlib
from urllib.parse import unquote_to_bytes

from providers.wire.events import Media
from providers.wire.request import MediaPart
from providers.wire.values import whole

_BASE64 = ";base64"
_PNG = "image/png"


def inline(kind: str, media_type: str, data: str) -> MediaPart:
    """The reference of base64 data, by its decoded bytes; text that is no base64 is taken as it is."""
    try:
        content = base64.b64decode(data)
    except (binascii.Error, ValueError):
        content = data.encode("utf-8", "surrogatepass")
    return MediaPart(kind, media_type, len(content), f"blake2b:{hashlib.blake2b(content, digest_size=32).hexdigest()}")


def from_url(kind: str, url: str) -> MediaPart:
    """The reference of a URL; a ``data:`` URL is inline data."""
    if not url.startswith("data:"):
        return MediaPart(kind, "", 0, url)
    return inline(kind, *_taken_apart(url))


def answered_url(kind: str, url: str, part: int) -> Media:
    """What an answer gives by a URL, which may hold it."""
    if not url.startswith("data:"):
        return Media(kind, "", 0, part, whole(url))
    return answered(kind, *_taken_apart(url), part)


def answered(kind: str, media_type: str, data: str, part: int) -> Media:
    """What an answer gives inline, as base64."""
    known = inline(kind, whole(media_type), data)
    return Media(kind, known.media_type, known.size, part, known.ref, data)


def url_of(media: Media) -> str:
    """The address of an answer's image, holding it where it came inline; "" where only its digest is known."""
    if media.data:
        return f"data:{media.media_type or _PNG};base64,{media.data}"
    return media.ref if is_link(media) else ""


def is_link(media: Media) -> bool:
    """Whether it is known by an address that anybody can open."""
    return media.ref.startswith(("http://", "https://"))


def _taken_apart(url: str) -> tuple[str, str]:
    """Media type and base64 of a ``data:`` URL, also of one that holds plain text (RFC 2397)."""
    head, _, data = url.removeprefix("data:").partition(",")
    media_type = head.partition(";")[0]
    if head.endswith(_BASE64):
        return media_type, data
    return media_type, base64.b64encode(unquote_to_bytes(data)).decode()
