"""Anthropic's client tools, written out."""

import pytest

from providers.wire.client_tools import written_out
from providers.wire.neutral import Cache, Tool


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("bash_20250124", "bash"),
        ("text_editor_20250728", "str_replace_based_edit_tool"),
        ("memory_20250818", "memory"),
    ],
)
def test_known_tools(kind: str, name: str) -> None:
    tool = written_out(Tool("client", name, cache=Cache(), raw={"type": kind, "name": name}))
    assert tool is not None
    assert (tool.kind, tool.name, tool.cache) == ("function", name, Cache())
    assert tool.description
    assert tool.schema is not None
    assert tool.schema["type"] == "object"


@pytest.mark.parametrize("raw", [{}, {"type": "computer_20250124"}, {"type": "bash"}])
def test_unknown_tools(raw: dict[str, object]) -> None:
    assert written_out(Tool("client", "x", raw=raw)) is None
