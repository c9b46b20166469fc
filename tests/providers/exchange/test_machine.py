"""The exchange, state by state: what it asks for, what the client gets, what the record says."""

import json
from dataclasses import replace

import pytest

from providers.exchange.account import EndedBy, Outcome
from providers.exchange.commands import Cut, Data, Dial, End, Hangup, Head, Send, SetTimer, Timer
from providers.exchange.machine import Phase, Settings
from providers.wire.endpoints import Operation
from tests.fake_dialects import chat_body, chat_events
from tests.providers.exchange.playbook import (
    JSON,
    NAMED,
    SECRET,
    SSE,
    STREAMS,
    TARGET,
    UNBUFFERED,
    UNNUMBERED,
    Input,
    Playbook,
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


def test_a_stream_from_dialling_to_its_end() -> None:
    play = Playbook()
    play >> begin() << [TOTAL, HOLD, CONNECT, Dial(TARGET)]
    play >> opened(0.2) << [AWAIT_HEAD, Send(TARGET)]
    play >> head(200, [*SSE, ("x-request-id", "up-1")], 0.5) << [AWAIT_CONTENT]
    play >> data(ROLE, 0.6) << []
    answer = Head(200, [*SSE, ("x-request-id", "up-1"), *UNBUFFERED, *NAMED])
    play >> data(FIRST, 0.7) << [GAP, answer, Data(ROLE + FIRST)]
    play >> data(b"".join(REST), 0.8) << [Data(b"".join(REST))]
    play >> ended(0.9) << [End()]
    account = play.account
    assert (account.outcome, account.who_ended, account.error) == (Outcome.OK, EndedBy.UPSTREAM, None)
    times = (account.connect_us, account.ttfb_us, account.ttft_us, account.duration_us)
    assert times == (200_000, 500_000, 700_000, 900_000)
    assert (account.status, account.request_id_upstream, account.finish_reason) == (200, "up-1", "stop")
    usage = (account.input_tokens, account.output_tokens, account.cache_read_tokens, account.usage_source)
    assert usage == (11, 2, 4, "upstream")
    attempt = account.attempts[0]
    assert (attempt.status, attempt.outcome, attempt.bytes_in) == (200, Outcome.OK, len(play.body))
    assert (attempt.connect_us, attempt.ttfb_us, attempt.duration_us) == (200_000, 500_000, 900_000)
    assert play.exchange.heard.kept.content() == play.body


def test_a_plain_answer_waits_until_it_is_whole() -> None:
    play = sent() >> head(200, [*JSON, ("content-length", str(len(BODY)))])
    play.asked.clear()
    play >> data(BODY[:9]) << []
    play >> data(BODY[9:], 0.4) << []
    whole = Head(200, [*JSON, ("content-length", str(len(BODY))), *UNNUMBERED])
    play >> ended(0.5) << [whole, Data(BODY), End()]
    assert play.account.outcome is Outcome.OK
    assert play.account.ttft_us == 500_000


def test_an_answer_of_nothing_is_one_where_no_model_writes() -> None:
    play = Playbook(exchange(Operation.RERANK, stream=False)) >> begin() >> opened() >> head(204, [])
    play.asked.clear()
    play >> ended() << [Head(204, UNNUMBERED), End()]
    assert play.account.outcome is Outcome.OK


def test_a_long_plain_answer_leaves_before_it_is_whole() -> None:
    play = Playbook(exchange(settings=Settings(hold_limit=10))) >> begin() >> opened() >> head(200, JSON)
    play.asked.clear()
    play >> data(BODY[:10]) << []
    play >> data(BODY[10:]) << [GAP, Head(200, [*JSON, *UNNUMBERED]), Data(BODY)]
    play >> ended() << [End()]
    assert play.account.outcome is Outcome.OK


def test_a_long_plain_answer_that_goes_on_is_not_late() -> None:
    """Nothing of it is read before its end, so no content is seen; it is the gap that counts."""
    play = Playbook(exchange(settings=Settings(hold_limit=10))) >> begin() >> opened() >> head(200, JSON)
    play >> data(BODY[:11]) >> data(BODY[11:12], 3)
    play.asked.clear()
    play >> timer(Timer.PHASE, 4) << [SetTimer(Timer.PHASE, 3.0)]
    play >> timer(Timer.PHASE, 7) << [Hangup(), Cut()]
    assert play.account.outcome is Outcome.UPSTREAM_TIMEOUT_IDLE


def test_a_long_plain_answer_that_breaks_off_is_cut() -> None:
    play = Playbook(exchange(settings=Settings(hold_limit=10))) >> begin() >> opened() >> head(200, JSON)
    play >> data(BODY[:20])
    play.asked.clear()
    play >> failed() << [Cut()]
    assert play.account.outcome is Outcome.UPSTREAM_TRUNCATED


def test_a_plain_answer_that_breaks_off_is_an_error() -> None:
    play = sent() >> head(200, JSON) >> data(BODY[:20]) >> failed()
    assert play.head
    assert play.head.status == 502
    assert error_of(play)["code"] == "upstream_truncated"


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        ("org/big-1:free 100%", "org/big-1:free 100%"),
        ("a\r\nb: c", "a%0D%0Ab: c"),
        ("\x00ž🐎", "%00%C5%BE%F0%9F%90%8E"),
        ("\ud800", "?"),
        ("x" * 300, "x" * 200),
    ],
    ids=range(5),
)
def test_a_model_that_the_client_made_up_fits_into_a_header(model: str, shown: str) -> None:
    play = Playbook(exchange(target=replace(TARGET, model=model))) >> begin() >> opened() >> head(204, []) >> ended()
    assert play.head
    assert dict(play.head.headers)["x-patchbay-model"] == shown


# Refusals of the provider.


def test_an_error_status_is_retold_when_its_body_has_come() -> None:
    told = b'{"error":{"message":"no such tool","type":"invalid_request_error","param":null,"code":"x"}}'
    play = sent() >> head(400, [*JSON, ("content-length", str(len(told))), ("x-request-id", "up-2")])
    play.asked.clear()
    play >> data(told[:5]) >> data(told[5:]) << []
    answer = Head(400, [*JSON, ("x-request-id", "up-2"), *NAMED])
    play >> ended() << [answer, Data(told), End()]
    account = play.account
    assert (account.outcome, account.status, account.error) == (Outcome.UPSTREAM_HTTP_ERROR, 400, "no such tool")
    assert account.attempts[0].bytes_in == len(told)
    assert play.exchange.heard.kept.content() == told


@pytest.mark.parametrize("end", [failed(), timer(Timer.PHASE, 9), failed(Outcome.UPSTREAM_PROTOCOL_ERROR)])
def test_an_error_status_is_retold_even_if_its_body_never_ends(end: Input) -> None:
    play = sent() >> head(429, [("retry-after", "7")], 1) >> data(b"slow down", 1) >> end
    assert play.head
    assert (play.head.status, dict(play.head.headers)["retry-after"]) == (429, "7")
    assert play.account.outcome is Outcome.RATE_LIMITED
    assert error_of(play)["message"] == "slow down"


def test_an_error_body_that_goes_on_is_waited_for() -> None:
    play = sent() >> head(500, JSON, 1) >> data(b"{", 3)
    play.asked.clear()
    play >> timer(Timer.PHASE, 5) << [SetTimer(Timer.PHASE, 2.0)]


def test_an_endless_error_body_is_not_kept() -> None:
    play = sent() >> head(500, [("content-type", "text/plain")])
    for _ in range(200):
        play >> data(b"x" * 1000)
    play >> ended()
    assert play.account.attempts[0].bytes_in == 200_000
    assert len(play.body) < 2000


def test_a_packed_error_body_is_not_quoted() -> None:
    play = sent() >> head(500, [*JSON, ("content-encoding", "gzip")]) >> data(b"\x1f\x8b\x08\x00junk") >> ended()
    assert error_of(play)["message"] == "acme answered with status 500."
    assert play.head
    assert "content-encoding" not in dict(play.head.headers)


def test_a_refusal_of_the_local_server_hides_its_address() -> None:
    local = replace(TARGET, provider="local", external=False, host="127.0.0.1", port=8080)
    play = Playbook(exchange(target=local)) >> begin() >> opened() >> head(500, JSON)
    play >> data(b'{"error":{"message":"cannot bind 127.0.0.1:8080"}}') >> ended()
    assert b"8080" not in play.body


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, [("content-type", "text/html; charset=utf-8")]),
        (200, [("content-type", "application/xhtml+xml")]),
        (300, []),
        (101, []),
        (304, []),
        (103, []),
    ],
)
def test_what_is_no_answer_to_a_call(status: int, headers: list[tuple[str, str]]) -> None:
    play = sent()
    play.asked.clear()
    play >> head(status, headers)
    assert play.asked[0] == Hangup()
    assert play.account.outcome is Outcome.UPSTREAM_PROTOCOL_ERROR
    assert error_of(play)["code"] == "upstream_protocol_error"


@pytest.mark.parametrize("content_type", ["text/event-stream", "application/json"])
def test_a_packed_answer_cannot_be_read(content_type: str) -> None:
    """We ask for identity (specs: faults, F34): whoever packs all the same is told off before anything is sent."""
    play = sent() >> head(200, [("content-type", content_type), ("content-encoding", "gzip")])
    assert error_of(play)["code"] == "upstream_protocol_error"
    plain = sent() >> head(200, [("content-type", content_type), ("content-encoding", "identity")])
    assert plain.exchange.phase is Phase.HOLDING


def test_an_end_without_a_head() -> None:
    play = sent() >> ended()
    assert play.account.outcome is Outcome.UPSTREAM_PROTOCOL_ERROR


# Errors inside a 200.


@pytest.mark.parametrize(
    ("type_", "status"),
    [("overloaded_error", 503), ("rate_limit_error", 429), ("invalid_request_error", 400), ("what?", 502)],
)
def test_an_error_ahead_of_any_content_is_an_http_error(type_: str, status: int) -> None:
    told = json.dumps({"error": {"message": f"busy {SECRET}", "type": type_}}).encode()
    play = sent() >> head() >> data(ROLE)
    play.asked.clear()
    play >> data(b"data: " + told + b"\n\n")
    assert play.asked[0] == Hangup()
    assert play.head
    assert play.head.status == status
    assert error_of(play)["message"] == "busy [redacted]"
    assert play.account.outcome is Outcome.UPSTREAM_HTTP_ERROR


@pytest.mark.parametrize(
    ("headers", "told"),
    [(JSON, b'{"error":{"message":"no","code":"E1"}}'), (SSE, b'data: {"error":{"message":"no","code":"E1"}}\n')],
)
def test_an_error_object_as_a_whole_answer_is_an_http_error(headers: list[tuple[str, str]], told: bytes) -> None:
    play = sent() >> head(200, headers) >> data(told) >> ended()
    assert play.head
    assert (play.head.status, error_of(play)["code"]) == (502, "E1")


def test_an_error_event_that_breaks_off_is_an_http_error() -> None:
    play = sent() >> head() >> data(b'data: {"error":{"message":"no","code":"E1"}}\n') >> failed()
    assert play.head
    assert (play.head.status, error_of(play)["code"]) == (502, "upstream_truncated")


def test_an_error_after_content_passes_and_is_no_success() -> None:
    told = b'data: {"error":{"message":"broke ' + SECRET.encode() + b'"}}\n\n'
    play = committed() >> data(told)
    play.asked.clear()
    play >> ended() << [End()]
    assert play.body.endswith(told)
    assert (play.account.outcome, play.account.error) == (Outcome.UPSTREAM_HTTP_ERROR, "broke [redacted]")


def test_an_error_without_its_blank_line_is_completed() -> None:
    """A client gives up an event that is not followed by a blank line, and would see a clean end."""
    play = committed() >> data(b'data: {"error":{"message":"broke"}}')
    play.asked.clear()
    play >> ended() << [Data(b"\n\n"), End()]
    assert play.account.outcome is Outcome.UPSTREAM_HTTP_ERROR


def test_a_connection_that_dies_behind_an_error_adds_nothing() -> None:
    play = committed() >> data(b'data: {"error":{"message":"broke"}}\n\n')
    play.asked.clear()
    play >> failed() << [End()]
    assert play.account.outcome is Outcome.UPSTREAM_HTTP_ERROR


# Broken streams.


@pytest.mark.parametrize("end", [ended(), failed()])
def test_a_stream_without_its_terminal_event_ends_in_an_error(end: Input) -> None:
    play = committed()
    before = play.body
    play >> end
    assert isinstance(play.end, End)
    event = play.body.removeprefix(before)
    assert event.startswith(b'\n\ndata: {"error":')
    assert json.loads(event.removeprefix(b"\n\ndata: "))["error"]["code"] == "upstream_truncated"
    assert (play.account.outcome, play.account.status) == (Outcome.UPSTREAM_TRUNCATED, 200)


@pytest.mark.parametrize("end", [ended(), failed()])
def test_a_stream_without_content_or_terminal_event_is_an_http_error(end: Input) -> None:
    play = sent() >> head() >> data(ROLE) >> end
    assert play.head
    assert (play.head.status, error_of(play)["code"]) == (502, "upstream_truncated")


def test_a_connection_that_dies_behind_the_terminal_event_has_said_everything() -> None:
    play = committed(pieces=len(STREAMS[Operation.CHAT]))
    play.asked.clear()
    play >> failed() << [End()]
    assert play.account.outcome is Outcome.OK


def test_a_broken_protocol_is_no_end_even_behind_the_terminal_event() -> None:
    play = committed() >> failed(Outcome.UPSTREAM_PROTOCOL_ERROR, "garbage")
    assert (play.account.outcome, play.account.error) == (Outcome.UPSTREAM_PROTOCOL_ERROR, "garbage")
    assert b"garbage" not in play.body
