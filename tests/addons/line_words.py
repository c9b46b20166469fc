"""The words of a `Line`: what happens, what comes of it, what a client reads of it, and HTTP written short."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import h11

# What happens.


@dataclass(frozen=True)
class ClientSays:
    """The client sends these bytes."""

    data: bytes


@dataclass(frozen=True)
class UpstreamSays:
    """The upstream that was opened last sends these bytes."""

    data: bytes


@dataclass(frozen=True)
class Connected:
    """The connection that is being opened stands."""


@dataclass(frozen=True)
class Refused:
    """The connection that is being opened cannot be had."""

    why: str = "[Errno 111] Connect call failed ('127.0.0.1', 9901)"


@dataclass(frozen=True)
class ClientGone:
    """The client closes its connection."""


@dataclass(frozen=True)
class UpstreamGone:
    """The upstream that was opened last closes its connection."""


@dataclass(frozen=True)
class Later:
    """So many seconds pass."""

    seconds: float


@dataclass(frozen=True)
class Stopped:
    """Patchbay is stopped, and the grace is over."""


@dataclass(frozen=True)
class StoodStill:
    """The process was stopped for a while, or the machine slept: no alarm rang."""

    seconds: float = 0.0


Said = ClientSays | UpstreamSays | Connected | Refused | ClientGone | UpstreamGone | Later | Stopped | StoodStill

# What comes of it. A port of 0 is the client.


@dataclass(frozen=True)
class Opens:
    port: int


@dataclass(frozen=True)
class Sends:
    port: int
    data: bytes


@dataclass(frozen=True)
class Closes:
    port: int


@dataclass(frozen=True)
class Hook:
    name: str


Done = Opens | Sends | Closes | Hook


@dataclass(frozen=True)
class Answer:
    """An HTTP answer as a client reads it. ``complete`` tells whether its framing was completed."""

    status: int
    headers: dict[str, str]
    body: bytes
    complete: bool
    trailers: list[tuple[bytes, bytes]]
    rest: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def read_answer(data: bytes) -> Answer:
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="POST", target="/", headers=[("host", "x"), ("content-length", "0")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(data)
    head, body, complete, trailers = None, b"", False, list[tuple[bytes, bytes]]()
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Response):
            head = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            complete, trailers = True, list(event.headers)
            break
        elif event is h11.NEED_DATA or isinstance(event, h11.ConnectionClosed):
            break
    assert head is not None, data
    headers = {name.decode(): value.decode() for name, value in head.headers}
    return Answer(head.status_code, headers, body, complete, trailers, connection.trailing_data[0])


def post(path: str, body: object, headers: Mapping[str, str] | None = None) -> ClientSays:
    """A client's call."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"host": "localhost:8088", "content-type": "application/json", **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return ClientSays(f"POST {path} HTTP/1.1\r\n{head}content-length: {len(content)}\r\n\r\n".encode() + content)


def get(path: str, *, version: str = "1.1") -> ClientSays:
    return ClientSays(f"GET {path} HTTP/{version}\r\nhost: localhost:8088\r\n\r\n".encode())


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def head_of(status: int = 200, content_type: str = "text/event-stream", *more: str) -> bytes:
    """A response head; without a length in ``more`` it says chunked."""
    framing = () if any("length" in line for line in more) else ("transfer-encoding: chunked",)
    lines = [f"HTTP/1.1 {status} Whatever", f"content-type: {content_type}", *framing, *more]
    return "\r\n".join([*lines, "", ""]).encode()


def whole(status: int, body: bytes, content_type: str = "application/json") -> bytes:
    return head_of(status, content_type, f"content-length: {len(body)}") + body
