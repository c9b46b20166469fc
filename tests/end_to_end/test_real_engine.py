"""A real llama.cpp behind, the official SDKs in front: what works directly works through us, and looks the same."""

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from openai.types.responses import FunctionToolParam

from tests.rig import Program
from tests.rig_client import RawAnswer, get, open_stream, post, receive_until
from tests.rig_gateway import RUNNERS, WAYS, assert_told_in_dialect, behind

pytestmark = pytest.mark.engine

REPLY = "Hello from the tiny test model."
PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {"location": {"type": "string"}},
    "required": ["location"],
}
CHAT_TOOL: ChatCompletionToolParam = {
    "type": "function",
    "function": {"name": "get_weather", "description": "The weather", "parameters": PARAMETERS},
}
MESSAGES_TOOL: anthropic.types.ToolParam = {
    "name": "get_weather",
    "description": "The weather",
    "input_schema": {"type": "object", **PARAMETERS},
}
RESPONSES_TOOL: FunctionToolParam = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather",
    "parameters": PARAMETERS,
    "strict": False,
}
# Values that differ from call to call: ids, times, speeds, counts of what was cached.
PASSING = re.compile(
    rb'"(?:id|item_id|call_id|response_id|created|created_at|completed_at|[a-z_]*_ms|[a-z_]*_per_second|cache_n|prompt_n'
    rb'|cached_tokens|cache_read_input_tokens|t_start|t_last|id_task|id_slot)":(?:"[^"]*"|-?[0-9.e+-]+|null)'
)


@pytest.fixture(name="through", scope="module", params=WAYS)
def fixture_through(
    request: pytest.FixtureRequest, engine: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Program]:
    folder = tmp_path_factory.mktemp(str(request.param))
    with RUNNERS[str(request.param)](engine, {"PATCHBAY_DB": str(folder / "patchbay.db")}, folder, ()) as program:
        yield program


@pytest.fixture(name="client")
def fixture_client(through: Program) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{through.url}/v1", api_key="any", max_retries=0, timeout=30) as client:
        yield client


@pytest.fixture(name="claude")
def fixture_claude(through: Program) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=through.url, api_key="any", max_retries=0, timeout=30) as client:
        yield client


def says(text: str) -> list[ChatCompletionMessageParam]:
    return [{"role": "user", "content": text}]


def asks(text: str) -> list[anthropic.types.MessageParam]:
    return [{"role": "user", "content": text}]


def test_chat(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="tiny", messages=says("Hello"), max_tokens=100)
    said = answer.choices[0].message.content or ""
    assert said.startswith(REPLY)
    with client.chat.completions.stream(model="tiny", messages=says("Hello"), max_tokens=100) as stream:
        assert stream.get_final_completion().choices[0].message.content == said


def test_messages(claude: anthropic.Anthropic) -> None:
    answer = claude.messages.create(model="tiny", messages=asks("Hello"), max_tokens=100)
    assert answer.content[0].type == "text"
    assert answer.content[0].text.startswith(REPLY)
    with claude.messages.stream(model="tiny", messages=asks("Hello"), max_tokens=100) as stream:
        assert "".join(stream.text_stream) == answer.content[0].text
    assert claude.messages.count_tokens(model="tiny", messages=asks("Hello")).input_tokens > 0


def test_responses(client: openai.OpenAI) -> None:
    answer = client.responses.create(model="tiny", input="Hello", max_output_tokens=100)
    assert answer.output_text.startswith(REPLY)
    deltas = [
        event.delta
        for event in client.responses.create(model="tiny", input="Hello", max_output_tokens=100, stream=True)
        if event.type == "response.output_text.delta"
    ]
    assert len(deltas) > 5
    assert "".join(deltas) == answer.output_text


def test_a_tool_call_in_chat(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(model="tiny", messages=says("USE_TOOL"), tools=[CHAT_TOOL]) as stream:
        message = stream.get_final_completion().choices[0].message
    call = (message.tool_calls or [])[0]
    assert call.type == "function"
    assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", {"location": "Paris"})
    history: list[ChatCompletionMessageParam] = [
        *says("USE_TOOL"),
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.function.name, "arguments": call.function.arguments},
                }
            ],
        },
        {"role": "tool", "tool_call_id": call.id, "content": "sunny"},
    ]
    answer = client.chat.completions.create(model="tiny", messages=history, tools=[CHAT_TOOL])
    assert "The tool has answered" in (answer.choices[0].message.content or "")


def test_a_tool_call_in_messages(claude: anthropic.Anthropic) -> None:
    with claude.messages.stream(
        model="tiny", messages=asks("USE_TOOL"), max_tokens=200, tools=[MESSAGES_TOOL]
    ) as stream:
        message = stream.get_final_message()
    blocks = [block for block in message.content if block.type == "tool_use"]
    assert [(block.name, block.input) for block in blocks] == [("get_weather", {"location": "Paris"})]
    assert message.stop_reason == "tool_use"


def test_a_tool_call_in_responses(client: openai.OpenAI) -> None:
    answer = client.responses.create(model="tiny", input="USE_TOOL", tools=[RESPONSES_TOOL])
    calls = [item for item in answer.output if item.type == "function_call"]
    assert [(call.name, json.loads(call.arguments)) for call in calls] == [("get_weather", {"location": "Paris"})]


def test_thinking(client: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    answer = client.chat.completions.create(model="tiny", messages=says("USE_THINK"), max_tokens=200)
    assert "reasoning" in answer.choices[0].message.model_dump()["reasoning_content"]
    message = claude.messages.create(model="tiny", messages=asks("USE_THINK"), max_tokens=200)
    assert {"thinking", "text"} <= {block.type for block in message.content}


def is_processing(engine: str) -> bool:
    slots = get(int(engine.rpartition(":")[2]), "/slots").json()
    return any(slot["is_processing"] for slot in slots)


@pytest.mark.parametrize("dialect", ["chat", "messages"])
def test_hanging_up_stops_the_generation(through: Program, engine: str, dialect: str) -> None:
    path = {"chat": "/v1/chat/completions", "messages": "/v1/messages"}[dialect]
    body = {"model": "tiny", "stream": True, "max_tokens": 60_000, "messages": says("USE_LOOP")}
    with open_stream(through.port, path, body) as client:
        receive_until(client, b"seven")
        assert is_processing(engine)
        left_at = time.monotonic()
    while is_processing(engine):
        assert time.monotonic() - left_at < 2.0, "the model goes on for nobody"
        time.sleep(0.02)


def test_embeddings_are_refused_in_dialect(through: Program, client: openai.OpenAI) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        client.embeddings.create(model="tiny", input="hello")
    assert caught.value.status_code == 501
    with behind() as nobody:
        answer = post(through.port, "/v1/embeddings", {"model": "tiny", "input": "hello"})
        assert_told_in_dialect(answer, "chat", nobody, 501, passed_on=True)


def test_errors_of_messages_have_the_shape_of_messages(through: Program, claude: anthropic.Anthropic) -> None:
    """The engine itself answers an OpenAI-shaped 500 to a missing `messages`."""
    with behind() as nobody:
        assert_told_in_dialect(post(through.port, "/v1/messages", {"model": "tiny"}), "messages", nobody)


def test_the_models_are_listed(client: openai.OpenAI) -> None:
    assert "tiny" in [model.id for model in client.models.list()]


def still(body: bytes) -> bytes:
    """A body without what changes from call to call."""
    return PASSING.sub(b"", body)


HEADERS = ("content-type", "server", "access-control-allow-origin", "content-length")


def looks(answer: RawAnswer, *, sized: bool) -> tuple[int, dict[str, str | None], bytes]:
    names = HEADERS if sized else HEADERS[:-1]
    return answer.status, {name: answer.get(name) for name in names}, still(answer.body)


CALLS: dict[str, tuple[str, dict[str, Any] | None]] = {
    "chat": ("/v1/chat/completions", {"messages": says("Hello")}),
    "chat, streamed": ("/v1/chat/completions", {"messages": says("Hello"), "stream": True}),
    "chat with a tool, streamed": (
        "/v1/chat/completions", {"messages": says("USE_TOOL"), "tools": [CHAT_TOOL], "stream": True},
    ),
    "messages": ("/v1/messages", {"messages": says("Hello"), "max_tokens": 50}),
    "messages, streamed": ("/v1/messages", {"messages": says("Hello"), "max_tokens": 50, "stream": True}),
    "responses": ("/v1/responses", {"input": "Hello"}),
    "responses, streamed": ("/v1/responses", {"input": "Hello", "stream": True}),
    "completions": ("/v1/completions", {"prompt": "Hello", "max_tokens": 5}),
    "completions under their own name": ("/completion", {"prompt": "Hello", "n_predict": 5, "temperature": 0}),
    "count tokens": ("/v1/messages/count_tokens", {"messages": says("Hello")}),
    "tokenize": ("/tokenize", {"content": "Hello there"}),
    "detokenize": ("/detokenize", {"tokens": [300, 301]}),
    "apply template": ("/apply-template", {"messages": says("Hello")}),
    "props": ("/props", None),
    "health": ("/health", None),
    "llama-server's model list": ("/models", None),
    "no such page": ("/no/such/page", None),
}  # fmt: skip


@pytest.mark.parametrize("case", CALLS)
def test_through_us_it_looks_as_it_does_directly(through: Program, engine: str, case: str) -> None:
    path, body = CALLS[case]
    port = int(engine.rpartition(":")[2])
    asked = None if body is None else {"model": "tiny", **body}
    direct, ours = (get(p, path) if asked is None else post(p, path, asked) for p in (port, through.port))
    sized = direct.get("content-length") is not None and still(direct.body) == direct.body
    assert looks(ours, sized=sized) == looks(direct, sized=sized)
    assert ours.whole
