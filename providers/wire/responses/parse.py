"""A Responses request (also of ``input_tokens``) as a neutral one.

Strategy: a table leads from each field to the reader that puts it in its place; a field that has none, and what a
reader has no place for, goes to ``extra`` under its own path (``text.verbosity``). Only what cannot mean anything is
refused.
"""

from collections.abc import Callable

from providers.wire.endpoints import Dialect
from providers.wire.neutral import Json, OutputFormat, Part, Reasoning, Request, Turn
from providers.wire.notes import Rejected
from providers.wire.responses.parse_items import read_input
from providers.wire.responses.parse_parts import content_parts
from providers.wire.responses.parse_tools import read_choice, read_tools
from providers.wire.session import session_of
from providers.wire.values import count, mapping, string, whole

_LEADING = ("system", "developer")
# Fields that stand for the input where there is none.
_INSTEAD = ("prompt", "previous_response_id", "conversation", "instructions")


def parse_request(body: dict[str, object]) -> Request:
    """Understand a request body. Raises Rejected where it cannot mean anything."""
    if body.get("input") is None and not any(body.get(name) for name in _INSTEAD):
        raise Rejected("input", "input is missing: give a text, or a list of items")
    system, role, turns = _leading(body, read_input(body.get("input")))
    fields: Json = {}
    extra: Json = {}
    for name, value in body.items():
        if value is not None and name not in _READ_ELSEWHERE:
            _FIELDS.get(name, _other)(name, value, fields, extra)
    return Request(
        dialect=Dialect.RESPONSES,
        model=whole(string(body.get("model"))),
        turns=turns,
        system=system,
        system_role=role,
        tools=read_tools(body),
        tool_choice=read_choice(body.get("tool_choice")),
        user=whole(string(body.get("safety_identifier")) or string(body.get("user"))),
        session=whole(session_of(body) or ""),
        include_usage=body.get("stream") is True,
        extra=extra,
        **fields,  # type: ignore[arg-type]  # each reader below puts in what its field holds
    )


def _leading(body: Json, turns: tuple[Turn, ...]) -> tuple[tuple[Part, ...], str, tuple[Turn, ...]]:
    """Instructions and the system messages that the input begins with are what comes before all turns."""
    parts: list[Part] = list(content_parts(body.get("instructions")))
    role = "system" if parts else ""
    ahead = 0
    while ahead < len(turns) and turns[ahead].role in _LEADING:
        parts += turns[ahead].parts
        role = role or turns[ahead].role
        ahead += 1
    return tuple(parts), role or "system", turns[ahead:]


def _whole_number(name: str, value: object, fields: Json, extra: Json) -> None:
    number = count(value)
    if number is None:
        raise Rejected(name, f"{name} must be a whole number")
    fields[_NAMES.get(name, name)] = number


def _number(name: str, value: object, fields: Json, extra: Json) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Rejected(name, f"{name} must be a number")
    fields[name] = value


def _flag(name: str, value: object, fields: Json, extra: Json) -> None:
    if not isinstance(value, bool):
        raise Rejected(name, f"{name} must be true or false")
    fields[name] = value


def _word(name: str, value: object, fields: Json, extra: Json) -> None:
    fields[name] = whole(string(value))


def _reasoning(name: str, value: object, fields: Json, extra: Json) -> None:
    reasoning = mapping(value)
    summary = string(reasoning.get("summary")) or string(reasoning.get("generate_summary"))
    fields[name] = Reasoning(effort=string(reasoning.get("effort")), summary=summary)
    _rest(name, reasoning, ("effort", "summary", "generate_summary"), extra)


def _text(name: str, value: object, fields: Json, extra: Json) -> None:
    text = mapping(value)
    _rest(name, text, ("format",), extra)
    if text.get("format") is None:
        return
    form = mapping(text["format"])
    kind = string(form.get("type"))
    if kind not in _FORMATS:
        raise Rejected("text.format", f"text.format.type must be one of {', '.join(_FORMATS)}")
    schema = form.get("schema")
    if kind == "json_schema" and not isinstance(schema, dict):
        raise Rejected("text.format.schema", "text.format.schema must be a JSON schema object")
    strict = form.get("strict")
    fields["output"] = OutputFormat(
        kind=kind,
        schema=mapping(schema) or None,
        name=string(form.get("name")),
        description=string(form.get("description")),
        strict=strict if isinstance(strict, bool) else None,
    )


def _rest(name: str, source: Json, read: tuple[str, ...], extra: Json) -> None:
    extra.update({f"{name}.{key}": value for key, value in source.items() if key not in read and value is not None})


def _other(name: str, value: object, fields: Json, extra: Json) -> None:
    extra[name] = value


_FORMATS = ("text", "json_object", "json_schema")
_NAMES = {"max_output_tokens": "max_tokens"}
# prompt_cache_key is read into the session, and stays in extra: one target has that very field.
_READ_ELSEWHERE = frozenset(
    ("model", "input", "instructions", "tools", "tool_choice", "safety_identifier", "user", "stream_options")
)
_FIELDS: dict[str, Callable[[str, object, Json, Json], None]] = {
    "max_output_tokens": _whole_number,
    "top_k": _whole_number,  # not OpenAI's; llama-server and others take it
    "temperature": _number,
    "top_p": _number,
    "parallel_tool_calls": _flag,
    "stream": _flag,
    "service_tier": _word,
    "reasoning": _reasoning,
    "text": _text,
}
