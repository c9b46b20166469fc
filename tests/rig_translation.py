"""Providers that speak one dialect each, and the official SDKs in front of them, their answers told in one shape."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anthropic import Anthropic, AsyncAnthropic
from anthropic.types import Message, MessageParam, ToolParam
from anthropic.types.message_create_params import MessageCreateParamsBase
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam, ChatCompletionToolParam
from openai.types.chat.completion_create_params import CompletionCreateParamsBase
from openai.types.responses import FunctionToolParam, Response, ResponseReasoningItem
from openai.types.responses.response_create_params import ResponseCreateParamsBase
from pydantic import TypeAdapter
from typing_extensions import get_type_hints

from tests.rig_client import Json
from tests.rig_gateway import CLIENT_SECRET, DIALECTS, Behind, Gateway, run_gateway

PAIRS = tuple((client, provider) for client in DIALECTS for provider in DIALECTS if client != provider)
PATHS = {"chat": "/chat/completions", "messages": "/messages", "responses": "/responses"}

REGISTRY = """\
providers:
  local: {{kind: llamacpp, base_url: {local}}}
  anthropic: {{kind: anthropic, base_url: {external}/anthropic, api_key: ${{ANTHROPIC_API_KEY}}}}
  openai: {{kind: openai, base_url: {external}/openai/v1, api_key: ${{OPENAI_API_KEY}}}}
"""
ONE_DIALECT = """\
  only-{dialect}:
    kind: compatible
    base_url: {base_url}
    dialects: [{dialect}]
"""
BEHIND_THE_FAKE = """\
    api_key: ${{GROQ_API_KEY}}
    models: [m]
    deadlines: {{connect: 0.5, head: 0.5, first_content: 0.5, gap: 0.5, total: 4}}
"""


def fake_registry(upstreams: Behind) -> str:
    """`only-chat/m`, `only-messages/m` and `only-responses/m`, impatient, beside the official kinds."""
    external = upstreams.external.url
    ones = (
        ONE_DIALECT.format(dialect=dialect, base_url=f"{external}/only-{dialect}/v1") + BEHIND_THE_FAKE.format()
        for dialect in DIALECTS
    )
    return REGISTRY.format(local=upstreams.local.url, external=external) + "".join(ones)


def engine_registry(engine: str) -> str:
    """The same names, each showing one dialect of a real engine; the engine itself is the local server."""
    ones = (ONE_DIALECT.format(dialect=dialect, base_url=f"{engine}/v1") for dialect in DIALECTS)
    return f"providers:\n  local: {{kind: llamacpp, base_url: {engine}}}\n" + "".join(ones)


@contextlib.contextmanager
def run_translating(way: str, upstreams: Behind, folder: Path) -> Iterator[Gateway]:
    """The product in front of providers of one dialect each; it must not have crashed in the end."""
    with run_gateway(way, upstreams, folder, registry=fake_registry(upstreams)) as gateway:
        yield gateway
        assert "Traceback" not in gateway.program.output
        assert "crashed" not in gateway.program.output


def upstream_path(provider: str) -> str:
    """Where a call to `only-PROVIDER` arrives at the fake upstream."""
    return f"/only-{provider}/v1{PATHS[provider]}"


# A request's typed model in the SDK of each dialect; whether it streams stands beside it.
_MODELS: dict[str, Any] = {
    "chat": CompletionCreateParamsBase,
    "messages": MessageCreateParamsBase,
    "responses": ResponseCreateParamsBase,
}


def assert_valid_request(dialect: str, body: Json) -> None:
    """A body is what the dialect's SDK could have sent: by its typed model, and without fields unknown to it."""
    TypeAdapter(_MODELS[dialect]).validate_python(body)
    assert not body.keys() - {"stream"} - get_type_hints(_MODELS[dialect]).keys()


# ------------------------------------------------------------------------------------------------ what a client is told


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call, its arguments parsed."""

    id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """A whole answer as a client's SDK gives it.

    ``finish`` in the client's own word; ``usage`` in tokens: the input with what was cached, of it cached, the output.
    """

    text: str
    thinking: str
    calls: tuple[Call, ...]
    finish: str
    usage: tuple[int, int, int]


def of_chat(answer: ChatCompletion) -> Said:
    """What a chat client was told."""
    choice, usage = answer.choices[0], answer.usage
    assert usage is not None
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    cached = usage.prompt_tokens_details.cached_tokens if usage.prompt_tokens_details else 0
    calls = []
    for call in choice.message.tool_calls or []:
        assert call.type == "function"
        calls.append(Call(call.id, call.function.name, json.loads(call.function.arguments)))
    thinking = choice.message.model_dump().get("reasoning_content") or ""
    used = (usage.prompt_tokens, cached or 0, usage.completion_tokens)
    return Said(choice.message.content or "", thinking, tuple(calls), choice.finish_reason, used)


def of_messages(answer: Message) -> Said:
    """What a messages client was told."""
    usage = answer.usage
    cached = usage.cache_read_input_tokens or 0
    blocks = answer.content
    return Said(
        "".join(block.text for block in blocks if block.type == "text"),
        "".join(block.thinking for block in blocks if block.type == "thinking"),
        tuple(Call(block.id, block.name, dict(block.input)) for block in blocks if block.type == "tool_use"),
        answer.stop_reason or "",
        (usage.input_tokens + cached + (usage.cache_creation_input_tokens or 0), cached, usage.output_tokens),
    )


def _thought(item: ResponseReasoningItem) -> str:
    return "".join([*(part.text for part in item.summary), *(part.text for part in item.content or [])])


def of_responses(answer: Response) -> Said:
    """What a responses client was told."""
    usage = answer.usage
    assert usage is not None
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    thoughts = [item for item in answer.output if item.type == "reasoning"]
    return Said(
        answer.output_text,
        "".join(_thought(item) for item in thoughts),
        tuple(
            Call(item.call_id, item.name, json.loads(item.arguments))
            for item in answer.output
            if item.type == "function_call"
        ),
        answer.status or "",
        (usage.input_tokens, usage.input_tokens_details.cached_tokens, usage.output_tokens),
    )


# -------------------------------------------------------------------------------------------------- how a client asks

_PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {"location": {"type": "string"}},
    "required": ["location"],
}
CHAT_TOOL: ChatCompletionToolParam = {
    "type": "function",
    "function": {"name": "get_weather", "description": "The weather", "parameters": _PARAMETERS},
}
MESSAGES_TOOL: ToolParam = {"name": "get_weather", "description": "The weather", "input_schema": _PARAMETERS}
RESPONSES_TOOL: FunctionToolParam = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather",
    "parameters": _PARAMETERS,
    "strict": False,
}
HELLO = "Say hello"
MAX_TOKENS = 200


def chat_asks(text: str) -> list[ChatCompletionMessageParam]:
    """A conversation of one turn."""
    return [{"role": "user", "content": text}]


def messages_asks(text: str) -> list[MessageParam]:
    """A conversation of one turn."""
    return [{"role": "user", "content": text}]


def openai_client(url: str) -> OpenAI:
    """The official client of chat and responses; a context manager."""
    return OpenAI(base_url=f"{url}/v1", api_key=CLIENT_SECRET, max_retries=0, timeout=20)


def anthropic_client(url: str) -> Anthropic:
    """The official client of messages."""
    return Anthropic(base_url=url, api_key=CLIENT_SECRET, max_retries=0, timeout=20)


def say(url: str, dialect: str, model: str, text: str = HELLO, *, stream: bool) -> Said:
    """One turn of the dialect's official client, with a tool on offer; raises what the SDK raises."""
    if dialect == "messages":
        with anthropic_client(url) as client:
            return of_messages(_messages(client, model, text, stream))
    with openai_client(url) as client:
        if dialect == "chat":
            return of_chat(_chat(client, model, text, stream))
        return of_responses(_responses(client, model, text, stream))


def _chat(client: OpenAI, model: str, text: str, stream: bool) -> ChatCompletion:
    completions, said = client.chat.completions, chat_asks(text)
    if not stream:
        return completions.create(model=model, messages=said, tools=[CHAT_TOOL], max_tokens=MAX_TOKENS)
    with completions.stream(
        model=model,
        messages=said,
        tools=[CHAT_TOOL],
        max_tokens=MAX_TOKENS,
        stream_options={"include_usage": True},
    ) as events:
        return events.get_final_completion()


def _messages(client: Anthropic, model: str, text: str, stream: bool) -> Message:
    said = messages_asks(text)
    if not stream:
        return client.messages.create(model=model, max_tokens=MAX_TOKENS, messages=said, tools=[MESSAGES_TOOL])
    with client.messages.stream(model=model, max_tokens=MAX_TOKENS, messages=said, tools=[MESSAGES_TOOL]) as events:
        return events.get_final_message()


def _responses(client: OpenAI, model: str, text: str, stream: bool) -> Response:
    if not stream:
        return client.responses.create(model=model, input=text, tools=[RESPONSES_TOOL], max_output_tokens=MAX_TOKENS)
    with client.responses.stream(
        model=model, input=text, tools=[RESPONSES_TOOL], max_output_tokens=MAX_TOKENS
    ) as events:
        return events.get_final_response()


async def say_async(url: str, dialect: str, model: str, *, stream: bool) -> Said:
    """The same with the dialect's asynchronous client."""
    if dialect == "messages":
        async with AsyncAnthropic(base_url=url, api_key=CLIENT_SECRET, max_retries=0, timeout=20) as client:
            return of_messages(await _messages_async(client, model, stream))
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key=CLIENT_SECRET, max_retries=0, timeout=20) as client:
        if dialect == "chat":
            return of_chat(await _chat_async(client, model, stream))
        return of_responses(await _responses_async(client, model, stream))


async def _chat_async(client: AsyncOpenAI, model: str, stream: bool) -> ChatCompletion:
    completions, said = client.chat.completions, chat_asks(HELLO)
    if not stream:
        return await completions.create(model=model, messages=said, tools=[CHAT_TOOL])
    async with completions.stream(
        model=model, messages=said, tools=[CHAT_TOOL], stream_options={"include_usage": True}
    ) as events:
        return await events.get_final_completion()


async def _messages_async(client: AsyncAnthropic, model: str, stream: bool) -> Message:
    said = messages_asks(HELLO)
    if not stream:
        return await client.messages.create(model=model, max_tokens=MAX_TOKENS, messages=said, tools=[MESSAGES_TOOL])
    async with client.messages.stream(
        model=model, max_tokens=MAX_TOKENS, messages=said, tools=[MESSAGES_TOOL]
    ) as events:
        return await events.get_final_message()


async def _responses_async(client: AsyncOpenAI, model: str, stream: bool) -> Response:
    if not stream:
        return await client.responses.create(model=model, input=HELLO, tools=[RESPONSES_TOOL])
    async with client.responses.stream(model=model, input=HELLO, tools=[RESPONSES_TOOL]) as events:
        return await events.get_final_response()
