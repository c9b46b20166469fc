"""A real llama.cpp that shows one dialect at a time: each SDK gets text, thoughts and tool calls from it."""

from collections.abc import Iterator

import pytest

from tests.rig import run_serve
from tests.rig_client import finished
from tests.rig_translation import (
    CHAT_TOOL,
    MAX_TOKENS,
    MESSAGES_TOOL,
    PAIRS,
    RESPONSES_TOOL,
    anthropic_client,
    chat_asks,
    engine_registry,
    messages_asks,
    openai_client,
    say,
)

pytestmark = pytest.mark.engine

REPLY = "Hello from the tiny test model."
AFTER = "The tool has answered"
FINISH = {"chat": "tool_calls", "messages": "tool_use", "responses": "completed"}
STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
EVERY_PAIR = pytest.mark.parametrize(("client", "provider"), PAIRS)


@pytest.fixture(name="url", scope="module")
def fixture_url(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("one-dialect-each")
    registry = folder / "registry.yaml"
    registry.write_text(engine_registry(engine))
    env = {"PATCHBAY_REGISTRY": str(registry), "PATCHBAY_DB": str(folder / "patchbay.db")}
    with run_serve(engine, env, folder) as program:
        yield program.url
        rows = finished(folder / "patchbay.db", "select * from exchanges where outcome is not null")
        assert not [row for row in rows if row["error"] or row["status"] != 200 or not row["finish_reason"]]
        assert "Traceback" not in program.output


@STREAMED
@EVERY_PAIR
def test_text(url: str, client: str, provider: str, stream: bool) -> None:
    said = say(url, client, f"only-{provider}/tiny", "Hello", stream=stream)
    assert said.text.startswith(REPLY)
    assert not said.calls
    assert said.usage[0] > 0
    assert said.usage[2] > 5


@STREAMED
@EVERY_PAIR
def test_thoughts(url: str, client: str, provider: str, stream: bool) -> None:
    said = say(url, client, f"only-{provider}/tiny", "USE_THINK", stream=stream)
    assert "these few words are reasoning" in said.thinking
    assert said.text.startswith(REPLY)


@STREAMED
@EVERY_PAIR
def test_tool_calls(url: str, client: str, provider: str, stream: bool) -> None:
    for word, number in (("USE_TOOL", 1), ("USE_TWO_TOOLS", 2)):
        said = say(url, client, f"only-{provider}/tiny", word, stream=stream)
        assert [(call.name, call.arguments) for call in said.calls] == [
            ("get_weather", {"location": "Paris"}) for _ in range(number)
        ]
        assert len({call.id for call in said.calls}) == number
        assert said.finish == FINISH[client]


@pytest.mark.parametrize("provider", ["messages", "responses"])
def test_a_tools_result_goes_back_in_chat(url: str, provider: str) -> None:
    model, said = f"only-{provider}/tiny", chat_asks("USE_TOOL")
    with openai_client(url) as client:
        first = client.chat.completions.create(model=model, messages=said, tools=[CHAT_TOOL]).choices[0].message
        (call,) = first.tool_calls or []
        history = [*said, first.model_dump(exclude_none=True)]
        history.append({"role": "tool", "tool_call_id": call.id, "content": "sunny"})
        answer = client.chat.completions.create(model=model, messages=history, tools=[CHAT_TOOL])  # type: ignore[arg-type]  # the answer's own shape
    assert AFTER in (answer.choices[0].message.content or "")


@pytest.mark.parametrize("provider", ["chat", "responses"])
def test_a_tools_result_goes_back_in_messages(url: str, provider: str) -> None:
    model, said = f"only-{provider}/tiny", messages_asks("USE_TOOL")
    with anthropic_client(url) as client:
        first = client.messages.create(model=model, max_tokens=MAX_TOKENS, messages=said, tools=[MESSAGES_TOOL])
        (call,) = [block for block in first.content if block.type == "tool_use"]
        said.append({"role": "assistant", "content": first.content})
        said.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}]})
        answer = client.messages.create(model=model, max_tokens=MAX_TOKENS, messages=said, tools=[MESSAGES_TOOL])
    assert AFTER in "".join(block.text for block in answer.content if block.type == "text")


@pytest.mark.parametrize("provider", ["chat", "messages"])
def test_a_tools_result_goes_back_in_responses(url: str, provider: str) -> None:
    model = f"only-{provider}/tiny"
    with openai_client(url) as client:
        first = client.responses.create(model=model, input="USE_TOOL", tools=[RESPONSES_TOOL])
        (call,) = [item for item in first.output if item.type == "function_call"]
        history = [
            {"role": "user", "content": "USE_TOOL"},
            *(item.model_dump(exclude_none=True) for item in first.output),
            {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"},
        ]
        answer = client.responses.create(model=model, input=history, tools=[RESPONSES_TOOL])  # type: ignore[arg-type]  # the answer's own shape
    assert AFTER in answer.output_text
