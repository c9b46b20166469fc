"""Tools and tool choice as Anthropic takes them."""

from typing import Any

import pytest

from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Cache, Tool, ToolChoice
from providers.wire.notes import Rejected
from tests.providers.wire.messages.building_play import CLAUDE, OLD, body_of, noted

SCHEMA: dict[str, Any] = {"type": "object", "properties": {"x": {"type": "string", "minLength": 1}}}
F = Tool("function", "f", "d", SCHEMA)
G = Tool("function", "g")
EMPTY = {"type": "object", "properties": {}}


def tools(*offered: Tool, target: Capabilities = CLAUDE, **more: Any) -> list[dict[str, Any]]:
    built: list[dict[str, Any]] = body_of(tools=offered, target=target, **more)["tools"]
    return built


def hosted(dialect: Dialect = Dialect.RESPONSES, **raw: Any) -> Tool:
    return Tool("server", raw["type"], dialect=dialect, raw=raw)


def test_functions() -> None:
    assert tools(F, G, Tool("function", "h", schema={"$schema": "x"}, cache=Cache())) == [
        {"name": "f", "description": "d", "input_schema": SCHEMA},
        {"name": "g", "input_schema": EMPTY},
        {
            "name": "h",
            "input_schema": {"$schema": "x", "type": "object"},
            "cache_control": {"type": "ephemeral"},
        },
    ]


def test_strict() -> None:
    strict = Tool("function", "f", schema=SCHEMA, strict=True)
    assert tools(strict)[0]["strict"] is True
    assert "strict" not in tools(strict, target=OLD)[0]
    assert noted(tools=(strict,), target=OLD) == "dropped=tools.strict"
    assert "strict" not in tools(Tool("function", "f", strict=False))[0]


def test_long_and_odd_names() -> None:
    long = "x" * 70
    sent = tools(Tool("function", long), Tool("function", "a.b"), target=OLD, tool_choice=ToolChoice("tool", (long,)))
    assert [len(tool["name"]) for tool in sent] == [64, 12]
    body = body_of(tools=(Tool("function", long),), tool_choice=ToolChoice("tool", (long,)), target=OLD)
    assert body["tool_choice"] == {"type": "tool", "name": body["tools"][0]["name"]}
    assert tools(Tool("function", long))[0]["name"] == long


@pytest.mark.parametrize(
    ("raw", "description"),
    [
        ({}, "d"),
        ({"custom": {"format": {"type": "text"}}}, "d"),
        (
            {"custom": {"format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: X"}}}},
            "d\n\nThe input must match this lark grammar:\nstart: X",
        ),
        (
            {"format": {"type": "grammar", "definition": "start: X"}},
            "d\n\nThe input must match this grammar:\nstart: X",
        ),
        ({"format": {"type": "new", "a": 1}}, 'd\n\nThe input has this format: {"type":"new","a":1}'),
    ],
)
def test_free_text(raw: dict[str, Any], description: str) -> None:
    tool = Tool("custom", "patch", "d", raw=raw)
    assert tools(tool) == [
        {
            "name": "patch",
            "description": description,
            "input_schema": {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]},
        }
    ]
    assert noted(tools=(tool,)) == "approximated=tools.custom"


def test_free_text_without_a_word() -> None:
    assert "description" not in tools(Tool("custom", "patch"))[0]


def test_web_search() -> None:
    raw: dict[str, Any] = {
        "type": "web_search",
        "filters": {"allowed_domains": ["a.example"]},
        "user_location": {"type": "approximate", "city": "Brno", "country": None},
        "search_context_size": "high",
    }
    assert tools(hosted(**raw), dialect=Dialect.RESPONSES) == [
        {
            "type": "web_search_20250305",
            "name": "web_search",
            "allowed_domains": ["a.example"],
            "user_location": {"type": "approximate", "city": "Brno"},
        }
    ]
    assert noted(tools=(hosted(**raw),), dialect=Dialect.RESPONSES) == "approximated=tools.web_search"


def test_a_search_that_must_stay_inside_is_left_out() -> None:
    tool = hosted(type="web_search", external_web_access=False)
    assert "tools" not in body_of(tools=(tool,), dialect=Dialect.RESPONSES)
    assert noted(tools=(tool,), dialect=Dialect.RESPONSES) == "dropped=tools.web_search"


@pytest.mark.parametrize(
    ("tool", "field"),
    [
        (hosted(type="file_search"), "tools.file_search"),
        (Tool("client", "local_shell", dialect=Dialect.RESPONSES, raw={"type": "local_shell"}), "tools.local_shell"),
        (Tool("server", "odd", dialect=Dialect.RESPONSES), "tools.odd"),
    ],
)
def test_tools_of_others_are_refused(tool: Tool, field: str) -> None:
    with pytest.raises(Rejected, match="speaks Responses") as refused:
        body_of(tools=(tool,), dialect=Dialect.RESPONSES)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("choice", "parallel", "wanted"),
    [
        (None, None, None),
        (None, True, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice("auto"), None, {"type": "auto"}),
        (ToolChoice("any"), False, {"type": "any", "disable_parallel_tool_use": True}),
        (ToolChoice("none"), False, {"type": "none"}),
        (ToolChoice("tool", ("f",)), True, {"type": "tool", "name": "f"}),
        (ToolChoice("tool"), None, {"type": "auto"}),
        (ToolChoice("odd"), None, {"type": "auto"}),
    ],
)
def test_choices(choice: ToolChoice | None, parallel: bool | None, wanted: dict[str, Any] | None) -> None:
    body = body_of(tools=(F,), tool_choice=choice, parallel_tool_calls=parallel)
    assert body.get("tool_choice") == wanted


@pytest.mark.parametrize(("required", "mode"), [(True, "any"), (False, "auto")])
def test_allowed_tools(required: bool, mode: str) -> None:
    choice = ToolChoice("allowed", ("g",), required)
    body = body_of(tools=(F, G), tool_choice=choice)
    assert [tool["name"] for tool in body["tools"]] == ["g"]
    assert body["tool_choice"] == {"type": mode}
    assert noted(tools=(F, G), tool_choice=choice) == "approximated=tool_choice.allowed_tools"


def test_a_search_that_must_be_made() -> None:
    choice = ToolChoice("tool", ("web_search_preview",))
    body = body_of(tools=(hosted(type="web_search_preview"),), tool_choice=choice, dialect=Dialect.RESPONSES)
    assert body["tool_choice"] == {"type": "tool", "name": "web_search"}


def test_a_choice_without_tools() -> None:
    body = body_of(tool_choice=ToolChoice("auto"), parallel_tool_calls=False)
    assert "tools" not in body
    assert "tool_choice" not in body
    assert noted(tool_choice=ToolChoice("auto")) == "dropped=tool_choice"
    assert noted(parallel_tool_calls=False) == ""
