"""Clients of every age keep or close their connection as they said, and none waits for an end that does not come."""

import json
import socket
import time

import pytest

from tests.fake_dialects import chat_body, chat_events
from tests.fake_steps import Headers
from tests.rig_client import dial, read_answer, request_bytes
from tests.rig_gateway import Gateway, ask

STREAMED = [pytest.param(False, id="plain"), pytest.param(True, id="streamed")]
MODELS = ["gpt-9", "whatever", "demo", "refused/m", "claude-9"]  # an answer, ours too, an error, a 501
SOON = 1.0  # seconds after the end of the answer


def call_bytes(model: str, stream: bool, headers: Headers = ()) -> bytes:
    path, body = ask("chat", model, stream=stream)
    return request_bytes("POST", path, json.dumps(body).encode(), headers)


def read_to_the_end(client: socket.socket) -> tuple[bytes, float]:
    """Everything until the connection is closed, and how long it stayed open behind the last byte, in seconds."""
    received, last = b"", time.monotonic()
    while piece := client.recv(65536):
        received, last = received + piece, time.monotonic()
    return received, time.monotonic() - last


@pytest.mark.parametrize("stream", STREAMED)
@pytest.mark.parametrize("model", MODELS)
def test_a_client_that_wants_its_connection_closed_gets_that(gateway: Gateway, model: str, stream: bool) -> None:
    with dial(gateway.port, seconds=5) as client:
        client.sendall(call_bytes(model, stream, (("connection", "close"),)))
        _, lingered = read_to_the_end(client)
    assert lingered < SOON


@pytest.mark.parametrize("stream", STREAMED)
def test_a_client_of_http_1_0_gets_an_answer_it_can_read(gateway: Gateway, stream: bool) -> None:
    """It knows no chunks: the end of the connection, or a length, is the end of the answer."""
    data = call_bytes("gpt-9", stream).replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n")
    with dial(gateway.port, seconds=5) as client:
        client.sendall(data)
        received, _ = read_to_the_end(client)
    head, _, body = received.partition(b"\r\n\r\n")
    assert b" 200 " in head.partition(b"\r\n")[0]
    assert b"transfer-encoding" not in head.lower()
    expected = b"".join(chat_events(model="gpt-9")) if stream else json.dumps(chat_body(model="gpt-9")).encode()
    assert body == expected


def test_a_connection_stays_open_for_the_next_call_whatever_the_last_one_was(gateway: Gateway) -> None:
    with dial(gateway.port, seconds=10) as client:
        for _ in range(2):
            for model in MODELS:
                for stream in (False, True):
                    client.sendall(call_bytes(model, stream))
                    assert read_answer(client).whole


def test_a_connection_outlives_the_deadlines_of_its_calls(gateway: Gateway) -> None:
    """Deadlines that were met are forgotten: `hasty` has some of half a second."""
    with dial(gateway.port, seconds=5) as client:
        for pause in (0.0, 0.7, 1.2):
            time.sleep(pause)
            client.sendall(call_bytes("hasty/m", True))
            assert read_answer(client).status == 200


@pytest.mark.slow
def test_a_connection_outlives_the_default_connect_deadline(gateway: Gateway) -> None:
    with dial(gateway.port, seconds=10) as client:
        for model in ("demo", "gpt-9", "hasty/m"):
            client.sendall(call_bytes(model, True))
            assert read_answer(client).whole
        time.sleep(5.5)
        client.sendall(call_bytes("gpt-9", False))
        assert read_answer(client).status == 200
    assert "crashed" not in gateway.program.output


def test_a_client_that_sends_its_request_byte_by_byte_is_served(gateway: Gateway) -> None:
    data = call_bytes("gpt-9", False)
    with dial(gateway.port, seconds=10) as client:
        for at in range(len(data)):
            client.sendall(data[at : at + 1])
        assert read_answer(client).status == 200


def test_a_client_that_closes_its_sending_side_still_gets_its_answer_or_an_end(gateway: Gateway) -> None:
    """mitmproxy takes a half-closed client for gone; it must not be left waiting."""
    with dial(gateway.port, seconds=3) as client:
        client.sendall(call_bytes("gpt-9", False))
        client.shutdown(socket.SHUT_WR)
        read_to_the_end(client)
