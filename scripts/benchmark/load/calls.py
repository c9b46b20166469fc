"""The load maker: calls on keep-alive connections, each begun when it is due, whatever became of the others."""

import asyncio
import hashlib
import re
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic_ns

from scripts.benchmark import wire
from scripts.benchmark.answers import Answer, PlainAnswer
from scripts.benchmark.caller import HOST
from scripts.benchmark.load.lanes import numbered
from scripts.benchmark.response import Response

_WAIT = re.compile(rb"\r\nretry-after: *(\d+)", re.IGNORECASE)
_SHED = (429, 503, 529)


def question(model: str, *, user: int = 0, token: str = "none", stream: bool = False) -> bytes:
    """A chat completion for a model; ``user`` numbers a stream, ``token`` is the client's own."""
    body = (
        b'{"messages":[{"role":"user","content":"Say something short about load, please."}],"model":"%b",'
        b'"user":"%d"%b}' % (model.encode("ascii"), user, b',"stream":true' if stream else b"")
    )
    return (
        b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %b\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (wire.CHAT_PATH, token.encode("ascii"), len(body), body)
    )


@dataclass(slots=True)
class Call:
    """One call: when it was due, when its first content came and its end (monotonic seconds), and what it got.

    ``waits`` is what it was told to wait, None if nothing; ``error`` is what was wrong with it, "" if nothing.
    """

    due: float
    first: float = 0.0
    ended: float = 0.0
    status: int = 0
    waits: int | None = None
    error: str = ""

    @property
    def good(self) -> bool:
        """It got the whole answer."""
        return self.status == 200 and not self.error

    @property
    def complaint(self) -> str:
        """What is wrong with a call that is not good."""
        return self.error or f"status {self.status}"

    @property
    def shed(self) -> bool:
        """It was turned away, and told for how long."""
        return self.status in _SHED and not self.error and self.waits is not None

    @property
    def seconds(self) -> float:
        """From when it was due to its end."""
        return self.ended - self.due


class NumberedAnswer:
    """A numbered stream: each event in its place, and the whole by its checksum."""

    __slots__ = ("_rest", "_stream", "_sum", "_total", "_wrong", "events", "first")

    def __init__(self, stream: int, total: int) -> None:
        self.first = 0
        self.events = 0
        self._stream = stream
        self._total = total
        self._rest = b""
        self._wrong = ""
        self._sum = hashlib.sha256()

    def read(self, payload: bytes, now: int) -> None:
        """Take the events apart, wherever they are cut."""
        self.first = self.first or now
        self._sum.update(payload)
        *whole, self._rest = (self._rest + payload).split(wire.EVENT_END)
        for event in whole:
            if self.events < self._total and event + wire.EVENT_END != numbered(self._stream, self.events):
                self._wrong = self._wrong or f"event {self.events} is another one"
            self.events += 1

    def complaint(self) -> str:
        """Compare with what the upstream has sent."""
        expected = self._total + wire.STREAM_END_EVENTS
        if self._wrong or self.events != expected:
            return self._wrong or f"{self.events} events instead of {expected}"
        return "" if self._sum.digest() == checksum(self._stream, self._total) else "another checksum"


def checksum(stream: int, total: int) -> bytes:
    """The checksum of a whole numbered stream."""
    events = (numbered(stream, event) for event in range(total))
    return hashlib.sha256(b"".join([*events, wire.STREAM_END])).digest()


class Line(asyncio.Protocol):
    """One connection to the gateway, for one call at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._response = Response()
        self._answer: Answer = PlainAnswer()
        self._call: Call | None = None
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def is_open(self) -> bool:
        """Whether another call may be made on it."""
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    async def ask(self, call: Call, request: bytes, answer: Answer) -> None:
        """Make a call and wait for its end; the call says what came of it."""
        assert self._transport is not None
        self._over = asyncio.get_running_loop().create_future()
        self._call, self._response, self._answer = call, Response(), answer
        self._transport.write(request)
        await self._over

    def data_received(self, data: bytes) -> None:
        """Read on."""
        now = monotonic_ns()
        try:
            payload = self._response.feed(data)
        except ValueError as error:
            self._end(str(error))
            self.hang_up()
            return
        if payload and self._response.status == 200:
            self._answer.read(payload, now)
        if self._response.complete:
            self._end("")

    def connection_lost(self, exc: Exception | None) -> None:
        """End the call that is on it."""
        self._transport = None
        self._end(f"the connection was lost: {exc}" if exc else "the connection was closed")

    def hang_up(self) -> None:
        """Close the connection, whatever is still to come."""
        if self._transport is not None:
            self._transport.abort()

    def _end(self, error: str) -> None:
        call, self._call = self._call, None
        if call is None:
            return
        call.ended, call.first = monotonic_ns() / 1e9, self._answer.first / 1e9
        call.status = self._response.status
        call.error = error or (self._answer.complaint() if call.status == 200 else "")
        found = _WAIT.search(self._response.head)
        call.waits = int(found[1]) if found else None
        if not self._over.done():
            self._over.set_result(None)


class Lines:
    """The connections of one load; idle ones are used again."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: deque[Line] = deque()
        self._all: list[Line] = []

    async def ask(self, request: bytes, answer: Answer | None = None, *, due: float | None = None) -> Call:
        """Make a call, which was due at ``due`` (the loop's time; now)."""
        call = Call(asyncio.get_running_loop().time() if due is None else due)
        try:
            line = await self._line()
        except OSError as error:
            call.error, call.ended = f"no connection: {error.strerror or error}", asyncio.get_running_loop().time()
            return call
        await line.ask(call, request, answer or PlainAnswer())
        if line.is_open:
            self._idle.append(line)
        return call

    async def connect(self, count: int) -> None:
        """Have so many idle connections."""
        self._idle.extend([await self._connect() for _ in range(count)])

    async def _line(self) -> Line:
        while self._idle:
            if (line := self._idle.popleft()).is_open:
                return line
        return await self._connect()

    async def _connect(self) -> Line:
        _, line = await asyncio.get_running_loop().create_connection(Line, HOST, self._port)
        self._all.append(line)
        return line

    def close(self) -> None:
        """Hang up all."""
        for line in self._all:
            line.hang_up()


async def open_load(rate: float, seconds: float, ask: Callable[[float], Awaitable[Call]]) -> list[Call]:
    """Begin ``rate`` calls a second for so long, each at its time, and wait for all; ``ask`` gets when it is due."""
    loop = asyncio.get_running_loop()
    began, asked = loop.time(), list[asyncio.Future[Call]]()
    for number in range(round(rate * seconds)):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - loop.time()))
        asked.append(asyncio.ensure_future(ask(due)))
    return await asyncio.gather(*asked)


async def closed_load(count: int, seconds: float, ask: Callable[[], Awaitable[Call]]) -> list[Call]:
    """Let so many callers ask one after another for so long."""
    loop, made = asyncio.get_running_loop(), list[Call]()
    end = loop.time() + seconds

    async def caller() -> None:
        while loop.time() < end:
            made.append(await ask())

    await asyncio.gather(*(caller() for _ in range(count)))
    return made
