"""An assistant's turns as one message: text, reasoning for its maker alone, calls."""

from typing import Any

import pytest

from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect
from providers.wire.neutral import (
    Audio,
    Cache,
    Image,
    Opaque,
    Part,
    Refusal,
    SearchResult,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
    Turn,
)
from tests.providers.wire.chat.building_play import OPENAI, PLAIN, ROUTER, assistant, messages, noted, user

HI = user(Text("Hi"))
CLAUDE = "anthropic-claude-v1"
SIGNED = Thinking("hm", "s", format=CLAUDE)
REDACTED = Thinking(encrypted="e", format=CLAUDE, redacted=True)


def message(*turns: Turn, target: Capabilities = PLAIN) -> dict[str, Any]:
    return messages(HI, *turns, target=target)[1]


def test_blocks_are_joined_with_nothing_and_turns_with_an_empty_line() -> None:
    turns = assistant(Text("a"), Text("b")), assistant(ToolUse("i", "f", "")), assistant(Text("c"))
    said = message(*turns)
    assert said["content"] == "ab\n\nc"
    assert said["tool_calls"] == [{"id": "i", "type": "function", "function": {"name": "f", "arguments": "{}"}}]


def test_no_text_is_null_beside_calls_and_empty_beside_reasoning() -> None:
    assert message(assistant(Text(""), ToolUse("i", "f", " ")))["content"] is None
    assert message(assistant(Thinking("hm")))["content"] == ""


def test_what_cannot_be_said_at_all_is_no_message() -> None:
    assert len(messages(HI, assistant(), assistant(REDACTED))) == 1
    assert noted(HI, assistant(REDACTED)) == "dropped=messages.thinking"


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_goes_back_as_text(field: str) -> None:
    target = Capabilities(reasoning_back=field)
    assert message(assistant(Thinking("a"), SIGNED), target=target)[field] == "ahm"
    assert noted(HI, assistant(SIGNED), user(), target=target) == "dropped=messages.thinking.signature"


def test_its_maker_gets_reasoning_as_it_was() -> None:
    sealed = Thinking("sum", encrypted="e", id="rs_1", format=CLAUDE, summary=("sum",))
    details = message(assistant(SIGNED, REDACTED, Thinking("plain"), sealed), target=ROUTER)["reasoning_details"]
    assert details == [
        {"type": "reasoning.text", "text": "hm", "format": CLAUDE, "signature": "s", "index": 0},
        {"type": "reasoning.encrypted", "data": "e", "format": CLAUDE, "index": 1},
        {"type": "reasoning.text", "text": "plain", "index": 2},
        {"type": "reasoning.summary", "summary": "sum", "id": "rs_1", "format": CLAUDE, "index": 3},
        {"type": "reasoning.encrypted", "data": "e", "id": "rs_1", "format": CLAUDE, "index": 4},
    ]
    assert noted(HI, assistant(SIGNED), user(), target=ROUTER) == ""


def test_another_maker_gets_its_text_alone() -> None:
    foreign = Thinking("hm", "s", "e", format="openai-responses-v1"), Thinking(signature="s", format="x")
    (entry,) = message(assistant(*foreign, Text("so")), target=ROUTER)["reasoning_details"]
    assert entry == {"type": "reasoning.text", "text": "hm", "format": "openai-responses-v1", "index": 0}
    assert noted(HI, assistant(*foreign), user(), target=ROUTER) == "dropped=messages.thinking.signature"


def test_a_refusal() -> None:
    assert message(assistant(Refusal("no")), target=OPENAI) == {"role": "assistant", "content": "", "refusal": "no"}
    assert message(assistant(Refusal("no"))) == {"role": "assistant", "content": "no"}
    assert noted(HI, assistant(Refusal("no")), user()) == "approximated=messages.refusal"


def test_marks_on_an_answer() -> None:
    marked = assistant(Text("a"), Text("b", Cache()), Text("", Cache()))
    said = messages(HI, marked, user(Text("c")), target=ROUTER)
    mark = {"cache_control": {"type": "ephemeral"}}
    assert said[1]["content"] == [{"type": "text", "text": "ab", **mark}]
    said = messages(HI, marked, user(Text("c")), target=OPENAI)
    assert said[1]["content"] == "ab"
    assert said[2]["content"] == [{"type": "text", "text": "c", "prompt_cache_breakpoint": {"mode": "explicit"}}]


def test_fields_of_a_call() -> None:
    signature = {"google": {"thought_signature": "s"}}
    extra = {"extra_content": signature, "caller": {"type": "direct"}, "toolset_name": "computer"}
    turn = assistant(ToolUse("i", "f", "{}", extra=extra))
    assert message(turn)["tool_calls"][0]["extra_content"] == signature
    assert noted(HI, turn, user()) == "dropped=messages.tool_use.toolset_name"
    assert noted(HI, assistant(ToolUse("i", "f", "{}", extra={"caller": "x"})), user()) == (
        "dropped=messages.tool_use.caller"
    )


@pytest.mark.parametrize(
    ("part", "note"),
    [
        (Image(data="AAAA", media_type="image/png"), "dropped=messages.image"),
        (Audio(id="a"), "dropped=messages.audio"),
        (ToolResult("a", ()), "dropped=messages.toolresult"),
        (SearchResult("t", "s", ()), "dropped=messages.searchresult"),
        (Opaque(Dialect.MESSAGES, "server_tool_use", {}), "dropped=messages.server_tool_use"),
    ],
)
def test_what_an_answer_cannot_hold_is_noted(part: Part, note: str) -> None:
    assert noted(HI, assistant(part, Text("so")), user()) == note


def test_a_summary_of_what_was_said_before_is_said() -> None:
    compacted = Opaque(Dialect.MESSAGES, "compaction", {"type": "compaction", "content": "long ago"})
    assert message(assistant(compacted, Text("so")))["content"] == "[summary of the conversation so far]\nlong agoso"


def test_citations_are_noted_and_their_text_stays() -> None:
    cited = assistant(Text("so", citations=({"type": "char_location"},)))
    assert message(cited) == {"role": "assistant", "content": "so"}
    assert noted(HI, cited, user()) == "dropped=messages.citations"


def test_a_call_of_a_custom_tool_is_one_for_openai_and_a_function_for_others() -> None:
    turn = assistant(ToolUse("i", "sh", "ls -l", custom=True))
    assert message(turn, target=OPENAI)["tool_calls"] == [
        {"id": "i", "type": "custom", "custom": {"name": "sh", "input": "ls -l"}}
    ]
    (call,) = message(turn)["tool_calls"]
    assert (call["type"], call["function"]) == ("function", {"name": "sh", "arguments": '{"input":"ls -l"}'})
