"""Tools of a chat request, also of the time before tools, and which of them is to be called."""

from providers.wire.chat.parse_cache import cache_of
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Json, Tool, ToolChoice
from providers.wire.values import mapping, sequence, string, whole


def tools_of(body: Json) -> tuple[tuple[Tool, ...], bool]:
    """The tools on offer, and whether the client knows functions only, and so wants its answer in that shape."""
    tools = [_tool(mapping(entry)) for entry in sequence(body.get("tools"))]
    functions = [_function(mapping(entry), {}) for entry in sequence(body.get("functions"))]
    return (*tools, *functions), bool(functions) and not tools


def tool_choice_of(body: Json) -> ToolChoice | None:
    """Which tool is to be called, if the client said."""
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        return _named(choice)
    if choice is None:
        choice = body.get("function_call")
        if name := string(mapping(choice).get("name")):
            return ToolChoice("tool", (whole(name),))
    return _MODES.get(string(choice))


def _tool(entry: Json) -> Tool:
    kind = string(entry.get("type"))
    if kind == "function":
        return _function(mapping(entry.get("function")), entry)
    if kind != "custom":  # OpenRouter's and others' server tools
        return Tool("server", whole(string(entry.get("name")) or kind), cache=cache_of(entry), raw=entry)
    custom = mapping(entry.get("custom"))
    name, description = whole(string(custom.get("name"))), whole(string(custom.get("description")))
    return Tool("custom", name, description, cache=cache_of(entry), dialect=Dialect.CHAT, raw=entry)


def _function(function: Json, entry: Json) -> Tool:
    schema, strict = function.get("parameters"), function.get("strict")
    return Tool(
        "function",
        whole(string(function.get("name"))),
        whole(string(function.get("description"))),
        schema if isinstance(schema, dict) else None,
        strict if isinstance(strict, bool) else None,
        cache_of(entry) or cache_of(function),
        Dialect.CHAT,
        entry or function,
    )


def _named(choice: Json) -> ToolChoice | None:
    kind = string(choice.get("type"))
    if kind == "allowed_tools":
        allowed = mapping(choice.get("allowed_tools")) or choice
        names = (_name(mapping(tool)) for tool in sequence(allowed.get("tools")))
        return ToolChoice("allowed", tuple(name for name in names if name), allowed.get("mode") == "required")
    name = _name(choice)
    return ToolChoice("tool", (name,), custom=kind == "custom") if name else None


def _name(entry: Json) -> str:
    inner = mapping(entry.get(string(entry.get("type"))))
    return whole(string(inner.get("name")) or string(entry.get("name")))


_MODES = {
    "auto": ToolChoice("auto"),
    "required": ToolChoice("any"),
    "any": ToolChoice("any"),  # Mistral's word
    "none": ToolChoice("none"),
}
