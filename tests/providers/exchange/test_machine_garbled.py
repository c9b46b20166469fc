"""What begins like an object and cannot be read is a hole in an answer: nobody takes what follows for the next word."""

from pathlib import Path

import pytest

from providers.exchange.account import EndedBy, Outcome
from providers.exchange.commands import Cut, Hangup
from providers.exchange.machine import Settings
from providers.wire.endpoints import Operation
from tests.fake_dialects import chat_body
from tests.fake_dialects import data as event
from tests.providers.exchange import rescue_play
from tests.providers.exchange.playbook import (
    JSON,
    STREAMS,
    Playbook,
    begin,
    client_gone,
    data,
    ended,
    exchange,
    head,
    opened,
)

BROKEN = [b'data: {"choices":[{"delta":{"conte\n\n', b"data: {nonsense}\n\n", b'data: {"a": "\x01"}\n\n']
READABLE = [b"data: [1]\n\n", b"data: ping\n\n", b'data: {"a":' + b"[" * 9000 + b"]" * 9000 + b"}\n\n"]
GARBLED = Outcome.UPSTREAM_PROTOCOL_ERROR
BODY = b'{"choices":[{"message":{"content":"x'


def streaming(operation: Operation = Operation.CHAT) -> Playbook:
    """A call of which the client has got the first words."""
    play = Playbook(exchange(operation)) >> begin() >> opened() >> head()
    for piece in STREAMS[operation][: spoken(operation)]:
        play >> data(piece)
    return play


def spoken(operation: Operation) -> int:
    """How many events hold the first word."""
    return next(at for at, piece in enumerate(STREAMS[operation]) if b'"H\\u00e9"' in piece) + 1


def outcome(play: Playbook) -> tuple[Outcome | None, EndedBy | None]:
    return play.account.outcome, play.account.who_ended


@pytest.mark.parametrize("broken", BROKEN)
def test_before_the_first_word_it_is_an_error(broken: bytes) -> None:
    play = Playbook() >> begin() >> opened() >> head() >> data(broken)
    assert play.head is not None
    assert play.head.status == 502
    assert Hangup() in play.asked
    assert outcome(play) == (GARBLED, EndedBy.UPSTREAM)


@pytest.mark.parametrize("operation", STREAMS)
@pytest.mark.parametrize("broken", BROKEN)
def test_within_a_stream_that_passes_it_is_told_at_the_end(operation: Operation, broken: bytes) -> None:
    play = streaming(operation) >> data(broken)
    for piece in STREAMS[operation][spoken(operation) :]:
        play >> data(piece)
    play >> ended()
    assert broken in play.body  # it passes as it came
    assert b"upstream_protocol_error" in play.body.partition(broken)[2] or operation is Operation.MESSAGES
    assert b"error" in play.body.partition(broken)[2]
    assert outcome(play) == (GARBLED, EndedBy.UPSTREAM)


def test_a_client_that_leaves_at_it_was_driven_away() -> None:
    play = streaming() >> data(BROKEN[0]) >> client_gone()
    assert outcome(play) == (GARBLED, EndedBy.UPSTREAM)
    assert play.account.error == "the client left where the answer cannot be read"


@pytest.mark.parametrize("odd", READABLE)
def test_what_may_be_good_is_left_alone(odd: bytes) -> None:
    play = streaming() >> data(odd)
    for piece in STREAMS[Operation.CHAT][spoken(Operation.CHAT) :]:
        play >> data(piece)
    play >> ended()
    assert outcome(play) == (Outcome.OK, EndedBy.UPSTREAM)


def test_a_last_event_that_is_cut_is_a_cut() -> None:
    play = streaming() >> data(BROKEN[0].rstrip()) >> ended()
    assert outcome(play) == (Outcome.UPSTREAM_TRUNCATED, EndedBy.UPSTREAM)


def test_a_plain_answer_that_breaks_off_within_is_none() -> None:
    play = Playbook(exchange(stream=False)) >> begin() >> opened() >> head(headers=JSON) >> data(BODY) >> ended()
    assert play.head is not None
    assert play.head.status == 502
    assert outcome(play) == (GARBLED, EndedBy.UPSTREAM)


def test_one_that_has_gone_out_in_part_is_cut() -> None:
    play = Playbook(exchange(stream=False, settings=Settings(hold_limit=10)))
    play >> begin() >> opened() >> head(headers=JSON) >> data(BODY) >> ended()
    assert play.end == Cut()
    assert outcome(play) == (GARBLED, EndedBy.UPSTREAM)


def test_a_rescue_goes_on_where_it_stands(tmp_path: Path) -> None:
    play = rescue_play.begun(rescue_play.registry(tmp_path), "chat", "chat-chat")
    hole = event({"choices": [{"index": 0, "delta": {"content": "lost"}}]})[:-9] + b"\n\n"
    behind = event(chat_body())
    pieces = rescue_play.EVENTS["chat"](rescue_play.WORDS[:3])[:4]
    rescue_play.streaming(play, [*pieces, hole + behind])
    assert rescue_play.prefill(rescue_play.dialled(play)) == "It rains in"
    rescue_play.goes_on(play, "chat")
    assert rescue_play.heard(play, "chat").text == rescue_play.TEXT
    assert [try_.outcome for try_ in play.account.attempts] == [GARBLED, Outcome.OK]


def test_without_a_rescue_what_is_written_anew_stops_there(tmp_path: Path) -> None:
    play = rescue_play.begun(rescue_play.registry(tmp_path), "messages", "chat-no-chat")
    pieces = rescue_play.EVENTS["chat"](rescue_play.WORDS)
    rescue_play.streaming(play, [*pieces[:4], BROKEN[0] + pieces[4]])
    assert b"valley" not in play.body
    assert b"event: error" in play.body
    assert outcome(play) == (GARBLED, EndedBy.UPSTREAM)


def test_a_providers_own_word_for_something_is_no_hole() -> None:
    play = streaming(Operation.MESSAGES) >> data(b'data: {"type":"malformed"}\n\n')
    for piece in STREAMS[Operation.MESSAGES][spoken(Operation.MESSAGES) :]:
        play >> data(piece)
    play >> ended()
    assert outcome(play) == (Outcome.OK, EndedBy.UPSTREAM)
