"""References instead of bytes, and what an answer gives."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire.events import Media
from providers.wire.media import answered, answered_url, from_url, inline, is_link, url_of
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


def test_a_data_url_may_hold_plain_text() -> None:
    svg = "data:image/svg+xml;charset=utf-8,%3Csvg%2F%3E"
    assert from_url("image", svg) == MediaPart("image", "image/svg+xml", 6, digest(b"<svg/>"))
    assert base64.b64decode(answered_url("image", svg, 0).data) == b"<svg/>"


def test_what_an_answer_gives_inline_is_known_by_its_digest_and_passed_on() -> None:
    data = base64.b64encode(b"picture").decode()
    media = answered("image", "image/webp", data, 2)
    assert media == Media("image", "image/webp", 7, 2, digest(b"picture"), data)
    assert data not in repr(media)
    assert answered_url("image", f"data:image/webp;base64,{data}", 2) == media
    assert url_of(media) == f"data:image/webp;base64,{data}"
    assert url_of(answered("image", "", data, 0)).startswith("data:image/png;")
    assert not is_link(media)


@pytest.mark.parametrize(
    ("ref", "url"),
    [("https://x.example/a", "https://x.example/a"), ("http://x/", "http://x/"), ("blake2b:00", ""), ("file_1", "")],
)
def test_what_an_answer_only_names(ref: str, url: str) -> None:
    media = Media("image", "", 0, 1, ref)
    assert (url_of(media), is_link(media)) == (url, bool(url))


def test_a_link_of_an_answer_is_kept_as_valid_text() -> None:
    assert answered_url("image", "https://x.example/\ud83d\ude00", 1) == Media(
        "image", "", 0, 1, "https://x.example/\U0001f600"
    )


@given(st.binary(), st.sampled_from(["image/png", "image/jpeg", "image/gif"]))
def test_bytes_come_out_as_they_went_in(content: bytes, media_type: str) -> None:
    # A picture that a provider gave inline reaches the client byte for byte, under its own type.
    url = f"data:{media_type};base64,{base64.b64encode(content).decode()}"
    media = answered_url("image", url, 0)
    assert media.size == len(content)
    assert url_of(media) == (url if content else "")
