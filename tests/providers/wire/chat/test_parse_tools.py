"""Tools and tool choices of chat."""

from typing import Any

import pytest

from providers.wire.chat.parse_tools import tool_choice_of, tools_of
from providers.wire.neutral import Cache, Tool, ToolChoice

SCHEMA: dict[str, Any] = {"type": "object", "properties": {}}


def test_a_function() -> None:
    function: dict[str, Any] = {"name": "f", "description": "d", "parameters": SCHEMA, "strict": True}
    entry: dict[str, Any] = {"type": "function", "function": function, "cache_control": {"type": "ephemeral"}}
    assert tools_of({"tools": [entry]}) == ((Tool("function", "f", "d", SCHEMA, True, Cache(), raw=entry),), False)
    bare: dict[str, Any] = {"type": "function", "function": {"name": "f", "cache_control": {"type": "ephemeral"}}}
    assert tools_of({"tools": [bare]})[0] == (Tool("function", "f", cache=Cache(), raw=bare),)


def test_functions_of_the_time_before_tools() -> None:
    function: dict[str, Any] = {"name": "f", "parameters": SCHEMA}
    assert tools_of({"functions": [function]}) == ((Tool("function", "f", schema=SCHEMA, raw=function),), True)
    assert not tools_of({"functions": [function], "tools": [{"type": "function"}]})[1]
    assert tools_of({"tools": [], "functions": None}) == ((), False)


def test_other_tools() -> None:
    custom: dict[str, Any] = {"type": "custom", "custom": {"name": "c", "description": "d"}}
    hosted: dict[str, Any] = {"type": "openrouter:web_search", "parameters": {}}
    assert tools_of({"tools": [custom, hosted]})[0] == (
        Tool("custom", "c", "d", raw=custom),
        Tool("server", "openrouter:web_search", raw=hosted),
    )


NAMED = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(
    ("body", "choice"),
    [
        ({}, None),
        ({"tool_choice": "auto"}, ToolChoice("auto")),
        ({"tool_choice": "required"}, ToolChoice("any")),
        ({"tool_choice": "none"}, ToolChoice("none")),
        ({"tool_choice": "any"}, ToolChoice("any")),
        ({"tool_choice": "?"}, None),
        ({"tool_choice": NAMED}, ToolChoice("tool", ("f",))),
        ({"tool_choice": {"type": "function", "name": "f"}}, ToolChoice("tool", ("f",))),
        ({"tool_choice": {"type": "custom", "custom": {"name": "c"}}}, ToolChoice("tool", ("c",), custom=True)),
        ({"tool_choice": {}}, None),
        (
            {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [NAMED, {}]}}},
            ToolChoice("allowed", ("f",), required=True),
        ),
        (
            {"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [NAMED]}},
            ToolChoice("allowed", ("f",)),
        ),
        ({"function_call": "auto"}, ToolChoice("auto")),
        ({"function_call": {"name": "f"}}, ToolChoice("tool", ("f",))),
    ],
)
def test_choices(body: dict[str, Any], choice: ToolChoice | None) -> None:
    assert tool_choice_of(body) == choice
