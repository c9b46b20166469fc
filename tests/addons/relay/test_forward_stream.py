"""What is no LLM call goes to the local server as it is, and its answer comes back as it is."""

import pytest
from mitmproxy.http import HTTPFlow, Response

from providers.exchange.account import Outcome
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

HEADERS = {"authorization": "Bearer llama-key", "x-own": "1", "accept-encoding": "gzip"}
POSTED = post("/tokenize?x=1", {"content": "hi"}, HEADERS)


def forwarded(line: Line, request: ClientSays = POSTED) -> Line:
    line >> request >> Connected()
    line.done.clear()
    return line


def test_a_request_leaves_as_it_came_but_for_its_host(line: Line) -> None:
    line >> POSTED << [Hook("requestheaders"), Hook("request"), Opens(8080)]
    line >> Connected()
    assert line.to_upstream[8080] == POSTED.data.replace(b"localhost:8088", b"127.0.0.1:8080")


def test_the_answer_comes_piece_by_piece(line: Line) -> None:
    head = head_of(200, "text/plain", "server: llama.cpp", "set-cookie: a=b")
    forwarded(line) >> UpstreamSays(head)
    assert [one for one in line.done if isinstance(one, Sends)]
    line.done.clear()
    line >> UpstreamSays(chunk(b"one")) << [Sends(0, chunk(b"one"))]
    line >> UpstreamSays(b"0\r\n\r\n") << [Hook("response"), Sends(0, b"0\r\n\r\n")]
    answer = line.answer()
    assert (answer.headers["server"], answer.headers["set-cookie"]) == ("llama.cpp", "a=b")
    assert not any(name.startswith("x-patchbay") for name in answer.headers)
    assert line.flow.response
    assert line.flow.response.raw_content == b"one"


def test_a_long_answer_is_not_kept_whole(line: Line) -> None:
    forwarded(line) >> UpstreamSays(whole(200, b"x" * (1 << 21), "text/plain"))
    assert line.flow.response
    assert line.flow.response.raw_content == b"x" * len(line.flow.response.raw_content or b"")
    assert len(line.flow.response.raw_content or b"") == 1 << 20
    assert line.flow.metadata["patchbay.body_cut"] is True
    assert "cut" in line.flow.comment
    assert len(line.answer().body) == 1 << 21


@pytest.mark.parametrize("path", ["/props", "/v1/messages/batches"])
def test_a_local_server_that_is_down_is_told_in_json(line: Line, path: str) -> None:
    line >> get(path) >> Refused()
    answer = line.answer()
    assert (answer.status, answer.headers["content-type"]) == (502, "application/json")
    assert (answer.json().get("type") == "error") is ("messages" in path)
    assert b"8080" not in line.to_client
    assert b"mitmproxy" not in line.to_client
    assert line.hooks() == ["requestheaders", "request", "error"]


def test_a_local_server_that_comes_up_again_is_asked_again(line: Line) -> None:
    """A failed address is not remembered for the life of the client's connection."""
    line >> post("/v1/chat/completions", {"model": "x"}) >> Refused()
    assert line.answer().status == 503
    line.to_client = b""
    line >> get("/props") << [*line.done[:-1], *line.done[-1:]]
    assert line.opening is not None
    line >> Connected() >> UpstreamSays(whole(200, b"up"))
    assert line.answer().body == b"up"


def test_an_idle_connection_that_had_closed_is_dialled_anew(line: Line) -> None:
    forwarded(line) >> UpstreamSays(whole(200, b"1")) >> POSTED
    line.to_client, line.to_upstream = b"", {}
    line.done.clear()
    line >> UpstreamGone() << [Closes(8080), Opens(8080)]
    line >> Connected()
    assert line.to_upstream[8080] == POSTED.data.replace(b"localhost:8088", b"127.0.0.1:8080")
    line >> UpstreamSays(whole(200, b"2"))
    assert line.answer().body == b"2"


def test_a_request_that_the_server_had_for_a_while_is_not_sent_again(line: Line) -> None:
    forwarded(line) >> UpstreamSays(whole(200, b"1")) >> POSTED >> Later(1.1)
    line.to_client = b""
    line.done.clear()
    line >> UpstreamGone()
    assert line.answer().status == 502
    assert not any(isinstance(one, Opens) for one in line.done)


def test_a_fresh_connection_that_closes_is_not_dialled_anew(line: Line) -> None:
    forwarded(line) >> UpstreamGone()
    assert line.answer().status == 502
    assert not any(isinstance(one, Opens) for one in line.done)


def test_an_answer_that_has_begun_is_not_asked_for_again(line: Line) -> None:
    forwarded(line) >> UpstreamSays(whole(200, b"1")) >> POSTED
    line.to_client = b""
    line.done.clear()
    line >> UpstreamSays(head_of() + chunk(b"some")) >> UpstreamGone()
    assert not any(isinstance(one, Opens) for one in line.done)
    assert not line.answer().complete


@pytest.mark.parametrize("begun", [False, True])
def test_a_client_that_hangs_up_closes_the_upstream(line: Line, begun: bool) -> None:
    forwarded(line)
    if begun:
        line >> UpstreamSays(head_of() + chunk(b"some"))
    line.done.clear()
    line >> ClientGone()
    assert Closes(8080) in line.done
    assert line.hooks() == ["error"]


def test_every_unknown_path_and_method_goes_there(line: Line) -> None:
    for method, path in (("GET", "/"), ("DELETE", "/v1/files/1"), ("POST", "/slots/0?action=save"), ("PUT", "/v2/x")):
        line >> ClientSays(f"{method} {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        if line.opening:
            line >> Connected()
        assert f"{method} {path} HTTP/1.1\r\n".encode() in line.to_upstream[8080]
        line >> UpstreamSays(whole(200, b"{}"))
    assert not line.raised


def test_an_answer_of_ours_to_head_has_a_length_and_no_body(line: Line) -> None:
    line.extra["request"] = lambda flow: _answer(flow, b"twelve bytes")
    line >> ClientSays(b"HEAD /x HTTP/1.1\r\nhost: x\r\n\r\n")
    assert b"content-length: 12\r\n" in line.to_client
    assert line.to_client.endswith(b"\r\n\r\n")


def _answer(flow: HTTPFlow, body: bytes) -> None:
    flow.response = Response.make(200, body)


@pytest.mark.parametrize("hook", ["requestheaders", "request", "responseheaders"])
def test_a_flow_that_is_killed_gets_no_answer(line: Line, hook: str) -> None:
    line.extra[hook] = lambda flow: flow.kill()
    line >> POSTED
    if line.opening:
        line >> Connected() >> UpstreamSays(whole(200, b"x"))
    assert line.to_client == b""
    assert Closes(0) in line.done
    assert (hook == "responseheaders") is bool(line.to_upstream)


def test_a_request_that_is_too_long_is_refused_before_it_has_come(line: Line) -> None:
    line.extra["requestheaders"] = lambda flow: None
    limit = 64 * 1024 * 1024
    head = f"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: {limit + 1}\r\n\r\n"
    line >> ClientSays(head.encode())
    assert line.answer().status == 413
    assert line.answer().json()["type"] == "error"
    assert not line.to_upstream


def test_a_failure_of_ours_on_the_way_is_a_500(
    line: Line, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("addons.relay.forward_stream.Connect", fail)
    line >> get("/props")
    assert line.answer().status == 500
    assert "a fault of ours" in caplog.text


def test_a_call_that_was_refused_by_us_is_recorded_and_released(line: Line) -> None:
    line >> post("/v1/chat/completions", b"{")
    assert line.answer().status == 400
    assert [account.outcome for account in line.finished] == [Outcome.CLIENT_ERROR]
    in_hand = line.exchanges.of(line.flow)
    assert in_hand is None or in_hand.account is None
