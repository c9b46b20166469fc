"""What the official SDKs make of a stream, in one form for all dialects: nobody here wrote them, so they judge."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import anthropic
import httpx2
import openai

from providers.wire.answer import Answer
from providers.wire.endpoints import Dialect
from providers.wire.events import FinishReason, Usage
from providers.wire.request import ReasoningPart, RefusalPart, TextPart, ToolCallPart
from providers.wire.values import whole

ASKED: list[dict[str, Any]] = [{"role": "user", "content": "Hi"}]
WHOLE = 1 << 30


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer as a program in front of an SDK gets it. ``calls`` are (id, name, parsed arguments)."""

    text: str = ""
    calls: tuple[tuple[str, str, Any], ...] = ()
    finish: str = ""
    refusal: str = ""
    reasoning: str = ""
    usage: Usage = Usage()  # noqa: RUF009 - frozen


def _transport(stream: bytes, step: int) -> httpx2.Client:
    pieces = [stream[at : at + step] for at in range(0, len(stream), step)]
    answer = httpx2.MockTransport(
        lambda _request: httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=iter(pieces))
    )
    return httpx2.Client(transport=answer)


def _openai(stream: bytes, step: int) -> openai.OpenAI:
    http = _transport(stream, step)
    return openai.OpenAI(api_key="none", base_url="http://upstream.invalid/v1", http_client=http, max_retries=0)


def arguments(text: str) -> Any:
    """Parsed; what is no JSON stays text; none at all are an empty object."""
    try:
        return json.loads(text) if text else {}
    except ValueError:
        return text


_CHAT_FINISH = {"stop": "stop", "length": "length", "tool_calls": "tool_calls", "content_filter": "refusal"}
_CHAT_FINISH["function_call"] = "tool_calls"


def read_chat(stream: bytes, step: int = WHOLE) -> Reading:
    with _openai(stream, step).chat.completions.stream(model="m", messages=ASKED) as judged:  # type: ignore[arg-type]
        for _ in judged:
            pass
        completion = judged.current_completion_snapshot
    choice = completion.choices[0]
    message, usage = choice.message, completion.usage
    extra: Mapping[str, Any] = message.model_extra or {}
    calls = []
    for call in message.tool_calls or []:
        if call.type == "function":
            calls.append((call.id, call.function.name, arguments(call.function.arguments or "")))
        else:  # the accumulator knows functions alone by type; others keep their fields
            custom = call.model_dump()["custom"]
            calls.append((call.id, custom["name"], custom["input"]))
    read, written = (usage and usage.prompt_tokens_details), (usage and usage.completion_tokens_details)
    return Reading(
        whole(message.content or ""),
        tuple(calls),
        _CHAT_FINISH.get(choice.finish_reason or "", choice.finish_reason or ""),
        whole(message.refusal or ""),
        whole(extra.get("reasoning_content") or extra.get("reasoning") or ""),
        Usage(
            usage.prompt_tokens if usage else None,
            usage.completion_tokens if usage else None,
            read.cached_tokens if read else None,
            read.cache_write_tokens if read else None,
            written.reasoning_tokens if written else None,
        ),
    )


_MESSAGES_FINISH = {
    "end_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_calls",
    "refusal": "refusal",
    "pause_turn": "pause",
}


def read_messages(stream: bytes, step: int = WHOLE) -> Reading:
    http = _transport(stream, step)
    client = anthropic.Anthropic(api_key="none", base_url="http://upstream.invalid", http_client=http, max_retries=0)
    with client.messages.stream(model="m", max_tokens=9, messages=ASKED) as judged:  # type: ignore[arg-type]
        message = judged.get_final_message()
    blocks, usage = message.content, message.usage
    details = message.stop_details
    explained = str(getattr(details, "explanation", None) or "")
    cached = (usage.cache_read_input_tokens, usage.cache_creation_input_tokens)
    thinking = usage.output_tokens_details
    return Reading(
        whole("".join(block.text for block in blocks if block.type == "text")),
        tuple((block.id, block.name, block.input) for block in blocks if block.type == "tool_use"),
        _MESSAGES_FINISH.get(message.stop_reason or "", message.stop_reason or ""),
        whole(explained),
        whole("".join(block.thinking for block in blocks if block.type == "thinking")),
        Usage(
            usage.input_tokens + sum(count or 0 for count in cached),
            usage.output_tokens,
            *cached,
            thinking.thinking_tokens if thinking else None,
        ),
    )


def read_responses(stream: bytes, step: int = WHOLE) -> Reading:
    with _openai(stream, step).responses.stream(model="m", input="Hi") as judged:
        ended = [event.response for event in judged if event.type in ("response.completed", "response.incomplete")]
    (response,) = ended
    text, refusal, reasoning, calls = [], [], [], []
    for item in response.output:
        if item.type == "message":
            text += [part.text for part in item.content if part.type == "output_text"]
            refusal += [part.refusal for part in item.content if part.type == "refusal"]
        elif item.type == "reasoning":
            reasoning += [part.text for part in item.content or []] or ["\n\n".join(part.text for part in item.summary)]
        elif item.type == "function_call":
            calls.append((item.call_id, item.name, arguments(item.arguments)))
        elif item.type == "custom_tool_call":
            calls.append((item.call_id, item.name, item.input))
    reason = response.incomplete_details.reason if response.incomplete_details else None
    finish = {"max_output_tokens": "length", "content_filter": "refusal"}.get(reason or "", reason or "stop")
    usage = response.usage
    return Reading(
        whole("".join(text)),
        tuple(calls),
        "tool_calls" if calls and finish == "stop" else "refusal" if refusal and finish == "stop" else finish,
        whole("".join(refusal)),
        whole("".join(reasoning)),
        Usage(
            usage.input_tokens,
            usage.output_tokens,
            usage.input_tokens_details.cached_tokens,
            usage.input_tokens_details.cache_write_tokens,
            usage.output_tokens_details.reasoning_tokens,
        )
        if usage
        else Usage(),
    )


READ: dict[Dialect, Callable[..., Reading]] = {
    Dialect.CHAT: read_chat,
    Dialect.MESSAGES: read_messages,
    Dialect.RESPONSES: read_responses,
}
_NEUTRAL_FINISH = {FinishReason.UNKNOWN: "stop"}


def read_by_us(answer: Answer) -> Reading:
    """The same of our own reading, for streams that the provider's SDK cannot read."""
    parts = answer.message().parts
    finish = answer.finish
    return Reading(
        "".join(part.text for part in parts if isinstance(part, TextPart)),
        tuple((part.id, part.name, arguments(part.arguments)) for part in parts if isinstance(part, ToolCallPart)),
        _NEUTRAL_FINISH.get(finish, finish.value) if finish else "stop",
        "".join(part.text for part in parts if isinstance(part, RefusalPart)),
        "".join(part.text for part in parts if isinstance(part, ReasoningPart)),
        answer.usage,
    )


# What a dialect has no word for, and the word that comes nearest (specs: translation 4.1).
_SAID_AS: dict[Dialect, dict[str, str]] = {
    Dialect.CHAT: {"stop_sequence": "stop", "pause": "stop"},
    Dialect.MESSAGES: {},
    Dialect.RESPONSES: {"stop_sequence": "stop", "pause": "stop"},
}


def as_told_in(dialect: Dialect, reading: Reading) -> Reading:
    """A reading as the best writer of ``dialect`` can tell it: its stop reasons, and 0 where a count is required."""
    finish = _SAID_AS[dialect].get(reading.finish, reading.finish)
    if reading.calls and finish == "stop":
        finish = "tool_calls"
    if reading.refusal and finish == "stop":
        finish = "refusal"
    return replace(reading, finish=finish)


def same_usage(told: Usage, given: Usage) -> bool:
    """Whether all that the provider counted was told; a required field may say 0 for what it did not count."""
    pairs = ((getattr(told, name), getattr(given, name)) for name in Usage.__slots__)
    return all((said or 0) == (had or 0) for said, had in pairs)
