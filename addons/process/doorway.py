"""Doorway: a socket at which those are turned away for whom there is no room (`addons.process.descriptors`)."""

import os
import socket
from collections.abc import Callable
from contextlib import suppress

from addons.refusal import refusal_for

# Whether a connection may come in that was accepted under this descriptor, from this address.
Admit = Callable[[int, object], bool]

BUSY = "Patchbay holds as many connections as the system lets it (`ulimit -n` says how many). Try again soon."
WAIT = "1"  # seconds after which it is worth another try
_AT_ONCE = 256  # connections turned away before others get to run


class Doorway(socket.socket):
    """Listens on the same bound socket as ``descriptor``, which stays the caller's."""

    def __init__(self, descriptor: int, admit: Admit) -> None:
        super().__init__(fileno=os.dup(descriptor))
        self._admit = admit

    def accept(self) -> tuple[socket.socket, object]:
        """Accept the next one that may come in. Raises BlockingIOError where there is none, OSError as any socket."""
        for _ in range(_AT_ONCE):
            connection, address = super().accept()
            if self._admit(connection.fileno(), address):
                return connection, address
            _turn_away(connection)
        raise BlockingIOError


def _turn_away(connection: socket.socket) -> None:
    """Answer without waiting for anything: in the dialect of the path, if the request is there already."""
    with connection, suppress(OSError):
        connection.setblocking(False)
        said = b""
        with suppress(BlockingIOError):
            said = connection.recv(65536)
        connection.send(_answer(said))
        connection.shutdown(socket.SHUT_WR)


def _answer(said: bytes) -> bytes:
    words = said[:2048].split(b"\r\n", 1)[0].split(b" ")
    path = words[1].decode("utf-8", "replace") if len(words) > 1 else ""
    refusal = refusal_for(path, 503, BUSY, code="overloaded")
    headers = [*refusal.headers, ("connection", "close"), ("retry-after", WAIT)]
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {refusal.status} Overloaded\r\n{lines}\r\n".encode() + refusal.body
