"""What the installed SDKs' typed models document: fields of a request, and the types that may stand in it."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from anthropic.types import message_create_params
from anthropic.types.beta import BetaContentBlockParam, BetaMessageParam, BetaToolUnionParam
from anthropic.types.beta.message_create_params import MessageCreateParamsBase as BetaMessagesParams
from anthropic.types.beta.message_create_params import MessageCreateParamsStreaming
from anthropic.types.message_create_params import MessageCreateParamsBase
from openai.types import completion_create_params
from openai.types.chat import (
    ChatCompletionContentPartParam,
    ChatCompletionMessageParam,
    ChatCompletionToolUnionParam,
)
from openai.types.chat import (
    completion_create_params as chat_params,
)
from openai.types.responses import ResponseInputItemParam, ToolParam, response_create_params
from openai.types.responses.response_input_message_content_list_param import ResponseInputContentParam
from openai.types.responses.response_output_message_param import Content
from pydantic import TypeAdapter
from typing_extensions import get_type_hints, is_typeddict

from providers.wire.endpoints import Dialect


def members(annotation: Any) -> list[Any]:
    """Every typed dictionary in an annotation, however deep its unions and lists."""
    if is_typeddict(annotation):
        return [annotation]
    if get_origin(annotation) is Literal:
        return []
    return [member for inner in get_args(annotation) for member in members(inner)]


def literals(annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return [value for value in get_args(annotation) if isinstance(value, str)]
    return [value for inner in get_args(annotation) for value in literals(inner)]


def types_in(annotation: Any) -> set[str]:
    """The ``type`` (or ``role``) of everything that may stand there."""
    found = set()
    for member in members(annotation):
        hints = get_type_hints(member)
        found.update(literals(hints.get("type") or hints.get("role")))
    return found


def hint(params: Any, *path: str) -> Any:
    """The annotation of a field, along a path of fields of typed dictionaries."""
    annotation = get_type_hints(params)[path[0]]
    return hint(members(annotation)[0], *path[1:]) if path[1:] else annotation


def fields(*params: Any) -> set[str]:
    return {name for one in params for name in get_type_hints(one)}


CHAT = chat_params.CompletionCreateParamsBase
RESPONSES = response_create_params.ResponseCreateParamsBase
# (client operation, section of the matrix) → every name that the SDKs document
DOCUMENTED: dict[tuple[str, str], set[str]] = {
    ("chat", "field"): fields(CHAT, chat_params.CompletionCreateParamsStreaming),
    ("chat", "message"): types_in(ChatCompletionMessageParam),
    ("chat", "part"): types_in(ChatCompletionContentPartParam) | {"refusal"},
    ("chat", "tool"): types_in(ChatCompletionToolUnionParam),
    ("chat", "tool choice"): types_in(hint(CHAT, "tool_choice")),
    ("chat", "response format"): types_in(hint(CHAT, "response_format")),
    ("messages", "field"): fields(MessageCreateParamsBase, BetaMessagesParams, MessageCreateParamsStreaming),
    ("messages", "message"): types_in(BetaMessageParam),
    ("messages", "block"): types_in(BetaContentBlockParam),
    ("messages", "tool"): types_in(BetaToolUnionParam),
    ("messages", "tool choice"): types_in(hint(BetaMessagesParams, "tool_choice")),
    ("messages", "thinking"): types_in(hint(BetaMessagesParams, "thinking")),
    ("messages", "output format"): types_in(hint(BetaMessagesParams, "output_config", "format")),
    ("responses", "field"): fields(RESPONSES, response_create_params.ResponseCreateParamsStreaming),
    ("responses", "item"): types_in(ResponseInputItemParam),
    ("responses", "part"): types_in(ResponseInputContentParam) | types_in(Content),
    ("responses", "tool"): types_in(ToolParam),
    ("responses", "tool choice"): types_in(hint(RESPONSES, "tool_choice")),
    ("responses", "text format"): types_in(hint(RESPONSES, "text", "format")),
    ("completions", "field"): fields(
        completion_create_params.CompletionCreateParamsBase, completion_create_params.CompletionCreateParamsStreaming
    ),
}


def _exhaust(value: object) -> None:
    """Pydantic checks an Iterable only as far as somebody looks."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, Iterator | list):
        for entry in value:
            _exhaust(entry)


_JUDGES: dict[tuple[Dialect, bool], TypeAdapter[Any]] = {
    (Dialect.CHAT, False): TypeAdapter(chat_params.CompletionCreateParamsNonStreaming),
    (Dialect.CHAT, True): TypeAdapter(chat_params.CompletionCreateParamsStreaming),
    (Dialect.MESSAGES, False): TypeAdapter(message_create_params.MessageCreateParamsNonStreaming),
    (Dialect.MESSAGES, True): TypeAdapter(message_create_params.MessageCreateParamsStreaming),
    (Dialect.RESPONSES, False): TypeAdapter(response_create_params.ResponseCreateParamsNonStreaming),
    (Dialect.RESPONSES, True): TypeAdapter(response_create_params.ResponseCreateParamsStreaming),
}


_TYPES: dict[Dialect, set[str]] = {
    Dialect.CHAT: DOCUMENTED["chat", "field"],
    Dialect.MESSAGES: fields(MessageCreateParamsBase, MessageCreateParamsStreaming),
    Dialect.RESPONSES: DOCUMENTED["responses", "field"],
}
# Gone from the types, though older models take them (specs: translation, section 0).
_STILL_TAKEN = {Dialect.MESSAGES: {"temperature", "top_p", "top_k"}}


def judge(provider: Dialect, body: dict[str, Any]) -> None:
    """Raises ValidationError for a request that is not of the provider's SDK's type; it has no other field either."""
    known = _TYPES[provider] | _STILL_TAKEN.get(provider, set())
    assert set(body) <= known, set(body) - known
    _exhaust(_JUDGES[provider, body.get("stream") is True].validate_python(body))
