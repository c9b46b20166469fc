"""Parts of a history as Anthropic takes them."""

import base64
from typing import Any

import pytest

from providers.wire import side_channel
from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect
from providers.wire.messages.build_blocks import blocks_of
from providers.wire.neutral import (
    Audio,
    Cache,
    Document,
    Image,
    Opaque,
    Part,
    Refusal,
    SearchResult,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from providers.wire.notes import Rejected, Unfetched
from tests.providers.wire.messages.building_play import CLAUDE, OLD, assistant, building, request, user

BLIND = Capabilities(image_urls=False)
PDF = base64.b64encode(b"%PDF-1.7 ...").decode()
ANTHROPIC = side_channel.ANTHROPIC


def blocks(part: Part, role: str = "user", target: Capabilities = CLAUDE) -> tuple[list[dict[str, Any]], str]:
    asked = request(assistant(part) if role == "assistant" else user(part))
    step = building(asked, target)
    return blocks_of(step, (part,), role), step.notes.header()


def text(said: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": said, **more}


@pytest.mark.parametrize(
    ("part", "wanted", "note"),
    [
        (Text("a", Cache("1h")), text("a", cache_control={"type": "ephemeral", "ttl": "1h"}), ""),
        (Text("a", Cache()), text("a", cache_control={"type": "ephemeral"}), ""),
        (Text("a", None, ({"type": "url_citation"},)), text("a"), "dropped=messages.annotations"),
        (
            Text("a", None, ({"type": "char_location"},)),
            text("a", citations=[{"type": "char_location"}]),
            "",
        ),
        (Refusal("no"), text("no"), ""),
        (
            Image("image/JPG", "AA", detail="high"),
            {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "AA"}},
            "dropped=messages.image.detail",
        ),
        (
            Image(url="u", detail="auto", cache=Cache()),
            {"type": "image", "source": {"type": "url", "url": "u"}, "cache_control": {"type": "ephemeral"}},
            "",
        ),
        (
            Document("application/pdf", PDF, title="t.pdf"),
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
                "title": "t.pdf",
            },
            "",
        ),
        (
            Document("application/octet-stream", PDF, context="c", citations=True),
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
                "context": "c",
                "citations": {"enabled": True},
            },
            "",
        ),
        (
            Document("text/csv; charset=utf-8", base64.b64encode("a,é".encode()).decode()),
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a,é"}},
            "approximated=messages.file",
        ),
        (
            Document(text="a"),
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a"}},
            "",
        ),
        (Document(url="u"), {"type": "document", "source": {"type": "url", "url": "u"}}, ""),
        (
            Document(parts=(Text("a"),)),
            {"type": "document", "source": {"type": "content", "content": [text("a")]}},
            "",
        ),
        (
            SearchResult("t", "s", (Text("a"),), Cache()),
            {
                "type": "search_result",
                "title": "t",
                "source": "s",
                "content": [text("a")],
                "cache_control": {"type": "ephemeral"},
            },
            "",
        ),
        (
            ToolResult("c", (Text("a"), Text(""), Image(url="u")), True),
            {
                "type": "tool_result",
                "tool_use_id": "c",
                "content": [text("a"), {"type": "image", "source": {"type": "url", "url": "u"}}],
                "is_error": True,
            },
            "",
        ),
        (ToolResult("c", ()), {"type": "tool_result", "tool_use_id": "c"}, ""),
    ],
)
def test_what_a_user_gives(part: Part, wanted: dict[str, Any], note: str) -> None:
    assert blocks(part) == ([wanted], note)


@pytest.mark.parametrize(
    ("part", "wanted", "note"),
    [
        (
            ToolUse("c", "f", '{"x": 1}', extra={"extra_content": {}}),
            {"type": "tool_use", "id": "c", "name": "f", "input": {"x": 1}},
            "dropped=messages.tool_calls.extra_content",
        ),
        (ToolUse("c", "f", ""), {"type": "tool_use", "id": "c", "name": "f", "input": {}}, ""),
        (
            ToolUse("c", "f", "[1]", cache=Cache()),
            {
                "type": "tool_use",
                "id": "c",
                "name": "f",
                "input": {"__raw_arguments": "[1]"},
                "cache_control": {"type": "ephemeral"},
            },
            "approximated=messages.tool_calls.arguments",
        ),
        (
            ToolUse("c", "patch", "*** Begin", custom=True),
            {"type": "tool_use", "id": "c", "name": "patch", "input": {"input": "*** Begin"}},
            "",
        ),
        (
            Thinking("hm", "S", format=ANTHROPIC),
            {"type": "thinking", "thinking": "hm", "signature": "S"},
            "",
        ),
        (
            Thinking("", "S", format=ANTHROPIC),
            {"type": "thinking", "thinking": "", "signature": "S"},
            "",
        ),
        (
            Thinking(encrypted="R", format=ANTHROPIC, redacted=True),
            {"type": "redacted_thinking", "data": "R"},
            "",
        ),
        (Opaque(Dialect.MESSAGES, "server_tool_use", {"type": "server_tool_use"}), {"type": "server_tool_use"}, ""),
    ],
)
def test_what_the_model_did(part: Part, wanted: dict[str, Any], note: str) -> None:
    assert blocks(part, "assistant") == ([wanted], note)


@pytest.mark.parametrize(
    ("part", "note"),
    [
        (Text(""), ""),
        (Text(" \n"), ""),
        (Text("", Cache()), "dropped=cache_control"),
        (Refusal(" "), ""),
        (Thinking("hm"), "dropped=messages.reasoning"),
        (Thinking("hm", "S"), "dropped=messages.reasoning"),
        (Thinking("hm", "S", format="google-gemini-v1"), "dropped=messages.reasoning"),
        (Thinking("", "", "E", "rs", side_channel.OPENAI, redacted=True), "dropped=messages.reasoning"),
        (Thinking("hm", format=ANTHROPIC), "dropped=messages.reasoning"),
        (Opaque(Dialect.RESPONSES, "web_search_call", {}), "dropped=messages.web_search_call"),
    ],
)
def test_what_is_left_out(part: Part, note: str) -> None:
    left_out, taken = blocks(part, "assistant")
    assert (left_out, taken.replace("prompt_cache_breakpoint", "cache_control")) == ([], note)


def test_what_another_target_cannot_read() -> None:
    other = Capabilities()
    assert blocks(Thinking("hm", "S", format=ANTHROPIC), "assistant", other)[0] == []
    assert blocks(Opaque(Dialect.MESSAGES, "server_tool_use", {"id": "s"}), "assistant", other)[0] == []
    assert "cache_control" not in blocks(Text("a", Cache()), "user", other)[0][0]


@pytest.mark.parametrize(
    ("part", "field"),
    [
        (Image("image/tiff", "AA"), "messages.image"),
        (Image(), "messages.image"),
        (Image(file_id="f"), "messages.image.file_id"),
        (Document(file_id="f"), "messages.file.file_id"),
        (Document("application/zip", "UEsD"), "messages.file"),
        (Document("text/plain", "not base64!"), "messages.file"),
        (Document("", base64.b64encode(b"\xff\xfe").decode()), "messages.file"),
        (Audio("AA", "wav"), "messages.input_audio"),
        (Opaque(Dialect.CHAT, "video_url", {}), "messages.video_url"),
        (Opaque(Dialect.CHAT, "", {}), "messages.type"),
        (ToolResult("c", (Audio("AA", "wav"),)), "messages.input_audio"),
    ],
)
def test_what_is_refused(part: Part, field: str) -> None:
    with pytest.raises(Rejected) as refused:
        blocks(part)
    assert refused.value.field == field
    assert "Chat Completions" in str(refused.value)


def test_a_history_that_is_not_here_is_refused() -> None:
    with pytest.raises(Rejected) as refused:
        blocks(Opaque(Dialect.RESPONSES, "compaction", {}), "assistant")
    assert refused.value.field == "messages.compaction"


def test_a_target_that_fetches_nothing() -> None:
    with pytest.raises(Unfetched) as refused:
        blocks(Image(url="u"), target=BLIND)
    assert refused.value.field == "messages.image.url"
    with pytest.raises(Unfetched) as document:
        blocks(Document(url="u"), target=BLIND)
    assert document.value.field == "messages.file.url"


def test_a_picture_of_an_earlier_answer_is_left_out() -> None:
    step = building(request(user(Text("Hi"))), CLAUDE)
    assert blocks_of(step, (Text("a"), Image("image/png", "AA"), Document("", "AA")), "assistant") == [text("a")]
    assert step.notes.header() == "dropped=messages.image,messages.document"


def test_ids_and_names_match_on_both_sides() -> None:
    calls = (ToolUse("functions.f:0", "a.b", "{}"), ToolUse("", "a_b", "{}"))
    results = (ToolResult("functions.f:0", ()), ToolResult("", ()))
    step = building(request(assistant(*calls), user(*results)), OLD)
    made = blocks_of(step, calls, "assistant")
    answered = blocks_of(step, results, "user")
    assert [one["tool_use_id"] for one in answered] == [one["id"] for one in made]
    assert made[0]["name"] != made[1]["name"] == "a_b"
