"""References to images, audio and files: a digest of what stands inline, or the address of what does not."""

import base64
import binascii
import hashlib

from providers.wire.request import MediaPart


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
    head, _, data = url.removeprefix("data:").partition(",")
    return inline(kind, head.partition(";")[0], data)
