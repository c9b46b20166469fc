"""One request on a plain blocking socket, for who waits until a way answers."""

import socket

from scripts.benchmark import wire
from scripts.benchmark.caller import HOST
from scripts.benchmark.response import Response

_PATIENCE = 20.0  # seconds for an answer, once connected


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def complaint(port: int) -> str:
    """Ask for the small completion: nothing if the upstream's answer comes back, else what came instead."""
    try:
        with socket.create_connection((HOST, port), timeout=_PATIENCE) as connection:
            connection.sendall(wire.request())
            response, body = _read_answer(connection)
    except (OSError, ValueError) as error:
        return str(error)
    return "" if body == wire.ANSWER else f"status {response.status}, {body[:500]!r}"


def _read_answer(connection: socket.socket) -> tuple[Response, bytes]:
    response, body = Response(), b""
    while not response.complete and (data := connection.recv(65536)):
        body += response.feed(data)
    return response, body
