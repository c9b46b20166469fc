"""Content blocks of requests, and what the side channel brings back in them."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire import side_channel
from providers.wire.endpoints import Dialect
from providers.wire.messages.parse_blocks import cache_of, parse_content
from providers.wire.neutral import (
    Cache,
    Document,
    Image,
    Opaque,
    Part,
    SearchResult,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from providers.wire.notes import Rejected
from tests.providers.wire.playbook import JSON

MARK = {"type": "ephemeral", "ttl": "1h"}
ANTHROPIC = side_channel.ANTHROPIC


def block(type_: str, **more: Any) -> dict[str, Any]:
    return {"type": type_, **more}


def one(value: dict[str, Any]) -> Part:
    (part,) = parse_content([value], "content")
    return part


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (block("text", text="a", cache_control=MARK), Text("a", Cache("1h"))),
        (block("text", text="a", citations=[{"type": "char_location"}]), Text("a", None, ({"type": "char_location"},))),
        (
            block("image", source={"type": "base64", "media_type": "image/png", "data": "AA"}, cache_control=MARK),
            Image("image/png", "AA", cache=Cache("1h")),
        ),
        (
            block("image", source={"type": "url", "url": "u"}, transformations={"oversized_image": "error"}),
            Image(url="u", raw={"transformations": {"oversized_image": "error"}}),
        ),
        (block("image", source={"type": "file", "file_id": "f"}), Image(file_id="f")),
        (
            block("image", source={"type": "new"}),
            Opaque(Dialect.MESSAGES, "image", block("image", source={"type": "new"})),
        ),
        (
            block("document", source={"type": "base64", "media_type": "application/pdf", "data": "JV"}, title="t"),
            Document("application/pdf", "JV", title="t"),
        ),
        (
            block("document", source={"type": "text", "data": "a"}, context="c", citations={"enabled": True}),
            Document("text/plain", text="a", context="c", citations=True),
        ),
        (
            block("document", source={"type": "url", "url": "u"}, cache_control={"type": "ephemeral"}),
            Document(url="u", cache=Cache()),
        ),
        (block("document", source={"type": "file", "file_id": "f"}), Document(file_id="f")),
        (
            block("document", source={"type": "content", "content": [block("text", text="a")]}),
            Document(parts=(Text("a"),)),
        ),
        (block("document"), Opaque(Dialect.MESSAGES, "document", block("document"))),
        (
            block("search_result", title="t", source="s", content=[block("text", text="a"), block("image")]),
            SearchResult("t", "s", (Text("a"),)),
        ),
        (
            block("search_result", title="t", source="s", content=[], citations={"enabled": True}),
            SearchResult("t", "s", (), raw={"citations": {"enabled": True}}),
        ),
        (block("thinking", thinking="hm", signature="S"), Thinking("hm", "S", format=ANTHROPIC)),
        (block("thinking", thinking="hm", signature=""), Thinking("hm")),
        (block("redacted_thinking", data="R"), Thinking(encrypted="R", format=ANTHROPIC, redacted=True)),
        (block("tool_use", id="a", name="f", input={"x": "é"}), ToolUse("a", "f", '{"x": "é"}')),
        (block("tool_use", id="a", name="f", cache_control=MARK), ToolUse("a", "f", "{}", cache=Cache("1h"))),
        (
            block("tool_result", tool_use_id="a", content="done", is_error=True),
            ToolResult("a", (Text("done"),), True),
        ),
        (block("tool_result", tool_use_id="a", cache_control=MARK), ToolResult("a", (), cache=Cache("1h"))),
        (
            block("tool_result", tool_use_id="a", content=[block("tool_reference", tool_name="f")]),
            ToolResult("a", (Opaque(Dialect.MESSAGES, "tool_reference", block("tool_reference", tool_name="f")),)),
        ),
        (
            block("server_tool_use", id="s"),
            Opaque(Dialect.MESSAGES, "server_tool_use", block("server_tool_use", id="s")),
        ),
        ({}, Opaque(Dialect.MESSAGES, "", {})),
    ],
)
def test_blocks(value: dict[str, Any], wanted: Part) -> None:
    assert one(value) == wanted


@pytest.mark.parametrize("content", [None, "", [], [block("text", text="")], [block("text")]])
def test_nothing_is_no_part(content: object) -> None:
    assert parse_content(content, "content") == ()


def test_plain_text() -> None:
    assert parse_content("a", "content") == (Text("a"),)
    assert parse_content(["a"], "content") == (Text("a"),)


@pytest.mark.parametrize(("content", "field"), [(1, "content"), ([1], "content.0"), ([None], "content.0")])
def test_what_cannot_mean_anything(content: object, field: str) -> None:
    with pytest.raises(Rejected) as refused:
        parse_content(content, "content")
    assert refused.value.field == field


# Blocks with any values are understood, kept or refused, and nothing else happens.
@given(st.sampled_from(["text", "image", "document", "search_result", "thinking", "tool_use", "tool_result"]), JSON)
def test_any_values(type_: str, value: Any) -> None:
    keys = ("text", "source", "content", "citations", "thinking", "signature", "input", "id", "cache_control", "title")
    with suppress(Rejected):
        assert len(parse_content([{"type": type_, **dict.fromkeys(keys, value)}], "content")) < 2


def test_marks() -> None:
    assert cache_of(None) is None
    assert cache_of({"type": "ephemeral"}) == Cache()


def packed(format_: str = "x", **fields: Any) -> str:
    return side_channel.pack_reasoning(format_, **fields)


def redacted(data: str) -> dict[str, Any]:
    return block("redacted_thinking", data=data)


def test_reasoning_of_others_is_unpacked() -> None:
    sealed = packed(side_channel.OPENAI, encrypted="E", id="rs_1")
    wanted = Thinking("hm", "", "E", "rs_1", side_channel.OPENAI)
    assert one(block("thinking", thinking="hm", signature=sealed)) == wanted
    assert one(redacted(sealed)) == Thinking("", "", "E", "rs_1", side_channel.OPENAI, redacted=True)
    assert one(block("thinking", thinking="hm", signature=packed(""))) == Thinking("hm")


def test_a_broken_seal_leaves_the_text() -> None:
    assert one(block("thinking", thinking="hm", signature="patchbay2.AAAA")) == Thinking("hm")
    assert parse_content([redacted("patchbay1.%")], "content") == ()


def test_a_late_signature_goes_back_to_its_text() -> None:
    content = [
        block("thinking", thinking="first", signature=packed(signature="S1")),
        block("thinking", thinking="second", signature=packed("")),
        block("text", text="a"),
        redacted(packed("y", signature="S2", id="i", late=True)),
    ]
    assert parse_content(content, "content") == (
        Thinking("first", "S1", format="x"),
        Thinking("second", "S2", id="i", format="y"),
        Text("a"),
    )


def test_a_late_signature_without_its_text_stands_alone() -> None:
    content = [block("text", text="a"), redacted(packed(signature="S", late=True))]
    assert parse_content(content, "content") == (Text("a"), Thinking("", "S", format="x"))


def test_a_field_goes_back_to_its_call() -> None:
    call = block("tool_use", id="a", name="f", input={})
    other = block("tool_use", id="b", name="f", input={})
    field = redacted(side_channel.pack_opaque(Dialect.CHAT, "extra_content", {"google": 1}, "a"))
    assert parse_content([call, other, field], "content") == (
        ToolUse("a", "f", "{}", extra={"extra_content": {"google": 1}}),
        ToolUse("b", "f", "{}"),
    )
    assert parse_content([other, field], "content") == (ToolUse("b", "f", "{}"),)


def test_a_part_of_another_dialect_comes_back() -> None:
    item: dict[str, object] = {"type": "web_search_call", "id": "ws_1"}
    data = side_channel.pack_opaque(Dialect.RESPONSES, "web_search_call", item)
    assert one(redacted(data)) == Opaque(Dialect.RESPONSES, "web_search_call", item)
    assert parse_content([redacted(side_channel.pack(side_channel.OPAQUE, {}))], "content") == ()


def test_an_annotation_comes_back() -> None:
    annotation: dict[str, object] = {"type": "url_citation", "url": "u"}
    index = side_channel.pack_opaque(Dialect.RESPONSES, "annotation", annotation)
    citation = {"type": "web_search_result_location", "url": "u", "encrypted_index": index}
    assert one(block("text", text="a", citations=[citation])) == Text("a", None, (annotation,))
