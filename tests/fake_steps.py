"""The steps a fake upstream's answer is made of: each is one thing that goes wrong, or right, on a wire.

A script is a tuple of steps, carried out in order. Byte steps write literally what they say: a head that promises ten
bytes may be followed by three. A script that ends without ``Close`` or ``Reset`` leaves the connection open for another
request, as HTTP/1.1 keep-alive has it.
"""

import asyncio
import concurrent.futures
from dataclasses import dataclass, field
from http import HTTPStatus

Headers = tuple[tuple[str, str], ...]
_PHRASES = {int(status): status.phrase for status in HTTPStatus}  # 529 and its like have none


class Gate:
    """Something that happens once: opened in one thread, waited for in another (or in the upstream's event loop)."""

    def __init__(self) -> None:
        self._happened: concurrent.futures.Future[None] = concurrent.futures.Future()

    def open(self) -> None:
        """Let everybody through; opening twice does no harm."""
        if not self._happened.done():
            self._happened.set_result(None)

    @property
    def is_open(self) -> bool:
        """Whether it has happened."""
        return self._happened.done()

    def wait(self, seconds: float = 5.0) -> bool:
        """Wait in a thread; False when the time is over."""
        done, _ = concurrent.futures.wait([self._happened], seconds)
        return bool(done)

    async def passed(self) -> None:
        """Wait in an event loop. Shielded: a script that is cancelled must not cancel the gate for others."""
        await asyncio.shield(asyncio.wrap_future(self._happened))


@dataclass(frozen=True, slots=True)
class Head:
    """Status line and headers, written as they stand here; nothing is added."""

    status: int = 200
    headers: Headers = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """One HTTP chunk, in one write; ``extension`` is what stands behind its size, with its semicolon."""

    data: bytes
    extension: str = ""


@dataclass(frozen=True, slots=True)
class LastChunk:
    """The end of a chunked body, with trailers if there are any."""

    trailers: Headers = ()


@dataclass(frozen=True, slots=True)
class Raw:
    """These bytes, whatever they mean."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Drip:
    """These bytes in pieces of ``size``, each in a write of its own, ``gap`` seconds apart."""

    data: bytes
    size: int = 1
    gap: float = 0.0

    def pieces(self) -> list[bytes]:
        """What is written, piece by piece."""
        return [self.data[at : at + self.size] for at in range(0, len(self.data), self.size)]


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Wait until the test opens the gate."""

    gate: Gate = field(default_factory=Gate)


@dataclass(frozen=True, slots=True)
class Reached:
    """Tell the test that the script has come so far."""

    gate: Gate = field(default_factory=Gate)


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection in an orderly way (FIN) once everything is written."""


@dataclass(frozen=True, slots=True)
class HalfClose:
    """Say that nothing more will come (FIN), but keep the connection until the peer closes it: a slow close."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Cut the connection (RST): SO_LINGER of zero seconds."""


@dataclass(frozen=True, slots=True)
class Stall:
    """Say nothing more until the peer goes away."""


@dataclass(frozen=True, slots=True)
class WebSocketEcho:
    """Accept a WebSocket handshake and send every message back until the peer closes."""


Step = (
    Head
    | Chunk
    | LastChunk
    | Raw
    | Drip
    | Sleep
    | WaitFor
    | Reached
    | Close
    | HalfClose
    | Reset
    | Stall
    | WebSocketEcho
)
Script = tuple[Step, ...]


def header_lines(headers: Headers) -> bytes:
    """``name: value`` lines, each with its CR LF."""
    return b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in headers)


def bytes_of(step: Step) -> bytes | None:
    """What a byte step writes; None for a step that does something else."""
    match step:
        case Head(status, headers, reason):
            return (
                f"HTTP/1.1 {status} {_PHRASES.get(status, '') if reason is None else reason}\r\n".encode("latin-1")
                + header_lines(headers)
                + b"\r\n"
            )
        case Chunk(data, extension):
            return b"%x%s\r\n%s\r\n" % (len(data), extension.encode("latin-1"), data)
        case LastChunk(trailers):
            return b"0\r\n" + header_lines(trailers) + b"\r\n"
        case Raw(data):
            return data
        case _:
            return None


def plain_bytes(script: Script) -> bytes | None:
    """The whole script as one write, or None when it does more than write. Keeps the normal path fast."""
    parts = [bytes_of(step) for step in script]
    return None if None in parts else b"".join(part for part in parts if part is not None)
