"""What a client gets wrong is told to it in its own dialect, and no upstream sees a byte of it."""

import gzip
import json
import socket
import zlib

import pytest

from tests.fake_steps import Headers
from tests.rig_client import RawAnswer, dial, read_answer, receive_until, request_bytes, send_raw
from tests.rig_gateway import DIALECTS, MAX_BODY_BYTES, Gateway, ask, assert_told_in_dialect

PATHS = {"chat": "/v1/chat/completions", "messages": "/v1/messages", "responses": "/v1/responses"}
JSON_TYPE: Headers = (("content-type", "application/json"),)
BAD_BODIES = {
    "no body": b"",
    "white space": b" \n",
    "no JSON": b"model=gpt-9",
    "half of JSON": b'{"model":"gpt-9","messages":[',
    "two JSON values": b'{"model":"gpt-9"}{"model":"x"}',
    "a list": b'[{"model":"gpt-9"}]',
    "a string": b'"gpt-9"',
    "null": b"null",
    "not UTF-8": b'{"model":"gpt-9","x":"\xff\xfe"}',
    "model is a number": b'{"model":7}',
    "model is a list": b'{"model":["gpt-9"]}',
    "model is an object": b'{"model":{"id":"gpt-9"}}',
    "model is true": b'{"model":true}',
    "nested too deeply": b'{"model":"gpt-9","a":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
}


def send_at_once(port: int, data: bytes) -> RawAnswer:
    """Send without waiting; the answer may come, and the connection go, before everything is sent."""
    with dial(port) as client:
        client.settimeout(10)
        try:
            client.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return read_answer(client)


def nothing_was_sent(gateway: Gateway) -> None:
    assert not gateway.behind.posts()


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("case", BAD_BODIES)
def test_a_body_that_is_no_call(gateway: Gateway, case: str, dialect: str) -> None:
    answer = gateway.post(PATHS[dialect], BAD_BODIES[case])
    assert_told_in_dialect(answer, dialect, gateway.behind, 400)
    nothing_was_sent(gateway)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("framing", ["content-length", "chunked"])
def test_a_body_over_the_limit(gateway: Gateway, framing: str, dialect: str) -> None:
    _, asked = ask(dialect, "gpt-9", padding="x" * MAX_BODY_BYTES)
    body = json.dumps(asked).encode()
    if framing == "content-length":
        data = request_bytes("POST", PATHS[dialect], body, JSON_TYPE)
    else:
        head = f"POST {PATHS[dialect]} HTTP/1.1\r\nhost: gw\r\ntransfer-encoding: chunked\r\n\r\n".encode()
        data = head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    answer = send_at_once(gateway.port, data)
    assert_told_in_dialect(answer, dialect, gateway.behind, 413)
    nothing_was_sent(gateway)


def test_a_body_just_under_the_limit_is_answered(gateway: Gateway) -> None:
    path, asked = ask("chat", "gpt-9", padding="")
    asked["padding"] = "x" * (MAX_BODY_BYTES - len(json.dumps(asked)))
    assert gateway.post(path, asked).status == 200


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_compressed_body_that_unpacks_beyond_the_limit(gateway: Gateway, encoding: str, dialect: str) -> None:
    bomb = b'{"model":"gpt-9","x":"' + b"0" * (64 << 20) + b'"}'
    packed = gzip.compress(bomb, 9, mtime=0) if encoding == "gzip" else zlib.compress(bomb, 9)
    assert len(packed) < MAX_BODY_BYTES
    answer = gateway.post(PATHS[dialect], packed, (("content-encoding", encoding),))
    assert_told_in_dialect(answer, dialect, gateway.behind, 413)
    nothing_was_sent(gateway)


@pytest.mark.parametrize("packed", [b"\x1f\x8b no gzip", gzip.compress(b'{"model":"gpt-9"}', mtime=0)[:-9]])
def test_a_compressed_body_that_cannot_be_unpacked(gateway: Gateway, packed: bytes) -> None:
    answer = gateway.post(PATHS["chat"], packed, (("content-encoding", "gzip"),))
    assert_told_in_dialect(answer, "chat", gateway.behind, 400)
    nothing_was_sent(gateway)


def test_a_compressed_body_within_the_limit_is_answered(gateway: Gateway) -> None:
    path, asked = ask("chat", "gpt-9")
    answer = gateway.post(path, gzip.compress(json.dumps(asked).encode()), (("content-encoding", "gzip"),))
    assert answer.status == 200
    request = gateway.behind.posts()[0]
    body = gzip.decompress(request.body) if request.get("content-encoding") == "gzip" else request.body
    assert json.loads(body) == asked


CALL = json.dumps({"model": "gpt-9", "messages": []}).encode()
# name → (path, header bytes)
BAD_HEADS = {
    "control byte in the path": (b"/v1/chat\x01/completions", b""),
    "control byte in the query": (b"/v1/chat/completions?a=\x1b[2J", b""),
    "delete byte in the path": (b"/v1/chat/completions\x7f", b""),
    "zero byte in a header": (b"/v1/chat/completions", b"x-a: b\x00c\r\n"),
    "bare carriage return in a header": (b"/v1/chat/completions", b"x-a: b\rtransfer-encoding: chunked\r\n"),
    "escape byte in a header": (b"/v1/chat/completions", b"x-a: \x1b[2J\r\n"),
    "twenty thousand headers": (b"/v1/chat/completions", b"".join(b"x-%d: y\r\n" % n for n in range(20_000))),
    "one header of a megabyte": (b"/v1/chat/completions", b"x-a: " + b"y" * (1 << 20) + b"\r\n"),
    "two lengths": (b"/v1/chat/completions", b"content-length: 3\r\n"),
    "length and chunks": (b"/v1/chat/completions", b"transfer-encoding: chunked\r\n"),
    "unknown transfer encoding": (b"/v1/chat/completions", b"transfer-encoding: xchunked\r\n"),
    "space before the colon": (b"/v1/chat/completions", b"x-a : b\r\n"),
}


@pytest.mark.parametrize("case", BAD_HEADS)
def test_a_head_that_is_no_call(gateway: Gateway, case: str) -> None:
    path, extra = BAD_HEADS[case]
    head = b"POST %s HTTP/1.1\r\nhost: gw\r\ncontent-length: %d\r\n%s\r\n" % (path, len(CALL), extra)
    answer = send_at_once(gateway.port, head + CALL)
    assert 400 <= answer.status < 500
    assert_told_in_dialect(answer, "chat", gateway.behind)
    nothing_was_sent(gateway)


@pytest.mark.parametrize("data", [b"GARBAGE\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01 no tls\r\n\r\n"])
def test_what_is_no_http_gets_no_page(gateway: Gateway, data: bytes) -> None:
    with dial(gateway.port, seconds=3) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        received = b""
        while piece := client.recv(65536):
            received += piece
    assert b"<html" not in received.lower()
    assert b"mitmproxy" not in received.lower()
    assert not [request for request in gateway.local.requests if "models" not in request.target]


def test_the_program_is_alive_after_all_this(gateway: Gateway) -> None:
    assert gateway.post(*ask("chat", "gpt-9")).status == 200


def test_pipelined_calls_are_answered_in_their_order(gateway: Gateway) -> None:
    models = ("gpt-9", "whatever", "groq/some-model")
    calls = [request_bytes("POST", PATHS["chat"], json.dumps(ask("chat", model)[1]).encode()) for model in models]
    with dial(gateway.port) as client:
        client.sendall(b"".join(calls))
        stream = client.makefile("rb")
        received = b""
        while received.count(b"chat.completion") < len(models):
            piece = stream.read1(65536)
            assert piece, received
            received += piece
        stream.close()
    places = [received.index(f'"model": "{model.rpartition("/")[2]}"'.encode()) for model in models]
    assert places == sorted(places)
    assert received.count(b"HTTP/1.1 200") == len(models)


def test_a_bad_call_behind_a_good_one_on_the_same_connection(gateway: Gateway) -> None:
    good, bad = (request_bytes("POST", PATHS["chat"], body, JSON_TYPE) for body in (CALL, b"{"))
    with dial(gateway.port) as client:
        for data, status in ((good, 200), (bad, 400), (good, 200)):
            client.sendall(data)
            assert read_answer(client).status == status
    assert len(gateway.behind.posts()) == 2


def test_a_client_that_waits_to_be_asked_for_its_body_is_asked(gateway: Gateway) -> None:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: gw\r\nexpect: 100-continue\r\ncontent-length: %d\r\n\r\n"
    with dial(gateway.port, seconds=5) as client:
        client.sendall(head % len(CALL))
        assert receive_until(client, b"\r\n\r\n").startswith(b"HTTP/1.1 100")
        client.sendall(CALL)
        assert read_answer(client).status == 200
    assert gateway.behind.posts()[0].get("expect") is None


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_client_that_announces_too_much_is_refused_before_it_sends(gateway: Gateway, dialect: str) -> None:
    head = f"POST {PATHS[dialect]} HTTP/1.1\r\nhost: gw\r\nexpect: 100-continue\r\ncontent-length: 99999999\r\n\r\n"
    answer = send_raw(gateway.port, head.encode())
    assert_told_in_dialect(answer, dialect, gateway.behind, 413)
    nothing_was_sent(gateway)
