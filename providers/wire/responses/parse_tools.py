"""Tools of a Responses request, and which of them is to be called."""

from providers.wire.endpoints import Dialect
from providers.wire.neutral import Json, Tool, ToolChoice
from providers.wire.notes import Rejected
from providers.wire.responses.offered import flat_name
from providers.wire.values import mapping, sequence, string, whole

# Tools that the client runs although it does not describe them: the model knows them.
_OF_THE_CLIENT = frozenset(
    ("local_shell", "shell", "apply_patch", "computer", "computer_use", "computer_use_preview", "tool_search")
)
_MODES = {"auto": "auto", "none": "none", "required": "any"}


def read_tools(body: Json) -> tuple[Tool, ...]:
    """The tools on offer, those of namespaces flattened."""
    value = body.get("tools")
    if value is not None and not isinstance(value, list):
        raise Rejected("tools", "tools must be a list")
    tools: list[Tool] = []
    for at, entry in enumerate(sequence(value)):
        if not isinstance(entry, dict):
            raise Rejected(f"tools[{at}]", f"tools[{at}] must be an object")
        if entry.get("type") == "namespace":
            space = string(entry.get("name"))
            tools += [_tool(mapping(inner), space) for inner in sequence(entry.get("tools"))]
        else:
            tools.append(_tool(entry, ""))
    return tuple(tools)


def read_choice(value: object) -> ToolChoice | None:
    """Which tool is to be called; a hosted tool goes by its type, a server of tools by its label."""
    if value is None:
        return None
    if isinstance(value, str):
        if value not in _MODES:
            raise Rejected("tool_choice", f"tool_choice must be an object or one of {', '.join(_MODES)}")
        return ToolChoice(_MODES[value])
    choice = mapping(value)
    kind = string(choice.get("type"))
    if kind == "allowed_tools":
        names = tuple(_name_of(mapping(tool)) for tool in sequence(choice.get("tools")))
        return ToolChoice("allowed", names, required=choice.get("mode") == "required")
    if not kind:
        raise Rejected("tool_choice", "tool_choice has no type")
    return ToolChoice("tool", (_name_of(choice),), required=True, custom=kind == "custom")


def _name_of(tool: Json) -> str:
    """A tool's name; one of a server goes by the server's."""
    name = tool.get("server_label") or tool.get("name") or tool.get("type")
    return flat_name(whole(string(tool.get("namespace"))), whole(string(name)))


def _tool(raw: Json, space: str) -> Tool:
    kind = string(raw.get("type"))
    if kind in ("function", "custom"):
        schema, strict = raw.get("parameters"), raw.get("strict")
        return Tool(
            kind=kind,
            name=flat_name(space, whole(string(raw.get("name")))),
            description=whole(string(raw.get("description"))),
            schema=schema if isinstance(schema, dict) else None,
            strict=strict if isinstance(strict, bool) else None,
            dialect=Dialect.RESPONSES,
            raw=raw,
        )
    name = whole(string(raw.get("server_label")) or string(raw.get("name")) or kind)
    return Tool("client" if kind in _OF_THE_CLIENT else "server", name, dialect=Dialect.RESPONSES, raw=raw)
