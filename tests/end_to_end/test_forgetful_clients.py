"""Clients that know their dialect and no extension of it: what they drop reaches the provider again all the same."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from openai.types.chat import ChatCompletionAssistantMessageParam, ChatCompletionMessage, ChatCompletionMessageParam

from tests.fake_answers import json_answer, streamed
from tests.fake_dialects import chat_body, messages_body, messages_events
from tests.fake_steps import Script
from tests.rig_client import Json
from tests.rig_gateway import WAYS, Behind, Gateway, run_gateway
from tests.rig_translation import CHAT_TOOL, MAX_TOKENS, RESPONSES_TOOL, assert_valid_request, openai_client

REGISTRY = """\
providers:
  local: {{kind: llamacpp, base_url: {local}}}
  anthropic: {{kind: anthropic, base_url: {external}/anthropic, api_key: ${{ANTHROPIC_API_KEY}}}}
  another: {{kind: anthropic, base_url: {external}/another, api_key: ${{HASTY_API_KEY}}}}
  gemini: {{kind: compatible, base_url: {external}/gemini/v1, api_key: ${{GROQ_API_KEY}}, dialects: [chat]}}
"""
CLAUDE, GEMINI = "anthropic/claude-opus-4-5", "gemini/flash"
THOUGHT = {"type": "thinking", "thinking": "I must look it up.", "signature": "EqQBCgIYAhIM1gbcDa9GJwZA2b3h"}
ID = "toolu_01A09q90qw90lq917835lq9"
QUESTION = "Weather in Tromsø?"
STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])


@pytest.fixture(name="running", scope="module", params=WAYS)
def fixture_running(
    request: pytest.FixtureRequest, all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    way, places = str(request.param), {"local": all_upstreams.local.url, "external": all_upstreams.external.url}
    folder = tmp_path_factory.mktemp("forgetful")
    with run_gateway(way, all_upstreams, folder, registry=REGISTRY.format(**places)) as gateway:
        yield gateway
        assert "Traceback" not in gateway.program.output


def thinking_answer(id: str, city: str, *, stream: bool) -> Script:
    """Signed reasoning, a word, and a call, from a provider of messages."""
    tool = ("get_weather", {"location": city})
    if not stream:
        body = messages_body(("I look.",), tools=[tool])
        text, call = body["content"]
        return json_answer({**body, "content": [THOUGHT, text, {**call, "id": id}]})
    first, *rest = messages_events(("I look.",), tools=[tool])
    block = {"type": "thinking", "thinking": "", "signature": ""}
    thought = [
        {"type": "content_block_start", "index": 0, "content_block": block},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": f"{kind}_delta", kind: THOUGHT[kind]}}
            for kind in ("thinking", "signature")
        ),
        {"type": "content_block_stop", "index": 0},
    ]
    later = [event.replace(b'"index":1', b'"index":2').replace(b'"index":0', b'"index":1') for event in rest]
    told = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in thought]
    return streamed([first, *told, *(event.replace(b"toolu_0", id.encode()) for event in later)])


def asks(question: str = QUESTION) -> list[ChatCompletionMessageParam]:
    return [{"role": "user", "content": question}]


def first_turn(gateway: Gateway, question: str = QUESTION, *, stream: bool = False) -> ChatCompletionMessage:
    with openai_client(gateway.url) as client:
        if not stream:
            made = client.chat.completions.create(
                model=CLAUDE, messages=asks(question), tools=[CHAT_TOOL], reasoning_effort="low", max_tokens=4000
            )
            return made.choices[0].message
        with client.chat.completions.stream(
            model=CLAUDE, messages=asks(question), tools=[CHAT_TOOL], reasoning_effort="low", max_tokens=4000
        ) as events:
            return events.get_final_completion().choices[0].message


def second_turn(
    gateway: Gateway, said: ChatCompletionMessage, model: str = CLAUDE, question: str = QUESTION, **more: Any
) -> Json:
    """Send the turn back as plain chat has it, with the tool's result; the request as the provider got it."""
    plain: ChatCompletionAssistantMessageParam = {"role": "assistant", "content": said.content}
    results: list[ChatCompletionMessageParam] = []
    calls = [call for call in said.tool_calls or [] if call.type == "function"]
    plain["tool_calls"] = [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.function.name, "arguments": call.function.arguments},
        }
        for call in calls
    ]
    results += [{"role": "tool", "tool_call_id": call.id, "content": "snow"} for call in calls]
    before = len(gateway.behind.posts())
    with openai_client(gateway.url) as client:
        client.chat.completions.create(
            model=model,
            messages=[*more.get("before", []), *asks(question), plain, *results],
            tools=[CHAT_TOOL],
            reasoning_effort="low",
            max_tokens=4000,
        )
    request = gateway.behind.posts()[before]
    sent: Json = json.loads(request.body)
    assert_valid_request("messages", sent)
    return sent


def assistant_blocks(sent: Json) -> list[Json]:
    (blocks,) = [message["content"] for message in sent["messages"] if message["role"] == "assistant"]
    return list(blocks)


def prepare(gateway: Gateway, id: str = ID, city: str = "Tromsø", *, stream: bool = False) -> None:
    """The first call is answered with signed reasoning, all further ones with words."""
    answers = (thinking_answer(id, city, stream=stream), json_answer(messages_body()))
    gateway.external.on("/anthropic/v1/messages", *answers)
    gateway.external.on("/another/v1/messages", json_answer(messages_body()))


@STREAMED
def test_the_signed_reasoning_stands_before_the_call_again(gateway: Gateway, stream: bool) -> None:
    prepare(gateway, stream=stream)
    said = first_turn(gateway, stream=stream)
    assert said.model_dump()["reasoning_details"][0]["signature"] == THOUGHT["signature"]
    sent = second_turn(gateway, said)
    assert assistant_blocks(sent) == [
        THOUGHT,
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": ID, "name": "get_weather", "input": {"location": "Tromsø"}},
    ]
    assert sent["thinking"]["type"] == "enabled", "the round of calls goes on thinking"


def test_another_client_with_the_same_id_gets_nothing(gateway: Gateway) -> None:
    prepare(gateway)
    said = first_turn(gateway)
    calls = said.tool_calls or []
    assert calls[0].type == "function"
    calls[0].function.arguments = '{"location": "Bergen"}'
    blocks = assistant_blocks(second_turn(gateway, said, question="Weather in Bergen?"))
    assert [block["type"] for block in blocks] == ["text", "tool_use"]


def test_a_counted_id_is_known_only_in_its_own_conversation(gateway: Gateway) -> None:
    prepare(gateway, "call_0", "Vardø")
    said = first_turn(gateway, "Weather in Vardø?")
    other = assistant_blocks(second_turn(gateway, said, question="And in Vardø?"))
    assert [block["type"] for block in other] == ["text", "tool_use"]
    own = assistant_blocks(second_turn(gateway, said, question="Weather in Vardø?"))
    assert [block["type"] for block in own] == ["thinking", "text", "tool_use"]


@pytest.mark.parametrize("model", ["another/claude-opus-4-5", "anthropic/claude-sonnet-4-5"])
def test_another_provider_or_model_does_not_get_it(gateway: Gateway, model: str) -> None:
    prepare(gateway)
    said = first_turn(gateway)
    blocks = assistant_blocks(second_turn(gateway, said, model))
    assert [block["type"] for block in blocks] == ["text", "tool_use"]
    assert THOUGHT["signature"] not in json.dumps(blocks)


def test_a_trimmed_history_is_served_by_the_random_id(gateway: Gateway) -> None:
    prepare(gateway)
    said = first_turn(gateway)
    instructions: ChatCompletionMessageParam = {"role": "system", "content": "It is 12:00."}
    sent = second_turn(gateway, said, question="What was it again?", before=[instructions])
    assert assistant_blocks(sent)[0] == THOUGHT


def test_the_signature_of_a_call_goes_back_with_the_call(gateway: Gateway) -> None:
    """Gemini refuses a call that comes back without its signature; a client of responses dropped its carrier."""
    body = chat_body((), tools=[("get_weather", {"location": "Oslo"})])
    signature = {"google": {"thought_signature": "CiQB0e2Kb"}}
    body["choices"][0]["message"]["tool_calls"][0]["extra_content"] = signature
    gateway.external.on("/gemini/v1/chat/completions", json_answer(body), json_answer(chat_body()))
    with openai_client(gateway.url) as client:
        asked: Any = [{"role": "user", "content": "Weather in Oslo?"}]
        made = client.responses.create(model=GEMINI, input=asked, tools=[RESPONSES_TOOL], max_output_tokens=MAX_TOKENS)
        (call,) = [item for item in made.output if item.type == "function_call"]
        asked.append({"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.arguments})
        asked.append({"type": "function_call_output", "call_id": call.call_id, "output": "rain"})
        client.responses.create(model=GEMINI, input=asked, tools=[RESPONSES_TOOL], max_output_tokens=MAX_TOKENS)
    sent = json.loads(gateway.behind.posts()[-1].body)
    (again,) = sent["messages"][1]["tool_calls"]
    assert again["extra_content"] == signature
