from typing import Any

import pytest

from providers.wire.endpoints import Dialect
from providers.wire.neutral import Json, Tool, ToolChoice, ToolUse, Turn
from providers.wire.notes import Rejected
from providers.wire.responses.build import tool_names
from tests.providers.wire.responses.building import HI, OPENAI, built, request

SCHEMA: Json = {"type": "object", "properties": {"a": {"type": "string"}}}
FUNCTION = Tool("function", "f", "d", SCHEMA)
SEARCH = Tool(
    "server", "web_search", dialect=Dialect.MESSAGES, raw={"type": "web_search_20250305", "name": "web_search"}
)
GRAMMAR: Json = {
    "type": "custom",
    "custom": {"name": "p", "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "x"}}},
}
LONG = "n" * 70


def tools(*offered: Tool, **more: Any) -> tuple[list[Any], str]:
    body, notes = built(request(tools=offered, **more))
    return body["tools"], notes


@pytest.mark.parametrize(
    ("tool", "expected", "notes"),
    [
        (FUNCTION, {"type": "function", "name": "f", "description": "d", "parameters": SCHEMA, "strict": False}, ""),
        (
            Tool("function", "g", strict=True),
            {"type": "function", "name": "g", "parameters": {"type": "object", "properties": {}}, "strict": True},
            "",
        ),
        (
            Tool("custom", "p", "d", raw=GRAMMAR),
            {
                "type": "custom",
                "name": "p",
                "description": "d",
                "format": {"type": "grammar", "syntax": "lark", "definition": "x"},
            },
            "",
        ),
        (Tool("custom", "p"), {"type": "custom", "name": "p"}, ""),
        (
            Tool(
                "function",
                "g",
                schema=SCHEMA,
                raw={"defer_loading": True, "allowed_callers": ["direct"], "input_examples": [{}]},
            ),
            {"type": "function", "name": "g", "parameters": SCHEMA, "strict": False},
            "dropped=tools.defer_loading,tools.input_examples",
        ),
    ],
)
def test_each_tool(tool: Tool, expected: dict[str, Any], notes: str) -> None:
    assert tools(tool) == ([expected], notes)


def test_a_tool_the_client_runs_is_written_out() -> None:
    bash = Tool("client", "bash", dialect=Dialect.MESSAGES, raw={"type": "bash_20250124", "name": "bash"})
    found, notes = tools(bash)
    assert (found[0]["type"], found[0]["name"], notes) == ("function", "bash", "approximated=tools")
    assert "command" in found[0]["parameters"]["properties"]


@pytest.mark.parametrize(
    "tool",
    [
        Tool("client", "x", dialect=Dialect.MESSAGES, raw={"type": "unheard_of_2030"}),
        Tool("server", "code_execution", dialect=Dialect.MESSAGES, raw={"type": "code_execution_20250825"}),
        Tool("server", "web_search_x", dialect=Dialect.CHAT, raw={"type": "web_search_x"}),
        Tool("server", "odd"),
    ],
)
def test_what_no_model_here_has_is_refused(tool: Tool) -> None:
    with pytest.raises(Rejected) as refused:
        tools(tool)
    assert refused.value.field == "tools"


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (ToolChoice("auto"), "auto"),
        (ToolChoice("any"), "required"),
        (ToolChoice("none"), "none"),
        (ToolChoice("tool", ("f",)), {"type": "function", "name": "f"}),
        (ToolChoice("tool", ("p",), custom=True), {"type": "custom", "name": "p"}),
        (ToolChoice("tool", ("unknown",)), {"type": "function", "name": "unknown"}),
        (
            ToolChoice("tool", ("web_search",)),
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "web_search"}]},
        ),
        (
            ToolChoice("allowed", ("f", "p"), required=True),
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "f"}, {"type": "custom", "name": "p"}],
            },
        ),
        (
            ToolChoice("allowed", ("f",)),
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
        ),
    ],
)
def test_choices(choice: ToolChoice, expected: object) -> None:
    offered = (FUNCTION, Tool("custom", "p"), SEARCH)
    body, _ = built(request(tools=offered, tool_choice=choice, parallel_tool_calls=False))
    assert (body["tool_choice"], body["parallel_tool_calls"]) == (expected, False)


def test_without_tools_nothing_is_chosen() -> None:
    body, notes = built(request(tool_choice=ToolChoice("none"), parallel_tool_calls=True))
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & body.keys()
    assert notes == ""


def test_a_search_of_chat_is_a_tool() -> None:
    body, _ = built(request(Dialect.CHAT, extra={"web_search_options": {"search_context_size": "low"}}))
    assert body["tools"] == [{"type": "web_search", "search_context_size": "low"}]


def test_long_names_lead_back() -> None:
    called = (Turn("assistant", (ToolUse("c", LONG, "{}"),)), *HI)
    asked = request(turns=called, tools=(Tool("function", LONG), SEARCH), tool_choice=ToolChoice("tool", (LONG,)))
    names = tool_names(asked, OPENAI)
    body, _ = built(asked)
    sent = body["tools"][0]["name"]
    assert names == {sent: LONG}
    assert len(sent) == 64
    assert (body["tool_choice"]["name"], body["input"][0]["name"]) == (sent, sent)
    assert tool_names(request(tools=(FUNCTION,)), OPENAI) == {}
