"""Neutral tools and tool choice → Messages.

Strategy: functions go as they are; a tool that takes free text becomes a function with one text (``input``), which the
client's writer unwraps again; web search has a twin. Any other tool that a provider runs is refused: without it the
answer would be another one.
"""

from collections.abc import Iterable

from providers.wire.messages.building import Building
from providers.wire.neutral import Json, Tool, ToolChoice
from providers.wire.values import mapping, raw_json, sequence, string

WEB_SEARCH = "web_search_20250305"
"""The oldest web search tool, which every model with web search takes."""
_WEB_SEARCH_NAME = "web_search"
_FREE_TEXT: Json = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
_PLACE = ("city", "country", "region", "timezone")


def tools(building: Building) -> list[Json]:
    """The tools on offer. Raises Rejected for one that cannot be had."""
    choice = building.request.tool_choice
    offered: Iterable[Tool] = building.request.tools
    if choice is not None and choice.mode == "allowed":
        building.approximate("tool_choice", ".allowed_tools")
        offered = [tool for tool in offered if tool.name in choice.names]
    return [built for tool in offered for built in _tool(building, tool)]


def tool_choice(building: Building) -> Json | None:
    """The choice, with Anthropic's place for calls one at a time; None when nothing was asked."""
    request = building.request
    serial = request.parallel_tool_calls is False
    if request.tool_choice is None:
        return {"type": "auto", "disable_parallel_tool_use": True} if serial else None
    choice = _choice(building, request.tool_choice)
    if serial and choice["type"] != "none":
        choice["disable_parallel_tool_use"] = True
    return choice


def web_search(building: Building, options: Json, field: str) -> Json:
    """Anthropic's web search from the options of OpenAI's (both dialects); ``field`` is what the client calls them."""
    tool: Json = {"type": WEB_SEARCH, "name": _WEB_SEARCH_NAME}
    domains = sequence(mapping(options.get("filters")).get("allowed_domains"))
    if domains:
        tool["allowed_domains"] = domains
    where = mapping(options.get("user_location"))
    place = mapping(where.get("approximate")) or where
    known = {name: place[name] for name in _PLACE if place.get(name)}
    if known:
        tool["user_location"] = {"type": "approximate", **known}
    building.notes.approximate(field)
    return tool


def _tool(building: Building, tool: Tool) -> list[Json]:
    kind = string(tool.raw.get("type"))
    if tool.kind == "custom":
        return [_custom(building, tool)]
    if tool.kind == "function":
        return [_function(building, tool)]
    if tool.dialect is not building.request.dialect or not kind.startswith("web_search"):
        raise building.rejected(f"the tool {kind or tool.name}", "tools", f".{kind or tool.name}")
    if tool.raw.get("external_web_access") is False:  # only what is cached already: Anthropic's always goes out
        building.drop("tools", f".{kind}")
        return []
    return [building.mark(web_search(building, tool.raw, building.named("tools", f".{kind}")), tool.cache)]


def _function(building: Building, tool: Tool) -> Json:
    built: Json = {"name": building.tool_name(tool.name)}
    if tool.description:
        built["description"] = tool.description
    built["input_schema"] = _schema(tool.schema)
    if tool.strict:
        if building.target.structured == "json_schema":
            built["strict"] = True
        else:
            building.drop("tools", ".strict")
    return building.mark(built, tool.cache)


def _schema(schema: Json | None) -> Json:
    """Any keyword is tolerated here, but the root must be an object."""
    if not schema:
        return {"type": "object", "properties": {}}
    return schema if schema.get("type") == "object" else {**schema, "type": "object"}


def _custom(building: Building, tool: Tool) -> Json:
    building.approximate("tools", ".custom")
    definition = mapping(tool.raw.get("custom")) or tool.raw
    format_ = mapping(definition.get("format"))
    grammar = mapping(format_.get("grammar")) or format_
    texts = [tool.description]
    if definition_ := grammar.get("definition"):
        syntax = string(grammar.get("syntax"))
        texts.append(f"The input must match this {syntax + ' ' if syntax else ''}grammar:\n{definition_}")
    elif format_.get("type") not in (None, "text"):
        texts.append(f"The input has this format: {raw_json(format_)}")
    built: Json = {"name": building.tool_name(tool.name), "input_schema": _FREE_TEXT}
    if description := "\n\n".join(text for text in texts if text):
        built["description"] = description
    return building.mark(built, tool.cache)


def _choice(building: Building, choice: ToolChoice) -> Json:
    if choice.mode == "tool" and choice.names:
        name = choice.names[0]
        hosted = any(tool.name == name and tool.kind == "server" for tool in building.request.tools)
        return {"type": "tool", "name": _WEB_SEARCH_NAME if hosted else building.tool_name(name)}
    if choice.mode == "allowed":
        return {"type": "any" if choice.required else "auto"}
    return {"type": choice.mode if choice.mode in ("any", "none") else "auto"}
