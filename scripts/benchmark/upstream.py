"""The fake llama-server behind the ways: prebuilt answers, and streams at the pace that the model's name asks for.

``python -m scripts.benchmark.upstream`` prints its port and serves until its standard input ends, so that it cannot
outlive who started it.
"""

import asyncio
import gc
import re
import sys
from time import monotonic_ns

from scripts.benchmark import wire

BACKLOG = 4096
_BLOCK = 64  # events in one write of a flood; each is an HTTP chunk of its own
_FLOOD = wire.chunk(wire.event())
_FLOOD_BLOCK = _FLOOD * _BLOCK
_STREAM_TAIL = wire.chunk(wire.STREAM_END) + wire.LAST_CHUNK
_ANSWER = wire.json_response(wire.ANSWER)
_PAGES = {b"/v1/models": wire.json_response(wire.MODELS), b"/models": wire.json_response(wire.MODELS)}
_NOTHING_HERE = wire.json_response(wire.NOTHING_HERE, b"404 Not Found")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Upstream(asyncio.Protocol):
    """One connection: a request, its answer, the next one."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._paused = False
        self._flood_left = 0
        self._paced: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop a stream that nobody reads."""
        self._transport = None
        if self._paced is not None:
            self._paced.cancel()

    def data_received(self, data: bytes) -> None:
        """Collect one request, however it is cut, and answer it."""
        data = self._buffer + data if self._buffer else data
        end = data.find(b"\r\n\r\n")
        length = _LENGTH.search(data, 0, end) if end >= 0 else None
        whole = end + 4 + (int(length[1]) if length else 0)
        if end < 0 or len(data) < whole:
            self._buffer = data
            return
        self._buffer = data[whole:]
        self._answer(data, data[end + 4 : whole])

    def _answer(self, head: bytes, body: bytes) -> None:
        assert self._transport is not None
        path = head.split(b" ", 2)[1]
        if path != wire.CHAT_PATH:
            self._transport.write(_PAGES.get(path, _NOTHING_HERE))
        elif (stream := wire.asked_stream(body)) is None:
            self._transport.write(_ANSWER)
        else:
            self._transport.write(wire.STREAM_HEAD)
            if stream.per_second:
                self._pace(stream, 0, self._loop.time())
            else:
                self._flood_left = stream.events
                self._loop.call_soon(self._flood)

    def _pace(self, stream: wire.Stream, sent: int, began: float) -> None:
        """Send the next event; each has its place in time, so that a late one delays no other."""
        assert self._transport is not None
        if sent == stream.events:
            self._transport.write(_STREAM_TAIL)
            return
        self._transport.write(wire.chunk(wire.event(monotonic_ns())))
        due = began + (sent + 1) / stream.per_second
        self._paced = self._loop.call_at(due, self._pace, stream, sent + 1, began)

    def _flood(self) -> None:
        while self._flood_left and not self._paused and self._transport is not None:
            if self._flood_left >= _BLOCK:
                self._transport.write(_FLOOD_BLOCK)
                self._flood_left -= _BLOCK
            else:
                self._transport.write(_FLOOD * self._flood_left + _STREAM_TAIL)
                self._flood_left = 0

    def pause_writing(self) -> None:
        """The reader is slower."""
        self._paused = True

    def resume_writing(self) -> None:
        """The reader has caught up."""
        self._paused = False
        self._flood()


async def start() -> asyncio.Server:
    """Serve on a free loopback port."""
    return await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", 0, backlog=BACKLOG)


async def main() -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await start()
    print(server.sockets[0].getsockname()[1], flush=True)
    gone = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), gone.set)
    await gone.wait()
    server.close()


if __name__ == "__main__":
    gc.disable()  # a collection would be seen as a slow proxy; nothing here is cyclic for long
    asyncio.run(main())
