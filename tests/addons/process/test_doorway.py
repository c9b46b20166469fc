"""A door at which some are turned away, on real sockets."""

import json
import socket
from collections.abc import Iterator

import pytest

from addons.process.doorway import Doorway
from tests.rig_client import read_answer, request_bytes


class Host:
    """Lets in so many."""

    def __init__(self) -> None:
        self.room = 0
        self.only: object = None
        self.asked: list[tuple[int, object]] = []

    def admit(self, descriptor: int, address: object) -> bool:
        self.asked.append((descriptor, address))
        self.room -= 1
        return self.room >= 0 or address == self.only


@pytest.fixture(name="host")
def fixture_host() -> Host:
    return Host()


@pytest.fixture(name="door")
def fixture_door(host: Host) -> Iterator[Doorway]:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        door = Doorway(bound.fileno(), host.admit)
    with door:  # the one that it was made of may be closed
        door.settimeout(0.5)
        yield door


def knock(door: Doorway, said: bytes = b"") -> socket.socket:
    client = socket.create_connection(door.getsockname(), 5)
    client.sendall(said)
    return client


def test_who_may_come_in_comes_in(door: Doorway, host: Host) -> None:
    host.room = 1
    with knock(door) as client:
        accepted, address = door.accept()
        with accepted:
            assert (accepted.fileno(), address) == host.asked[0]
            assert address == client.getsockname()


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [("/v1/messages", 529, "overloaded_error"), ("/v1/chat/completions", 503, "server_error")],
)
def test_who_may_not_is_told_in_the_dialect_of_what_is_there(
    door: Doorway, host: Host, path: str, status: int, kind: str
) -> None:
    with knock(door, request_bytes("POST", path, b"{}")) as client:
        door.settimeout(0)
        with pytest.raises(BlockingIOError):
            door.accept()
        answer = read_answer(client)
    assert (answer.status, answer.json()["error"]["type"]) == (status, kind)
    assert "ulimit -n" in answer.json()["error"]["message"]
    assert (answer.get("retry-after"), answer.get("connection")) == ("1", "close")


def test_who_has_said_nothing_yet_is_told_too_and_the_next_one_comes_in(door: Doorway, host: Host) -> None:
    door.settimeout(5)
    with knock(door) as silent, knock(door) as second:
        host.only = second.getsockname()
        accepted, address = door.accept()
        with accepted:
            assert address == second.getsockname()
        assert json.loads(read_answer(silent).body)["error"]["code"] == "overloaded"


def test_a_crowd_does_not_keep_others_from_running(door: Doorway, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("addons.process.doorway._AT_ONCE", 2)
    clients = [knock(door) for _ in range(3)]
    with pytest.raises(BlockingIOError):
        door.accept()
    assert len(host.asked) == 2
    for client in clients:
        client.close()
