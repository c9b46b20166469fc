"""HTTP/1 under the relay: framing of all kinds, trailers both ways, heads that are too long or no HTTP."""

import pytest

from addons.relay.http1 import HEAD_LIMIT
from tests.addons.line import Line
from tests.addons.line_words import (
    ClientGone,
    ClientSays,
    Closes,
    Connected,
    Hook,
    Opens,
    Sends,
    UpstreamGone,
    UpstreamSays,
    chunk,
    get,
    head_of,
    post,
    whole,
)

# On a connection: what the local server says goes to the client, and the other way round.

FORWARDED = get("/props")


def forwarded(line: Line, request: ClientSays = FORWARDED) -> Line:
    line >> request >> Connected()
    line.done.clear()
    return line


def test_a_204_that_says_chunked_passes(line: Line) -> None:
    """llama-server answers OPTIONS this way; mitmproxy's own check refuses it (RFC 9112, 6.1)."""
    forwarded(line) >> UpstreamSays(b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\nx: y\r\n\r\n")
    answer = line.answer()
    assert (answer.status, answer.complete, answer.headers["x"]) == (204, True, "y")
    assert "transfer-encoding" not in answer.headers
    line >> FORWARDED
    assert Opens(8080) not in line.done


def test_trailers_of_an_answer_pass(line: Line) -> None:
    forwarded(line) >> UpstreamSays(head_of(200, "text/plain") + chunk(b"body") + b"0\r\nx-checksum: abc\r\n\r\n")
    answer = line.answer()
    assert (answer.body, answer.trailers) == (b"body", [(b"x-checksum", b"abc")])
    assert line.hooks() == ["responseheaders", "response"]


def test_trailers_of_a_request_pass(line: Line) -> None:
    head = b"POST /tokenize HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    forwarded(line, ClientSays(head + chunk(b"bo") + chunk(b"dy") + b"0\r\nx-sum: 1\r\n\r\n"))
    sent = line.to_upstream[8080]
    assert b"transfer-encoding: chunked\r\n" in sent
    assert sent.endswith(b"\r\n\r\n4\r\nbody\r\n0\r\nx-sum: 1\r\n\r\n")


def test_trailers_of_one_answer_are_not_those_of_the_next(line: Line) -> None:
    forwarded(line) >> UpstreamSays(head_of() + b"0\r\nx-checksum: abc\r\n\r\n")
    line.to_client = b""
    line >> FORWARDED >> UpstreamSays(head_of() + b"0\r\n\r\n")
    assert line.answer().trailers == []


def test_trailers_of_a_call_do_no_harm(line: Line) -> None:
    line >> post("/v1/chat/completions", {"model": "big"}) >> Connected()
    line >> UpstreamSays(head_of(200, "application/json") + chunk(b'{"choices":[]}') + b"0\r\nx: y\r\n\r\n")
    assert line.answer().body == b'{"choices":[]}'


def test_a_head_answer_has_no_body(line: Line) -> None:
    forwarded(line, ClientSays(b"HEAD /props HTTP/1.1\r\nhost: x\r\n\r\n")) >> UpstreamSays(head_of())
    assert line.to_client.endswith(b"\r\n\r\n")
    assert b"0\r\n\r\n" not in line.to_client


def test_bytes_behind_the_length_do_not_reach_the_client(line: Line) -> None:
    forwarded(line) >> UpstreamSays(whole(200, b"ok") + b"and much more")
    assert line.answer().body == b"ok"
    assert line.answer().rest == b""
    assert Closes(8080) in line.done
    line >> FORWARDED
    assert Opens(8080) in line.done


def test_an_answer_framed_by_its_end(line: Line) -> None:
    forwarded(line) >> UpstreamSays(b"HTTP/1.0 200 OK\r\n\r\nall of it") >> UpstreamGone()
    assert line.to_client.endswith(b"\r\n\r\nall of it")
    assert Closes(0) in line.done


def test_an_answer_shorter_than_its_length_has_no_clean_end(line: Line) -> None:
    forwarded(line) >> UpstreamSays(head_of(200, "text/plain", "content-length: 100") + b"1234567") >> UpstreamGone()
    assert not line.answer().complete
    assert Closes(0) in line.done


def test_a_broken_chunk_has_no_clean_end(line: Line) -> None:
    forwarded(line) >> UpstreamSays(head_of() + chunk(b"good") + b"bad\r\n")
    answer = line.answer()
    assert (answer.body, answer.complete) == (b"good", False)


def test_a_response_head_without_end_is_502(line: Line) -> None:
    forwarded(line)
    padding = b"x-padding: " + b"x" * 1000 + b"\r\n"
    line >> UpstreamSays(b"HTTP/1.1 200 OK\r\n")
    for _ in range(HEAD_LIMIT // len(padding) + 1):
        line >> UpstreamSays(padding)
    assert line.answer().status == 502
    assert Closes(8080) in line.done


def test_a_long_body_behind_a_short_head_is_no_long_head(line: Line) -> None:
    forwarded(line) >> UpstreamSays(whole(200, b"x" * 2 * HEAD_LIMIT))
    assert len(line.answer().body) == 2 * HEAD_LIMIT


# What a client says that is no HTTP.


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"POST /v1/messages HTTP/9.9 what\r\n\r\n", 400),
        (b"POST /v1/messages HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"POST /v1/messages HTTP/1.1\r\ncontent-length: x\r\n\r\n", 400),
        (b"POST /v1/messages HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", 400),
        (b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n", 400),
        (b"POST /v1/messages HTTP/1.1\r\nx: " + b"x" * HEAD_LIMIT, 431),
    ],
    ids=range(6),
)
def test_a_malformed_head_is_refused_in_the_dialect_of_its_path(line: Line, said: bytes, status: int) -> None:
    line >> ClientSays(said)
    answer = line.answer()
    assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
    assert answer.json()["type"] == "error"
    assert b"mitmproxy" not in line.to_client
    assert Closes(0) in line.done


def test_what_shows_no_path_is_refused_in_the_first_dialect(line: Line) -> None:
    line >> ClientSays(b"hello\r\n\r\n")
    assert line.answer().json()["error"]["type"] == "invalid_request_error"


def test_blank_lines_ahead_of_a_request_are_fine(line: Line) -> None:
    line >> ClientSays(b"\r\n") << []
    line >> get("/props") << [Opens(8080)]


def test_a_broken_chunk_of_a_request_goes_nowhere(line: Line) -> None:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    line >> ClientSays(head + b"zz\r\n")
    assert not line.to_upstream
    assert Closes(0) in line.done
    assert line.flow.error


def test_a_client_that_leaves_within_its_request_goes_nowhere(line: Line) -> None:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    line >> ClientSays(head + b"5\r\nab") >> ClientGone()
    assert not line.to_upstream
    assert line.hooks() == ["requestheaders", "error"]
    assert line.to_client == b""


def test_a_client_that_leaves_before_its_request_was_nobody(line: Line) -> None:
    line >> ClientSays(b"POST /v1") >> ClientGone() << [Closes(0)]
    assert not line.flows


def test_pipelined_requests_are_answered_in_order(line: Line) -> None:
    line >> ClientSays(FORWARDED.data + FORWARDED.data) >> Connected()
    line >> UpstreamSays(whole(200, b"1"))
    if line.opening:  # the first answer may not have been read to its end when the second request is due
        line >> Connected()
    line >> UpstreamSays(whole(200, b"2"))
    assert [flow.response and flow.response.raw_content for flow in line.flows] == [b"1", b"2"]
    first, second = line.to_client.split(b"HTTP/1.1 200 ")[1:]
    assert (first[-1:], second[-1:]) == (b"1", b"2")


def test_a_client_that_wants_to_be_asked_for_its_body_is(line: Line) -> None:
    body = b'{"model": "big"}'
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: {len(body)}\r\n"
    line >> ClientSays(head.encode() + b"\r\n")
    assert line.to_client.startswith(b"HTTP/1.1 100 ")
    line.to_client = b""
    line >> ClientSays(body) >> Connected() >> UpstreamSays(whole(200, b'{"choices":[]}'))
    assert line.answer().body == b'{"choices":[]}'
    assert b"expect" not in line.to_upstream[9901]


def test_a_refusal_after_the_question_for_the_body_is_told(line: Line) -> None:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n"
    line >> ClientSays(head)
    line.to_client = b""
    line >> ClientSays(b"{x}")
    assert line.answer().status == 400


@pytest.mark.parametrize("status", [100, 102, 103])
def test_an_interim_answer_is_swallowed(line: Line, status: int) -> None:
    forwarded(line) >> UpstreamSays(f"HTTP/1.1 {status} Wait\r\nlink: </x>\r\n\r\n".encode())
    line << []
    line >> UpstreamSays(whole(200, b"final"))
    assert (line.answer().status, line.answer().body) == (200, b"final")


def test_interim_answers_in_one_piece_with_the_final_one(line: Line) -> None:
    line >> post("/v1/chat/completions", {"model": "big"}) >> Connected()
    interim = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"
    line >> UpstreamSays(interim + interim + whole(200, b'{"choices":[]}'))
    assert (line.answer().status, line.answer().body) == (200, b'{"choices":[]}')
    assert [one for one in line.done if one == Hook("responseheaders")] == [Hook("responseheaders")]


def test_websockets_pass(line: Line) -> None:
    """An upgrade makes a pipe of both sides; mitmproxy's own layer reads the frames."""
    ask = b"GET /ws HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
    ask += b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    forwarded(line, ClientSays(ask))
    assert b"upgrade: websocket\r\n" in line.to_upstream[8080]
    switch = b"HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
    line >> UpstreamSays(switch + b"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
    assert line.to_client.startswith(b"HTTP/1.1 101 ")
    line.done.clear()
    line >> UpstreamSays(b"\x81\x02hi") << [Sends(0, b"\x81\x02hi")]
    line >> ClientSays(b"\x81\x82\x00\x00\x00\x00yo")
    frame = line.to_upstream[8080][-8:]
    assert frame[:2] == b"\x81\x82"
    assert bytes(byte ^ mask for byte, mask in zip(frame[6:], frame[2:4], strict=True)) == b"yo"
    line >> ClientGone()
    assert Closes(8080) in line.done
