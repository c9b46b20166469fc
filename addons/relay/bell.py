"""The bell of a connection: wakes its calls from outside, when something has happened on another connection.

Relies on these internals of mitmproxy 12.2: ``Proxyserver.connections`` (its handlers' ``server_event``).
"""

import asyncio

from mitmproxy import ctx
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.connection import Client
from mitmproxy.proxy import events
from mitmproxy.utils import asyncio_utils

from addons.relay.layer import BELL


def ring(client: Client) -> None:
    """Wake all calls of a client's connection soon, not at once: the caller is in the middle of another one's."""
    asyncio.get_running_loop().call_soon(_wake, client)


def _wake(client: Client) -> None:
    """Do so, if the connection still stands."""
    proxy: Proxyserver | None = ctx.master.addons.get("proxyserver")
    handler = None if proxy is None else proxy.connections.get(client.id)
    if handler is not None:
        asyncio_utils.create_task(
            handler.server_event(events.Wakeup(BELL)), name="bell", keep_ref=True, client=client.peername
        )
