"""The official SDKs, unchanged but for their base URL, get what the provider said: streamed or not, sync or async."""

import json

import pytest
from anthropic.types import Message, MessageParam
from openai.types.chat import ChatCompletionMessageParam

from tests.fake_answers import json_answer, streamed
from tests.fake_dialects import (
    WORDS,
    chat_body,
    chat_events,
    messages_body,
    messages_events,
    responses_body,
    responses_events,
)
from tests.rig_gateway import Gateway

SAID = "".join(WORDS)
CALL = ("get_weather", {"city": "Tromsø", "days": 3})
CHAT_HI: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hi"}]
HI: list[MessageParam] = [{"role": "user", "content": "hi"}]
CHAT_MODELS = ("gpt-9", "whatever", "groq/some-model")
MESSAGES_MODELS = ("claude-9", "whatever", "hasty/m")
RESPONSES_MODELS = ("gpt-9", "whatever", "hasty/m")


@pytest.mark.parametrize("model", CHAT_MODELS)
def test_chat(gateway: Gateway, model: str) -> None:
    with gateway.openai() as client:
        answer = client.chat.completions.create(model=model, messages=CHAT_HI)
        assert answer.choices[0].message.content == SAID
        with client.chat.completions.stream(model=model, messages=CHAT_HI) as stream:
            assert stream.get_final_completion().choices[0].message.content == SAID


@pytest.mark.parametrize("model", MESSAGES_MODELS)
def test_messages(gateway: Gateway, model: str) -> None:
    with gateway.anthropic() as client:
        answer = client.messages.create(model=model, max_tokens=9, messages=HI)
        assert [block.text for block in answer.content if block.type == "text"] == [SAID]
        with client.messages.stream(model=model, max_tokens=9, messages=HI) as stream:
            assert "".join(stream.text_stream) == SAID
            assert stream.get_final_message().stop_reason == "end_turn"
        assert client.messages.count_tokens(model=model, messages=HI).input_tokens == 11


@pytest.mark.parametrize("model", RESPONSES_MODELS)
def test_responses(gateway: Gateway, model: str) -> None:
    with gateway.openai() as client:
        assert client.responses.create(model=model, input="hi").output_text == SAID
        with client.responses.stream(model=model, input="hi") as stream:
            assert stream.get_final_response().output_text == SAID


def test_completions_and_embeddings(gateway: Gateway) -> None:
    with gateway.openai() as client:
        assert client.completions.create(model="gpt-9", prompt="hi").choices[0].text == SAID
        pieces = client.completions.create(model="gpt-9", prompt="hi", stream=True)
        assert "".join(piece.choices[0].text for piece in pieces) == SAID
        vector = client.embeddings.create(model="gpt-9", input="hi", encoding_format="float").data[0].embedding
        assert vector == [0.0, 0.125, 0.25]


@pytest.mark.anyio
async def test_chat_and_responses_with_the_asynchronous_client(gateway: Gateway) -> None:
    async with gateway.async_openai() as client:
        answer = await client.chat.completions.create(model="gpt-9", messages=CHAT_HI)
        assert answer.choices[0].message.content == SAID
        stream = await client.chat.completions.create(model="gpt-9", messages=CHAT_HI, stream=True)
        pieces = [piece.choices[0].delta.content or "" async for piece in stream if piece.choices]
        assert "".join(pieces) == SAID
        async with client.responses.stream(model="gpt-9", input="hi") as responses:
            assert (await responses.get_final_response()).output_text == SAID


@pytest.mark.anyio
async def test_messages_with_the_asynchronous_client(gateway: Gateway) -> None:
    async with gateway.async_anthropic() as client:
        answer = await client.messages.create(model="claude-9", max_tokens=9, messages=HI)
        assert answer.stop_reason == "end_turn"
        async with client.messages.stream(model="claude-9", max_tokens=9, messages=HI) as stream:
            assert "".join([text async for text in stream.text_stream]) == SAID


def test_a_tool_call_in_chat(gateway: Gateway) -> None:
    gateway.external.on(
        "/openai/v1/chat/completions", streamed(chat_events((), tools=[CALL])), json_answer(chat_body((), tools=[CALL]))
    )
    with gateway.openai() as client:
        with client.chat.completions.stream(model="gpt-9", messages=CHAT_HI) as stream:
            calls = [*(stream.get_final_completion().choices[0].message.tool_calls or [])]
        whole = client.chat.completions.create(model="gpt-9", messages=CHAT_HI).choices[0].message.tool_calls or []
    for call in (*calls, *whole):
        assert call.type == "function"
        assert (call.id, call.function.name, json.loads(call.function.arguments)) == ("call_0", *CALL)
    assert len(calls) == len(whole) == 1


def test_a_tool_call_in_messages(gateway: Gateway) -> None:
    gateway.external.on(
        "/anthropic/v1/messages", streamed(messages_events(tools=[CALL])), json_answer(messages_body(tools=[CALL]))
    )
    with gateway.anthropic() as client:
        with client.messages.stream(model="claude-9", max_tokens=9, messages=HI) as stream:
            answers: list[Message] = [stream.get_final_message()]
        answers.append(client.messages.create(model="claude-9", max_tokens=9, messages=HI))
    for answer in answers:
        block = answer.content[1]
        assert block.type == "tool_use"
        assert (block.id, block.name, block.input) == ("toolu_0", *CALL)


def test_a_tool_call_in_responses(gateway: Gateway) -> None:
    gateway.external.on(
        "/openai/v1/responses", streamed(responses_events(tools=[CALL])), json_answer(responses_body(tools=[CALL]))
    )
    with gateway.openai() as client:
        with client.responses.stream(model="gpt-9", input="hi") as stream:
            streamed_call = stream.get_final_response().output[1]
        whole_call = client.responses.create(model="gpt-9", input="hi").output[1]
    for call in (streamed_call, whole_call):
        assert call.type == "function_call"
        assert (call.call_id, call.name, json.loads(call.arguments)) == ("call_0", *CALL)


def test_many_streams_at_once_do_not_mix(gateway: Gateway) -> None:
    words = [str(number) + "," for number in range(40)]
    gateway.external.on("/openai/v1/chat/completions", streamed(chat_events(words), gap=0.005))
    with gateway.openai() as client:
        streams = [
            client.chat.completions.create(model="gpt-9", messages=CHAT_HI, stream=True, user=str(number))
            for number in range(12)
        ]
        for stream in streams:
            said = [piece.choices[0].delta.content or "" for piece in stream if piece.choices]
            assert "".join(said) == "".join(words)
