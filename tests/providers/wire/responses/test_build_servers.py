from typing import Any

import pytest

from providers.wire.endpoints import Dialect
from providers.wire.neutral import Tool
from providers.wire.notes import Rejected
from providers.wire.responses.build_servers import web_search_options
from tests.providers.wire.responses.building import built, request

PLACE = {"type": "approximate", "city": "Brno", "country": "CZ", "region": None}


def test_a_search() -> None:
    raw = {"type": "web_search_20250305", "allowed_domains": ["a.b"], "user_location": PLACE, "max_uses": 3}
    body, notes = built(request(tools=(Tool("server", "web_search", dialect=Dialect.MESSAGES, raw={**raw}),)))
    assert body["tools"] == [
        {
            "type": "web_search",
            "filters": {"allowed_domains": ["a.b"]},
            "user_location": {"type": "approximate", "city": "Brno", "country": "CZ"},
        }
    ]
    assert notes == "dropped=tools.max_uses"


def test_a_search_of_chat() -> None:
    asked = {"web_search_options": {"user_location": {"type": "approximate", "approximate": PLACE}}}
    assert web_search_options(request(extra=asked)) == {
        "type": "web_search",
        "user_location": {"type": "approximate", "city": "Brno", "country": "CZ"},
    }
    assert web_search_options(request()) == {}


SERVER = {"type": "url", "name": "docs", "url": "http://x", "authorization_token": "t"}
MCP = {
    "type": "mcp",
    "server_label": "docs",
    "server_url": "http://x",
    "require_approval": "never",
    "authorization": "t",
}


def servers(toolset: dict[str, Any], server: dict[str, Any]) -> tuple[dict[str, Any], str]:
    raw = {"type": "mcp_toolset", "mcp_server_name": "docs", **toolset}
    tool = Tool("server", "mcp_toolset", dialect=Dialect.MESSAGES, raw=raw)
    body, notes = built(request(tools=(tool,), extra={"mcp_servers": [server]}))
    return body["tools"][0], notes


@pytest.mark.parametrize(
    ("toolset", "server", "allowed", "notes"),
    [
        ({}, SERVER, None, ""),
        ({}, {**SERVER, "tool_configuration": {"allowed_tools": ["a"]}}, ["a"], ""),
        ({"default_config": {"enabled": False}, "configs": {"a": {"enabled": True}, "b": {}}}, SERVER, ["a"], ""),
        ({"configs": {"a": {"defer_loading": True}}}, SERVER, None, "dropped=tools.configs"),
    ],
)
def test_a_server_of_tools(
    toolset: dict[str, Any], server: dict[str, Any], allowed: list[str] | None, notes: str
) -> None:
    expected = MCP if allowed is None else {**MCP, "allowed_tools": allowed}
    assert servers(toolset, server) == (expected, notes)


def test_a_server_may_need_no_token() -> None:
    assert "authorization" not in servers({}, {"name": "docs", "url": "http://x"})[0]


@pytest.mark.parametrize(
    ("toolset", "field"),
    [
        ({"mcp_server_name": "other"}, "tools.mcp_server_name"),
        ({"configs": {"a": {"enabled": False}}}, "tools.configs"),
    ],
)
def test_what_cannot_be_said_is_refused(toolset: dict[str, Any], field: str) -> None:
    with pytest.raises(Rejected) as refused:
        servers(toolset, SERVER)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("raw", "notes"),
    [({}, ""), ({"blocked_domains": ["x.y"]}, "dropped=tools.blocked_domains"), ({"allowed_domains": []}, "")],
)
def test_a_search_without_bounds_has_none(raw: dict[str, Any], notes: str) -> None:
    tool = Tool("server", "web_search", dialect=Dialect.MESSAGES, raw={"type": "web_search_20250305", **raw})
    body, said = built(request(tools=(tool,)))
    assert (body["tools"], said) == ([{"type": "web_search"}], notes)


@pytest.mark.parametrize("place", [{}, {"user_location": None}, {"user_location": {"type": "approximate"}}])
def test_how_much_chat_wants_to_read(place: dict[str, Any]) -> None:
    asked = {"web_search_options": {"search_context_size": "low", **place}}
    assert web_search_options(request(extra=asked)) == {"type": "web_search", "search_context_size": "low"}
