"""Tools and tool choice for chat."""

from typing import Any

import pytest

from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Tool, ToolChoice
from providers.wire.notes import Rejected
from tests.providers.wire.chat.building_play import OPENAI, PLAIN, built, request, user

F = Tool("function", "f", "d", {"type": "object", "properties": {}})
G = Tool("function", "g")
SHELL = Tool(
    "custom",
    "shell",
    "Runs.",
    dialect=Dialect.RESPONSES,
    raw={"type": "custom", "format": {"type": "grammar", "syntax": "lark", "definition": "start: X"}},
)
SEARCH = Tool("server", "web_search", dialect=Dialect.RESPONSES, raw={"type": "web_search"})


def body_of(*tools: Tool, target: Capabilities = PLAIN, **more: Any) -> tuple[dict[str, Any], str]:
    body, notes = built(request(user(), tools=tools, dialect=Dialect.RESPONSES, **more), target)
    return body, notes.header()


@pytest.mark.parametrize(
    ("tool", "function"),
    [
        (F, {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}}),
        (G, {"name": "g", "parameters": {"type": "object", "properties": {}}}),
        (
            Tool("function", "h", schema={"type": "object"}, strict=True),
            {"name": "h", "parameters": {"type": "object", "properties": {}}, "strict": True},
        ),
        (
            Tool("function", "h", schema={"type": ["object", "null"], "anyOf": []}),
            {"name": "h", "parameters": {"type": ["object", "null"], "anyOf": []}},
        ),
    ],
)
def test_a_function_has_the_schema_of_an_object(tool: Tool, function: dict[str, Any]) -> None:
    assert body_of(tool)[0]["tools"] == [{"type": "function", "function": function}]


def test_fields_of_a_tool_that_chat_does_not_have_are_noted() -> None:
    raw = {"name": "f", "type": "function", "defer_loading": True, "allowed_callers": ["direct"], "async": False}
    assert body_of(Tool("function", "f", raw=raw))[1] == "dropped=tools.defer_loading"


def test_a_custom_tool_where_it_is_known_and_where_it_is_not() -> None:
    grammar = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: X"}}
    body, note = body_of(SHELL, target=OPENAI)
    assert body["tools"] == [{"type": "custom", "custom": {"name": "shell", "description": "Runs.", "format": grammar}}]
    assert note == ""
    body, note = body_of(SHELL)
    function = body["tools"][0]["function"]
    assert function["parameters"]["required"] == ["input"]
    assert function["description"] == "Runs.\n\nThe input must match this lark grammar:\nstart: X"
    assert note == "approximated=tools.custom"


@pytest.mark.parametrize(
    "format_", [{"type": "text"}, {"type": "grammar", "grammar": {"syntax": "regex", "definition": "a+"}}]
)
def test_chats_own_custom_tool(format_: dict[str, Any]) -> None:
    tool = Tool("custom", "c", raw={"type": "custom", "custom": {"name": "c", "format": format_}})
    assert body_of(tool, target=OPENAI)[0]["tools"] == [{"type": "custom", "custom": {"name": "c", "format": format_}}]
    assert ("description" in body_of(tool)[0]["tools"][0]["function"]) is ("grammar" in format_)
    assert body_of(Tool("custom", "c"), target=OPENAI)[0]["tools"] == [{"type": "custom", "custom": {"name": "c"}}]


def test_a_tool_that_clients_run_is_written_out() -> None:
    bash = Tool("client", "bash", dialect=Dialect.MESSAGES, raw={"type": "bash_20250124", "name": "bash"})
    body, note = body_of(bash)
    assert body["tools"][0]["function"]["name"] == "bash"
    assert "command" in body["tools"][0]["function"]["parameters"]["properties"]
    assert note == "approximated=tools.bash_20250124"


@pytest.mark.parametrize(
    "tools",
    [
        (Tool("server", "mcp", raw={"type": "mcp"}), F),
        (Tool("server", "x"), F),
        (Tool("client", "local_shell", raw={"type": "local_shell"}), F),
        (SEARCH,),
        (Tool("server", "web_search", dialect=Dialect.MESSAGES, raw={"type": "web_search_20250305"}), F),
    ],
)
def test_a_tool_of_the_other_provider_is_refused(tools: tuple[Tool, ...]) -> None:
    with pytest.raises(Rejected, match="no such tool") as caught:
        body_of(*tools)
    assert caught.value.field.startswith("tools.")


def test_a_search_that_is_merely_offered_is_left_out() -> None:
    for choice in (None, ToolChoice("auto")):
        body, note = body_of(F, SEARCH, tool_choice=choice)
        assert len(body["tools"]) == 1
        assert note == "dropped=tools.web_search"
    with pytest.raises(Rejected):
        body_of(F, SEARCH, tool_choice=ToolChoice("tool", ("web_search",)))


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        (ToolChoice("auto"), "auto"),
        (ToolChoice("any"), "required"),
        (ToolChoice("none"), "none"),
        (ToolChoice("tool", ("f",)), {"type": "function", "function": {"name": "f"}}),
    ],
)
def test_the_choice(choice: ToolChoice, sent: Any) -> None:
    assert body_of(F, G, tool_choice=choice)[0]["tool_choice"] == sent


def test_a_choice_of_a_custom_tool() -> None:
    choice = ToolChoice("tool", ("shell",), custom=True)
    assert body_of(SHELL, tool_choice=choice, target=OPENAI)[0]["tool_choice"] == {
        "type": "custom",
        "custom": {"name": "shell"},
    }
    assert body_of(SHELL, tool_choice=choice)[0]["tool_choice"] == {"type": "function", "function": {"name": "shell"}}


@pytest.mark.parametrize(("required", "mode"), [(True, "required"), (False, "auto")])
def test_allowed_tools(required: bool, mode: str) -> None:
    choice = ToolChoice("allowed", ("g",), required)
    body, note = body_of(F, G, tool_choice=choice)
    assert ([tool["function"]["name"] for tool in body["tools"]], body["tool_choice"]) == (["g"], mode)
    assert note == "approximated=tool_choice"
    body, note = body_of(F, G, tool_choice=choice, target=OPENAI)
    assert len(body["tools"]) == 2
    tools = [{"type": "function", "function": {"name": "g"}}]
    assert body["tool_choice"] == {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}


def test_without_tools_there_is_no_choice() -> None:
    body, _ = body_of(tool_choice=ToolChoice("auto"), parallel_tool_calls=True)
    assert body.keys() == {"model", "messages"}
    assert body_of(F, parallel_tool_calls=False)[0]["parallel_tool_calls"] is False
