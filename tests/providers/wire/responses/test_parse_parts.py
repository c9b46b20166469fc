from typing import Any

import pytest

from providers.wire.endpoints import Dialect
from providers.wire.neutral import Audio, Cache, Document, Image, Opaque, Part, Refusal, Text
from providers.wire.responses.parse_parts import content_parts

MARK = {"prompt_cache_breakpoint": {"mode": "explicit"}}
LONG = {"prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}}
NOTE: dict[str, object] = {"type": "url_citation", "url": "u"}
IMAGE: dict[str, object] = {"type": "input_image", "detail": "low", "image_url": "data:image/png;base64,AAAA"}
FILE = {"type": "input_file"}


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("a", Text("a")),
        ({"type": "text", "text": "a"}, Text("a")),
        ({"type": "input_text", "text": "a", **MARK}, Text("a", Cache())),
        ({"type": "input_text", "text": "a", **LONG}, Text("a", Cache("1h"))),
        ({"type": "output_text", "text": "a", "annotations": [NOTE]}, Text("a", citations=(NOTE,))),
        (
            {"type": "output_text", "text": "a", "annotations": [NOTE], "x_patchbay": {"citations": [{"type": "x"}]}},
            Text("a", citations=({"type": "x"},)),
        ),
        ({"type": "refusal", "refusal": "no"}, Refusal("no")),
        (IMAGE, Image("image/png", "AAAA", detail="low", raw=IMAGE)),
        (
            {"type": "input_image", "image_url": {"url": "http://x"}},
            Image(url="http://x", raw={"type": "input_image", "image_url": {"url": "http://x"}}),
        ),
        ({"type": "input_image", "file_id": "f"}, Image(file_id="f", raw={"type": "input_image", "file_id": "f"})),
        ({"type": "input_audio", "input_audio": {"data": "A", "format": "mp3"}}, Audio("A", "mp3")),
        ({"type": "input_audio", "data": "A", "format": "mp3"}, Audio("A", "mp3")),
        ({"type": "odd"}, Opaque(Dialect.RESPONSES, "odd", {"type": "odd"})),
    ],
)
def test_each_part_means_something(part: Any, expected: Part) -> None:
    assert content_parts([part]) == (expected,)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (
            {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AA"},
            Document("application/pdf", "AA", title="a.pdf"),
        ),
        ({"file_data": "AA"}, Document("application/pdf", "AA")),
        ({"filename": "a.TXT", "file_data": "AA"}, Document("text/plain", "AA", title="a.TXT")),
        (
            {"filename": "a.csv", "file_data": "data:application/octet-stream;base64,AA"},
            Document("text/csv", "AA", title="a.csv"),
        ),
        (
            {"filename": "a.bin", "file_data": "data:application/octet-stream;base64,AA"},
            Document("application/octet-stream", "AA", title="a.bin"),
        ),
        ({"file_url": "http://x"}, Document(url="http://x")),
        ({"file_id": "f"}, Document(file_id="f")),
    ],
)
def test_files_say_what_they_are(file: dict[str, Any], expected: Document) -> None:
    (part,) = content_parts([{**FILE, **file}])
    assert isinstance(part, Document)
    assert (part.media_type, part.data, part.url, part.file_id, part.title) == (
        expected.media_type,
        expected.data,
        expected.url,
        expected.file_id,
        expected.title,
    )


@pytest.mark.parametrize("content", ["", None, 7, [], [{"type": "text", "text": ""}], [{"type": "refusal"}]])
def test_nothing_is_no_part(content: object) -> None:
    assert content_parts(content) == ()


def test_one_part_alone_is_a_list_of_one() -> None:
    assert content_parts({"type": "text", "text": "a"}) == content_parts("a") == (Text("a"),)
