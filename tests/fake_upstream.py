"""A scriptable HTTP/1.1 upstream on loopback: records every request byte for byte, answers by script, breaks framing.

It runs an event loop in a thread of its own, so that a blocking test can talk to it; several may run at once. Run as a
program (``python -m tests.fake_upstream --port 0``) it answers every dialect and prints its port, for benchmarks.
"""

import argparse
import asyncio
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from typing import Self

from tests.fake_answers import no_answer_here, speak
from tests.fake_requests import ConnectionLog, Request, take_request, wants_continue
from tests.fake_steps import (
    Chunk,
    Close,
    Drip,
    HalfClose,
    Head,
    LastChunk,
    Raw,
    Reached,
    Reset,
    Script,
    Sleep,
    Stall,
    Step,
    WaitFor,
    WebSocketEcho,
    bytes_of,
    plain_bytes,
)
from tests.fake_websocket import accept_key, echo

MAX_LINGER = struct.pack("ii", 1, 0)  # on, zero seconds: close() sends RST


Answer = Script | Callable[[Request], Script]


class FakeUpstream:
    """The server; a context manager. ``default`` answers what no ``on`` rule covers; with ``tls`` it speaks TLS."""

    def __init__(
        self,
        default: Answer = no_answer_here,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.requests: list[Request] = []
        self.connections: list[ConnectionLog] = []
        self.default = default
        self._rules: dict[str, list[Answer]] = {}
        self._greetings: list[Script] = []
        self._tls = tls
        self._open: set[_Connection] = set()
        self._socket = socket.create_server((host, port), backlog=4096)
        self.host, self.port = host, int(self._socket.getsockname()[1])
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=f"fake-upstream-{self.port}", daemon=True)

    @property
    def url(self) -> str:
        """Base URL, without a trailing slash; under TLS with the name that certificates are made for."""
        return f"https://localhost:{self.port}" if self._tls else f"http://{self.host}:{self.port}"

    def on(self, path: str, *answers: Answer) -> None:
        """Answer ``path`` (exact, without query): the n-th call gets the n-th answer, the last one repeats."""
        self._rules[path] = list(answers)

    def greet(self, *scripts: Script) -> None:
        """Play a script on each new connection, before a byte of it is read: the n-th on the n-th, the last repeats.

        Under TLS that is right behind the handshake.
        """
        self._greetings = list(scripts)

    def greeting(self) -> Script:
        """The script for a new connection."""
        return _in_turn(self._greetings) if self._greetings else ()

    def reset(self) -> None:
        """Forget all rules, greetings and requests; open connections stay open."""
        self._rules.clear()
        self._greetings.clear()
        self.requests.clear()

    def script_for(self, request: Request) -> Script:
        """The script that answers this request."""
        answers = self._rules.get(request.path)
        answer = _in_turn(answers) if answers else self.default
        return answer(request) if callable(answer) else answer

    def wait_for(self, count: int = 1, seconds: float = 5.0) -> list[Request]:
        """The requests so far, once there are ``count`` of them; AssertionError after ``seconds``."""
        deadline = time.monotonic() + seconds
        while len(self.requests) < count:
            assert time.monotonic() < deadline, f"{len(self.requests)} of {count} requests arrived in {seconds} s"
            time.sleep(0.005)
        return list(self.requests)

    def close_idle(self) -> None:
        """Close every connection that is not in the middle of an answer, as servers do with idle ones."""
        self._loop.call_soon_threadsafe(self._close_idle)

    def _close_idle(self) -> None:
        for connection in list(self._open):
            if not connection.busy:
                connection.close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def run_forever(self) -> None:
        """Serve in this thread (the program's way)."""
        self._run()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            self._loop.create_server(lambda: _Connection(self), sock=self._socket, backlog=4096, ssl=self._tls)
        )
        try:
            self._loop.run_forever()
        finally:
            server.close()
            for connection in list(self._open):
                connection.abort()
            # one more turn, so that cancelled scripts and aborted transports come to their end
            self._loop.run_until_complete(asyncio.sleep(0.01))
            self._loop.close()

    def admit(self, connection: "_Connection") -> ConnectionLog:
        """Note a new connection."""
        self._open.add(connection)
        log = ConnectionLog(len(self.connections))
        self.connections.append(log)
        return log

    def release(self, connection: "_Connection") -> None:
        """Note that a connection is gone."""
        self._open.discard(connection)


def _in_turn[T](things: list[T]) -> T:
    """Take the next of them; the last one stays."""
    return things.pop(0) if len(things) > 1 else things[0]


class _Connection(asyncio.Protocol):
    """One peer: parses requests, plays scripts, one after the other."""

    def __init__(self, owner: FakeUpstream) -> None:
        self._owner = owner
        self._buffer = bytearray()
        self._continued = False
        self._task: asyncio.Task[None] | None = None
        self._frames: asyncio.Queue[bytes] | None = None

    @property
    def busy(self) -> bool:
        return self._task is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._log = self._owner.admit(self)
        if greeting := self._owner.greeting():
            transport.pause_reading()
            self._task = asyncio.get_running_loop().create_task(self._greet(greeting))

    def data_received(self, data: bytes) -> None:
        if self._frames is not None:
            self._frames.put_nowait(data)
            return
        self._buffer += data
        self._advance()

    def eof_received(self) -> None:
        self._note_closed(by_peer=True)

    def connection_lost(self, exc: Exception | None) -> None:
        self._note_closed(by_peer=exc is not None)
        self._owner.release(self)
        if self._task is not None:
            self._task.cancel()

    def close(self) -> None:
        self._note_closed(by_peer=False)
        self._transport.close()

    def abort(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._transport.abort()

    def _note_closed(self, *, by_peer: bool) -> None:
        if self._log.closed_at is None:
            self._log.closed_at, self._log.closed_by_peer = time.monotonic(), by_peer
            self._log.closed.open()

    def _advance(self) -> None:
        while self._task is None and (parsed := self._next_request()) is not None:
            self._owner.requests.append(parsed)
            script = self._owner.script_for(parsed)
            if (whole := plain_bytes(script)) is not None:
                self._transport.write(whole)
                continue
            self._task = asyncio.get_running_loop().create_task(self._play(script, parsed))

    async def _greet(self, script: Script) -> None:
        for step in script:
            await self._do(step)
        self._task = None
        if not self._transport.is_closing():
            self._transport.resume_reading()

    async def _play(self, script: Script, request: Request) -> None:
        for step in script:
            await self._do(step, request)
        self._task = None
        self._advance()

    async def _do(self, step: Step, request: Request | None = None) -> None:
        match step:
            case Head() | Chunk() | LastChunk() | Raw():
                self._transport.write(bytes_of(step) or b"")
            case Drip(gap=gap):
                for piece in step.pieces():
                    self._transport.write(piece)
                    await asyncio.sleep(gap)
            case Sleep(seconds):
                await asyncio.sleep(seconds)
            case WaitFor(gate):
                await gate.passed()
            case Reached(gate):
                gate.open()
            case Close() | HalfClose() | Reset() | Stall():
                await self._leave(step)
            case WebSocketEcho():
                assert request is not None, "a greeting answers no handshake"
                await self._echo(request)

    async def _leave(self, step: Close | HalfClose | Reset | Stall) -> None:
        match step:
            case Close():
                self.close()
            case HalfClose():
                self._transport.write_eof()
                await self._log.closed.passed()
            case Reset():
                self._note_closed(by_peer=False)
                self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, MAX_LINGER)
                self._transport.abort()
            case Stall():
                self._transport.resume_reading()  # else nobody would notice that the peer goes away
                await self._log.closed.passed()

    async def _echo(self, request: Request) -> None:
        accept = accept_key(request.get("sec-websocket-key") or "")
        upgrade = (("upgrade", "websocket"), ("connection", "Upgrade"), ("sec-websocket-accept", accept))
        self._transport.write(bytes_of(Head(101, upgrade)) or b"")
        self._frames = asyncio.Queue()
        await echo(self._frames, self._transport.write)
        self.close()

    def _next_request(self) -> Request | None:
        """Cut one whole request out of the buffer."""
        taken = take_request(self._buffer, self._log)
        if taken is None and not self._continued and wants_continue(self._buffer):
            self._continued = True
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        elif taken is not None:
            self._continued = False
        return taken


def main() -> None:
    """Serve every dialect until killed; the first line printed is the port."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--port", type=int, default=0)
    upstream = FakeUpstream(speak, port=parser.parse_args().port)
    print(upstream.port, flush=True)  # noqa: T201 - the caller reads it
    upstream.run_forever()


if __name__ == "__main__":
    main()
