"""Requests as the fake upstream saw them: its parser takes what comes, for it is to show what was sent."""

import time
from dataclasses import dataclass, field

from tests.fake_steps import Gate, Headers


@dataclass(slots=True, eq=False)
class ConnectionLog:
    """One connection a peer opened; ``closed_at`` in monotonic seconds; ``closed_by_peer``: not by the script."""

    number: int
    requests: int = 0
    closed: Gate = field(default_factory=Gate)
    closed_at: float | None = None
    closed_by_peer: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One request as it came: ``head`` and ``body`` are bytes, ``body`` with chunk framing removed.

    ``nth`` counts the requests of this connection from zero, ``arrived_at`` is monotonic seconds.
    """

    method: str
    target: str
    headers: Headers
    body: bytes
    head: bytes
    connection: ConnectionLog
    nth: int
    arrived_at: float

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    def all(self, name: str) -> list[str]:
        """Every value of a header, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name: str) -> str | None:
        """The first value of a header."""
        return next(iter(self.all(name)), None)


def wants_continue(buffer: bytearray) -> bool:
    """Whether a whole head stands in the buffer and asks for ``100 Continue`` before its body."""
    head, end, _ = buffer.partition(b"\r\n\r\n")
    return bool(end) and b"100-continue" in head.lower()


def take_request(buffer: bytearray, log: ConnectionLog) -> Request | None:
    """Cut one whole request out of the buffer; None while it is not whole."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(buffer[: end + 4])
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    method, _, rest = first.partition(" ")
    pairs = (line.partition(":") for line in lines)
    headers = tuple((name, value.strip()) for name, _, value in pairs)
    found = _body_of(buffer, end + 4, {name.lower(): value.lower() for name, value in headers})
    if found is None:
        return None
    body, taken = found
    del buffer[:taken]
    nth, log.requests = log.requests, log.requests + 1
    return Request(method, rest.rpartition(" ")[0], headers, body, head, log, nth, time.monotonic())


def _body_of(buffer: bytearray, start: int, headers: dict[str, str]) -> tuple[bytes, int] | None:
    """The body that begins at ``start`` and where the next request begins; None while it is not whole."""
    if "chunked" in headers.get("transfer-encoding", ""):
        return _chunked_body(buffer, start)
    end = start + int(headers.get("content-length", "0") or 0)
    return (bytes(buffer[start:end]), end) if len(buffer) >= end else None


def _chunked_body(buffer: bytearray, start: int) -> tuple[bytes, int] | None:
    body, at = bytearray(), start
    while (line_end := buffer.find(b"\r\n", at)) >= 0:
        size = int(bytes(buffer[at:line_end]).partition(b";")[0], 16)
        if not size:
            end = buffer.find(b"\r\n\r\n", line_end)  # trailers, if any, stand before the empty line
            return (bytes(body), end + 4) if end >= 0 else None
        at = line_end + 2 + size + 2
        body += buffer[line_end + 2 : at - 2]
    return None
