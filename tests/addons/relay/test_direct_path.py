"""Pieces of a stream, from socket to socket: none is lost, none overtakes another, whichever way they go."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.connection import Client, Connection, Server
from mitmproxy.proxy.server import ConnectionIO
from mitmproxy.test import taddons

from addons.relay.chunks import ChunkedBody
from addons.relay.direct_path import shorten


@dataclass
class Watchdog:
    noticed: int = 0

    def register_activity(self) -> None:
        self.noticed += 1


@dataclass
class Handler:
    """What mitmproxy's connection handler shows of itself."""

    transports: dict[Connection, ConnectionIO] = field(default_factory=dict)
    timeout_watchdog: Watchdog = field(default_factory=Watchdog)


@dataclass
class Ends:
    """A provider's end, a client's end, and what a handler holds between them."""

    provider: socket.socket
    client: socket.socket
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    handler: Handler
    of_client: Client
    of_server: Server

    async def received(self, size: int) -> bytes:
        """What the client got, once it is this much."""
        loop, data = asyncio.get_running_loop(), b""
        while len(data) < size:
            piece = await asyncio.wait_for(loop.sock_recv(self.client, 65536), 5)
            assert piece
            data += piece
        return data


@asynccontextmanager
async def ends(tls: str = "") -> AsyncIterator[Ends]:
    """Both sockets of both connections, in a running proxy."""
    of_client = Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2), tls=tls == "client")
    of_server = Server(address=("127.0.0.1", 3), tls=tls == "server")
    (provider, coming), (client, going) = socket.socketpair(), socket.socketpair()
    for one in (provider, client):
        one.setblocking(False)
    reader, upstream = await asyncio.open_connection(sock=coming)
    client_reader, writer = await asyncio.open_connection(sock=going)
    handler, proxy = Handler(), Proxyserver()
    handler.transports[of_server] = ConnectionIO(reader=reader, writer=upstream)
    handler.transports[of_client] = ConnectionIO(reader=client_reader, writer=writer)
    with taddons.context(proxy):
        proxy.connections[of_client.id] = handler  # type: ignore[assignment]  # as much of one as is asked
        yield Ends(provider, client, reader, writer, handler, of_client, of_server)
    for stream in (upstream, writer):
        stream.close()
    for one in (provider, client):
        one.close()
    await asyncio.sleep(0)


def shout(data: bytes) -> bytes | None:
    """Frame what is in lower case; leave the rest to the layers."""
    return data.upper() if data.islower() else None


def buffered(reader: asyncio.StreamReader) -> bytes:
    """What has come and was not yet taken out."""
    return bytes(vars(reader)["_buffer"])


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)


@pytest.mark.anyio
async def test_a_piece_goes_from_socket_to_socket_and_wakes_nobody() -> None:
    async with ends() as its:
        shorten(its.of_client, its.of_server, shout)
        waiting = asyncio.ensure_future(its.reader.read(100))
        await asyncio.sleep(0)
        its.provider.send(b"one")
        assert await its.received(3) == b"ONE"
        its.provider.send(b"two")
        assert await its.received(3) == b"TWO"
        assert not waiting.done()
        assert its.handler.timeout_watchdog.noticed == 2
        its.provider.send(b"REST")
        assert await waiting == b"REST"


@pytest.mark.anyio
async def test_nothing_overtakes_a_piece_that_is_still_with_the_layers() -> None:
    async with ends() as its:
        shorten(its.of_client, its.of_server, shout)
        its.provider.send(b"early")
        await until(lambda: bool(buffered(its.reader)))
        its.provider.send(b"late")
        assert await its.reader.readexactly(9) == b"earlylate"


@pytest.mark.anyio
async def test_a_piece_that_has_been_taken_but_not_told_is_not_overtaken() -> None:
    async with ends() as its:
        shorten(its.of_client, its.of_server, shout)
        waiting = asyncio.ensure_future(its.reader.read(100))
        await asyncio.sleep(0)
        its.provider.send(b"EARLY")
        assert await waiting == b"EARLY"  # nobody waits now: the layers have it in hand
        its.provider.send(b"late")
        await until(lambda: bool(buffered(its.reader)))
        assert await its.reader.read(100) == b"late"


@pytest.mark.anyio
async def test_a_client_that_reads_slowly_is_waited_for_by_the_layers() -> None:
    async with ends() as its:
        shorten(its.of_client, its.of_server, shout)
        its.writer.write(b"x" * 5_000_000)
        waiting = asyncio.ensure_future(its.reader.read(100))
        await asyncio.sleep(0)
        its.provider.send(b"one")
        assert await waiting == b"one"


@pytest.mark.anyio
async def test_a_client_that_is_gone_gets_nothing() -> None:
    async with ends() as its:
        shorten(its.of_client, its.of_server, shout)
        waiting = asyncio.ensure_future(its.reader.read(100))
        await asyncio.sleep(0)
        its.writer.close()
        its.provider.send(b"one")
        assert await waiting == b"one"


@pytest.mark.anyio
async def test_what_is_taken_and_answered_with_nothing_is_gone() -> None:
    async with ends() as its:
        shorten(its.of_client, its.of_server, lambda data: b"")
        waiting = asyncio.ensure_future(its.reader.read(100))
        await asyncio.sleep(0)
        its.provider.send(b"one")
        await until(lambda: its.handler.timeout_watchdog.noticed == 1)
        assert not waiting.done()
        its.provider.shutdown(socket.SHUT_WR)
        assert await waiting == b""


@pytest.mark.anyio
@pytest.mark.parametrize("tls", ["client", "server"])
async def test_under_tls_the_layers_see_everything(tls: str) -> None:
    async with ends(tls) as its:
        shorten(its.of_client, its.of_server, shout)
        waiting = asyncio.ensure_future(its.reader.read(100))
        await asyncio.sleep(0)
        its.provider.send(b"one")
        assert await waiting == b"one"


@pytest.mark.anyio
@pytest.mark.parametrize("gone", ["handler", "server", "client"])
async def test_a_connection_without_a_socket_stays_as_it_is(gone: str) -> None:
    async with ends() as its:
        if gone == "server":
            its.handler.transports[its.of_server] = ConnectionIO()
        elif gone == "client":
            del its.handler.transports[its.of_client]
        client = Client(peername=("127.0.0.1", 9), sockname=("127.0.0.1", 2)) if gone == "handler" else its.of_client
        shorten(client, its.of_server, shout)
        assert "feed_data" not in vars(its.reader)


@pytest.mark.anyio
async def test_outside_a_running_proxy_nothing_is_done() -> None:
    with taddons.context():
        shorten(Client(peername=("", 1), sockname=("", 2)), Server(address=("", 3)), shout)


@pytest.mark.anyio
@pytest.mark.parametrize("seed", range(8))
async def test_any_pieces_at_any_pace_come_whole_and_in_order(seed: int) -> None:
    chance = random.Random(seed)
    payloads = [bytes([65 + n % 26]) * chance.choice((1, 30, 3000)) for n in range(300)]
    body, taken = ChunkedBody(), []

    def take(data: bytes) -> bytes | None:
        payload = body.single(data)
        taken.append(payload is not None)
        return payload

    async def layers(its: Ends) -> None:
        while data := await its.reader.read(65536):
            await asyncio.sleep(0)
            its.writer.write(body.read(data))
            await its.writer.drain()

    async def provider(its: Ends) -> None:
        loop = asyncio.get_running_loop()
        for payload in payloads:
            chunk = b"%x\r\n%s\r\n" % (len(payload), payload)
            cut = chance.choice((0, 0, 0, chance.randrange(len(chunk))))
            for piece in filter(None, (chunk[:cut], chunk[cut:])):
                await loop.sock_sendall(its.provider, piece)
                for _ in range(chance.choice((0, 1, 5))):
                    await asyncio.sleep(0)
        its.provider.shutdown(socket.SHUT_WR)

    async with ends() as its:
        shorten(its.of_client, its.of_server, take)
        consumer, sending = asyncio.ensure_future(layers(its)), asyncio.ensure_future(provider(its))
        assert await its.received(sum(map(len, payloads))) == b"".join(payloads)
        await asyncio.gather(sending, consumer)
    assert True in taken  # both ways were gone
    assert False in taken
