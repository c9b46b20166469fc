"""Tools of requests."""

from typing import Any

import pytest

from providers.wire.endpoints import Dialect
from providers.wire.messages.parse_tools import parse_tool_choice, parse_tools
from providers.wire.neutral import Cache, Tool, ToolChoice
from providers.wire.notes import Rejected

SCHEMA: dict[str, Any] = {"type": "object", "properties": {"x": {"type": "string"}}}


def test_a_function() -> None:
    raw: dict[str, Any] = {
        "name": "f",
        "description": "d",
        "input_schema": SCHEMA,
        "strict": True,
        "cache_control": {"type": "ephemeral"},
        "input_examples": [{"x": "a"}],
    }
    assert parse_tools([raw]) == (Tool("function", "f", "d", SCHEMA, True, Cache(), Dialect.MESSAGES, raw),)
    custom = {"type": "custom", "name": "f", "input_schema": 1, "strict": 1}
    assert parse_tools([custom]) == (Tool("function", "f", dialect=Dialect.MESSAGES, raw=custom),)


@pytest.mark.parametrize(
    ("raw", "kind", "name"),
    [
        ({"type": "bash_20250124", "name": "bash"}, "client", "bash"),
        (
            {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"},
            "client",
            "str_replace_based_edit_tool",
        ),
        ({"type": "memory_20250818", "name": "memory"}, "client", "memory"),
        ({"type": "web_search_20250305", "name": "web_search"}, "server", "web_search"),
        ({"type": "computer_toolset_20260801"}, "server", "computer_toolset_20260801"),
        ({"type": "mcp_toolset", "mcp_server_name": "s"}, "server", "mcp_toolset"),
    ],
)
def test_tools_with_a_type(raw: dict[str, Any], kind: str, name: str) -> None:
    assert parse_tools([raw]) == (Tool(kind, name, dialect=Dialect.MESSAGES, raw=raw),)


def test_no_tools() -> None:
    assert parse_tools(None) == ()
    with pytest.raises(Rejected, match="object"):
        parse_tools([1])


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (None, None),
        ({"type": "auto"}, ToolChoice("auto")),
        ({"type": "any"}, ToolChoice("any")),
        ({"type": "none"}, ToolChoice("none")),
        ({"type": "tool", "name": "f"}, ToolChoice("tool", ("f",))),
        ({"type": "new"}, None),
    ],
)
def test_choices(value: object, wanted: ToolChoice | None) -> None:
    assert parse_tool_choice(value) == wanted
