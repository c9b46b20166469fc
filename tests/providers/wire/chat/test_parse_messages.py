"""Messages of every role as turns."""

from typing import Any

import pytest

from providers.wire.chat.parse import parse_request
from providers.wire.neutral import (
    Audio,
    Cache,
    Image,
    Part,
    Refusal,
    Request,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
    Turn,
)


def parsed(*messages: dict[str, Any]) -> Request:
    return parse_request({"model": "m", "messages": list(messages)})


def said(**message: Any) -> tuple[Part, ...]:
    return parsed({"role": "assistant", **message}).turns[0].parts


def call(id_: str, name: str, arguments: Any = "{}") -> dict[str, Any]:
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}


USER = {"role": "user", "content": "Hi"}
HI = Turn("user", (Text("Hi"),))


def test_the_leading_run_is_the_system_prompt_and_later_ones_stay() -> None:
    request = parsed(
        {"role": "developer", "content": "a"},
        {"role": "system", "content": [{"type": "text", "text": "b"}], "name": "ann"},
        USER,
        {"role": "system", "content": "c"},
    )
    assert (request.system, request.system_role) == ((Text("a"), Text("b")), "developer")
    assert request.turns == (HI, Turn("system", (Text("c"),)))
    assert request.extra == {"messages.name": "ann"}


def test_results_in_a_row_are_one_turn_with_what_the_user_says_then() -> None:
    request = parsed(
        USER,
        {"role": "assistant", "content": None, "tool_calls": [call("a", "f"), call("b", "g")]},
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "2"}]},
        {"role": "user", "content": "so", "name": "ann"},
    )
    results = ToolResult("a", (Text("1"),)), ToolResult("b", (Text("2"),))
    assert request.turns[2:] == (Turn("user", (*results, Text("so")), {"name": "ann"}),)


@pytest.mark.parametrize("following", [{"role": "assistant", "content": "x"}, {"role": "system", "content": "x"}, None])
def test_results_are_a_turn_before_anybody_else_speaks(following: dict[str, Any] | None) -> None:
    tool = {"role": "tool", "tool_call_id": "a", "content": "1", "cache_control": {"type": "ephemeral"}}
    turns = parsed(USER, tool, *([following] if following else [])).turns
    assert turns[1] == Turn("user", (ToolResult("a", (Text("1"),), cache=Cache()),))
    assert len(turns) == (3 if following else 2)


def test_functions_of_old_are_calls_with_ids() -> None:
    request = parsed(
        {"role": "assistant", "content": "ok", "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "1"},
    )
    assert request.turns == (
        Turn("assistant", (Text("ok"), ToolUse("call_1", "f", "{}"))),
        Turn("user", (ToolResult("call_1", (Text("1"),)),)),
    )


@pytest.mark.parametrize(
    ("entry", "use"),
    [
        (call("a", "f", '{"x": 1}'), ToolUse("a", "f", '{"x": 1}')),
        (call("a", "f", {"x": 1}), ToolUse("a", "f", '{"x": 1}')),
        (call("a", "f", None), ToolUse("a", "f", "")),
        ({"id": "a", "type": "custom", "custom": {"name": "c", "input": "ls"}}, ToolUse("a", "c", "ls", True)),
        (
            {**call("a", "f"), "index": 0, "extra_content": {"google": {"thought_signature": "s"}}},
            ToolUse("a", "f", "{}", extra={"extra_content": {"google": {"thought_signature": "s"}}}),
        ),
        ({**call("a", "f"), "cache_control": {"type": "ephemeral"}}, ToolUse("a", "f", "{}", cache=Cache())),
    ],
)
def test_calls(entry: dict[str, Any], use: ToolUse) -> None:
    assert said(tool_calls=[entry]) == (use,)


def test_an_assistant_says_things_in_the_order_of_chat() -> None:
    parts = said(
        content=[{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "no"}],
        refusal="never",
        reasoning_content="hm",
        tool_calls=[call("a", "f")],
        audio={"id": "au"},
        images=[{"type": "image_url", "image_url": {"url": "https://x.invalid/"}}, {"type": "odd"}],
    )
    assert parts[:5] == (Thinking("hm"), Text("a"), Refusal("no"), Refusal("never"), Audio(id="au"))
    assert isinstance(parts[5], Image)
    assert parts[6:] == (ToolUse("a", "f", "{}"),)


def test_annotations_stand_on_the_text() -> None:
    annotation: dict[str, Any] = {"type": "url_citation", "url_citation": {}}
    assert said(content="a", annotations=[annotation, 1]) == (Text("a", citations=(annotation,)),)
    assert said(content=None, annotations=[annotation]) == ()


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("a", (Text("a", Cache()),)),
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], (Text("a"), Text("b", Cache()))),
        (
            [{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "no"}, {"type": "text", "text": ""}],
            (Text("a", Cache()), Refusal("no"), Text("")),
        ),
        (None, ()),
    ],
)
def test_a_mark_on_a_message_stands_on_its_last_part(content: Any, parts: tuple[Part, ...]) -> None:
    assert said(content=content, cache_control={"type": "ephemeral"}) == parts


def test_a_mark_of_the_part_itself_stays() -> None:
    content = [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
    assert said(content=content, cache_control={"type": "ephemeral"}) == (Text("a", Cache("1h")),)


def test_what_stands_beside_is_kept() -> None:
    assert parsed({**USER, "name": "ann", "weight": 0}).turns[0].extra == {"name": "ann"}
    assert parsed({"content": "Hi"}).turns == (HI,)
    assert parsed({"role": "narrator", "content": "Hi"}).turns == (Turn("user", (Text("Hi"),), {"role": "narrator"}),)


def test_empty_strings_where_a_call_could_stand_are_no_call() -> None:
    """Snowflake's answers hold them, and a client sends back what it got."""
    beside = {"function_call": {"name": "", "arguments": ""}, "audio": {"id": ""}, "refusal": "", "tool_calls": None}
    assert said(content="a", **beside) == (Text("a"),)
