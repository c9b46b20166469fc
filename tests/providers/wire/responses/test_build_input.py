from dataclasses import replace
from typing import Any

import pytest

from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect
from providers.wire.neutral import (
    Audio,
    Cache,
    Image,
    Json,
    Opaque,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
    Turn,
)
from providers.wire.notes import Rejected
from tests.providers.wire.responses.building import HI, OPENAI, STRANGER, built, request

HELD = Thinking("hm", encrypted="e", id="rs_1", format="openai-responses-v1", summary=("h", "m"))
HELD_ITEM = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "h"}, {"type": "summary_text", "text": "m"}],
    "encrypted_content": "e",
}


def items(*parts: Part, role: str = "assistant", target: Capabilities = OPENAI, **more: Any) -> tuple[list[Json], str]:
    body, notes = built(request(turns=(Turn(role, parts), *HI), **more), target)
    return body["input"][:-1], notes


def test_one_text_is_the_instructions() -> None:
    body, _ = built(request(system=(Text("s"),)))
    assert (body["instructions"], len(body["input"])) == ("s", 1)


@pytest.mark.parametrize(
    ("more", "role"),
    [
        ({"system": (Text("a"), Text("b"))}, "developer"),
        ({"system": (Text("a", Cache()),)}, "developer"),
        ({"system": (Text("a"),), "turns": ()}, "developer"),
    ],
)
def test_anything_more_is_the_first_message(more: dict[str, Any], role: str) -> None:
    body, _ = built(request(**more))
    assert "instructions" not in body
    assert body["input"][0]["role"] == role
    assert [part["text"] for part in body["input"][0]["content"]] == [part.text for part in more["system"]]


def test_an_assistants_turn_keeps_its_order() -> None:
    found, notes = items(
        HELD, Text("a"), Text("b"), ToolUse("c", "f", " "), HELD, ToolUse("d", "p", "x", custom=True), Text("z")
    )
    assert found == [
        HELD_ITEM,
        {"type": "message", "role": "assistant", "content": "ab"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        HELD_ITEM,
        {"type": "custom_tool_call", "call_id": "d", "name": "p", "input": "x"},
        {"type": "message", "role": "assistant", "content": "z"},
    ]
    assert notes == ""


def test_reasoning_that_led_to_nothing_is_left_out() -> None:
    assert items(Text("a"), HELD, HELD) == (
        [{"type": "message", "role": "assistant", "content": "a"}],
        "dropped=messages.thinking",
    )
    assert items(HELD, dialect=Dialect.CHAT) == ([], "dropped=messages.reasoning_content")


def test_empty_texts_are_no_parts() -> None:
    assert items(Text(""), Refusal("")) == ([], "")
    assert items(Text(""), role="user") == ([], "")


def test_a_refusal_stays_one() -> None:
    found, _ = items(Text("a"), Refusal("no"))
    assert found[1]["content"] == [{"type": "refusal", "refusal": "no"}]
    assert items(Refusal("no"), role="user")[0][0]["content"] == [{"type": "input_text", "text": "no"}]


def test_what_an_assistant_showed_is_noted() -> None:
    assert items(Image(url="http://x"), Text("a"))[1] == "dropped=messages.content"
    assert items(Text("a", citations=({"type": "x"},)))[1] == "dropped=messages.citations"


def test_a_calls_own_fields_are_noted() -> None:
    assert items(ToolUse("c", "f", "{}", extra={"extra_content": 1}))[1] == "dropped=messages.tool_calls.extra_content"


def test_ids_and_names_fit_the_target() -> None:
    target = replace(STRANGER, tool_id="[a-z]{9}|[0-9a-f]{9}", tool_id_length=9, tool_name_length=12)
    found, _ = items(ToolUse("toolu_1", "a_very_long_name", "{}"), role="assistant", target=target)
    answered, _ = items(ToolResult("toolu_1", (Text("x"),)), role="user", target=target)
    assert found[0]["call_id"] == answered[0]["call_id"]
    assert len(str(found[0]["call_id"])) == 9
    assert len(str(found[0]["name"])) == 12


def test_results_and_what_the_user_says_then() -> None:
    parts = (ToolResult("c", (Text("a"),)), ToolResult("d", (), custom=True), Text("go"))
    found, notes = items(*parts, role="user")
    assert found == [
        {"type": "function_call_output", "call_id": "c", "output": "a"},
        {"type": "custom_tool_call_output", "call_id": "d", "output": ""},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "go"}]},
    ]
    assert notes == ""


def test_pictures_of_a_tool_are_kept() -> None:
    found, _ = items(ToolResult("c", (Text("a"), Image("image/png", "AA"), Text("b"))), role="user")
    assert [part["type"] for part in found[0]["output"]] == ["input_text", "input_image", "input_text"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("parts", "texts"),
    [
        ((Text("no"), Text("way")), ["[tool error] no", "way"]),
        ((Image("image/png", "A"),), ["[tool error] ", None]),
        ((), None),
    ],
)
def test_a_failed_tool_says_so(parts: tuple[Part, ...], texts: list[Any] | None) -> None:
    found, notes = items(ToolResult("c", parts, is_error=True), role="user")
    output = found[0]["output"]
    if texts is None:
        assert output == "[tool error] "
    else:
        assert [part.get("text") for part in output] == texts  # type: ignore[attr-defined]
    assert notes == "approximated=messages.is_error"


def test_later_instructions_stay_in_their_place() -> None:
    assert items(Text("s"), role="system")[0][0]["role"] == "system"
    found, notes = items(Text("s"), role="system", target=replace(OPENAI, mid_system=False))
    assert found[0]["role"] == "user"
    assert [part["text"] for part in found[0]["content"]] == ["<system>", "s", "</system>"]  # type: ignore[attr-defined]
    assert notes == "approximated=messages.role"


def test_a_begun_answer_is_noted() -> None:
    turns = (*HI, Turn("assistant", (Text("{"),)))
    assert built(request(turns=turns))[1] == "approximated=messages"
    assert built(request(turns=turns), replace(OPENAI, prefill=True))[1] == ""


def test_a_messages_own_fields() -> None:
    named = (Turn("odd", (Text("a"),), {"name": "n"}),)
    assert built(request(Dialect.CHAT, named)) == (
        {
            "model": "m",
            "store": False,
            "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}]}],
            "include": ["reasoning.encrypted_content"],
        },
        "dropped=messages.name",
    )
    with pytest.raises(Rejected, match="clear_at"):
        built(request(turns=(Turn("system", (Text("a"),), {"clear_at": "x"}),)))


def block(kind: str, dialect: Dialect = Dialect.MESSAGES, **more: Any) -> Opaque:
    return Opaque(dialect, kind, {"type": kind, **more})


def test_blocks_of_one_dialect() -> None:
    search = block(
        "web_search_call", Dialect.RESPONSES, id="ws_1", status="completed", action={"type": "search", "query": "q"}
    )
    assert items(HELD, search)[0] == [HELD_ITEM, search.raw]
    assert items(block("server_tool_use"), Text("a"))[1] == "dropped=messages.server_tool_use"
    assert items(block(""), Text("a"))[1] == "dropped=messages.content"
    found, notes = items(block("compaction", content="so far"))
    assert (found[0]["content"], notes) == ("so far", "approximated=messages.compaction")
    assert items(block("compaction", content=None))[1] == "dropped=messages.compaction"
    found, notes = items(ToolResult("c", (block("odd", x=1),)), role="user")
    assert (found[0]["output"], notes) == ('{"type":"odd","x":1}', "approximated=messages.content")


@pytest.mark.parametrize(
    "part",
    [
        block("container_upload"),
        ToolResult("c", (block("tool_reference"),)),
        Audio("A", "mp3"),
        block("input_audio", Dialect.CHAT),
    ],
)
def test_what_the_conversation_needs_is_refused(part: Part) -> None:
    with pytest.raises(Rejected) as refused:
        items(part, role="user")
    assert refused.value.field == "messages.content"


def test_an_earlier_answers_voice_is_refused() -> None:
    with pytest.raises(Rejected, match="audio"):
        items(Audio(id="a"))


def test_four_marks_leave_no_room_for_the_implicit_one() -> None:
    marked = Turn("user", tuple(Text("a", Cache()) for _ in range(4)))
    assert built(request(turns=(marked,)))[0]["prompt_cache_options"] == {"mode": "explicit"}
    assert "prompt_cache_options" not in built(request(turns=(marked,)), STRANGER)[0]


@pytest.mark.parametrize(
    ("dialect", "name"),
    [
        (Dialect.MESSAGES, "messages.thinking"),
        (Dialect.CHAT, "messages.reasoning_content"),
        (Dialect.RESPONSES, "input.reasoning"),
    ],
)
def test_reasoning_of_another_maker_is_left_out_with_a_note(dialect: Dialect, name: str) -> None:
    foreign = Thinking("hm", "s", format="anthropic-claude-v1")
    found, notes = items(foreign, Text("so"), dialect=dialect)
    assert found == [{"type": "message", "role": "assistant", "content": "so"}]
    assert notes == f"dropped={name}"
