"""References instead of bytes."""

import base64
import hashlib

from providers.wire.media import from_url, inline
from providers.wire.request import MediaPart


def digest(content: bytes) -> str:
    return "blake2b:" + hashlib.blake2b(content, digest_size=32).hexdigest()


def test_inline_data_is_its_size_and_digest() -> None:
    assert inline("image", "image/png", base64.b64encode(b"picture").decode()) == MediaPart(
        "image", "image/png", 7, digest(b"picture")
    )


def test_what_is_no_base64_is_taken_as_it_is() -> None:
    assert inline("file", "", "a") == MediaPart("file", "", 1, digest(b"a"))
    assert inline("file", "", "ž\ud83d").size == 5


def test_a_data_url_is_inline_and_any_other_is_kept() -> None:
    assert from_url("image", "data:image/gif;base64,YQ==") == MediaPart("image", "image/gif", 1, digest(b"a"))
    assert from_url("image", "https://x.example/a.png") == MediaPart("image", "", 0, "https://x.example/a.png")
