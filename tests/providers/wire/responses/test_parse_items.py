from typing import Any

import pytest

from providers.wire import side_channel
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Opaque, Text, Thinking, ToolResult, ToolUse, Turn
from providers.wire.notes import Rejected
from providers.wire.responses.parse_items import read_input

ANSWER = {"type": "message", "role": "assistant", "id": "msg_1", "status": "completed", "phase": "commentary"}
TEXT = {"type": "output_text", "text": "a", "annotations": []}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": '{"x": 1}'}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "done"}
PATCH = {"type": "custom_tool_call", "call_id": "c2", "name": "apply_patch", "input": "*** Begin"}
PATCHED = {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "ok"}]}
USER = {"role": "user", "content": "Hi"}


def turns(*items: dict[str, Any]) -> list[Turn]:
    return list(read_input(list(items)))


def test_no_input_has_no_turns() -> None:
    assert read_input(None) == read_input("") == ()


def test_a_coding_session() -> None:
    reasoning = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "hm"}],
        "encrypted_content": "e",
    }
    found = turns(USER, reasoning, {**ANSWER, "content": [TEXT]}, CALL, PATCH, OUTPUT, PATCHED, USER, USER)
    assert found == [
        Turn("user", (Text("Hi"),)),
        Turn(
            "assistant",
            (
                Thinking("hm", "", "e", "rs_1", side_channel.OPENAI, summary=("hm",)),
                Text("a"),
                ToolUse("c1", "f", '{"x": 1}'),
                ToolUse("c2", "apply_patch", "*** Begin", custom=True),
            ),
            {"phase": "commentary"},
        ),
        Turn("user", (ToolResult("c1", (Text("done"),)), ToolResult("c2", (Text("ok"),), custom=True), Text("Hi"))),
        Turn("user", (Text("Hi"),)),
    ]


@pytest.mark.parametrize(
    ("item", "role"),
    [
        ({"type": "web_search_call", "id": "ws_1"}, "assistant"),
        ({"type": "local_shell_call", "id": "l"}, "assistant"),
        ({"type": "computer_call_output", "call_id": "c"}, "user"),
        ({"type": "mcp_approval_response"}, "user"),
        ({"type": "additional_tools", "role": "developer"}, "user"),
        ({"what": 1}, "user"),
        ({"type": "item_reference", "id": "a"}, "assistant"),
    ],
)
def test_other_items_stay_whole(item: dict[str, Any], role: str) -> None:
    assert turns(item) == [Turn(role, (Opaque(Dialect.RESPONSES, item.get("type", ""), item),))]


def test_an_id_alone_is_a_reference() -> None:
    assert turns({"id": "a"})[0].parts == (Opaque(Dialect.RESPONSES, "item_reference", {"id": "a"}),)


def test_a_message_without_a_role_is_the_users() -> None:
    assert turns({"type": "message", "content": "x", "role": None}) == [Turn("user", (Text("x"),))]


def thought(*summary: str, content: tuple[str, ...] = (), **more: Any) -> Thinking:
    item = {
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": text} for text in summary],
        "content": [{"type": "reasoning_text", "text": text} for text in content],
        **more,
    }
    (turn,) = turns(item)
    (part,) = turn.parts
    assert isinstance(part, Thinking)
    return part


def test_reasoning_is_its_content_else_its_summary() -> None:
    assert thought("a", "b") == Thinking("a\n\nb", summary=("a", "b"))
    assert thought("a", content=("raw",)) == Thinking("raw", summary=("a",))


def test_what_was_packed_is_itself_again() -> None:
    packed = side_channel.pack_reasoning(side_channel.ANTHROPIC, signature="s")
    assert thought("hm", encrypted_content=packed) == Thinking("hm", "s", format=side_channel.ANTHROPIC)
    assert thought("hm", encrypted_content="patchbay1.!") == Thinking("hm", summary=("hm",))


def test_calls_of_a_namespace_have_one_name() -> None:
    (turn,) = turns({**CALL, "namespace": "docs", "arguments": None}, {**CALL, "arguments": {"x": 1}})
    assert turn.parts == (ToolUse("c1", "docs__f", ""), ToolUse("c1", "f", '{"x": 1}'))


@pytest.mark.parametrize(("value", "field"), [(7, "input"), ([USER, "x"], "input[1]")])
def test_no_list_of_items_is_refused(value: object, field: str) -> None:
    with pytest.raises(Rejected) as refused:
        read_input(value)
    assert refused.value.field == field


def test_what_was_carried_is_put_back() -> None:
    raw: dict[str, object] = {"type": "server_tool_use", "id": "x"}
    block = side_channel.pack_opaque(Dialect.MESSAGES, "server_tool_use", raw)
    item = {"type": "reasoning", "summary": [], "encrypted_content": block}
    assert turns(item)[0].parts == (Opaque(Dialect.MESSAGES, "server_tool_use", raw),)
