"""The fake upstream of the load scenarios: a lane for each provider, told how to behave while it runs.

``/LANE/v1/chat/completions`` is a call; whatever else is asked is answered as `scripts.benchmark.upstream` does. A lane
works on so many calls at once (``slots``), for so long each (``delay``); with a status other than 200 it fails them,
and while it is ``held`` it answers nobody. The model ``numbered-EVENTS-RATE`` asks for a stream whose events carry the
number in the field ``user`` and their own (rate 0: as fast as they are taken).

``GET /load/set?lane=…&delay=…&slots=…&status=…&held=0|1`` changes a lane, ``/load/outlet?port=…&open=0|1`` opens a
further port, or closes it with all its connections; each answers with what the lanes have seen.
"""

import asyncio
import gc
import json
import re
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from scripts.benchmark import wire
from scripts.benchmark.upstream import BACKLOG, Upstream

_NUMBERED = re.compile(rb'"model": ?"numbered-(\d+)-(\d+)"')
_USER = re.compile(rb'"user": ?"(\d+)"')
_BLOCK = 64  # events in one write of a stream without a pace
_SPAN = 10**10  # numbers of events below that of their stream: both have room in the 20 digits of a stamp
_STREAM_TAIL = wire.chunk(wire.STREAM_END) + wire.LAST_CHUNK


def numbered(stream: int, event: int) -> bytes:
    """One event of a numbered stream."""
    return wire.event(stream * _SPAN + event)


@dataclass
class Lane:
    """One provider: its conduct, and what it has seen.

    ``calls`` are the monotonic seconds when each came; ``present`` of them have no answer yet, ``most`` had none at
    once. ``sent`` counts the bytes of streams, ``streaming`` those that go on.
    """

    delay: float = 0.0
    slots: int = 0
    status: int = 200
    held: int = 0
    calls: list[float] = field(default_factory=list)
    present: int = 0
    most: int = 0
    sent: int = 0
    streaming: int = 0
    _working: int = 0
    _waiting: deque[Callable[[], None]] = field(default_factory=deque)

    def enter(self, reply: Callable[[], None]) -> None:
        """Take a call in; it is worked on when there is a slot for it."""
        self.present += 1
        self.most = max(self.most, self.present)
        self._waiting.append(reply)
        self.go_on()

    def go_on(self) -> None:
        """Work on as many calls as there are slots for."""
        while self._waiting and not self.held and not (self.slots and self._working >= self.slots):
            self._working += 1
            asyncio.get_running_loop().call_later(self.delay, self._reply, self._waiting.popleft())

    def _reply(self, reply: Callable[[], None]) -> None:
        self._working -= 1
        self.present -= 1
        reply()
        self.go_on()

    def seen(self) -> dict[str, object]:
        """What is told of it."""
        shown = ("calls", "present", "most", "sent", "streaming")
        return {name: getattr(self, name) for name in shown}


# What may be set, and how it is read.
_CONDUCT: dict[str, Callable[[str], float]] = {"delay": float, "slots": int, "status": int, "held": int}


class House:
    """All lanes, and the further ports."""

    def __init__(self) -> None:
        self.lanes: dict[str, Lane] = {}
        self._outlets: dict[int, tuple[asyncio.Server, set[LaneUpstream]]] = {}

    def lane(self, name: str) -> Lane:
        """Return a lane, which is made when it is first spoken of."""
        return self.lanes.setdefault(name, Lane())

    def connect(self) -> "LaneUpstream":
        """Make the protocol of a connection."""
        return LaneUpstream(self, set())

    def seen(self) -> bytes:
        """What is told of all lanes, as JSON."""
        return json.dumps({name: lane.seen() for name, lane in self.lanes.items()}).encode()

    def set_lane(self, wishes: dict[str, str]) -> None:
        """Change the conduct of a lane."""
        lane = self.lane(wishes.pop("lane"))
        for name, value in wishes.items():
            setattr(lane, name, _CONDUCT[name](value))
        lane.go_on()

    async def set_outlet(self, port: int, *, is_open: bool) -> None:
        """Listen on a further port, or refuse there."""
        if is_open:
            connected: set[LaneUpstream] = set()
            server = await asyncio.get_running_loop().create_server(
                lambda: LaneUpstream(self, connected), "127.0.0.1", port, backlog=BACKLOG
            )
            self._outlets[port] = server, connected
        elif port in self._outlets:
            server, connected = self._outlets.pop(port)
            server.close()
            for connection in list(connected):
                connection.cut()


class LaneUpstream(Upstream):
    """One connection of the house; ``company`` are those of the same port."""

    def __init__(self, house: House, company: "set[LaneUpstream]") -> None:
        super().__init__()
        self._house = house
        self._company = company
        self._streamed: tuple[Lane, int, int, int] | None = None  # lane, stream, events in all, of these sent

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the others."""
        super().connection_made(transport)
        self._company.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave, and stop a stream that nobody reads."""
        super().connection_lost(exc)
        self._company.discard(self)
        self._end_stream()

    def cut(self) -> None:
        """Reset the connection."""
        assert self._transport is not None
        self._transport.abort()

    def _answer(self, head: bytes, body: bytes) -> None:
        path = head.split(b" ", 2)[1].decode("ascii")
        name, _, rest = path[1:].partition("/")
        if name == "load":
            self._obey(rest)
        elif rest.endswith("chat/completions") and path.encode() != wire.CHAT_PATH:
            self._call(self._house.lane(name), body)
        else:
            super()._answer(head, body)

    def _obey(self, wish: str) -> None:
        what, _, query = wish.partition("?")
        wishes = dict(parse_qsl(query))
        if what == "outlet":
            opening = self._house.set_outlet(int(wishes["port"]), is_open=wishes["open"] == "1")
            asyncio.get_running_loop().create_task(opening).add_done_callback(lambda _: self._tell())
            return
        if what == "set":
            self._house.set_lane(wishes)
        self._tell()

    def _tell(self) -> None:
        self._write(wire.json_response(self._house.seen()))

    def _call(self, lane: Lane, body: bytes) -> None:
        lane.calls.append(time.monotonic())
        if lane.status != 200:
            said = b'{"error":{"message":"no","type":"server_error","param":null,"code":null}}'
            self._write(wire.json_response(said, b"%d Failed" % lane.status))
        elif (asked := _NUMBERED.search(body)) is not None:
            user = _USER.search(body)
            self._stream(lane, int(user[1]) if user else 0, int(asked[1]), int(asked[2]))
        else:
            lane.enter(lambda: self._write(wire.json_response(wire.ANSWER)))

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _stream(self, lane: Lane, stream: int, events: int, per_second: int) -> None:
        lane.streaming += 1
        self._streamed = lane, stream, events, 0
        self._write(wire.STREAM_HEAD)
        if per_second:
            self._step(per_second, self._loop.time())
        else:
            self._loop.call_soon(self._flood)

    def _step(self, per_second: int, began: float) -> None:
        """Send the next event; each has its place in time, so that a late one delays no other."""
        self._send(1)
        if self._streamed is not None:
            due = began + self._streamed[3] / per_second
            self._paced = self._loop.call_at(due, self._step, per_second, began)

    def _flood(self) -> None:
        while self._streamed is not None and not self._paused:
            self._send(_BLOCK)

    def _send(self, count: int) -> None:
        """Send so many events of the stream, and its end behind the last one."""
        assert self._streamed is not None
        lane, stream, events, sent = self._streamed
        upto = min(events, sent + count)
        data = b"".join(wire.chunk(numbered(stream, event)) for event in range(sent, upto))
        lane.sent += len(data)
        self._streamed = lane, stream, events, upto
        self._write(data + _STREAM_TAIL if upto == events else data)
        if upto == events:
            self._end_stream()

    def _end_stream(self) -> None:
        if self._streamed is not None:
            self._streamed[0].streaming -= 1
            self._streamed = None


async def main() -> None:
    """Serve until standard input ends; the port is printed."""
    loop, house = asyncio.get_running_loop(), House()
    server = await loop.create_server(house.connect, "127.0.0.1", 0, backlog=BACKLOG)
    print(server.sockets[0].getsockname()[1], flush=True)
    gone = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), gone.set)
    await gone.wait()
    server.close()


if __name__ == "__main__":
    gc.disable()  # a collection would be seen as a slow gateway
    asyncio.run(main())
