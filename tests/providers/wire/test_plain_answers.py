"""Plain chat answers of many providers: each client's official SDK reads what the provider said.

The provider's answer is read back from our translation, streamed and plain, by the client's own SDK.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from providers.wire.chat.reader import ChatBodyReader, ChatStreamReader
from providers.wire.endpoints import Dialect
from providers.wire.events import Event, Usage
from providers.wire.messages import writer as messages_writer
from providers.wire.responses import writer as responses_writer
from providers.wire.writer import Answering, Writer
from tests.providers.wire.playbook import play
from tests.providers.wire.sdk_readings import ASKED, READ, Reading, same_usage

ANSWERING = Answering("ours_1", "asked", 1760000000, provider=Dialect.CHAT)
COUNTS = {"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19}
COUNTED = Usage(12, 7)


def body(message: dict[str, Any], finish: str | None = "stop", **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [choice],
        "usage": COUNTS,
    } | more


def function(id_: str, name: str, arguments: Any) -> dict[str, Any]:
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}


NOTHING = {"name": "", "arguments": ""}
SNOWFLAKE = {"audio": {"id": "", "data": "", "transcript": ""}, "function_call": NOTHING, "refusal": ""}
UNUSED = {"custom": {"name": "", "input": ""}}
SUMMARY = {"type": "reasoning.summary", "summary": "hm", "index": 0, "format": "openai-responses-v1"}
SEALED = {"type": "reasoning.encrypted", "data": "Z0FB", "id": "rs_1", "index": 0, "format": "openai-responses-v1"}
THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "h"}, {"type": "text", "text": "m"}]}
SOURCE = {
    "type": "url_citation",
    "url_citation": {"url": "https://x.invalid", "title": "X", "start_index": 0, "end_index": 0},
}

CALLED = Reading(calls=(("a", "f", {"x": 1}),), finish="tool_calls", usage=COUNTED)
ANSWERS: dict[str, tuple[dict[str, Any], Reading]] = {
    "OpenAI": (
        body({"content": "4", "refusal": None, "annotations": []}, moderation={"input": {"type": "x"}}),
        Reading("4", finish="stop", usage=COUNTED),
    ),
    "OpenAI refuses": (
        body({"content": None, "refusal": "No."}),
        Reading(refusal="No.", finish="refusal", usage=COUNTED),
    ),
    "Cerebras": (
        body({"content": "4", "reasoning": "hm"}, time_info={"total_time": 0.1}),
        Reading("4", reasoning="hm", finish="stop", usage=COUNTED),
    ),
    "DeepSeek, cut off": (
        body({"content": "", "reasoning_content": "hm"}, "length", usage={**COUNTS, "prompt_cache_hit_tokens": 8}),
        Reading(reasoning="hm", finish="length", usage=Usage(12, 7, 8)),
    ),
    "Gemini, no content": (body({"tool_calls": [function("a", "f", '{"x": 1}')]}, "tool_calls"), CALLED),
    "Gemini's filter, no message": (
        {"id": "c1", "choices": [{"index": 0, "finish_reason": "content_filter: RECITATION"}], "usage": COUNTS},
        Reading(finish="refusal", usage=COUNTED),
    ),
    "Mistral": (
        body({"content": [THOUGHT, {"type": "text", "text": "4"}], "tool_calls": None}),
        Reading("4", reasoning="hm", finish="stop", usage=COUNTED),
    ),
    "OpenRouter before Responses": (
        body(
            {
                "content": "",
                "reasoning": "hm",
                "reasoning_details": [SUMMARY, SEALED],
                "tool_calls": [{**function("a", "f", '{"x": 1}'), "index": 0}],
            },
            "tool_calls",
            provider="P",
        ),
        replace(CALLED, reasoning="hm"),
    ),
    "OpenRouter with sources": (
        body({"content": "4", "reasoning": None, "annotations": [SOURCE, SOURCE]}),
        Reading("4", finish="stop", usage=COUNTED),
    ),
    "Snowflake": (
        body({**SNOWFLAKE, "content": "4", "tool_calls": None}, "", id="", service_tier=""),
        Reading("4", finish="stop", usage=COUNTED),
    ),
    "Snowflake with a call": (
        body({**SNOWFLAKE, "content": "", "tool_calls": [{**function("a", "f", '{"x": 1}'), **UNUSED}]}, "", id=""),
        CALLED,
    ),
    "Together": (
        body({"content": "<think>\nhm</think>4"}, "eos", prompt=[], usage={**COUNTS, "cached_tokens": 0}),
        Reading("<think>\nhm</think>4", finish="stop", usage=Usage(12, 7, 0)),
    ),
    "Ollama, arguments as an object, finish stop": (
        body({"content": "", "tool_calls": [function("a", "f", {"x": 1})]}),
        CALLED,
    ),
    "no usage": (body({"content": "4"}, usage=None), Reading("4", finish="stop")),
}


def read_messages(plain: bytes) -> str:
    answer = httpx2.Client(transport=httpx2.MockTransport(lambda _: httpx2.Response(200, json=json.loads(plain))))
    client = anthropic.Anthropic(api_key="none", base_url="http://upstream.invalid", http_client=answer, max_retries=0)
    message = client.messages.create(model="m", max_tokens=9, messages=ASKED)  # type: ignore[arg-type]
    return "".join(block.text for block in message.content if block.type == "text")


def read_responses(plain: bytes) -> str:
    answer = httpx2.Client(transport=httpx2.MockTransport(lambda _: httpx2.Response(200, json=json.loads(plain))))
    client = openai.OpenAI(api_key="none", base_url="http://upstream.invalid/v1", http_client=answer, max_retries=0)
    return client.responses.create(model="m", input="Hi").output_text


PLAIN: dict[Dialect, tuple[Callable[[Answering], Writer], Callable[[Answering], Writer], Callable[[bytes], str]]] = {
    Dialect.MESSAGES: (messages_writer.StreamWriter, messages_writer.BodyWriter, read_messages),
    Dialect.RESPONSES: (responses_writer.StreamWriter, responses_writer.BodyWriter, read_responses),
}


def written(writer: Writer, events: list[Event]) -> bytes:
    return b"".join([*map(writer.write, events), writer.close()])


@pytest.mark.parametrize("client", PLAIN)
@pytest.mark.parametrize("name", ANSWERS)
def test_the_client_reads_what_the_provider_said(name: str, client: Dialect) -> None:
    answer, expected = ANSWERS[name]
    raw = json.dumps(answer).encode()
    events = play(ChatBodyReader(), [raw])
    assert play(ChatStreamReader(), [raw]) == events  # a client that asked for a stream gets the same
    streams, plains, read_plain = PLAIN[client]
    seen = READ[client](written(streams(ANSWERING), events), 7)
    assert same_usage(seen.usage, expected.usage)
    assert replace(seen, usage=expected.usage) == expected
    assert read_plain(written(plains(ANSWERING), events)) == expected.text
