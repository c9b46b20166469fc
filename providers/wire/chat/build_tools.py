"""Tools on offer, and which of them is to be called → a chat request (specs: translation, section 5)."""

from typing import Any

from providers.wire.chat.build_cache import Marks
from providers.wire.chat.building import Building
from providers.wire.chat.call_deltas import WRAPPED
from providers.wire.client_tools import written_out
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Tool, ToolChoice
from providers.wire.values import mapping, string

_MODES = {"auto": "auto", "any": "required", "none": "none"}
# Fields of a tool's own definition that are read, or say nothing.
_READ = frozenset("type name description input_schema parameters strict function custom format cache_control".split())
_NOISE: dict[str, object] = {"allowed_callers": ["direct"]}
# Hosted tools that coding agents offer unasked: what they find is a help, and nobody is told that it was looked for.
_HINTS = {(Dialect.RESPONSES, "web_search"), (Dialect.RESPONSES, "web_search_preview")}
_HOSTED = "this provider has no such tool of its own; leave it out, or choose a model of a provider that has it"


def set_tools(building: Building, marks: Marks, body: dict[str, Any]) -> None:
    """Set ``tools``, ``tool_choice`` and ``parallel_tool_calls``; a choice without tools is refused by providers."""
    request = building.request
    choice = request.tool_choice
    offered = [tool for tool in request.tools if not _is_hint(building, tool)]
    if choice and choice.mode == "allowed" and not building.target.openai_extras:
        offered = [tool for tool in offered if tool.name in choice.names]
        building.approximate("tool_choice")  # another list of tools is another prompt prefix
    tools = [_tool(building, marks, tool) for tool in offered]
    if not tools:
        return
    body["tools"] = tools
    if choice:
        body["tool_choice"] = _choice(building, choice)
    if request.parallel_tool_calls is not None:
        body["parallel_tool_calls"] = request.parallel_tool_calls


def _is_hint(building: Building, tool: Tool) -> bool:
    """Whether a hosted tool is merely offered beside others: then it is left out with a note."""
    request = building.request
    kind = string(tool.raw.get("type"))
    if (tool.dialect, kind) not in _HINTS or tool.kind != "server":
        return False
    others = any(other.kind != "server" for other in request.tools)
    choice = request.tool_choice
    if not others or (choice and (kind in choice.names or tool.name in choice.names)):
        return False
    building.drop("tools", kind)
    return True


def _tool(building: Building, marks: Marks, tool: Tool) -> dict[str, Any]:
    if tool.kind == "custom":
        made = _custom(building, tool)
    elif tool.kind == "function":
        made = _function(building, tool)
    else:
        made = _function(building, _known(building, tool))
    marks.on_tool(made, tool.cache)
    return made


def _known(building: Building, tool: Tool) -> Tool:
    """A tool that the client runs and Anthropic's models know by heart, written out."""
    written = written_out(tool) if tool.kind == "client" else None
    kind = string(tool.raw.get("type")) or tool.name
    if written is None:
        raise building.rejected("tools", kind, _HOSTED)
    building.approximate("tools", kind)
    return written


def _function(building: Building, tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": building.tool_name(tool.name)}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = _object(tool.schema or {})
    if tool.strict is not None:
        function["strict"] = tool.strict
    for name, value in tool.raw.items():
        if name not in _READ and value and value != _NOISE.get(name):
            building.drop("tools", name)
    return {"type": "function", "function": function}


def _object(schema: dict[str, object]) -> dict[str, object]:
    """The schema, saying that it is an object and what it holds: OpenAI refuses one that leaves either out."""
    if "type" in schema and ("properties" in schema or schema["type"] != "object"):
        return schema
    return {"type": "object", "properties": {}, **schema}


def _custom(building: Building, tool: Tool) -> dict[str, Any]:
    """A tool that takes free text: as such where it is known, else a function with one text."""
    raw = mapping(tool.raw.get("custom")) or tool.raw
    format_ = mapping(raw.get("format"))
    name = building.tool_name(tool.name)
    if building.target.openai_extras:
        custom: dict[str, Any] = {"name": name}
        if tool.description:
            custom["description"] = tool.description
        if format_:
            custom["format"] = _nested(format_)
        return {"type": "custom", "custom": custom}
    building.approximate("tools", "custom")
    grammar = mapping(format_.get("grammar")) or format_
    said = tool.description
    if definition := string(grammar.get("definition")):
        said += f"\n\nThe input must match this {string(grammar.get('syntax'))} grammar:\n{definition}"
    schema = {"type": "object", "properties": {WRAPPED: {"type": "string"}}, "required": [WRAPPED]}
    function: dict[str, Any] = {"name": name, "parameters": schema}
    if said:
        function["description"] = said.strip()
    return {"type": "function", "function": function}


def _nested(format_: dict[str, object]) -> dict[str, object]:
    """A grammar in chat's form: Responses has it flat."""
    if format_.get("type") != "grammar" or "grammar" in format_:
        return format_
    return {"type": "grammar", "grammar": {key: value for key, value in format_.items() if key != "type"}}


def _choice(building: Building, choice: ToolChoice) -> str | dict[str, Any]:
    if choice.mode in _MODES:
        return _MODES[choice.mode]
    if choice.mode == "tool":
        return _reference(building, choice.names[0])
    mode = "required" if choice.required else "auto"
    if not building.target.openai_extras:
        return mode
    tools = [_reference(building, name) for name in choice.names]
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}


def _reference(building: Building, name: str) -> dict[str, Any]:
    custom = {tool.name for tool in building.request.tools if tool.kind == "custom"}
    kind = "custom" if name in custom and building.target.openai_extras else "function"
    return {"type": kind, kind: {"name": building.tool_name(name)}}
