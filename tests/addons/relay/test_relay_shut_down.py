"""The end of one client connection when Patchbay is stopped: what is in flight gets an error, then it is closed."""

import json

import pytest

from providers.exchange.account import EndedBy, Outcome
from tests.addons.line import Line
from tests.addons.line_words import Closes, Connected, Hook, Stopped, UpstreamSays, chunk, get, head_of, post, whole
from tests.fake_dialects import chat_body, chat_events, messages_events, responses_events

PATHS = {"chat": "/v1/chat/completions", "messages": "/v1/messages", "responses": "/v1/responses"}
EVENTS = {"chat": chat_events(), "messages": messages_events(), "responses": responses_events()}


@pytest.mark.parametrize("dialect", PATHS)
def test_a_stream_ends_with_an_error_event_and_the_connection(line: Line, dialect: str) -> None:
    line >> post(PATHS[dialect], {"model": "big", "stream": True, "max_tokens": 9, "messages": [], "input": "hi"})
    line >> Connected() >> UpstreamSays(head_of() + b"".join(map(chunk, EVENTS[dialect][:6])))
    in_hand = line.exchanges.of(line.flow)
    assert in_hand is not None
    assert in_hand.exchange is not None
    account = in_hand.exchange.account
    line.done.clear()
    line >> Stopped()
    assert line.hooks() == ["error"]
    assert [one for one in line.done if isinstance(one, Closes)] == [Closes(9901), Closes(0)]
    answer = line.answer()
    assert (answer.status, answer.complete) == (200, True)
    told = json.loads(answer.body.rpartition(b"data: ")[2])
    assert told["error"]["message"] == "Patchbay is shutting down."
    assert (account.outcome, account.who_ended) == (Outcome.SHUTDOWN, EndedBy.GATEWAY)
    assert line.exchanges.of(line.flow) is None


@pytest.mark.parametrize(("dialect", "status"), [("chat", 503), ("messages", 529), ("responses", 503)])
def test_a_call_without_an_answer_gets_a_real_error(line: Line, dialect: str, status: int) -> None:
    line >> post(PATHS[dialect], {"model": "big", "max_tokens": 9, "messages": [], "input": "hi"})
    line >> Connected() >> Stopped()
    answer = line.answer()
    assert (answer.status, answer.complete) == (status, True)
    assert b"gateway_shutdown" in answer.body
    assert line.done[-1] == Closes(0)


def test_a_request_that_was_forwarded_gets_one_too(line: Line) -> None:
    line >> get("/props") >> Connected() >> Stopped()
    answer = line.answer()
    assert (answer.status, answer.json()["error"]["code"]) == (503, "gateway_shutdown")
    assert Closes(0) in line.done


def test_a_forwarded_answer_that_has_begun_is_cut(line: Line) -> None:
    line >> get("/props") >> Connected() >> UpstreamSays(head_of(200, "text/plain") + chunk(b"begun")) >> Stopped()
    answer = line.answer()
    assert (answer.status, answer.body, answer.complete) == (200, b"begun", False)
    assert Closes(0) in line.done


def test_an_idle_connection_is_closed_without_a_word(line: Line) -> None:
    line >> post(PATHS["chat"], {"model": "big", "messages": []})
    line >> Connected() >> UpstreamSays(whole(200, json.dumps(chat_body()).encode()))
    said = line.to_client
    line.done.clear()
    line >> Stopped()
    assert line.to_client == said
    assert Closes(0) in line.done
    assert not any(isinstance(one, Hook) for one in line.done)
