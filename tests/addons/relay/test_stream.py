"""One call through the relay without a socket: what goes upstream, what the client gets, what the flow shows."""

import json

import pytest

from providers.exchange.account import Outcome
from tests.addons.conftest import ACME_KEY
from tests.addons.line import Line
from tests.addons.line_words import (
    ClientGone,
    ClientSays,
    Closes,
    Connected,
    Hook,
    Later,
    Opens,
    Refused,
    Sends,
    UpstreamGone,
    UpstreamSays,
    chunk,
    get,
    head_of,
    post,
    whole,
)
from tests.fake_dialects import chat_body, chat_events

CALL = post("/v1/chat/completions", {"model": "big", "stream": True, "messages": []})
PLAIN = post("/v1/chat/completions", {"model": "big", "messages": []})
ROLE, FIRST, *REST, DONE = chat_events(("Hé", " you"))
BODY = json.dumps(chat_body()).encode()


def asked(line: Line, call: ClientSays = CALL) -> Line:
    """The call has been sent upstream."""
    return line >> call >> Connected()


def streaming(line: Line) -> Line:
    """The answer has begun."""
    asked(line) >> UpstreamSays(head_of() + chunk(ROLE)) >> UpstreamSays(chunk(FIRST))
    line.done.clear()
    return line


def test_a_stream_passes_piece_by_piece(line: Line) -> None:
    line >> CALL << [Hook("requestheaders"), Hook("request"), Opens(9901)]
    line >> Connected()
    sent = line.to_upstream[9901]
    assert sent.startswith(b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:9901\r\n")
    assert sent.endswith(b'{"model": "big-1", "stream": true, "messages": []}')
    line.done.clear()
    line >> UpstreamSays(head_of() + chunk(ROLE)) << [Hook("responseheaders")]
    line >> UpstreamSays(chunk(FIRST))
    assert line.answer().body == ROLE + FIRST
    line.done.clear()
    for piece in REST:
        line >> UpstreamSays(chunk(piece)) << [Sends(0, chunk(piece))]
    line >> UpstreamSays(chunk(DONE) + b"0\r\n\r\n")
    line << [Sends(0, chunk(DONE)), Sends(0, b"0\r\n\r\n"), Hook("response")]
    answer = line.answer()
    assert (answer.status, answer.complete, answer.body) == (200, True, b"".join((ROLE, FIRST, *REST, DONE)))
    assert answer.headers["x-patchbay-provider"] == "acme"
    assert answer.headers["x-patchbay-model"] == "big-1"
    assert not line.raised


def test_a_plain_answer_comes_whole(line: Line) -> None:
    asked(line, PLAIN) >> UpstreamSays(whole(200, BODY))
    answer = line.answer()
    assert (answer.status, answer.body, answer.complete) == (200, BODY, True)
    assert answer.headers["content-length"] == str(len(BODY))
    assert line.hooks()[-1] == "response"


def test_the_next_call_uses_the_same_connection(line: Line) -> None:
    asked(line, PLAIN) >> UpstreamSays(whole(200, BODY))
    line.done.clear()
    line.to_client = b""
    line >> PLAIN >> UpstreamSays(whole(200, b'{"second":1}'))
    assert Opens(9901) not in line.done
    assert line.answer().body == b'{"second":1}'
    assert line.flows[0] is not line.flows[1]


def test_a_call_while_one_runs_waits_for_its_end(line: Line) -> None:
    asked(line, PLAIN) >> ClientSays(get("/v1/models").data)
    line.done.clear()
    line >> UpstreamSays(whole(200, BODY))
    assert line.answer().body == BODY
    assert len(line.flows) == 2


# The upstream fails.


def test_a_refused_connection_is_told_in_the_dialect(line: Line) -> None:
    line >> CALL >> Refused()
    answer = line.answer()
    assert answer.status == 503
    assert answer.json()["error"]["code"] == "upstream_unavailable"
    assert b"9901" not in line.to_client
    assert line.hooks() == ["requestheaders", "request", "error"]
    messages = post("/v1/messages", {"model": "big", "messages": []})
    line.to_client = b""
    line >> messages >> Refused()
    assert line.answer().json()["type"] == "error"
    assert line.answer().status == 529


@pytest.mark.parametrize(
    ("why", "outcome"),
    [
        ("[Errno -2] Name or service not known", Outcome.UPSTREAM_DNS),
        ("certificate verify failed: self-signed certificate", Outcome.UPSTREAM_TLS),
        ("[Errno 110] Connection timed out", Outcome.UPSTREAM_TIMEOUT_CONNECT),
        ("[Errno 111] Connect call failed", Outcome.UPSTREAM_REFUSED),
    ],
)
def test_why_no_connection_came_about(line: Line, why: str, outcome: Outcome) -> None:
    line >> CALL >> Refused(why)
    assert line.flow.metadata["patchbay.outcome"] == outcome


def test_garbage_is_no_answer_and_is_not_quoted(line: Line) -> None:
    asked(line) >> UpstreamSays(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    answer = line.answer()
    assert (answer.status, answer.json()["error"]["code"]) == (502, "upstream_protocol_error")
    assert b"SSH" not in line.to_client


def test_a_connection_that_closes_before_the_head(line: Line) -> None:
    asked(line) >> UpstreamGone()
    assert line.answer().json()["error"]["code"] == "upstream_reset"


def test_a_head_without_end_is_no_answer(line: Line) -> None:
    asked(line) >> UpstreamSays(b"HTTP/1.1 200 OK\r\n")
    for _ in range(70):
        if line.server and line.server.connected:
            line >> UpstreamSays(b"x-padding: " + b"x" * 1000 + b"\r\n")
    assert line.answer().json()["error"]["code"] == "upstream_protocol_error"


def test_an_idle_connection_that_had_closed_is_dialled_anew(line: Line) -> None:
    asked(line, PLAIN) >> UpstreamSays(whole(200, BODY)) >> PLAIN
    line.to_client = b""
    line.done.clear()
    line >> UpstreamGone()
    assert Opens(9901) in line.done
    line >> Connected() >> UpstreamSays(whole(200, BODY))
    assert line.answer().status == 200


def test_a_stream_that_breaks_off_ends_in_an_error_event(line: Line) -> None:
    streaming(line) >> UpstreamGone()
    answer = line.answer()
    assert answer.complete
    assert answer.body.startswith(ROLE + FIRST + b'\n\ndata: {"error":')
    assert line.hooks() == ["error"]
    assert line.flow.error


def test_broken_framing_ends_in_an_error_event(line: Line) -> None:
    streaming(line) >> UpstreamSays(chunk(REST[0]) + b"what?\r\n")
    answer = line.answer()
    assert answer.body.startswith(ROLE + FIRST + REST[0])  # what came ahead of the flaw is not lost
    assert b"upstream_protocol_error" in answer.body


def test_an_error_answer_is_retold(line: Line) -> None:
    asked(line) >> UpstreamSays(whole(401, json.dumps({"error": {"message": f"bad {ACME_KEY}"}}).encode()))
    answer = line.answer()
    assert (answer.status, answer.json()["error"]["code"]) == (502, "upstream_auth")
    assert answer.headers["x-should-retry"] == "false"  # trying again does not mend a key
    assert ACME_KEY.encode() not in line.to_client
    assert ACME_KEY not in repr(line.flow.get_state())
    assert line.hooks()[-1] == "response"


def test_a_long_plain_answer_that_breaks_off_has_no_clean_end(line: Line) -> None:
    asked(line, PLAIN) >> UpstreamSays(head_of(200, "application/json") + chunk(b"[" * (1 << 20)) + chunk(b"1"))
    line >> UpstreamGone()
    answer = line.answer()
    assert (answer.status, answer.complete) == (200, False)
    assert line.done[-2:] == [Closes(0), Hook("error")] or Closes(0) in line.done


# Time.


@pytest.mark.parametrize(
    ("played", "seconds"), [([CALL], 1), ([CALL, Connected()], 2), ([CALL, Connected(), UpstreamSays(head_of())], 3)]
)
def test_the_deadlines_before_the_answer(line: Line, played: list[ClientSays], seconds: int) -> None:
    for said in played:
        line >> said
    line.done.clear()
    line >> Later(seconds - 0.1) << []
    line >> Later(0.2)
    assert Closes(9901) in line.done
    assert (line.answer().status, line.answer().json()["error"]["code"]) == (504, "upstream_timeout")


def test_a_connection_that_comes_about_too_late_is_not_used(line: Line) -> None:
    line >> CALL >> Later(1.5)
    assert line.opening is None
    assert not line.to_upstream


def test_a_stream_that_falls_silent_ends_in_an_error_event(line: Line) -> None:
    streaming(line) >> Later(3) >> UpstreamSays(chunk(REST[0])) >> Later(3.9)
    assert not line.answer().complete
    line >> Later(0.2)
    assert line.answer().complete
    assert b'"code":"upstream_timeout"' in line.answer().body
    assert Closes(9901) in line.done


def test_a_client_that_is_behind_gets_no_sign_of_life(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    line >> post("/v1/chat/completions", {"model": "chatter", "stream": True, "messages": []}) >> Connected()
    line >> UpstreamSays(head_of() + chunk(ROLE)) >> UpstreamSays(chunk(FIRST))
    line.to_client = b""
    with monkeypatch.context() as behind:
        behind.setattr("addons.relay.stream.is_behind", lambda _client: True)
        line >> Later(60)
    assert line.to_client == b""
    line >> Later(2)
    assert line.to_client == chunk(b": keep-alive\n\n")


def test_the_total_deadline_ends_a_stream_that_goes_on(line: Line) -> None:
    streaming(line)
    for _ in range(5):
        line >> Later(1.9) >> UpstreamSays(chunk(b": hm\n\n"))
    line >> Later(1)
    assert b"took longer than allowed" in line.answer().body


def test_alarms_of_calls_that_are_over_wake_nobody(line: Line) -> None:
    asked(line, PLAIN) >> UpstreamSays(whole(200, BODY))
    line.done.clear()
    line >> Later(8000) << []


# The client hangs up.


@pytest.mark.parametrize(
    "played",
    [
        [CALL],
        [CALL, Connected()],
        [CALL, Connected(), UpstreamSays(head_of())],
        [CALL, Connected(), UpstreamSays(head_of() + chunk(ROLE))],
        [CALL, Connected(), UpstreamSays(head_of() + chunk(ROLE + FIRST))],
    ],
)
def test_a_client_that_hangs_up_closes_the_upstream(line: Line, played: list[ClientSays]) -> None:
    for said in played:
        line >> said
    line.done.clear()
    line >> ClientGone()
    assert Closes(9901) in line.done
    assert line.hooks() == ["error"]
    assert line.flow.metadata["patchbay.outcome"] == Outcome.CLIENT_DISCONNECTED
    assert line.exchanges.of(line.flow) is None
