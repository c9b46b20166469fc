"""A provider that answers in the form that was not asked for: the client still gets the one it asked for."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.fake_answers import json_answer, streamed
from tests.fake_dialects import (
    chat_body,
    chat_events,
    completions_body,
    completions_events,
    messages_body,
    messages_events,
    responses_body,
    responses_events,
)
from tests.fake_steps import Script
from tests.rig_client import Json, exchange
from tests.rig_gateway import DIALECTS, Gateway, ask, assert_told_in_dialect

MODELS = {"chat": "gpt-9", "messages": "claude-9", "responses": "gpt-9"}
UPSTREAM = {
    "chat": "/openai/v1/chat/completions",
    "messages": "/anthropic/v1/messages",
    "responses": "/openai/v1/responses",
}
WORDS = ("One", " answer", ", in two forms")
TOOL = ("look", {"where": "here"})
PLAIN: dict[str, Callable[..., Json]] = {"chat": chat_body, "messages": messages_body, "responses": responses_body}
EVENTS: dict[str, Callable[..., list[bytes]]] = {
    "chat": chat_events,
    "messages": messages_events,
    "responses": responses_events,
}


def plain(dialect: str, **more: Any) -> Script:
    return json_answer(PLAIN[dialect](WORDS, **more))


def events(dialect: str, **more: Any) -> Script:
    return streamed(EVENTS[dialect](WORDS, **more))


def chat_text(gateway: Gateway, *, stream: bool) -> str:
    messages: Any = [{"role": "user", "content": "hi"}]
    with gateway.openai() as client:
        if not stream:
            return client.chat.completions.create(model="gpt-9", messages=messages).choices[0].message.content or ""
        with client.chat.completions.stream(model="gpt-9", messages=messages) as said:
            return said.get_final_completion().choices[0].message.content or ""


def messages_text(gateway: Gateway, *, stream: bool) -> str:
    asked: Any = {"model": "claude-9", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    with gateway.anthropic() as client:
        if not stream:
            return "".join(block.text for block in client.messages.create(**asked).content if block.type == "text")
        with client.messages.stream(**asked) as said:
            return said.get_final_text()


def responses_text(gateway: Gateway, *, stream: bool) -> str:
    with gateway.openai() as client:
        if not stream:
            return client.responses.create(model="gpt-9", input="hi").output_text
        with client.responses.stream(model="gpt-9", input="hi") as said:
            return said.get_final_response().output_text


READ: dict[str, Callable[..., str]] = {"chat": chat_text, "messages": messages_text, "responses": responses_text}


@pytest.mark.parametrize("stream", [True, False], ids=["stream from a plain answer", "plain answer from a stream"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_client_gets_what_it_asked_for(gateway: Gateway, dialect: str, stream: bool) -> None:
    gateway.external.on(UPSTREAM[dialect], plain(dialect) if stream else events(dialect))
    assert READ[dialect](gateway, stream=stream) == "".join(WORDS)


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])
def test_what_is_written_anew_is_on_record_as_what_it_was(gateway: Gateway, stream: bool) -> None:
    made = plain("chat", tools=(TOOL,)) if stream else events("chat", tools=(TOOL,))
    gateway.external.on(UPSTREAM["chat"], made)
    answer = gateway.post(*ask("chat", "gpt-9", stream=stream))
    assert answer.status == 200
    form = "text/event-stream" if stream else "application/json"
    assert (answer.get("content-type") or "").startswith(form)
    row = exchange(gateway.database, answer.get("x-patchbay-id") or "")
    assert (row["outcome"], row["finish_reason"]) == ("ok", "tool_calls")
    if not stream:
        call = answer.json()["choices"][0]["message"]["tool_calls"][0]
        assert (call["id"], call["function"]["name"]) == ("call_0", "look")
        assert json.loads(call["function"]["arguments"]) == {"where": "here"}


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])
def test_old_completions_too(gateway: Gateway, stream: bool) -> None:
    answer = json_answer(completions_body(WORDS)) if stream else streamed(completions_events(WORDS))
    gateway.local.on("/v1/completions", answer)
    with gateway.openai() as client:
        if stream:
            pieces = client.completions.create(model="m", prompt="hi", stream=True)
            assert "".join(piece.choices[0].text for piece in pieces if piece.choices) == "".join(WORDS)
        else:
            assert client.completions.create(model="m", prompt="hi").choices[0].text == "".join(WORDS)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_error_in_the_wrong_form_is_an_error(gateway: Gateway, dialect: str) -> None:
    gateway.external.on(UPSTREAM[dialect], json_answer({"error": {"message": "it broke", "type": "server_error"}}))
    answer = gateway.post(*ask(dialect, MODELS[dialect], stream=True))
    assert_told_in_dialect(answer, dialect, gateway.behind)


def test_several_choices_have_one_form_and_pass_as_they_came(gateway: Gateway) -> None:
    made = chat_body(WORDS)
    gateway.external.on(UPSTREAM["chat"], json_answer(made))
    answer = gateway.post(*ask("chat", "gpt-9", stream=True, n=2))
    assert answer.json() == made


def test_embeddings_have_one_form_only(gateway: Gateway) -> None:
    asked = {"model": "m", "input": "hi", "stream": True}
    answer = gateway.post("/v1/embeddings", asked)
    assert answer.status == 200
    assert answer.json()["data"]
