"""Patience: hangs up on clients that take nothing of what waits for them.

Strategy: what a client is slow to read waits in a bounded buffer, and while that is full the provider is not read
either. A client that has stopped reading would so keep a provider's slot, and its memory, for ever. Every few seconds
all connections are looked at: where something waits, and the same amount did all the time (setting ``client_stall``),
nothing was taken, and the connection is closed. The call is then recorded as one that its client has left. A client
that reads slowly is left alone: with each look the amount is another one. What the system holds counts with what we
hold, where it tells: it takes megabytes, and asks for more only when a good part of them is gone. Nothing is done per
call or per event.

Meanwhile the deadline between two pieces of an answer rests (`is_behind`): it is not the provider that is slow.

Relies on these internals of mitmproxy 12.2: those of `addons.process.listener`.
"""

import asyncio
import logging
import sys
import time
from asyncio.trsock import TransportSocket

from mitmproxy import ctx
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.connection import Client

from addons.configuration import Configuration
from addons.process.listener import proxy_server, unsent, writer_of

logger = logging.getLogger(__name__)

REST_US = 1_000_000  # µs until a deadline that rests is looked at again
_LOOKS = 8  # within the time that a client is given
_SHORTEST, _LONGEST = 0.05, 15.0  # seconds between two looks


def is_behind(client: Client) -> bool:
    """Whether something waits for a client to take it."""
    proxy: Proxyserver | None = ctx.master.addons.get("proxyserver")
    handler = None if proxy is None else proxy.connections.get(client.id)
    writer = None if handler is None else writer_of(handler)
    return writer is not None and unsent(writer) > 0


class Patience:
    """Gives each client the time that the setting ``client_stall`` says; 0: for ever."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._waiting: dict[object, tuple[int, float]] = {}  # connection → bytes that wait, and since when so many
        self._task: asyncio.Task[None] | None = None

    def running(self) -> None:
        """Begin to look."""
        self._task = asyncio.get_running_loop().create_task(self._watch())

    def done(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()

    async def _watch(self) -> None:
        while True:
            given = self._configuration.registry.settings.client_stall
            await asyncio.sleep(min(max(given / _LOOKS, _SHORTEST), _LONGEST) if given else _LONGEST)
            self.look(given, time.monotonic())

    def look(self, given: float, now: float) -> None:
        """Hang up on those who have taken nothing for ``given`` seconds; ``now`` is monotonic seconds."""
        before, self._waiting = self._waiting, {}
        for name, handler in list(proxy_server().connections.items()) if given else ():
            writer = writer_of(handler)
            if writer is None or not unsent(writer):
                continue
            waits = unsent(writer) + _held_by_system(writer.get_extra_info("socket"))
            amount, since = before.get(name, (0, now))
            if amount != waits:
                self._waiting[name] = waits, now
            elif now - since < given:
                self._waiting[name] = waits, since
            else:
                logger.info("Hung up on a client that has taken nothing of its answer for %g s.", given)
                writer.transport.abort()


def _held_by_system(connected: TransportSocket) -> int:
    """Count the bytes that the client's machine has not confirmed; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0
    import fcntl
    import termios

    # tcp(7): SIOCOUTQ, which has the number of TIOCOUTQ.
    return int.from_bytes(fcntl.ioctl(connected.fileno(), termios.TIOCOUTQ, bytes(4)), sys.byteorder)
