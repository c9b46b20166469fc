"""The official SDKs read the same streams with their own accumulators: nobody here wrote them, so they judge.

Text, tool calls, finish reason and usage must be what ``Answer`` says. Only good streams are judged: on odd ones the
SDKs raise, or lose what we keep.
"""

import json
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from providers.wire.answer import Answer
from providers.wire.endpoints import Operation
from providers.wire.readers import reader_for
from providers.wire.request import ReasoningPart, TextPart, ToolCallPart
from tests.providers.wire.chat.chunks import call, chunk
from tests.providers.wire.messages import blocks_play as a
from tests.providers.wire.playbook import FIXTURES, answer_of, named, play, sse
from tests.providers.wire.responses import items_play as r

MESSAGES: list[dict[str, Any]] = [{"role": "user", "content": "Hi"}]


def transport(stream: bytes) -> httpx2.MockTransport:
    pieces = [stream[at : at + 7] for at in range(0, len(stream), 7)]
    return httpx2.MockTransport(
        lambda _request: httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=iter(pieces))
    )


def openai_client(stream: bytes) -> openai.OpenAI:
    http = httpx2.Client(transport=transport(stream))
    return openai.OpenAI(api_key="none", base_url="http://upstream.invalid/v1", http_client=http, max_retries=0)


def anthropic_client(stream: bytes) -> anthropic.Anthropic:
    http = httpx2.Client(transport=transport(stream))
    return anthropic.Anthropic(api_key="none", base_url="http://upstream.invalid", http_client=http, max_retries=0)


def ours(operation: Operation, stream: bytes) -> Answer:
    return answer_of(play(reader_for(operation, stream=True), [stream]))


def text_of(answer: Answer) -> str:
    return "".join(part.text for part in answer.message().parts if isinstance(part, TextPart))


def reasoning_of(answer: Answer) -> list[tuple[str, str]]:
    return [(part.text, part.signature) for part in answer.message().parts if isinstance(part, ReasoningPart)]


def calls_of(answer: Answer) -> list[tuple[str, str, str]]:
    return [(part.id, part.name, part.arguments) for part in answer.message().parts if isinstance(part, ToolCallPart)]


USAGE = {
    "prompt_tokens": 12,
    "completion_tokens": 7,
    "total_tokens": 19,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 3},
}
CHAT = {
    "text": sse(
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "Žlu"}),
        chunk({"content": "ť 🐎"}),
        chunk(finish="stop"),
        done=True,
    ),
    "usage on an extra chunk": sse(
        chunk({"content": "a"}), chunk(finish="stop"), chunk(choices=[], usage=USAGE), done=True
    ),
    "usage on the finish chunk": sse(chunk({"content": "a"}), chunk(finish="length", usage=USAGE), done=True),
    "parallel and interleaved tools": sse(
        chunk({"role": "assistant", "content": None, "tool_calls": [{**call(0, "a", "f", ""), "type": "function"}]}),
        chunk({"tool_calls": [call(0, arguments='{"x"')]}),
        chunk({"tool_calls": [{**call(1, "b", "g", ""), "type": "function"}]}),
        chunk({"tool_calls": [call(1, arguments="{}"), call(0, arguments=": 1}")]}),
        chunk(finish="tool_calls"),
        done=True,
    ),
    "text and a tool": sse(
        chunk({"content": "Let me"}),
        chunk({"tool_calls": [{**call(0, "a", "f", "{}"), "type": "function"}]}),
        chunk(finish="tool_calls"),
        done=True,
    ),
    "a comment, no [DONE]": b": wait\n\n" + sse(chunk({"content": "a"}), chunk(finish="content_filter")),
    "llama-server, tools": (FIXTURES / "llamacpp.chat.USE_TWO_TOOLS.sse").read_bytes(),
    "llama-server, thinking": (FIXTURES / "llamacpp.chat.USE_THINK.sse").read_bytes(),
}


@pytest.mark.parametrize("name", CHAT)
def test_openai_reads_the_same_chat(name: str) -> None:
    stream, answer = CHAT[name], ours(Operation.CHAT, CHAT[name])
    with openai_client(stream).chat.completions.stream(model="m", messages=MESSAGES) as judged:  # type: ignore[arg-type]
        for _ in judged:
            pass
        completion = judged.current_completion_snapshot  # the final one is refused for length and content_filter
    message = completion.choices[0].message
    calls = [(c.id, c.function.name, c.function.arguments) for c in message.tool_calls or []]
    assert (text_of(answer), calls_of(answer)) == (message.content or "", calls)
    assert (answer.finish_raw, answer.id, answer.model) == (
        completion.choices[0].finish_reason,
        completion.id,
        completion.model,
    )
    if completion.usage:
        details = completion.usage.prompt_tokens_details
        assert (answer.usage.input, answer.usage.output) == (
            completion.usage.prompt_tokens,
            completion.usage.completion_tokens,
        )
        assert answer.usage.cache_read == (details.cached_tokens if details else None)
    assert answer.terminal


CACHED = {"input_tokens": 3, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 100, "output_tokens": 1}
ANTHROPIC = {
    "text": named(
        a.message_start(usage=CACHED),
        a.start(0, type="text", text=""),
        a.PING,
        a.delta(0, "text_delta", text="Žluť "),
        a.delta(0, "text_delta", text="🐎"),
        a.stop(0),
        a.message_delta("max_tokens", {"output_tokens": 9}),
        a.STOP,
    ),
    "thinking and tools": named(
        a.message_start(),
        a.start(0, type="thinking", thinking="", signature=""),
        a.delta(0, "thinking_delta", thinking="hm"),
        a.delta(0, "signature_delta", signature="s"),
        a.stop(0),
        a.start(1, type="tool_use", id="a", name="f", input={}),
        a.delta(1, "input_json_delta", partial_json=""),
        a.delta(1, "input_json_delta", partial_json='{"x": '),
        a.delta(1, "input_json_delta", partial_json="1}"),
        a.stop(1),
        a.start(2, type="tool_use", id="b", name="g", input={}),
        a.stop(2),
        a.message_delta("tool_use", {"input_tokens": 8, "output_tokens": 9}),
        a.STOP,
    ),
    "a server tool": named(
        a.message_start(),
        a.start(0, type="server_tool_use", id="srvtoolu_1", name="web_search", input={}),
        a.delta(0, "input_json_delta", partial_json='{"query": "x"}'),
        a.stop(0),
        a.start(1, type="text", text=""),
        a.delta(1, "text_delta", text="found"),
        a.stop(1),
        a.message_delta(),
        a.STOP,
    ),
    "already filled": named(
        a.message_start([{"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}], stop_reason="tool_use"),
        a.STOP,
    ),
    "llama-server, tools": (FIXTURES / "llamacpp.messages.USE_TWO_TOOLS.sse").read_bytes(),
    "llama-server, thinking": (FIXTURES / "llamacpp.messages.USE_THINK.sse").read_bytes(),
}


@pytest.mark.parametrize("name", ANTHROPIC)
def test_anthropic_reads_the_same_message(name: str) -> None:
    stream, answer = ANTHROPIC[name], ours(Operation.MESSAGES, ANTHROPIC[name])
    with anthropic_client(stream).messages.stream(model="m", max_tokens=9, messages=MESSAGES) as judged:  # type: ignore[arg-type]
        message = judged.get_final_message()
    assert text_of(answer) == "".join(block.text for block in message.content if block.type == "text")
    calls = [(block.id, block.name, block.input) for block in message.content if block.type == "tool_use"]
    assert [(id_, name_, json.loads(arguments)) for id_, name_, arguments in calls_of(answer)] == calls
    thinking = [block for block in message.content if block.type == "thinking"]
    assert reasoning_of(answer) == [(block.thinking, block.signature or "") for block in thinking]
    usage = message.usage
    cached = (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    assert (answer.usage.input, answer.usage.output) == (usage.input_tokens + cached, usage.output_tokens)
    assert (answer.finish_raw, answer.id, answer.terminal) == (message.stop_reason, message.id, True)


def numbered(*events: dict[str, Any]) -> bytes:
    return named(*({**event, "sequence_number": number} for number, event in enumerate(events)))


RESPONSE: dict[str, Any] = {"created_at": 1, "parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
TEXT_PART = {"type": "output_text", "text": "", "annotations": []}
MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "a", "name": "f", "status": "completed"}
COUNTS = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 14,
}
FULL_MESSAGE = {**MESSAGE, "content": [{**TEXT_PART, "text": "Žluť 🐎"}]}
FULL_CALL = {**CALL, "arguments": '{"x": 1}'}
RESPONSES = {
    "text": numbered(
        r.event("created", response=r.response("in_progress", **RESPONSE)),
        r.added(0, **MESSAGE, content=[]),
        r.event("content_part.added", 0, item_id="msg_1", content_index=0, part=TEXT_PART),
        r.event("output_text.delta", 0, item_id="msg_1", content_index=0, delta="Žluť ", logprobs=[]),
        r.event("output_text.delta", 0, item_id="msg_1", content_index=0, delta="🐎", logprobs=[]),
        r.event("output_text.done", 0, item_id="msg_1", content_index=0, text="Žluť 🐎", logprobs=[]),
        r.done(0, **FULL_MESSAGE),
        r.ended(output=[FULL_MESSAGE], usage=COUNTS, **RESPONSE),
    ),
    "a call": numbered(
        r.event("created", response=r.response("in_progress", **RESPONSE)),
        r.added(0, **CALL, arguments=""),
        r.event("function_call_arguments.delta", 0, item_id="fc_1", delta='{"x"'),
        r.event("function_call_arguments.delta", 0, item_id="fc_1", delta=": 1}"),
        r.event("function_call_arguments.done", 0, item_id="fc_1", name="f", arguments='{"x": 1}'),
        r.done(0, **FULL_CALL),
        r.ended(output=[FULL_CALL], usage=COUNTS, **RESPONSE),
    ),
}


@pytest.mark.parametrize("name", RESPONSES)
def test_openai_reads_the_same_response(name: str) -> None:
    stream, answer = RESPONSES[name], ours(Operation.RESPONSES, RESPONSES[name])
    with openai_client(stream).responses.stream(model="m", input="Hi") as judged:
        response = judged.get_final_response()
    assert text_of(answer) == response.output_text
    calls = [(item.call_id, item.name, item.arguments) for item in response.output if item.type == "function_call"]
    assert calls_of(answer) == calls
    assert response.usage is not None
    assert (answer.usage.input, answer.usage.output) == (response.usage.input_tokens, response.usage.output_tokens)
    assert answer.usage.reasoning == response.usage.output_tokens_details.reasoning_tokens
    assert (answer.id, answer.model, answer.finish_raw, answer.terminal) == (
        response.id,
        response.model,
        response.status,
        True,
    )
