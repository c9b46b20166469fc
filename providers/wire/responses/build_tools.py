"""Tools for a Responses provider, and which of them is to be called.

Functions are flat here and say ``strict`` always: left out it would mean true. Anthropic's client tools are written out
as functions; of its server tools a web search and a server of tools (MCP) have a counterpart, every other one would
change what the answer is made of, and is refused.
"""

from collections.abc import Callable, Mapping

from providers.wire.capabilities import Capabilities
from providers.wire.client_tools import written_out
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Json, Request, Tool, ToolChoice, ToolUse
from providers.wire.notes import Notes, Rejected
from providers.wire.responses.build_servers import mcp_tool, web_search_options, web_search_tool
from providers.wire.tool_names import sent_names
from providers.wire.values import mapping, string

_NOTHING: Json = {"type": "object", "properties": {}}
_MODES = {"auto": "auto", "any": "required", "none": "none"}
# What a tool's definition may say beside its meaning, and what is no loss there.
_SAYS_NOTHING: dict[str, tuple[object, ...]] = {
    "allowed_callers": (["direct"], []),
    "defer_loading": (False,),
    "eager_input_streaming": (True, False),
    "input_examples": ([],),
}


def tool_names(request: Request, target: Capabilities) -> dict[str, str]:
    """Lead from the names that the provider is told to the client's own, where they differ."""
    choice = request.tool_choice or ToolChoice("auto")
    called = (part.name for turn in request.turns for part in turn.parts if isinstance(part, ToolUse))
    names = (*(tool.name for tool in request.tools if tool.kind != "server"), *choice.names, *called)
    return {sent: own for own, sent in sent_names(names, target.tool_name_length).items()}


def add_tools(request: Request, notes: Notes, names: Mapping[str, str], body: Json) -> None:
    """Add ``tools``, ``tool_choice`` and ``parallel_tool_calls``; without tools none of them. ``names``: own → sent."""
    tools: list[Json] = []
    kinds: dict[str, Json] = {}  # own name → how a choice names it
    for tool in request.tools:
        built = _tool(tool, request, notes, names)
        tools.append(built)
        kinds[tool.name] = _reference(built)
    if search := web_search_options(request):
        tools.append(search)
    if not tools:
        return
    body["tools"] = tools
    if request.tool_choice is not None:
        body["tool_choice"] = _choice(request.tool_choice, kinds, names)
    if request.parallel_tool_calls is not None:
        body["parallel_tool_calls"] = request.parallel_tool_calls


def _tool(tool: Tool, request: Request, notes: Notes, names: Mapping[str, str]) -> Json:
    if tool.kind == "client" and tool.schema is None:
        known = written_out(tool)
        if known is None:
            raise Rejected("tools", f"the tool {tool.name!r} is built into other models; this one does not know it")
        notes.approximate("tools")
        tool = known
    if tool.kind == "server":
        return _server(tool, request, notes)
    _note_beside(tool, notes)
    name = names.get(tool.name, tool.name)
    if tool.kind == "custom":
        return _custom(tool, name)
    function: Json = {"type": "function", "name": name, "parameters": tool.schema or _NOTHING}
    if tool.description:
        function["description"] = tool.description
    function["strict"] = tool.strict is True
    return function


def _note_beside(tool: Tool, notes: Notes) -> None:
    """A function's other fields are hints here: it is loaded at once, and called by the model itself."""
    for name, harmless in _SAYS_NOTHING.items():
        value = tool.raw.get(name)
        if value is not None and value not in harmless:
            notes.drop(f"tools.{name}")


def _custom(tool: Tool, name: str) -> Json:
    """Chat nests what is flat here."""
    custom: Json = {"type": "custom", "name": name}
    if tool.description:
        custom["description"] = tool.description
    form = mapping(mapping(tool.raw.get("custom")).get("format"))
    if form:
        custom["format"] = {"type": string(form.get("type")), **mapping(form.get("grammar"))}
    return custom


def _server(tool: Tool, request: Request, notes: Notes) -> Json:
    kind = string(tool.raw.get("type"))
    for prefix, build in _SERVERS.items():
        if kind.startswith(prefix) and tool.dialect is Dialect.MESSAGES:
            return build(tool, request, notes)
    raise Rejected("tools", f"the server tool {kind or tool.name!r} has no counterpart at this provider")


_SERVERS: dict[str, Callable[[Tool, Request, Notes], Json]] = {
    "web_search_": web_search_tool,
    "mcp_toolset": mcp_tool,
}


def _reference(built: Json) -> Json:
    return {key: built[key] for key in ("type", "name", "server_label") if key in built}


def _choice(choice: ToolChoice, kinds: Mapping[str, Json], names: Mapping[str, str]) -> object:
    if choice.mode in _MODES:
        return _MODES[choice.mode]
    chosen = [kinds.get(name) or {"type": "function", "name": names.get(name, name)} for name in choice.names]
    if choice.mode == "tool" and len(chosen) == 1 and chosen[0]["type"] in ("function", "custom", "mcp"):
        return chosen[0]
    # a hosted tool alone, and a choice of some
    required = choice.required or choice.mode == "tool"
    return {"type": "allowed_tools", "mode": "required" if required else "auto", "tools": chosen}
