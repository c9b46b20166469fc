"""The exchange before an answer, its deadlines, and the ends that do not come from the provider."""

import json
from collections.abc import Callable

import pytest

from providers.exchange.account import EndedBy, Outcome
from providers.exchange.commands import Data, Dial, End, Hangup, Head, Send, SetTimer, Timer
from providers.exchange.ending import KEEP_ALIVE
from providers.exchange.faults import FAULTS
from providers.exchange.machine import Settings
from providers.wire.endpoints import Dialect, Operation
from tests.fake_dialects import chat_body, chat_events
from tests.providers.exchange.playbook import (
    JSON,
    SSE,
    STREAMS,
    TARGET,
    UNBUFFERED,
    UNNUMBERED,
    Input,
    Playbook,
    abandon,
    begin,
    client_gone,
    committed,
    data,
    ended,
    exchange,
    failed,
    head,
    opened,
    timer,
)

ROLE, FIRST, *REST = chat_events(("Hé", " you"))
BODY = json.dumps(chat_body()).encode()
CONNECT = SetTimer(Timer.PHASE, 1)
AWAIT_HEAD = SetTimer(Timer.PHASE, 2)
AWAIT_CONTENT = SetTimer(Timer.PHASE, 3)
GAP = SetTimer(Timer.PHASE, 4)
TOTAL = SetTimer(Timer.TOTAL, 10)
HOLD = SetTimer(Timer.HOLD, 10.0)


def error_of(play: Playbook) -> dict[str, str]:
    """The error object of an answer that is one."""
    assert play.head
    assert ("content-type", "application/json") in play.head.headers
    error: dict[str, str] = json.loads(play.body)["error"]
    return error


def sent() -> Playbook:
    return Playbook() >> begin() >> opened()


STAGES: dict[str, Callable[[], Playbook]] = {
    "dialling": lambda: Playbook() >> begin(),
    "sent": sent,
    "holding": lambda: sent() >> head(),
    "refused": lambda: sent() >> head(500),
    "streaming": committed,
}


# Before an answer.


@pytest.mark.parametrize("outcome", [outcome for outcome in FAULTS if outcome.startswith("upstream_")])
def test_each_failure_ahead_of_the_answer_has_its_words(outcome: Outcome) -> None:
    for play in (Playbook() >> begin(), sent(), sent() >> head()):
        play >> failed(outcome, "errno 111 at 10.0.0.1:443")
        told = FAULTS[outcome] if play.account.attempts[0].status is None else None
        assert play.head
        assert b"10.0.0.1" not in play.body
        assert play.account.error == "errno 111 at 10.0.0.1:443"
        if told:
            assert (play.head.status, error_of(play)["code"]) == (told.status, told.code)


def test_an_idle_connection_that_had_died_is_dialled_anew_at_no_cost() -> None:
    play = Playbook() >> begin() >> opened(0.5, reused=True)
    play.asked.clear()
    play >> failed(at=0.6) << [CONNECT, Dial(TARGET, fresh=True)]
    play >> opened(0.7) << [AWAIT_HEAD, Send(TARGET)]
    play >> head(200, JSON, 0.8) >> data(BODY) >> ended(0.9)
    stale, good = play.account.attempts
    assert (stale.stale, stale.outcome, stale.duration_us) == (True, Outcome.UPSTREAM_RESET, 600_000)
    assert (good.stale, good.outcome, good.connect_us) == (False, Outcome.OK, 100_000)
    assert play.account.outcome is Outcome.OK


def test_a_request_that_a_server_had_for_a_while_is_not_sent_again() -> None:
    play = Playbook() >> begin() >> opened(0.0, reused=True) >> failed(at=1.1)
    assert [attempt.stale for attempt in play.account.attempts] == [False]
    assert play.account.outcome is Outcome.UPSTREAM_RESET


def test_a_fresh_connection_that_dies_is_not_dialled_anew() -> None:
    play = Playbook() >> begin() >> opened(reused=True) >> failed() >> opened() >> failed()
    assert play.account.outcome is Outcome.UPSTREAM_RESET
    assert len(play.account.attempts) == 2


def test_a_reused_connection_that_fails_otherwise_is_not_dialled_anew() -> None:
    play = Playbook() >> begin() >> opened(reused=True) >> failed(Outcome.UPSTREAM_PROTOCOL_ERROR)
    assert play.account.outcome is Outcome.UPSTREAM_PROTOCOL_ERROR


# Deadlines.


@pytest.mark.parametrize(
    ("stage", "outcome"),
    [
        ("dialling", Outcome.UPSTREAM_TIMEOUT_CONNECT),
        ("sent", Outcome.UPSTREAM_TIMEOUT_FIRST_BYTE),
        ("holding", Outcome.UPSTREAM_TIMEOUT_FIRST_BYTE),
    ],
)
def test_a_deadline_ahead_of_the_answer_is_a_504(stage: str, outcome: Outcome) -> None:
    played = STAGES[stage]()
    played.asked.clear()
    played >> timer(Timer.PHASE, 5)
    assert played.asked[0] == Hangup()
    assert played.account.outcome is outcome
    assert played.head
    assert (played.head.status, error_of(played)["code"]) == (504, "upstream_timeout")


def test_the_gap_counts_from_the_last_piece() -> None:
    play = committed() >> data(REST[0], 3)
    play.asked.clear()
    play >> timer(Timer.PHASE, 4) << [SetTimer(Timer.PHASE, 3.0)]
    play >> timer(Timer.PHASE, 7)
    assert play.asked[0] == Hangup()
    assert play.account.outcome is Outcome.UPSTREAM_TIMEOUT_IDLE
    assert b'"code":"upstream_timeout"' in play.body


def test_a_connection_that_stays_open_behind_the_terminal_event_has_said_everything() -> None:
    play = committed(pieces=len(STREAMS[Operation.CHAT]))
    play.asked.clear()
    play >> timer(Timer.PHASE, 9) << [Hangup(), End()]
    assert play.account.outcome is Outcome.OK


@pytest.mark.parametrize("stage", STAGES)
def test_the_total_deadline_ends_it_anywhere(stage: str) -> None:
    played = STAGES[stage]()
    played.asked.clear()
    played >> timer(Timer.TOTAL, 10)
    assert played.asked[0] == Hangup()
    assert played.account.outcome is Outcome.UPSTREAM_TIMEOUT_TOTAL


def test_a_stream_is_not_held_for_ever() -> None:
    """What waits for its content for long gets its head, so that the client sees that somebody is there."""
    play = sent() >> head() >> data(ROLE)
    play.asked.clear()
    alive, again = Data(KEEP_ALIVE[Dialect.CHAT]), SetTimer(Timer.HOLD, 15)
    play >> timer(Timer.HOLD, 1) << [Head(200, [*SSE, *UNBUFFERED, *UNNUMBERED]), alive, again]
    play >> data(b": hm\n\n", 2) << []
    play >> timer(Timer.HOLD, 2) << [alive, again]
    play >> timer(Timer.PHASE, 3)
    assert play.account.outcome is Outcome.UPSTREAM_TIMEOUT_FIRST_BYTE
    assert isinstance(play.end, End)
    assert b'"code":"upstream_timeout"' in play.body


def test_a_stream_that_was_let_go_is_held_to_its_gap_from_the_first_content() -> None:
    play = sent() >> head() >> timer(Timer.HOLD, 1) >> data(FIRST, 2.5)
    play.asked.clear()
    play >> timer(Timer.PHASE, 3) << [SetTimer(Timer.PHASE, 3.5)]
    assert play.account.ttft_us == 2_500_000


def test_the_hold_says_nothing_to_what_is_not_held() -> None:
    play = Playbook(exchange(settings=Settings(hold_limit=3))) >> begin() >> opened() >> head(200, JSON) >> data(BODY)
    play.asked.clear()
    play >> timer(Timer.HOLD, 1) << []


def test_nothing_rings_before_the_beginning() -> None:
    Playbook() >> timer(Timer.TOTAL) << []


# Ends that do not come from the provider.


@pytest.mark.parametrize("stage", STAGES)
def test_a_client_that_hangs_up_ends_the_upstream(stage: str) -> None:
    played = STAGES[stage]()
    played.asked.clear()
    played >> client_gone(0.9) << [Hangup()]
    account = played.account
    assert (account.outcome, account.who_ended) == (Outcome.CLIENT_DISCONNECTED, EndedBy.CLIENT)
    assert account.duration_us == 900_000


def test_a_client_that_hangs_up_has_its_tokens_counted() -> None:
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}\n\n'
    play = committed() >> data(usage) >> client_gone()
    assert (play.account.input_tokens, play.account.output_tokens) == (3, 1)


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Outcome.SHUTDOWN, "gateway_shutdown"),
        (Outcome.KILLED, "killed"),
        (Outcome.INTERNAL_ERROR, "internal_error"),
    ],
)
def test_what_we_end_ourselves(outcome: Outcome, code: str) -> None:
    held = sent() >> head()
    held.asked.clear()
    held >> abandon(outcome, "why")
    assert held.asked[0] == Hangup()
    assert error_of(held)["code"] == code
    streaming = committed() >> abandon(outcome)
    assert f'"code":"{code}"'.encode() in streaming.body
    for play in (held, streaming):
        assert (play.account.outcome, play.account.who_ended) == (outcome, EndedBy.GATEWAY)


@pytest.mark.parametrize("end", [client_gone(2), abandon(Outcome.KILLED, at=2)])
def test_what_ends_before_it_began_took_no_time(end: Input) -> None:
    play = Playbook() >> end
    assert play.account.duration_us == 0
    assert play.account.attempts == []


def test_llama_servers_own_measure_counts_where_there_is_no_usage() -> None:
    timings = {"prompt_n": 5, "prompt_ms": 1.0, "predicted_n": 7, "predicted_ms": 2.0, "cache_n": 2}
    last = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "timings": timings}
    play = committed() >> data(b"data: " + json.dumps(last).encode() + b"\n\ndata: [DONE]\n\n") >> ended()
    account = play.account
    assert account.usage_source == "timings"
    assert (account.output_tokens, account.cache_read_tokens) == (7, 2)


@pytest.mark.parametrize(
    "stray",
    [opened(), head(), data(b"x"), ended(), failed(), timer(Timer.PHASE), client_gone(), abandon(Outcome.KILLED)],
)
def test_nothing_is_asked_for_after_the_end(stray: Input) -> None:
    play = sent() >> head(200, JSON) >> data(BODY) >> ended()
    facts = play.facts()
    play.asked.clear()
    play >> stray << []
    assert play.facts() == facts


@pytest.mark.parametrize("stray", [opened(), head(), data(b"x"), ended(), failed()])
def test_nothing_comes_of_an_upstream_that_was_not_dialled(stray: Input) -> None:
    Playbook() >> stray << []


@pytest.mark.parametrize("stray", [opened(), head(500)])
def test_what_comes_out_of_turn_is_not_listened_to(stray: Input) -> None:
    play = committed()
    facts = play.facts()
    play.asked.clear()
    play >> stray << []
    assert play.facts() == facts
