"""The bell of a connection: heard once the caller is done, and by nobody where nobody is there any more."""

import asyncio
from dataclasses import dataclass, field

import pytest
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.connection import Client
from mitmproxy.proxy import events
from mitmproxy.test import taddons

from addons.relay.bell import ring
from addons.relay.layer import BELL


@dataclass
class Handler:
    """What mitmproxy's connection handler shows of itself."""

    heard: list[events.Event] = field(default_factory=list)

    async def server_event(self, event: events.Event) -> None:
        self.heard.append(event)


def a_client() -> Client:
    return Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2))


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


@pytest.mark.anyio
async def test_a_connection_is_woken_soon() -> None:
    proxy, client, handler = Proxyserver(), a_client(), Handler()
    with taddons.context(proxy):
        proxy.connections[client.id] = handler  # type: ignore[assignment]  # it has all that is asked of it here
        ring(client)
        assert handler.heard == []
        await settle()
        (heard,) = handler.heard
        assert isinstance(heard, events.Wakeup)
        assert heard.command is BELL


@pytest.mark.anyio
async def test_a_connection_that_has_gone_hears_nothing() -> None:
    with taddons.context(Proxyserver()):
        ring(a_client())
        await settle()


@pytest.mark.anyio
async def test_outside_a_proxy_nobody_hears() -> None:
    with taddons.context():
        ring(a_client())
        await settle()
