"""A chat completion request → the neutral request.

Strategy: a field that has a neutral place goes there; every other one goes to ``extra`` under its own name, where the
builder of the provider's dialect decides on it by its table. Values that say nothing (null, ``n: 1``, an empty list)
are left out, so that a table has to decide on what is meant only.
"""

from typing import Any

from providers.wire.chat.parse_cache import cache_of
from providers.wire.chat.parse_messages import History
from providers.wire.chat.parse_tools import tool_choice_of, tools_of
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Json, OutputFormat, Reasoning, Request
from providers.wire.notes import Rejected
from providers.wire.session import session_of
from providers.wire.values import count, mapping, sequence, string, whole

# What a field says without being there: dropping these is no loss.
_SAYS_NOTHING: dict[str, object] = {
    "n": 1,
    "logprobs": False,
    "store": False,
    "modalities": ["text"],
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "best_of": 1,
    "echo": False,
}
_READ_HERE = frozenset(
    "model messages system tools tool_choice functions function_call parallel_tool_calls max_tokens"
    " max_completion_tokens temperature top_p top_k stop response_format reasoning_effort reasoning thinking stream"
    " stream_options user safety_identifier service_tier cache_control".split()
)


def parse_request(body: dict[str, object]) -> Request:
    """Read the body of ``/chat/completions``. Raises Rejected when ``messages`` is no list of messages."""
    messages = body.get("messages")
    if not isinstance(messages, list):
        raise Rejected("messages", "messages must be a list of messages")
    history = History()
    for number, message in enumerate(messages):
        if not isinstance(message, dict):
            raise Rejected(f"messages[{number}]", "a message must be an object with a role")
        history.add(message)
    tools, legacy = tools_of(body)
    return Request(
        turns=history.turns(),
        system=history.system(),
        system_role=history.system_role,
        tools=tools,
        tool_choice=tool_choice_of(body),
        # one function_call is all that the legacy answer can say
        parallel_tool_calls=False if legacy else _flag(body.get("parallel_tool_calls")),
        output=_output(mapping(body.get("response_format"))),
        reasoning=_reasoning(body),
        legacy_functions=legacy,
        cache=cache_of(body),
        extra={**extra_of(body, _READ_HERE), **history.extra},
        **sampling(body),
    )


def sampling(body: dict[str, object]) -> dict[str, Any]:
    """The fields that completions share with chat, as arguments of ``Request``."""
    return {
        "dialect": Dialect.CHAT,
        "model": whole(string(body.get("model"))),
        "max_tokens": _first_count(body.get("max_completion_tokens"), body.get("max_tokens")),
        "temperature": _number(body.get("temperature")),
        "top_p": _number(body.get("top_p")),
        "top_k": count(body.get("top_k")),
        "stop": _stop(body.get("stop")),
        "stream": body.get("stream") is True,
        "include_usage": mapping(body.get("stream_options")).get("include_usage") is True,
        "user": whole(string(body.get("safety_identifier")) or string(body.get("user"))),
        "session": session_of(body) or "",
        "service_tier": string(body.get("service_tier")),
    }


def extra_of(body: dict[str, object], read_here: frozenset[str]) -> Json:
    """The fields that have no neutral place and say something, under their own names."""
    extra = {name: value for name, value in body.items() if name not in read_here and not _says_nothing(name, value)}
    options = mapping(body.get("stream_options"))
    for name, value in options.items():
        if value and name != "include_usage":
            extra[f"stream_options.{name}"] = value
    if mapping(body.get("reasoning")).get("exclude") is True:
        extra["reasoning.exclude"] = True
    return extra


def _says_nothing(name: str, value: object) -> bool:
    if value is None or value in ([], {}, ""):
        return True
    return name in _SAYS_NOTHING and value == _SAYS_NOTHING[name]


def _output(format_: Json) -> OutputFormat | None:
    kind = string(format_.get("type"))
    if kind != "json_schema":
        return OutputFormat(kind) if kind else None
    said = mapping(format_.get("json_schema"))
    return OutputFormat(
        kind,
        mapping(said.get("schema")),
        whole(string(said.get("name"))),
        whole(string(said.get("description"))),
        _flag(said.get("strict")),
    )


def _reasoning(body: dict[str, object]) -> Reasoning | None:
    """OpenAI's ``reasoning_effort``, OpenRouter's ``reasoning``, and ``thinking`` of several compatible servers."""
    router, thinking = mapping(body.get("reasoning")), mapping(body.get("thinking"))
    effort = string(body.get("reasoning_effort")) or string(router.get("effort"))
    budget = _first_count(router.get("max_tokens"), thinking.get("budget_tokens"))
    if not effort and router.get("enabled") is False:
        effort = "none"
    elif not effort and budget is None and router.get("enabled") is True:
        effort = "medium"  # OpenRouter's documented meaning
    reasoning = Reasoning(effort, budget, string(thinking.get("type")), string(router.get("summary")))
    return reasoning if reasoning != Reasoning() else None


def _stop(stop: object) -> tuple[str, ...]:
    return tuple(whole(entry) for entry in (sequence(stop) or [stop]) if isinstance(entry, str))


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _number(value: object) -> float | int | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _first_count(*values: object) -> int | None:
    counts: list[int | None] = [count(value) for value in values]
    return next((number for number in counts if number is not None), None)
