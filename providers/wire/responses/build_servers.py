"""Tools that the provider runs: a web search and servers of tools (MCP), as Responses has them."""

from providers.wire.neutral import Json, Request, Tool
from providers.wire.notes import Notes, Rejected
from providers.wire.values import mapping, sequence, string

_PLACE = ("city", "country", "region", "timezone")
_NOT_HERE = ("max_uses", "blocked_domains")


def web_search_tool(tool: Tool, _request: Request, notes: Notes) -> Json:
    """Anthropic's search; how often and where not to search cannot be said."""
    raw = tool.raw
    search: Json = {"type": "web_search"}
    if domains := sequence(raw.get("allowed_domains")):
        search["filters"] = {"allowed_domains": domains}
    if place := mapping(raw.get("user_location")):
        search["user_location"] = _location(place)
    for name in _NOT_HERE:
        if raw.get(name):
            notes.drop(f"tools.{name}")
    return search


def web_search_options(request: Request) -> Json:
    """Chat's search, which is a field there; empty without one."""
    options = request.extra.get("web_search_options")
    if not isinstance(options, dict):
        return {}
    search: Json = {"type": "web_search"}
    if size := string(options.get("search_context_size")):
        search["search_context_size"] = size
    if place := mapping(mapping(options.get("user_location")).get("approximate")):
        search["user_location"] = _location(place)
    return search


def mcp_tool(tool: Tool, request: Request, notes: Notes) -> Json:
    """A server of tools; Anthropic asks nobody before a call, so nobody is asked here."""
    label = string(tool.raw.get("mcp_server_name"))
    servers = [mapping(server) for server in sequence(request.extra.get("mcp_servers"))]
    server = next((server for server in servers if server.get("name") == label), None)
    if server is None:
        raise Rejected("tools.mcp_server_name", f"mcp_servers has no server called {label!r}")
    mcp: Json = {
        "type": "mcp",
        "server_label": label,
        "server_url": string(server.get("url")),
        "require_approval": "never",
    }
    if token := string(server.get("authorization_token")):
        mcp["authorization"] = token
    allowed = _allowed(tool, mapping(server.get("tool_configuration")), notes)
    if allowed is not None:
        mcp["allowed_tools"] = allowed
    return mcp


def _allowed(tool: Tool, configuration: Json, notes: Notes) -> list[str] | None:
    """The tools that are switched on by name, None for all of them; a single one switched off cannot be said."""
    if listed := sequence(configuration.get("allowed_tools")):
        return [string(name) for name in listed]
    configs = {name: mapping(config) for name, config in mapping(tool.raw.get("configs")).items()}
    if mapping(tool.raw.get("default_config")).get("enabled") is False:
        return [name for name, config in configs.items() if config.get("enabled") is True]
    off = [name for name, config in configs.items() if config.get("enabled") is False]
    if off:
        raise Rejected("tools.configs", f"the provider cannot switch off single tools of a server ({', '.join(off)})")
    if configs or tool.raw.get("default_config"):
        notes.drop("tools.configs")
    return None


def _location(place: Json) -> Json:
    return {"type": "approximate", **{key: place[key] for key in _PLACE if place.get(key)}}
