"""What a provider answers that is no answer to a call: other people's pages, ways elsewhere, nothing at all."""

import json

import pytest

from providers.exchange.account import Outcome
from providers.exchange.commands import Hangup, Send
from providers.wire.endpoints import Operation
from tests.fake_dialects import chat_body
from tests.providers.exchange.playbook import BEGAN, JSON, Input, Playbook, begin, data, ended, exchange, head, opened

BODY = json.dumps(chat_body()).encode()


def error_of(play: Playbook) -> dict[str, str]:
    """The error object of an answer that is one."""
    assert play.head
    assert ("content-type", "application/json") in play.head.headers
    error: dict[str, str] = json.loads(play.body)["error"]
    return error


def sent() -> Playbook:
    return Playbook() >> begin() >> opened()


@pytest.mark.parametrize("body", [b"", b" \n", b"<html></html>", b"upstream timed out", b"[]", b'"x"', b"null"])
@pytest.mark.parametrize("status", [200, 204])
def test_what_is_no_object_is_no_models_answer(status: int, body: bytes) -> None:
    play = Playbook(exchange(stream=False)) >> begin() >> opened() >> head(status, JSON)
    play = (play >> data(body) if body else play) >> ended()
    assert error_of(play)["code"] == "upstream_protocol_error"
    assert play.account.outcome is Outcome.UPSTREAM_PROTOCOL_ERROR
    assert play.account.error is not None


def test_blanks_may_stand_ahead_of_an_object() -> None:
    for begin_of_it in (b"\n \n", b"\xef\xbb\xbf"):
        play = Playbook(exchange(stream=False)) >> begin() >> opened() >> head(200, JSON)
        play >> data(begin_of_it) >> data(BODY) >> ended()
        assert play.body == begin_of_it + BODY
        assert play.account.outcome is Outcome.OK


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nobody_follows_to_another_address(status: int) -> None:
    play = sent()
    play.asked.clear()
    play >> head(status, [("location", "https://elsewhere.example/")])
    assert play.asked[0] == Hangup()
    assert play.account.outcome is Outcome.UPSTREAM_PROTOCOL_ERROR
    assert error_of(play)["code"] == "upstream_redirect"
    assert b"elsewhere" not in play.body


def test_a_name_that_leads_where_it_must_not_is_sent_nothing() -> None:
    play = Playbook() >> begin()
    play.asked.clear()
    play >> Input(lambda x: x.forbidden("127.0.0.1", BEGAN))
    assert not any(isinstance(command, Send) for command in play.asked)
    assert (play.account.outcome, play.account.error) == (Outcome.UPSTREAM_DNS, "127.0.0.1")
    assert error_of(play)["code"] == "upstream_forbidden_address"
    assert play.exchange.forbidden("127.0.0.1", BEGAN) == []


@pytest.mark.parametrize("operation", [Operation.EMBEDDINGS, Operation.RERANK, Operation.INPUT_TOKENS])
@pytest.mark.parametrize("body", [b"", b"\r\n"])
def test_nothing_with_status_200_is_no_answer_of_anybody(operation: Operation, body: bytes) -> None:
    play = Playbook(exchange(operation, stream=False)) >> begin() >> opened() >> head(200, JSON)
    play = (play >> data(body) if body else play) >> ended()
    assert error_of(play)["code"] == "upstream_protocol_error"
    assert play.account.outcome is Outcome.UPSTREAM_PROTOCOL_ERROR


@pytest.mark.parametrize("operation", [Operation.EMBEDDINGS, Operation.RERANK])
def test_what_no_model_writes_may_be_a_list(operation: Operation) -> None:
    play = Playbook(exchange(operation, stream=False)) >> begin() >> opened() >> head(200, JSON)
    play >> data(b"[]") >> ended()
    assert (play.body, play.account.outcome) == (b"[]", Outcome.OK)
