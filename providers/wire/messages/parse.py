"""A Messages request (also of ``count_tokens``) → the neutral request.

Strategy: a field that the neutral form has is read into it; every other field, and one whose value has a form that
nobody expects, stays in ``extra`` under its own name, for the builder's table. Fields below another one are named by
their path there (``output_config.task_budget``). null is the same as absent.

Claude Code's first system block is a billing line whose text changes with every request (observed 2026): it means
nothing to any other provider and would spoil every prompt cache, so it is left out here.
"""

from collections.abc import Callable

from providers.wire.endpoints import Dialect
from providers.wire.messages.parse_blocks import cache_of, parse_content
from providers.wire.messages.parse_tools import parse_tool_choice, parse_tools
from providers.wire.neutral import Json, OutputFormat, Part, Reasoning, Request, Text, Turn
from providers.wire.notes import Rejected
from providers.wire.session import session_of
from providers.wire.values import count, mapping, string

_BILLING = "x-anthropic-billing-header:"
_ROLES = ("user", "assistant", "system")
_DISPLAY = {"summarized": "auto"}
_STRUCTURED = ("messages", "system", "tools", "tool_choice", "thinking", "output_config", "output_format", "metadata")


def parse_request(body: Json) -> Request:
    """Read a request body. Raises Rejected where it cannot mean anything."""
    extra = {name: value for name, value in body.items() if value is not None and name not in _STRUCTURED}
    tool_choice = parse_tool_choice(body.get("tool_choice"))
    if tool_choice is None and body.get("tool_choice") is not None:
        extra["tool_choice"] = body["tool_choice"]
    serial = mapping(body.get("tool_choice")).get("disable_parallel_tool_use")
    return Request(
        dialect=Dialect.MESSAGES,
        model=_take(extra, "model", string, ""),
        turns=_turns(body.get("messages")),
        system=tuple(part for part in parse_content(body.get("system"), "system") if not _is_billing(part)),
        tools=parse_tools(body.get("tools")),
        tool_choice=tool_choice,
        parallel_tool_calls=not serial if isinstance(serial, bool) else None,
        max_tokens=_take(extra, "max_tokens", count, None),
        temperature=_take(extra, "temperature", _number, None),
        top_p=_take(extra, "top_p", _number, None),
        top_k=_take(extra, "top_k", count, None),
        stop=_take(extra, "stop_sequences", _texts, ()),
        output=_output(body, extra),
        reasoning=_reasoning(body, extra),
        stream=extra.pop("stream", None) is True,
        include_usage=True,  # an Anthropic stream always counts
        user=_user(body, extra),
        session=session_of(body) or "",
        service_tier=_take(extra, "service_tier", string, ""),
        cache=cache_of(extra.pop("cache_control", None)),
        extra=extra,
    )


def _take[Value](extra: Json, name: str, read: Callable[[object], Value], absent: Value) -> Value:
    """Take a field out of ``extra``; one that cannot be read stays there, an empty one is absent."""
    raw = extra.get(name)
    value = read(raw)
    if value or value == 0 or raw in ("", []):
        extra.pop(name, None)
    return value if value or value == 0 else absent


def _number(value: object) -> float | int | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _texts(value: object) -> tuple[str, ...]:
    texts = value if isinstance(value, list) else []
    return tuple(texts) if all(isinstance(text, str) for text in texts) else ()


def _turns(messages: object) -> tuple[Turn, ...]:
    if not isinstance(messages, list):
        raise Rejected("messages", "messages is a list of messages, and it is required")
    return tuple(_turn(entry, f"messages.{index}") for index, entry in enumerate(messages))


def _turn(entry: object, path: str) -> Turn:
    if not isinstance(entry, dict):
        raise Rejected(path, "a message is an object with a role and content")
    role = entry.get("role")
    if role not in _ROLES:
        raise Rejected(f"{path}.role", f"the role of a message is one of {', '.join(_ROLES)}")
    own = {name: value for name, value in entry.items() if value is not None and name not in ("role", "content")}
    return Turn(role, parse_content(entry.get("content"), f"{path}.content"), own)


def _is_billing(part: Part) -> bool:
    return isinstance(part, Text) and part.text.startswith(_BILLING)


def _output(body: Json, extra: Json) -> OutputFormat | None:
    """The output format, from today's place or from that of its beta (``output_format``)."""
    config = mapping(body.get("output_config"))
    for name in config:
        if name not in ("effort", "format") and config[name] is not None:
            extra[f"output_config.{name}"] = config[name]
    for name, value in (("output_config.format", config.get("format")), ("output_format", body.get("output_format"))):
        schema = mapping(value).get("schema")
        if isinstance(schema, dict):
            # every other dialect wants a name, and Anthropic's output always keeps to the schema
            return OutputFormat("json_schema", schema, name="output", strict=True)
        if value is not None:
            extra[name] = value
    return None


def _reasoning(body: Json, extra: Json) -> Reasoning | None:
    thinking, effort = body.get("thinking"), string(mapping(body.get("output_config")).get("effort"))
    if not isinstance(thinking, dict):
        if thinking is not None:
            extra["thinking"] = thinking
        return Reasoning(effort) if effort else None
    display = string(thinking.get("display"))
    return Reasoning(
        effort,
        count(thinking.get("budget_tokens")),
        string(thinking.get("type")),
        _DISPLAY.get(display, display),
    )


def _user(body: Json, extra: Json) -> str:
    metadata = body.get("metadata")
    rest: Json = {name: value for name, value in mapping(metadata).items() if name != "user_id"}
    if rest or (metadata is not None and not isinstance(metadata, dict)):
        extra["metadata"] = rest or metadata
    return string(mapping(metadata).get("user_id"))
