from typing import Any

import pytest

from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect
from providers.wire.neutral import (
    Audio,
    Cache,
    Document,
    Image,
    Part,
    SearchResult,
    Text,
    Thinking,
    Tool,
    ToolResult,
    ToolUse,
    Turn,
)
from providers.wire.notes import Notes, Rejected
from providers.wire.responses.build_parts import Marks, Parts
from tests.providers.wire.responses.building import HI, OPENAI, STRANGER, built, request


def content(part: Part, dialect: str = "chat", target: Capabilities = OPENAI) -> tuple[Any, str]:
    body, notes = built(request(Dialect(dialect), (Turn("user", (part,)),)), target)
    return body["input"][0]["content"], notes


@pytest.mark.parametrize(
    ("part", "expected", "notes"),
    [
        (
            Image("image/png", "AA"),
            [{"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,AA"}],
            "",
        ),
        (
            Image(data="AA", detail="odd"),
            [{"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,AA"}],
            "",
        ),
        (
            Image(url="http://x", detail="high"),
            [{"type": "input_image", "detail": "high", "image_url": "http://x"}],
            "",
        ),
        (Image(file_id="f"), [{"type": "input_image", "detail": "auto", "file_id": "f"}], ""),
        (
            Image(url="u", raw={"transformations": {"oversized_image": "error"}}),
            [{"type": "input_image", "detail": "auto", "image_url": "u"}],
            "dropped=messages.content.transformations",
        ),
        (
            Document("application/pdf", "AA", title="a.pdf"),
            [{"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AA"}],
            "",
        ),
        (
            Document(data="AA", context="c", citations=True),
            [
                {"type": "input_text", "text": "c"},
                {"type": "input_file", "filename": "document.pdf", "file_data": "data:application/pdf;base64,AA"},
            ],
            "dropped=messages.content.citations",
        ),
        (Document(url="http://x"), [{"type": "input_file", "file_url": "http://x"}], ""),
        (Document(file_id="f"), [{"type": "input_file", "file_id": "f"}], ""),
        (
            Document(text="body", title="t", context="c"),
            [{"type": "input_text", "text": "t\nc\n\nbody"}],
            "approximated=messages.content.document",
        ),
        (Document(text="body"), [{"type": "input_text", "text": "body"}], "approximated=messages.content.document"),
        (
            Document(parts=(Text("a"), Image(url="u"))),
            [{"type": "input_text", "text": "a"}, {"type": "input_image", "detail": "auto", "image_url": "u"}],
            "approximated=messages.content.document",
        ),
        (
            SearchResult("t", "http://x", (Text("a"), Text("b"))),
            [{"type": "input_text", "text": "[t](http://x)\nab"}],
            "approximated=messages.content.search_result",
        ),
    ],
)
def test_each_part(part: Part, expected: list[Any], notes: str) -> None:
    assert content(part) == (expected, notes)


@pytest.mark.parametrize(
    ("part", "dialect", "target"),
    [
        (Image(file_id="f"), "messages", OPENAI),
        (Document(file_id="f"), "chat", STRANGER),
        (Image(url="http://x"), "chat", Capabilities(image_urls=False)),
        (Document(url="http://x"), "chat", Capabilities(image_urls=False)),
        (Audio("A", "mp3"), "chat", OPENAI),
    ],
)
def test_what_the_target_cannot_see_is_refused(part: Part, dialect: str, target: Capabilities) -> None:
    with pytest.raises(Rejected) as refused:
        content(part, dialect, target)
    assert refused.value.field == "messages.content"


def test_what_is_no_content_is_refused() -> None:
    notes = Notes()
    parts = Parts(request(), OPENAI, notes, Marks(request(), OPENAI, notes))
    with pytest.raises(Rejected, match="Thinking"):
        parts.content(Thinking("x"))


MARK = {"mode": "explicit"}
MARKED = (Turn("user", (Text("a", Cache("5m")), Image(url="u", cache=Cache("1h")), Text("", Cache()))),)


def marks(body: dict[str, Any]) -> list[Any]:
    parts = [part for item in body["input"] for part in (item.get("content") or item.get("output"))]
    return [part.get("prompt_cache_breakpoint") for part in parts]


def test_marks_stand_on_their_parts() -> None:
    body, notes = built(request(turns=MARKED))
    assert marks(body) == [MARK, {"mode": "explicit", "ttl": "12h"}]
    assert notes == "dropped=cache_control; approximated=cache_control.ttl,cache_control"
    assert built(request(turns=MARKED), STRANGER)[1] == "dropped=cache_control"


def test_marks_that_have_no_place_go_to_the_next_part() -> None:
    tool = Tool("function", "f", cache=Cache())
    body, notes = built(request(tools=(tool,)))
    assert (marks(body), notes) == ([MARK], "approximated=cache_control")
    assert built(request(tools=(tool,)), STRANGER)[1] == "dropped=cache_control"
    said = Turn("assistant", (Text("a", Cache()), ToolUse("c", "f", "{}", cache=Cache())))
    body, notes = built(request(turns=(said, *HI)))
    assert body["input"][-1]["content"][0]["prompt_cache_breakpoint"] == MARK
    result = Turn("user", (ToolResult("c", (Text("x"),), cache=Cache()),))
    assert marks(built(request(turns=(result,)))[0]) == [MARK]


def test_a_mark_waits_through_what_has_none() -> None:
    tools = (Tool("function", "f", cache=Cache("1h")), Tool("function", "g"))
    said = Turn("assistant", (Text("a"), ToolUse("c", "f", "{}")))
    body, notes = built(request(tools=tools, turns=(said, *HI)))
    assert body["input"][-1]["content"][0]["prompt_cache_breakpoint"] == {"mode": "explicit", "ttl": "12h"}
    assert notes == "approximated=cache_control,cache_control.ttl"
