"""Clients below the SDKs: raw bytes out, the answer exactly as it came in; and readers of the product's database."""

import contextlib
import http.client
import json
import socket
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fake_steps import Headers

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """One answer: ``whole`` is false when the framing was cut; ``body`` is without chunk framing."""

    status: int
    headers: Headers
    body: bytes
    whole: bool = True

    def get(self, name: str) -> str | None:
        """The first value of a header."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@contextlib.contextmanager
def dial(port: int, host: str = "127.0.0.1", seconds: float = 10.0) -> Iterator[socket.socket]:
    """A connected socket."""
    with socket.create_connection((host, port), timeout=seconds) as connected:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield connected


def read_answer(connected: socket.socket, method: str = "POST") -> RawAnswer:
    """Read one answer from a socket, cut or whole."""
    response = http.client.HTTPResponse(connected, method=method)
    try:
        response.begin()
        try:
            body, whole = response.read(), True
        except http.client.IncompleteRead as cut:
            body, whole = cut.partial, False
        return RawAnswer(response.status, tuple(response.getheaders()), body, whole)
    finally:
        response.close()


def send_raw(port: int, data: bytes, *, method: str = "POST", seconds: float = 10.0) -> RawAnswer:
    """Send these bytes on a new connection and read one answer."""
    with dial(port, seconds=seconds) as connected:
        connected.sendall(data)
        return read_answer(connected, method)


def request_bytes(method: str, target: str, body: bytes = b"", headers: Headers = (), *, host: str = "gw") -> bytes:
    """A request with a right content-length; ``headers`` as they stand."""
    framing = (("content-length", str(len(body))),) if body or method == "POST" else ()
    lines = "".join(f"{name}: {value}\r\n" for name, value in (("host", host), *framing, *headers))
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body


def post(port: int, target: str, body: bytes | Json, headers: Headers = (), *, seconds: float = 10.0) -> RawAnswer:
    """POST a body (a dict as JSON) on a new connection."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    typed = (("content-type", "application/json"), *headers)
    return send_raw(port, request_bytes("POST", target, payload, typed), seconds=seconds)


def get(port: int, target: str, headers: Headers = (), *, method: str = "GET") -> RawAnswer:
    """GET (or another method without a body) on a new connection."""
    return send_raw(port, request_bytes(method, target, headers=headers), method=method)


@contextlib.contextmanager
def open_stream(port: int, target: str, body: Json, headers: Headers = ()) -> Iterator[socket.socket]:
    """Send a request and hand over the socket, nothing read yet."""
    typed = (("content-type", "application/json"), *headers)
    with dial(port) as connected:
        connected.sendall(request_bytes("POST", target, json.dumps(body).encode(), typed))
        yield connected


def receive_until(connected: socket.socket, text: bytes) -> bytes:
    """Read raw bytes until ``text`` has come; AssertionError when the connection ends before."""
    received = b""
    while text not in received:
        piece = connected.recv(65536)
        assert piece, f"the connection ended after {received!r}"
        received += piece
    return received


def query(database: Path, sql: str, *values: object) -> list[Json]:
    """Rows of the product's database, opened read-only beside its writer."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(sql, values)]


def exchange(database: Path, exchange_id: str, seconds: float = 5.0) -> Json:
    """The row of one exchange, once it is complete: recording follows the answer, it does not hold it up."""
    return finished(
        database, "select * from exchanges where outcome is not null and id = ?", exchange_id, seconds=seconds
    )[0]


def finished(database: Path, sql: str, *values: object, count: int = 1, seconds: float = 5.0) -> list[Json]:
    """The rows of a query once there are ``count`` of them; AssertionError after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        rows: list[Json] = []
        with contextlib.suppress(sqlite3.OperationalError):  # the file may not have been made yet
            rows = query(database, sql, *values)
        if len(rows) >= count:
            return rows
        assert time.monotonic() < deadline, f"{len(rows)} of {count} rows after {seconds} s: {sql}"
        time.sleep(0.02)
