"""Text completions from any provider's events, read by the openai SDK."""

import json
from typing import Any

import httpx2
import openai
from openai.types import Completion

from providers.wire.chat.completions_writer import CompletionsBodyWriter, CompletionsStreamWriter
from providers.wire.events import (
    Begin,
    Comment,
    Event,
    Finish,
    FinishReason,
    Opaque,
    Reasoning,
    Refusal,
    Terminal,
    Text,
    ToolCall,
    Usage,
)
from tests.providers.wire.chat.written import answering, chunks, write
from tests.providers.wire.test_judges import openai_client

EVENTS: tuple[Event, ...] = (
    Begin("id", "m"),
    Comment("ping"),
    Reasoning("h"),
    Reasoning("m"),
    Text("Once", 1),
    Text(" upon", 1),
    Usage(3, 4),
    Finish(FinishReason.LENGTH, "max_tokens"),
    Terminal(),
)


def body(*events: Event) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(write(CompletionsBodyWriter(answering()), events))
    return plain


def test_the_sdk_reads_the_stream() -> None:
    stream = write(CompletionsStreamWriter(answering()), EVENTS)
    assert stream.startswith(b": ping\n\n")
    with openai_client(stream).completions.create(model="m", prompt="p", stream=True) as told:
        read = list(told)
    assert "".join(chunk.choices[0].text for chunk in read if chunk.choices) == "Once upon"
    assert [chunk.choices[0].finish_reason for chunk in read if chunk.choices][-1] == "length"
    assert read[-1].usage is not None
    assert read[-1].usage.total_tokens == 7
    beside = [(chunk.choices[0].model_extra or {}).get("reasoning_content") for chunk in read if chunk.choices]
    assert beside == ["h", "m", None, None, None]


def test_the_end_comes_once() -> None:
    writer = CompletionsStreamWriter(answering())
    assert write(writer, EVENTS).endswith(b"data: [DONE]\n\n")
    assert writer.close() == b""
    plain = CompletionsBodyWriter(answering())
    assert write(plain, EVENTS)
    assert plain.close() == b""


def test_a_plain_completion() -> None:
    assert body(*EVENTS) == {
        "id": "id",
        "object": "text_completion",
        "created": 1760000000,
        "model": "m",
        "choices": [
            {"index": 0, "logprobs": None, "text": "Once upon", "reasoning_content": "hm", "finish_reason": "length"}
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
    }
    Completion.model_validate(body(*EVENTS))


def test_the_sdk_reads_the_plain_answer() -> None:
    told = write(CompletionsBodyWriter(answering()), EVENTS)
    transport = httpx2.MockTransport(
        lambda _: httpx2.Response(200, headers={"content-type": "application/json"}, content=told)
    )
    client = openai.OpenAI(api_key="k", base_url="http://x.invalid", http_client=httpx2.Client(transport=transport))
    assert client.completions.create(model="m", prompt="p").choices[0].text == "Once upon"


def test_a_refusal_is_text_that_says_so() -> None:
    said = body(Text("No"), Refusal(", never", 1), Finish(FinishReason.REFUSAL, "refusal"))
    assert said["choices"][0]["text"] == "No, never"
    assert said["choices"][0]["finish_reason"] == "content_filter"
    assert "usage" not in said


def test_an_empty_answer() -> None:
    assert body()["choices"][0] == {"index": 0, "logprobs": None, "text": "", "finish_reason": "stop"}
    (chunk,) = chunks(write(CompletionsStreamWriter(answering()), ()))
    assert chunk["choices"][0]["text"] == ""


def test_what_a_completion_cannot_say_stands_beside_the_text() -> None:
    said = body(Text("a"), ToolCall(1, "c", "f"), Opaque("1", "odd"), Finish(FinishReason.TOOL_CALLS, "tool_use"))
    choice = said["choices"][0]
    assert choice["tool_calls"][0]["id"] == "c"
    assert choice["provider_fields"]["other"] == [{"type": "odd", "value": 1}]
    assert choice["finish_reason"] == "stop"
