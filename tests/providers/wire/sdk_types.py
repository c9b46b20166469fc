"""What the installed SDKs' typed models document: fields of a request, and the types that may stand in it."""

from typing import Any, Literal, get_args, get_origin

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
from typing_extensions import get_type_hints, is_typeddict


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
