"""The shortest way of a streamed event: from the socket it comes on to the socket it goes out on, in one call.

A piece that has come is usually put into a buffer, a task is woken that takes it out again, asks for a lock, tells the
layers, and waits for the client's buffer. A committed, untouched stream needs none of that: its pieces are noted by the
exchange, framed and written where they arrive. It halves the CPU time of a paced event (measured 2026-11-20).

The long way is taken whenever it makes a difference: while an earlier piece is still on it, when a piece is not one
whole chunk, when the client reads slowly, under TLS, and outside a running proxy.

Relies on these internals of mitmproxy 12.2: ``Proxyserver.connections`` (its handlers' ``transports`` and
``timeout_watchdog.register_activity``), and of asyncio: ``StreamReader`` with ``feed_data``, ``_waiter``, ``_buffer``.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

from mitmproxy import ctx
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.connection import Client, Server
from mitmproxy.proxy.server import ConnectionHandler


class _Inside(Protocol):
    """What `asyncio.StreamReader` does not show."""

    _waiter: asyncio.Future[None] | None
    _buffer: bytearray
    feed_data: Callable[[bytes], None]


_ENOUGH = 32 * 1024  # bytes a client may be behind: half of what makes asyncio ask the writer to wait


def shorten(client: Client, server: Server, take: Callable[[bytes], bytes | None]) -> None:
    """Let what comes from ``server`` go to ``client`` as ``take`` frames it; None of it leaves it to the layers.

    Without effect where one of the two is under TLS, or has no socket.
    """
    ends = _ends(client, server)
    if ends is None or client.tls or server.tls:
        return
    handler, reader, writer = ends
    noticed: Callable[[], None] = handler.timeout_watchdog.register_activity
    transport, inside = writer.transport, cast("_Inside", reader)

    def feed(data: bytes) -> None:
        # Whoever still waits has dealt with everything that came before.
        waiter = inside._waiter
        waits = waiter is not None and not waiter.done() and not inside._buffer
        if waits and not transport.is_closing() and transport.get_write_buffer_size() < _ENOUGH:
            framed = take(data)
            if framed is not None:
                noticed()
                if framed:
                    transport.write(framed)
                return
        asyncio.StreamReader.feed_data(reader, data)

    inside.feed_data = feed


def _ends(
    client: Client, server: Server
) -> tuple[ConnectionHandler, asyncio.StreamReader, asyncio.StreamWriter] | None:
    """Return where the server's bytes come in and the client's go out, None where there is no such thing."""
    proxy: Proxyserver | None = ctx.master.addons.get("proxyserver")
    handler = None if proxy is None else proxy.connections.get(client.id)
    if handler is None:
        return None
    coming, going = handler.transports.get(server), handler.transports.get(client)
    reader, writer = coming and coming.reader, going and going.writer
    if isinstance(reader, asyncio.StreamReader) and isinstance(writer, asyncio.StreamWriter):
        return handler, reader, writer
    return None
