"""One call's translation as a whole: what is sent where, what comes back, what cannot be had."""

import json
from dataclasses import replace
from typing import Any

import pytest

from providers.wire import neutral
from providers.wire.endpoints import Dialect, Operation, endpoint_of
from providers.wire.events import Failure
from providers.wire.notes import Rejected
from providers.wire.readers import reader_for
from providers.wire.remote import Address
from providers.wire.translate import TRANSLATABLE, Translation, addresses_wanted
from tests.providers.wire import lookalikes_chat, lookalikes_messages
from tests.providers.wire.calls import (
    CHAT,
    CLAUDE,
    HI,
    MESSAGES,
    RESPONSES,
    USUAL,
    answered,
    asked,
    frames,
    plain,
    plan,
)

BODIES: dict[Operation, dict[str, Any]] = {
    Operation.CHAT: asked(CHAT),
    Operation.COMPLETIONS: {"model": "m", "prompt": "Hi"},
    Operation.MESSAGES: asked(MESSAGES),
    Operation.COUNT_TOKENS: {"model": "m", "messages": [HI]},
    Operation.RESPONSES: asked(RESPONSES, HI),
    Operation.INPUT_TOKENS: {"model": "m", "input": "Hi"},
}
DIALECTS = {Operation.COMPLETIONS: CHAT, Operation.COUNT_TOKENS: MESSAGES, Operation.INPUT_TOKENS: RESPONSES}


def of(operation: Operation, provider: Dialect, **more: Any) -> Translation:
    client = DIALECTS.get(operation) or Dialect(operation)
    body = {**BODIES[operation], **more}
    return Translation.plan(client, operation, provider, body, USUAL[provider], "told", id="ours_1", created=1)


@pytest.mark.parametrize(
    ("operation", "provider", "path"),
    [
        (Operation.CHAT, MESSAGES, "/v1/messages"),
        (Operation.CHAT, RESPONSES, "/v1/responses"),
        (Operation.COMPLETIONS, CHAT, "/v1/chat/completions"),
        (Operation.COMPLETIONS, MESSAGES, "/v1/messages"),
        (Operation.MESSAGES, CHAT, "/v1/chat/completions"),
        (Operation.MESSAGES, RESPONSES, "/v1/responses"),
        (Operation.COUNT_TOKENS, RESPONSES, "/v1/responses/input_tokens"),
        (Operation.RESPONSES, CHAT, "/v1/chat/completions"),
        (Operation.RESPONSES, MESSAGES, "/v1/messages"),
        (Operation.INPUT_TOKENS, MESSAGES, "/v1/messages/count_tokens"),
    ],
)
def test_where_a_call_goes(operation: Operation, provider: Dialect, path: str) -> None:
    made = of(operation, provider)
    assert made.endpoint == endpoint_of("POST", path)
    assert made.operation is not None
    assert json.loads(made.body)["model"] == "told"


@pytest.mark.parametrize("operation", [Operation.COUNT_TOKENS, Operation.INPUT_TOKENS])
def test_a_provider_that_cannot_count(operation: Operation) -> None:
    made = of(operation, CHAT)
    assert (made.operation, made.endpoint, made.body) == (None, None, b"")
    assert json.loads(made.estimate())["input_tokens"] == 5
    with pytest.raises(ValueError, match="no way to count"):
        made.reader(False)


@pytest.mark.parametrize(
    ("operation", "provider", "answer"),
    [
        (Operation.COUNT_TOKENS, RESPONSES, {"object": "response.input_tokens", "input_tokens": 7}),
        (Operation.INPUT_TOKENS, MESSAGES, {"input_tokens": 7}),
    ],
)
def test_a_count_comes_back(operation: Operation, provider: Dialect, answer: dict[str, object]) -> None:
    made = of(operation, provider)
    reader, writer = made.reader(False), made.writer(False)
    read = [*reader.feed(json.dumps(answer).encode()), *reader.close()]
    told = json.loads(b"".join([*(writer.write(event) for event in read), writer.close()]))
    assert told["input_tokens"] == 7
    assert ("object" in told) is (operation is Operation.INPUT_TOKENS)


def test_embeddings_belong_to_one_dialect() -> None:
    assert {Operation.EMBEDDINGS, Operation.RERANK, Operation.MODELS}.isdisjoint(TRANSLATABLE)
    with pytest.raises(Rejected, match="embeddings cannot be asked") as refused:
        Translation.plan(CHAT, Operation.EMBEDDINGS, MESSAGES, {"input": "x"}, CLAUDE, "m", id="x", created=1)
    assert refused.value.field == "model"


def test_a_routes_parameters_are_set_at_the_end() -> None:
    made = Translation.plan(
        CHAT, Operation.CHAT, MESSAGES, asked(CHAT), CLAUDE, "told", id="x", created=1, params={"max_tokens": 7, "x": 1}
    )
    body = json.loads(made.body)
    assert (body["max_tokens"], body["x"]) == (7, 1)


def test_what_a_client_dropped_can_be_put_back() -> None:
    def recall(request: neutral.Request) -> neutral.Request:
        return replace(request, turns=(*request.turns, neutral.Turn("user", (neutral.Text("recalled"),))))

    made = Translation.plan(
        CHAT, Operation.CHAT, MESSAGES, asked(CHAT), CLAUDE, "told", id="x", created=1, recall=recall
    )
    assert b"recalled" in made.body
    assert len(made.request.turns) == 2


@pytest.mark.parametrize("stream", [True, False])
def test_what_the_client_asked_for_and_what_it_is_called(stream: bool) -> None:
    made = plan(CHAT, MESSAGES, asked(CHAT, stream=stream))
    assert made.stream is stream
    assert json.loads(made.body).get("stream", False) is stream
    assert (made.answering.model, made.answering.provider) == ("m", MESSAGES)


def test_a_stream_for_a_client_that_did_not_ask_and_the_reverse() -> None:
    """Readers cope with either form, and each writer writes the one that the client asked for."""
    made = plan(CHAT, MESSAGES, asked(CHAT))
    assert plain(made, lookalikes_messages.STREAMS["one tool"])["object"] == "chat.completion"
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": {}}
    whole = json.dumps({**message, "content": [{"type": "text", "text": "a"}], "stop_reason": "end_turn"}).encode()
    streamed = frames(answered(made, whole))
    assert {chunk["object"] for chunk in streamed} == {"chat.completion.chunk"}
    assert "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in streamed) == "a"


def test_completions_are_answered_as_completions() -> None:
    made = of(Operation.COMPLETIONS, CHAT)
    assert made.notes.header() == "approximated=prompt"
    answer = plain(made, lookalikes_chat.STREAMS["text only"])
    assert (answer["object"], answer["choices"][0]["text"]) == ("text_completion", "Žluťoučký 🐎")
    assert {frame["object"] for frame in frames(answered(made, lookalikes_chat.STREAMS["text only"]))} == {
        "text_completion"
    }


def test_custom_tools_are_known_to_the_writer() -> None:
    tools = [{"type": "custom", "custom": {"name": "shell"}}]
    assert plan(CHAT, MESSAGES, asked(CHAT, tools=tools)).answering.custom_tools == {"shell"}


def test_lone_halves_of_characters_can_be_sent() -> None:
    body = asked(CHAT, {"role": "user", "content": "a\ud83d"})
    assert b"a" in plan(CHAT, MESSAGES, body).body
    json.loads(plan(MESSAGES, CHAT, asked(MESSAGES, {"role": "user", "content": "a\ud83d"})).body)


def test_errors_are_retold() -> None:
    made = plan(MESSAGES, CHAT, asked(MESSAGES))
    body = b'{"error":{"message":"too long","code":"context_length_exceeded"}}'
    assert made.error(400, body, "far").message == "prompt is too long: too long"
    assert made.failure(Failure("busy", "server_error"), "far").status == 500


@pytest.mark.parametrize("operation", sorted(TRANSLATABLE))
@pytest.mark.parametrize("provider", Dialect)
def test_every_operation_has_a_reader_and_a_writer(operation: Operation, provider: Dialect) -> None:
    made = of(operation, provider)
    assert callable(made.writer(True).write)
    assert callable(made.writer(False).write)
    if made.operation is not None:
        assert type(made.reader(True)) is type(reader_for(made.operation, True))


@pytest.mark.parametrize("operation", [Operation.CHAT, Operation.COMPLETIONS, Operation.MESSAGES, Operation.RESPONSES])
@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_can_be_written_anew_in_its_own_dialect(operation: Operation, stream: bool) -> None:
    dialect = DIALECTS.get(operation) or Dialect(operation)
    body = {**BODIES[operation], "stream": stream}
    made = Translation.within(dialect, operation, body, USUAL[dialect], "told", id="ours_1", created=1)
    assert made is not None
    assert (made.client, made.provider, made.operation, made.stream) == (dialect, dialect, operation, stream)
    assert made.body == b""
    assert made.notes.header() == ""
    assert made.answering.model == "m"


@pytest.mark.parametrize(
    ("operation", "more"),
    [
        (Operation.CHAT, {"n": 2}),
        (Operation.COUNT_TOKENS, {}),
        (Operation.MESSAGES, {"messages": 7}),
        (Operation.EMBEDDINGS, {}),
    ],
)
def test_what_has_one_form_only_is_not_written_anew(operation: Operation, more: dict[str, Any]) -> None:
    dialect = Dialect.CHAT if operation is Operation.EMBEDDINGS else DIALECTS.get(operation) or Dialect(operation)
    body = {**BODIES.get(operation, {}), **more}
    assert Translation.within(dialect, operation, body, USUAL[dialect], "told", id="ours_1", created=1) is None


@pytest.mark.parametrize(("downloads", "found"), [(False, (Address("image", "https://x.example/a.png"),)), (True, ())])
def test_what_must_be_downloaded_is_known_before_a_request_is_translated(
    downloads: bool, found: tuple[Address, ...]
) -> None:
    picture = {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}
    body = asked(CHAT, {"role": "user", "content": [picture]})
    target = replace(CLAUDE, image_urls=downloads)
    assert addresses_wanted(Operation.CHAT, MESSAGES, body, target) == found


def test_nothing_is_downloaded_for_what_cannot_be_translated() -> None:
    with pytest.raises(Rejected, match="embeddings cannot be asked"):
        addresses_wanted(Operation.EMBEDDINGS, MESSAGES, {"input": "x"}, CLAUDE)
