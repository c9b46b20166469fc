"""One call through the relay without a socket: hooks of others, faults of ours, secrets, and the demo."""

import io
import json

import pytest
from mitmproxy.flow import Error
from mitmproxy.http import HTTPFlow, Response
from mitmproxy.io import FlowWriter

from providers.exchange.account import Outcome
from tests.addons.conftest import ACME_KEY
from tests.addons.line import Line
from tests.addons.line_words import (
    ClientGone,
    ClientSays,
    Closes,
    Connected,
    Later,
    Opens,
    UpstreamSays,
    chunk,
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


# What hooks of others may do.


def test_a_response_set_in_the_request_hook_is_the_providers(line: Line) -> None:
    """mitmproxy's server replay does this: the record says what the provider said, and no connection is made."""

    def replay(flow: HTTPFlow) -> None:
        flow.response = Response.make(200, BODY, {"content-type": "application/json"})

    line.extra["request"] = replay
    line >> PLAIN
    answer = line.answer()
    assert (answer.status, answer.body, answer.headers["x-patchbay-provider"]) == (200, BODY, "acme")
    assert not any(isinstance(one, Opens) for one in line.done)


def test_a_replayed_stream_is_one(line: Line) -> None:
    stream = b"".join((ROLE, FIRST, *REST, DONE))

    def replay(flow: HTTPFlow) -> None:
        flow.response = Response.make(200, stream, {"content-type": "text/event-stream"})

    line.extra["request"] = replay
    line >> CALL
    assert (line.answer().body, line.answer().complete) == (stream, True)
    assert line.flow.metadata["patchbay.outcome"] == Outcome.OK


def test_an_answer_edited_in_the_response_hook_reaches_the_client(line: Line) -> None:
    def edit(flow: HTTPFlow) -> None:
        assert line.flow.response
        line.flow.response.status_code = 418
        line.flow.response.content = b'{"edited":true}'

    line.extra["response"] = edit
    asked(line, PLAIN) >> UpstreamSays(whole(200, BODY))
    answer = line.answer()
    assert (answer.status, answer.body) == (418, b'{"edited":true}')
    assert answer.headers["content-length"] == "15"


@pytest.mark.parametrize("hook", ["requestheaders", "request", "responseheaders", "response"])
def test_a_flow_that_is_killed_gets_no_answer(line: Line, hook: str) -> None:
    line.extra[hook] = lambda flow: flow.kill()
    line >> PLAIN
    if line.opening:
        line >> Connected() >> UpstreamSays(whole(200, BODY))
    assert line.to_client == b""
    assert line.done[-1] == Closes(0) or Closes(0) in line.done
    assert line.flow.error
    assert line.flow.error.msg == Error.KILLED_MESSAGE
    assert (hook in ("requestheaders", "request")) is not bool(line.to_upstream)
    assert line.exchanges.of(line.flow) is None or hook in ("requestheaders", "request")


# What goes wrong in our own code (specs: faults, F47).


@pytest.mark.parametrize("hook", ["requestheaders", "request"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses", "/props"])
def test_a_hook_of_ours_that_fails_refuses_the_call(
    line: Line, hook: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    place = "addons.gate._malformed" if hook == "requestheaders" else "addons.router.endpoint_of"
    monkeypatch.setattr(place, fail)
    line >> post(path, {"model": "big"})
    assert len(line.raised) == 1
    answer = line.answer()
    assert answer.status == 500
    error = answer.json()["error"]
    assert error["details"]["error_code"] if path == "/v1/messages" else error["code"] == "internal_error"
    assert not any(isinstance(one, Opens) for one in line.done)


def fail(*_: object) -> None:
    raise RuntimeError("a fault of somebody's")


@pytest.mark.parametrize("hook", ["requestheaders", "request"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses", "/props"])
def test_a_hook_of_others_that_fails_refuses_the_call(line: Line, hook: str, path: str) -> None:
    """It may have been there to check the request, or to take something out of it."""
    line.extra[hook] = fail
    line >> post(path, {"model": "big", "messages": []})
    answer = line.answer()
    assert answer.status == 500
    error = answer.json()["error"]
    assert error["details"]["error_code"] if path == "/v1/messages" else error["code"] == "internal_error"
    assert not any(isinstance(one, Opens) for one in line.done)
    assert line.exchanges.of(line.flow) is None or path == "/props"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/props"])
def test_a_hook_that_fails_at_the_head_of_an_answer_keeps_it_back(line: Line, path: str) -> None:
    line.extra["responseheaders"] = fail
    asked(line, post(path, {"model": "big"})) >> UpstreamSays(whole(200, BODY))
    assert (line.answer().status, line.answer().json()["error"]["code"]) == (500, "internal_error")
    assert Closes(9901 if path != "/props" else 0) in line.done
    assert line.flow.error


@pytest.mark.parametrize("hook", ["response", "error"])
def test_a_hook_that_fails_when_all_is_said_changes_nothing(line: Line, hook: str) -> None:
    line.extra[hook] = fail
    asked(line, PLAIN) >> UpstreamSays(whole(200, BODY))
    assert (line.answer().status, line.answer().body) == (200, BODY)


@pytest.mark.parametrize("hook", ["requestheaders", "request", "responseheaders"])
def test_an_answer_of_ours_is_taken_back_when_a_hook_fails(line: Line, hook: str) -> None:
    """An estimate, as it counts tokens for a provider that cannot: it is recorded as what it came to."""
    line.extra[hook] = fail
    line >> post("/v1/messages/count_tokens", {"model": "chatter", "messages": []})
    assert line.answer().status == 500
    assert line.answer().headers["x-patchbay-id"]
    assert not any(isinstance(one, Opens) for one in line.done)


@pytest.mark.parametrize("hook", ["requestheaders", "request", "responseheaders"])
def test_a_refusal_stays_what_it_is_when_a_hook_fails(line: Line, hook: str) -> None:
    line.extra[hook] = fail
    line >> ClientSays(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n{")
    assert (line.answer().status, line.answer().json()["error"]["type"]) == (400, "invalid_request_error")


def test_a_router_that_fails_half_way_refuses_the_call(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("addons.router.client_request", fail)
    line >> CALL
    assert line.answer().status == 500
    assert not any(isinstance(one, Opens) for one in line.done)


def test_an_exchange_that_fails_before_the_answer_is_a_500(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    def spoil(flow: HTTPFlow) -> None:
        assert flow.response
        flow.response.headers.fields = ((b"\xff", "no bytes"),)  # type: ignore[assignment]  # that is the point

    line.extra["responseheaders"] = spoil
    asked(line) >> UpstreamSays(head_of())
    assert (line.answer().status, line.answer().json()["error"]["code"]) == (500, "internal_error")
    assert "The relay failed" in caplog.text
    assert Closes(9901) in line.done


def test_an_exchange_that_fails_within_a_stream_says_so_in_the_stream(
    line: Line, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    streaming(line)
    monkeypatch.setattr("providers.exchange.machine.Exchange.ended", fail)
    line >> UpstreamSays(b"0\r\n\r\n")
    assert line.answer().complete
    assert b'"code":"internal_error"' in line.answer().body
    assert line.exchanges.of(line.flow) is None
    assert "a fault of ours" in caplog.text


def test_an_exchange_that_fails_to_hear_a_piece_says_so_in_the_stream(
    line: Line, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    streaming(line)
    monkeypatch.setattr("providers.exchange.machine.Exchange._hear", fail)
    line >> UpstreamSays(chunk(REST[0]))
    assert line.answer().complete
    assert b'"code":"internal_error"' in line.answer().body
    assert "a fault of ours" in caplog.text


def test_a_view_that_fails_behind_the_end_still_answers(
    line: Line, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("addons.relay.wire_view.WireView.edited", fail)
    asked(line, PLAIN) >> UpstreamSays(whole(200, BODY))
    assert line.answer().status == 500
    assert line.answer().json()["error"]["code"] == "internal_error"
    assert line.exchanges.of(line.flow) is None


# Secrets.


def test_the_key_is_in_the_bytes_that_leave_and_nowhere_else(line: Line) -> None:
    asked(line) >> UpstreamSays(head_of()) >> UpstreamSays(chunk(ROLE + FIRST + DONE) + b"0\r\n\r\n")
    sent = line.to_upstream[9901]
    assert sent.count(f"authorization: Bearer {ACME_KEY}\r\n".encode()) == 1
    assert b"<ACME_API_KEY>" not in sent
    flow = line.flow
    assert flow.request.headers["authorization"] == "Bearer <ACME_API_KEY>"
    for shown in (flow.get_state(), flow.metadata, flow.request.data, line.logged, flow.request.headers.fields):
        assert ACME_KEY not in repr(shown)


def test_the_clients_own_credentials_stay_here(line: Line) -> None:
    headers = {"authorization": "Bearer client-token-1", "x-api-key": "client-token-2", "cookie": "c=client-token-3"}
    asked(line, post("/v1/chat/completions?api_key=client-token-4", {"model": "big"}, headers))
    assert b"client-token" not in line.to_upstream[9901]
    assert "client-token" not in repr(line.flow.get_state())


@pytest.mark.parametrize("part", ["host", "port", "scheme"])
def test_the_key_is_not_sent_to_where_somebody_else_has_aimed_the_flow(line: Line, part: str) -> None:
    elsewhere: dict[str, object] = {"host": "evil.example", "port": 9999, "scheme": "https"}
    line.extra["request"] = lambda flow: setattr(flow.request, part, elsewhere[part])
    line >> CALL >> Connected()
    sent = b"".join(line.to_upstream.values())
    assert sent or part == "scheme"  # there a handshake would come first
    assert ACME_KEY.encode() not in sent


@pytest.mark.parametrize("model", ["a\r\nset-cookie: evil=1", "\ud800", "🐎 ž", "x" * 100_000, "\x00", ""])
def test_a_strange_model_name_breaks_neither_a_head_nor_a_saved_flow(line: Line, model: str) -> None:
    call = post("/v1/chat/completions?q=\u017e", {"model": model}, {"user-agent": "\u017e"})
    line >> ClientSays(call.data.replace("\u017e".encode(), b"\xff")) >> Connected() >> UpstreamSays(whole(200, BODY))
    answer = line.answer()
    assert (answer.status, answer.body) == (200, BODY)
    assert "set-cookie" not in answer.headers
    assert answer.headers["x-patchbay-model"].isascii()
    assert not line.raised
    FlowWriter(io.BytesIO()).add(line.flow)


# The demo.


def test_the_demo_answers_without_a_network(line: Line) -> None:
    line >> post("/v1/chat/completions", {"model": "demo", "stream": True})
    line >> Later(0.1)
    early = len(line.answer().body)
    line >> Later(10)
    answer = line.answer()
    assert early < len(answer.body)
    assert answer.complete
    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert not any(isinstance(one, Opens) for one in line.done)
    assert not line.raised


def test_a_client_that_hangs_up_on_the_demo_stops_it(line: Line) -> None:
    line >> post("/v1/chat/completions", {"model": "demo", "stream": True}) >> Later(0.2) >> ClientGone()
    sent = len(line.to_client)
    line >> Later(100)
    assert len(line.to_client) == sent
    assert line.flow.metadata["patchbay.outcome"] == Outcome.CLIENT_DISCONNECTED


def test_the_demos_old_alarms_do_no_harm(line: Line) -> None:
    for _ in range(2):
        line >> post("/v1/chat/completions", {"model": "demo"}) >> Later(20)
    line >> Later(8000)
    assert line.to_client.count(b"HTTP/1.1 200") == 2


def test_old_clients_get_the_end_of_the_connection_as_the_end(line: Line) -> None:
    body = json.dumps({"model": "big", "stream": True}).encode()
    head = f"POST /v1/chat/completions HTTP/1.0\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
    line >> ClientSays(head.encode() + body) >> Connected()
    line >> UpstreamSays(head_of() + chunk(ROLE + FIRST + DONE)) >> UpstreamSays(b"0\r\n\r\n")
    assert line.to_client.endswith(b"\r\n\r\n" + ROLE + FIRST + DONE)
    assert b"chunked" not in line.to_client
    assert Closes(0) in line.done
