"""Parts of a user's turn as content parts."""

import base64
from typing import Any

import pytest

from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Audio, Cache, Document, Image, Opaque, Part, Refusal, SearchResult, Text, Thinking
from providers.wire.notes import Rejected
from tests.providers.wire.chat.building_play import ROUTER, messages, noted, user

PDF = base64.b64encode(b"%PDF").decode()


def said(part: Part) -> Any:
    return messages(user(part))[0]["content"]


def text(value: str) -> dict[str, str]:
    return {"type": "text", "text": value}


CASES: list[tuple[Part, Any, str]] = [
    (Text("Hi"), "Hi", ""),
    (Text(""), "", ""),
    (Refusal("no"), "no", ""),
    (Thinking("hm"), "", ""),
    (Image("image/png", "AAAA"), [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}], ""),
    (
        Image(url="https://x.invalid/", detail="low", raw={"transformations": [1]}),
        [{"type": "image_url", "image_url": {"url": "https://x.invalid/", "detail": "low"}}],
        "dropped=messages.image.transformations",
    ),
    (Audio("AAAA", "wav"), [{"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}], ""),
    (
        Document("application/pdf", PDF, title="a.pdf", citations=True),
        [{"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}}],
        "dropped=messages.document.citations",
    ),
    (
        Document("", PDF, context="about"),
        [
            text("about"),
            {"type": "file", "file": {"filename": "document.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}},
        ],
        "approximated=messages.document.context",
    ),
    (
        Document("application/x-y", PDF),
        [{"type": "file", "file": {"filename": "document.bin", "file_data": f"data:application/x-y;base64,{PDF}"}}],
        "",
    ),
    (Document(text="body", title="T", context="C"), "T\nC\nbody", "approximated=messages.document"),
    (
        Document("text/csv", base64.b64encode(b"a,\xc3\xa9").decode()),
        "a,é",
        "approximated=messages.document",
    ),
    (
        Document("text/csv", "A"),
        [{"type": "file", "file": {"filename": "document.bin", "file_data": "data:text/csv;base64,A"}}],
        "",
    ),
    (
        Document(title="T", parts=(Text("a"), Image(url="https://x.invalid/"))),
        [text("T"), text("a"), {"type": "image_url", "image_url": {"url": "https://x.invalid/"}}],
        "approximated=messages.document",
    ),
    (Document(parts=(Text("a"),)), "a", "approximated=messages.document"),
    (
        SearchResult("T", "https://x.invalid/", (Text("a"), Text("b"))),
        "[T](https://x.invalid/)\nab",
        "approximated=messages.search_result",
    ),
    (Opaque(Dialect.MESSAGES, "new", {}), "", "dropped=messages.new"),
]


@pytest.mark.parametrize(("part", "content", "note"), CASES)
def test_each_kind_of_part(part: Part, content: Any, note: str) -> None:
    assert said(part) == content
    assert noted(user(part)) == note


@pytest.mark.parametrize(
    ("part", "path"),
    [
        (Image(file_id="f"), "messages.image.file_id"),
        (Document(file_id="f"), "messages.document.file_id"),
        (Document(url="https://x.invalid/"), "messages.document.url"),
        (Audio(id="a"), "messages.audio.id"),
    ],
)
def test_what_only_its_own_provider_has_is_refused(part: Part, path: str) -> None:
    with pytest.raises(Rejected) as caught:
        said(part)
    assert caught.value.field == path
    assert str(caught.value).startswith(path)


def test_a_server_that_fetches_no_pictures_gets_no_address() -> None:
    with pytest.raises(Rejected, match="base64"):
        messages(user(Image(url="https://x.invalid/")), target=Capabilities(image_urls=False))


def test_marks_stand_on_parts_and_move_from_what_is_not_said() -> None:
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    parts = (
        Image(url="https://x.invalid/", cache=Cache("1h")),
        Text("", Cache("1h")),
        Text("a"),
        Document(parts=(Text("b"),), cache=Cache("1h")),
        Document("application/pdf", PDF),
    )
    marked = [
        {key: part[key] for key in part if key == "cache_control"}
        for part in messages(user(*parts), target=ROUTER)[0]["content"]
    ]
    assert marked == [mark, mark, {}, mark]
