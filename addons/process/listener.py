"""Listener: where clients connect, and the connections they have made.

Relies on these internals of mitmproxy 12.2: ``Proxyserver.servers`` (its instances' ``_servers``, ``stop`` and
``handle_stream``), ``Proxyserver.setup_servers``, and ``Proxyserver.connections`` (its handlers' ``transports``,
``layer`` and ``server_event``).
"""

import asyncio
import logging
import time
from contextlib import suppress

from mitmproxy import ctx
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.connection import Client
from mitmproxy.proxy.mode_servers import AsyncioServerInstance
from mitmproxy.proxy.mode_specs import ProxyMode
from mitmproxy.proxy.server import ConnectionHandler
from mitmproxy_rs.udp import UdpServer
from mitmproxy_rs.wireguard import WireGuardServer

from addons.configuration import Configuration
from addons.process.doorway import Admit, Doorway
from addons.relay.layer import Freshen, RelayLayer, ShutDown
from providers.registry import Registry

logger = logging.getLogger(__name__)

_BACKLOG = 4096  # asyncio's 100 makes a burst of clients wait for whole seconds
_LOOK = 0.02  # seconds between two looks at what clients have yet to take
# Nothing that our addons have not aimed goes anywhere: the mode's own upstream refuses.
DEAD_END = "http://127.0.0.1:9"


def modes_for(registry: Registry) -> list[str]:
    """Return mitmproxy's modes for an address of ours: the local server behind, the addons in front of it."""
    host, port = registry.listen
    local = registry.local.base_url or DEAD_END
    scheme, _, rest = local.partition("://")
    return [f"reverse:{scheme}://{rest.split('/')[0]}@{host}:{port}"]


def _everybody(_descriptor: int, _address: object) -> bool:
    return True


class Listener:
    """Moves a proxy that was given no mode to ours, and makes the sockets fit for bursts and for both loopbacks.

    ``admit`` is asked for each connection whether it may come in.
    """

    def __init__(self, configuration: Configuration, admit: Admit = _everybody) -> None:
        self._configuration = configuration
        self._admit = admit
        self._task: asyncio.Task[None] | None = None

    def running(self) -> None:
        """Look after the sockets once they are open."""
        self._task = asyncio.get_running_loop().create_task(self._open())

    def client_disconnected(self, client: Client) -> None:
        """Close a connection that mitmproxy is through with.

        It forgets to when the answer that ends a connection is sent while the client's own end is still waiting to be
        told to the layers: the task that would close is cancelled there, and the client waits for ever (2026-11-20).
        """
        handler = proxy_server().connections.get(client.id)
        left = handler.transports.get(client) if handler is not None else None
        if left is not None and left.writer is not None:
            left.writer.close()

    async def opened(self) -> None:
        """Wait until every socket is open."""
        if self._task is not None:
            await self._task

    async def stop_accepting(self) -> None:
        """Close the sockets on which clients connect; connections that stand stay."""
        await self.opened()
        for instance in proxy_server().servers:
            if instance.is_running:
                await instance.stop()

    def in_flight(self) -> int:
        """Count the connections that wait for an answer, or have not taken all of one."""
        return sum(_is_busy(handler) for handler in proxy_server().connections.values())

    async def end_connections(self, patience: float) -> None:
        """End whatever is in flight with an error, and its connection when the client has taken that error.

        A client that takes nothing is left after ``patience`` seconds.
        """
        handlers = list(proxy_server().connections.values())
        writers = [writer for handler in handlers if (writer := writer_of(handler)) is not None]
        for handler in handlers:
            if _relay(handler) is not None:
                await handler.server_event(ShutDown())
        until = time.monotonic() + patience
        while any(map(unsent, writers)) and time.monotonic() < until:
            await asyncio.sleep(_LOOK)

    async def freshen(self) -> None:
        """Close the connections to upstreams that are idle: they may have died without a word."""
        for handler in list(proxy_server().connections.values()):
            if _relay(handler) is not None:
                await handler.server_event(Freshen())

    async def _open(self) -> None:
        proxy = proxy_server()
        if ctx.options.mode == ["regular"]:
            ctx.options.update(mode=modes_for(self._configuration.registry))
        await proxy.setup_servers()
        for instance in proxy.servers:
            if not isinstance(instance, AsyncioServerInstance):
                continue
            await _second_loopback(instance)
            for server in list(instance._servers):
                if not isinstance(server, (UdpServer, WireGuardServer)):  # not ours, and no sockets of Python's
                    instance._servers.remove(server)
                    instance._servers += await self._doors(instance, server)

    async def _doors(self, instance: AsyncioServerInstance[ProxyMode], server: asyncio.Server) -> list[asyncio.Server]:
        """Take a server's place on its bound sockets, with doorways and room for bursts."""
        doors = []
        for bound in server.sockets:
            door = Doorway(bound.fileno(), self._admit)
            doors.append(await asyncio.start_server(instance.handle_stream, sock=door))
            door.listen(_BACKLOG)
        server.close()
        return doors


def proxy_server() -> Proxyserver:
    """Return mitmproxy's own keeper of sockets and connections."""
    proxy: Proxyserver = ctx.master.addons.get("proxyserver")
    return proxy


def _relay(handler: ConnectionHandler) -> RelayLayer | None:
    """Return our layer of a connection; a client that has said nothing has none."""
    return next((layer for layer in handler.layer.context.layers if isinstance(layer, RelayLayer)), None)


def writer_of(handler: ConnectionHandler) -> asyncio.StreamWriter | None:
    """Return where a client's bytes go out, None where there is no such thing."""
    ours = handler.transports.get(handler.client)
    return ours.writer if ours is not None and isinstance(ours.writer, asyncio.StreamWriter) else None


def unsent(writer: asyncio.StreamWriter) -> int:
    """Count the bytes that the client has not taken yet."""
    return writer.transport.get_write_buffer_size()


def _is_busy(handler: ConnectionHandler) -> bool:
    relay, writer = _relay(handler), writer_of(handler)
    return bool(relay and relay.streams) or (writer is not None and unsent(writer) > 0)


async def _second_loopback(instance: AsyncioServerInstance[ProxyMode]) -> None:
    """Listen on ::1 beside 127.0.0.1 (and the other way round): ``localhost`` means both, and clients pick either."""
    bound = {address[0] for address in instance.listen_addrs}
    if len(bound) != 1 or not bound <= {"127.0.0.1", "::1"}:
        return
    port = instance.listen_addrs[0][1]
    other = "::1" if bound == {"127.0.0.1"} else "127.0.0.1"
    with suppress(OSError):  # a machine without IPv6 has nothing to add
        instance._servers.append(await asyncio.start_server(instance.handle_stream, other, port))
