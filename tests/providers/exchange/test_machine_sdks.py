"""The official SDKs as judges: what an exchange sends when things go wrong must raise in them, never look complete."""

import json
from collections.abc import Callable, Iterator

import anthropic
import httpx2
import openai
import pytest

from providers.exchange.account import Outcome
from providers.exchange.commands import Cut, Timer
from providers.wire.endpoints import Operation
from tests.fake_dialects import chat_body, messages_body
from tests.providers.exchange.playbook import (
    JSON,
    OPERATIONS,
    STREAMS,
    Input,
    Playbook,
    abandon,
    begin,
    committed,
    data,
    ended,
    exchange,
    failed,
    head,
    opened,
    timer,
)

# How a stream goes wrong once it has begun.
WRONG: dict[str, Input] = {
    "ended": ended(),
    "reset": failed(),
    "garbage": failed(Outcome.UPSTREAM_PROTOCOL_ERROR),
    "stalled": timer(Timer.PHASE, 9),
    "too long": timer(Timer.TOTAL, 10),
    "shutdown": abandon(Outcome.SHUTDOWN),
    "killed": abandon(Outcome.KILLED),
    "our fault": abandon(Outcome.INTERNAL_ERROR),
}


class _Body(httpx2.SyncByteStream):
    """The body as the client's connection has it; one that was cut breaks."""

    def __init__(self, play: Playbook) -> None:
        self._play = play

    def __iter__(self) -> Iterator[bytes]:
        yield self._play.body
        if isinstance(self._play.end, Cut):
            raise httpx2.RemoteProtocolError("peer closed connection without sending complete message body")


def transport(play: Playbook) -> httpx2.MockTransport:
    def answer(_: httpx2.Request) -> httpx2.Response:
        assert play.head
        return httpx2.Response(play.head.status, headers=play.head.headers, stream=_Body(play))

    return httpx2.MockTransport(answer)


def ask_openai(play: Playbook) -> openai.OpenAI:
    client = httpx2.Client(transport=transport(play))
    return openai.OpenAI(api_key="k", base_url="http://gateway.example/v1", max_retries=0, http_client=client)


def ask_anthropic(play: Playbook) -> anthropic.Anthropic:
    client = httpx2.Client(transport=transport(play))
    return anthropic.Anthropic(api_key="k", base_url="http://gateway.example", max_retries=0, http_client=client)


def consume_chat(play: Playbook) -> int:
    with ask_openai(play) as client:
        return len(list(client.chat.completions.create(model="m", messages=[], stream=True)))


def consume_completions(play: Playbook) -> int:
    with ask_openai(play) as client:
        return len(list(client.completions.create(model="m", prompt="", stream=True)))


def consume_responses(play: Playbook) -> int:
    with ask_openai(play) as client:
        return len(list(client.responses.create(model="m", input="", stream=True)))


def consume_messages(play: Playbook) -> int:
    with ask_anthropic(play) as client:
        return len(list(client.messages.create(model="m", max_tokens=1, messages=[], stream=True)))


CONSUME: dict[Operation, Callable[[Playbook], int]] = {
    Operation.CHAT: consume_chat,
    Operation.COMPLETIONS: consume_completions,
    Operation.RESPONSES: consume_responses,
    Operation.MESSAGES: consume_messages,
}
RAISED = (openai.APIError, anthropic.APIError)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_good_stream_is_consumed(operation: Operation) -> None:
    play = committed(operation, pieces=len(STREAMS[operation])) >> ended()
    assert CONSUME[operation](play) >= 3


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_error_in_a_stream_raises(operation: Operation, wrong: str) -> None:
    play = committed(operation) >> WRONG[wrong]
    assert play.head
    assert play.head.status == 200
    with pytest.raises(RAISED) as raised:
        CONSUME[operation](play)
    assert play.account.error
    assert play.account.error in str(raised.value)


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_error_ahead_of_the_stream_raises(operation: Operation, wrong: str) -> None:
    play = Playbook(exchange(operation)) >> begin() >> opened() >> head() >> WRONG[wrong]
    assert play.head
    with pytest.raises(RAISED) as raised:
        CONSUME[operation](play)
    assert isinstance(raised.value, openai.APIStatusError | anthropic.APIStatusError)
    assert raised.value.status_code == play.head.status >= 500
    assert play.account.error
    assert play.account.error in str(raised.value)


# Wherever a stream is cut, also within an event, the SDK does not take it for complete.
@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_cut_stream_looks_complete(operation: Operation) -> None:
    stream = b"".join(STREAMS[operation])
    last = len(stream) - len(STREAMS[operation][-1])
    for size in range(len(committed(operation).body), last, 41):
        play = Playbook(exchange(operation)) >> begin() >> opened() >> head() >> data(stream[:size]) >> failed()
        # an event that was cut in two is no JSON, which the SDKs tell in their own ways
        with pytest.raises((*RAISED, json.JSONDecodeError, RuntimeError)):
            CONSUME[operation](play)


@pytest.mark.parametrize("wrong", ["reset", "stalled", "too long"])
def test_a_plain_answer_that_goes_wrong_raises(wrong: str) -> None:
    chat = Playbook() >> begin() >> opened() >> head(200, JSON) >> data(json.dumps(chat_body()).encode()[:30])
    messages = Playbook(exchange(Operation.MESSAGES)) >> begin() >> opened() >> head(200, JSON)
    messages >> data(json.dumps(messages_body()).encode()[:30])
    with ask_openai(chat >> WRONG[wrong]) as client, pytest.raises(openai.APIStatusError):
        client.chat.completions.create(model="m", messages=[])
    with ask_anthropic(messages >> WRONG[wrong]) as other, pytest.raises(anthropic.APIStatusError):
        other.messages.create(model="m", max_tokens=1, messages=[])
