"""Tools and tool choice of a Messages request → neutral.

Strategy: a tool without a type, or of type ``custom``, is a function. Of the others, some are run by the client and
only their schema is built into Anthropic's models (``client``: their type is a name and a date); all the rest run at
Anthropic or are whole sets of tools, and no other provider has them (``server``).
"""

import re

from providers.wire.endpoints import Dialect
from providers.wire.messages.parse_blocks import cache_of
from providers.wire.neutral import Json, Tool, ToolChoice
from providers.wire.notes import Rejected
from providers.wire.values import mapping, sequence, string

_CLIENT = re.compile(r"(?:bash|text_editor|memory)_\d+$")


def parse_tools(value: object) -> tuple[Tool, ...]:
    """The tools on offer. Raises Rejected where one is no object."""
    tools = []
    for index, entry in enumerate(sequence(value)):
        if not isinstance(entry, dict):
            raise Rejected(f"tools.{index}", "a tool is an object")
        tools.append(_tool(entry))
    return tuple(tools)


def parse_tool_choice(value: object) -> ToolChoice | None:
    """Which tool is to be called, or None if that is not understood."""
    choice = mapping(value)
    mode = string(choice.get("type"))
    if mode == "tool":
        return ToolChoice("tool", (string(choice.get("name")),))
    return ToolChoice(mode) if mode in ("auto", "any", "none") else None


def _tool(tool: Json) -> Tool:
    kind, name = string(tool.get("type")), string(tool.get("name"))
    cache = cache_of(tool.get("cache_control"))
    if kind in ("", "custom"):
        schema, strict = tool.get("input_schema"), tool.get("strict")
        return Tool(
            "function",
            name,
            string(tool.get("description")),
            schema if isinstance(schema, dict) else None,
            strict if isinstance(strict, bool) else None,
            cache,
            Dialect.MESSAGES,
            tool,
        )
    group = "client" if _CLIENT.match(kind) else "server"
    return Tool(group, name or kind, cache=cache, dialect=Dialect.MESSAGES, raw=tool)
