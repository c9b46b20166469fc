"""WebSockets belong to the local server, like every page of its own."""

import pytest
from websockets.sync.client import connect

from tests.rig_gateway import Gateway

MESSAGES: list[str | bytes] = ["hello", "Grüße \u2603", b"\x00\xff bytes", "x" * 70_000, ""]


def test_messages_pass_both_ways(gateway: Gateway) -> None:
    address = f"ws://127.0.0.1:{gateway.port}/ws?room=1"
    headers = {"X-Odd": "1", "Authorization": "Bearer client-secret"}
    with connect(address, additional_headers=headers, compression=None, proxy=None) as socket:
        for message in MESSAGES:
            socket.send(message)
            assert socket.recv(timeout=5) == message
        assert socket.ping().wait(5)
    handshake = next(request for request in gateway.local.requests if request.path == "/ws")
    assert handshake.target == "/ws?room=1"
    assert handshake.all("x-odd") == ["1"]
    assert handshake.all("authorization") == ["Bearer client-secret"]
    assert handshake.connection.closed.wait(5)


@pytest.mark.parametrize("rounds", [5])
def test_several_at_once_do_not_mix(gateway: Gateway, rounds: int) -> None:
    address = f"ws://127.0.0.1:{gateway.port}/ws"
    with (
        connect(address, compression=None, proxy=None) as one,
        connect(address, compression=None, proxy=None) as two,
    ):
        for number in range(rounds):
            one.send(f"one {number}")
            two.send(f"two {number}")
            assert one.recv(timeout=5) == f"one {number}"
            assert two.recv(timeout=5) == f"two {number}"
