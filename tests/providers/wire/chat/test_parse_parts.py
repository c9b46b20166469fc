"""Content parts as neutral parts."""

from typing import Any

import pytest

from providers.wire.chat.parse_parts import content_of
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Audio, Cache, Document, Image, Opaque, Part, Refusal, Text, Thinking

CASES: list[tuple[Any, list[Part]]] = [
    (None, []),
    ("", []),
    ("Hi", [Text("Hi")]),
    (["Hi", 1], [Text("Hi")]),
    ({"type": "text", "text": "Hi"}, [Text("Hi")]),
    ([{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}], [Text("Hi", Cache())]),
    ([{"type": "refusal", "refusal": "no"}], [Refusal("no")]),
    ([{"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}], [Audio("AA", "wav")]),
    ([{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}], "signature": "s"}], [Thinking("hm", "s")]),
    ([{"type": "thinking", "thinking": "hm"}], [Thinking("hm")]),
    ([{"type": "new", "x": 1}], [Opaque(Dialect.CHAT, "new", {"type": "new", "x": 1})]),
    ([{"type": "image_url"}], [Opaque(Dialect.CHAT, "image_url", {"type": "image_url"})]),
    ([{"type": "input_audio"}], [Opaque(Dialect.CHAT, "input_audio", {"type": "input_audio"})]),
    ([{"type": "file", "file": {}}], [Opaque(Dialect.CHAT, "file", {"type": "file", "file": {}})]),
]


@pytest.mark.parametrize(("content", "parts"), CASES)
def test_each_kind_of_part(content: Any, parts: list[Part]) -> None:
    assert content_of(content) == parts


@pytest.mark.parametrize(
    ("image", "part"),
    [
        ("https://x.invalid/", Image(url="https://x.invalid/")),
        ({"url": "https://x.invalid/", "detail": "low"}, Image(url="https://x.invalid/", detail="low")),
        ({"url": "data:image/png;base64,AAAA"}, Image("image/png", "AAAA")),
    ],
)
def test_pictures(image: Any, part: Image) -> None:
    entry = {"type": "image_url", "image_url": image}
    assert content_of([entry]) == [Image(part.media_type, part.data, part.url, detail=part.detail, raw=entry)]


@pytest.mark.parametrize(
    ("file", "part"),
    [
        ({"file_data": "data:text/csv;base64,QQ==", "filename": "a.csv"}, Document("text/csv", "QQ==", title="a.csv")),
        ({"file_data": "QQ==", "filename": "A.PDF"}, Document("application/pdf", "QQ==", title="A.PDF")),
        ({"file_data": "QQ=="}, Document("", "QQ==")),
        ({"file_data": "https://x.invalid/a.pdf"}, Document(url="https://x.invalid/a.pdf")),
        ({"file_id": "f"}, Document(file_id="f")),
    ],
)
def test_files(file: dict[str, str], part: Document) -> None:
    (document,) = content_of([{"type": "file", "file": file, "prompt_cache_breakpoint": {"mode": "explicit"}}])
    assert isinstance(document, Document)
    assert document.cache == Cache()
    seen = (document.media_type, document.data, document.url, document.file_id, document.title)
    assert seen == (part.media_type, part.data, part.url, part.file_id, part.title)
