"""The demo's answers, judged by the readers and by the official SDKs' own types."""

import json
from itertools import pairwise

import pytest
from anthropic.types import Message, MessageTokensCount
from openai.types import Completion, CreateEmbeddingResponse
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from providers import demo
from providers.exchange.account import ExchangeAccount
from providers.wire.endpoints import Dialect, Operation
from providers.wire.readers import reader_for
from providers.wire.request import TextPart
from tests.providers.wire.playbook import answer_of, play

STREAMED = {
    Operation.CHAT: Dialect.CHAT,
    Operation.COMPLETIONS: Dialect.CHAT,
    Operation.MESSAGES: Dialect.MESSAGES,
    Operation.RESPONSES: Dialect.RESPONSES,
}
ANSWERED = [operation for operation in Operation if operation is not Operation.MODELS]


WITH_USAGE = b'{"stream_options": {"include_usage": true}}'


def asked(operation: Operation, *, stream: bool) -> ExchangeAccount:
    return ExchangeAccount(
        id="pb-1",
        started_at=0.0,
        provider="demo",
        kind="demo",
        dialect=STREAMED.get(operation, Dialect.CHAT),
        operation=operation,
        requested_model="demo",
        model="demo",
        stream=stream,
    )


@pytest.mark.parametrize("operation", STREAMED)
def test_a_stream_is_read_as_the_text_with_its_usage(operation: Operation) -> None:
    steps = list(demo.answer(asked(operation, stream=True), WITH_USAGE))
    answer = answer_of(play(reader_for(operation, True), [piece for _, piece in steps]))
    assert answer.message().parts == (TextPart(demo.TEXT),)
    assert answer.terminal
    assert answer.failure is None
    assert (answer.usage.input, answer.usage.output) == (len(WITH_USAGE) // 4, len(demo.WORDS))
    assert demo.head(asked(operation, stream=True)) == [("content-type", "text/event-stream")]


@pytest.mark.parametrize("operation", [Operation.CHAT, Operation.COMPLETIONS])
def test_usage_is_told_to_who_asked_for_it(operation: Operation) -> None:
    for body, told in ((WITH_USAGE, True), (b"{}", False), (b'{"stream_options": {"include_usage": false}}', False)):
        stream = b"".join(piece for _, piece in demo.answer(asked(operation, stream=True), body))
        assert (b'"usage"' in stream) is told


@pytest.mark.parametrize("operation", STREAMED)
def test_words_come_one_by_one_at_a_models_pace(operation: Operation) -> None:
    steps = [step for step in demo.answer(asked(operation, stream=True), b"{}") if step[1]]
    paced = [(pause, piece) for pause, piece in steps if pause]
    assert len(paced) == len(demo.WORDS)
    for word, (pause, piece) in zip(demo.WORDS, paced, strict=True):
        assert pause == demo.PAUSE
        assert json.dumps(word, ensure_ascii=False)[1:-1].encode() in piece
        assert piece.endswith(b"\n\n")


@pytest.mark.parametrize("operation", ANSWERED)
def test_a_plain_answer_is_one_piece_that_its_reader_understands(operation: Operation) -> None:
    account = asked(operation, stream=False)
    ((pause, body),) = demo.answer(account, b"{}")
    answer = answer_of(play(reader_for(operation, False), [body]))
    assert pause > 0
    assert answer.terminal
    assert answer.failure is None
    assert (answer.usage.input or 0) >= 1
    assert demo.head(account) == [("content-type", "application/json")]
    if operation in STREAMED:
        assert answer.message().parts == (TextPart(demo.TEXT),)


@pytest.mark.parametrize("operation", [Operation.EMBEDDINGS, Operation.RERANK, Operation.COUNT_TOKENS])
def test_what_is_never_streamed_is_plain_even_if_a_stream_is_asked_for(operation: Operation) -> None:
    ((_, body),) = demo.answer(asked(operation, stream=True), b"{}")
    assert isinstance(json.loads(body), dict)


@pytest.mark.parametrize("operation", [Operation.EMBEDDINGS, Operation.RERANK, Operation.COUNT_TOKENS])
def test_the_head_says_what_the_body_is(operation: Operation) -> None:
    assert demo.head(asked(operation, stream=True)) == [("content-type", "application/json")]


@pytest.mark.parametrize(
    ("operation", "model"),
    [
        (Operation.CHAT, ChatCompletion),
        (Operation.COMPLETIONS, Completion),
        (Operation.EMBEDDINGS, CreateEmbeddingResponse),
        (Operation.MESSAGES, Message),
        (Operation.COUNT_TOKENS, MessageTokensCount),
        (Operation.RESPONSES, Response),
    ],
)
def test_the_sdks_own_types_accept_a_plain_answer(
    operation: Operation,
    model: type[ChatCompletion | Completion | CreateEmbeddingResponse | Message | MessageTokensCount | Response],
) -> None:
    ((_, body),) = demo.answer(asked(operation, stream=False), b"{}")
    model.model_validate_json(body, strict=False)


def test_the_events_of_a_response_are_numbered_without_gaps() -> None:
    stream = b"".join(piece for _, piece in demo.answer(asked(Operation.RESPONSES, stream=True), b"{}"))
    numbers = [json.loads(line[6:])["sequence_number"] for line in stream.split(b"\n") if line.startswith(b"data: ")]
    assert numbers[0] == 0
    assert all(following == number + 1 for number, following in pairwise(numbers))
