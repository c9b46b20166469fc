from typing import Any

import pytest

from providers.wire.endpoints import Dialect
from providers.wire.neutral import Tool, ToolChoice
from providers.wire.notes import Rejected
from providers.wire.responses.parse_tools import read_choice, read_tools

FUNCTION = {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}, "strict": False}
CUSTOM = {"type": "custom", "name": "apply_patch", "format": {"type": "grammar", "syntax": "lark", "definition": "x"}}
SPACE = {"type": "namespace", "name": "docs", "description": "", "tools": [{"type": "function", "name": "search"}]}


def test_tools_of_every_kind() -> None:
    hosted: list[dict[str, Any]] = [
        {"type": "web_search"},
        {"type": "mcp", "server_label": "deepwiki"},
        {"type": "local_shell"},
    ]
    tools = read_tools({"tools": [FUNCTION, CUSTOM, SPACE, *hosted]})
    assert [(tool.kind, tool.name) for tool in tools] == [
        ("function", "f"),
        ("custom", "apply_patch"),
        ("function", "docs__search"),
        ("server", "web_search"),
        ("server", "deepwiki"),
        ("client", "local_shell"),
    ]
    assert tools[0] == Tool("function", "f", "d", {"type": "object"}, False, dialect=Dialect.RESPONSES, raw=FUNCTION)
    assert (tools[2].schema, tools[2].strict) == (None, None)
    assert read_tools({}) == ()


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, None),
        ("auto", ToolChoice("auto")),
        ("required", ToolChoice("any")),
        ({"type": "function", "name": "f"}, ToolChoice("tool", ("f",), required=True)),
        ({"type": "custom", "name": "p"}, ToolChoice("tool", ("p",), required=True, custom=True)),
        ({"type": "web_search_preview"}, ToolChoice("tool", ("web_search_preview",), required=True)),
        ({"type": "mcp", "server_label": "s", "name": "t"}, ToolChoice("tool", ("s",), required=True)),
        (
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "f"}, {"type": "web_search"}],
            },
            ToolChoice("allowed", ("f", "web_search"), required=True),
        ),
        ({"type": "allowed_tools", "mode": "auto"}, ToolChoice("allowed")),
    ],
)
def test_choices(choice: object, expected: ToolChoice | None) -> None:
    assert read_choice(choice) == expected


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"tools": {}}, "tools"),
        ({"tools": ["f"]}, "tools[0]"),
        ({"tool_choice": "f"}, "tool_choice"),
        ({"tool_choice": {"name": "f"}}, "tool_choice"),
    ],
)
def test_what_cannot_mean_anything_is_refused(body: dict[str, Any], field: str) -> None:
    def read() -> None:
        read_tools(body)
        read_choice(body.get("tool_choice"))

    with pytest.raises(Rejected) as refused:
        read()
    assert refused.value.field == field
