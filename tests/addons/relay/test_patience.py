"""Clients that take nothing, and slow ones, with the whole chain on real sockets and in this process."""

import asyncio
import json
import logging
import socket
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path

import pytest
from mitmproxy.addons.next_layer import NextLayer
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.hooks import DoneHook, RunningHook
from mitmproxy.test import taddons, tflow

from addons.chain import make_chain
from addons.configuration import Configuration
from addons.process.listener import Listener, modes_for
from addons.relay.patience import Patience, is_behind
from providers.exchange.machine import Settings
from providers.registry import Registry, Watcher
from tests.fake_answers import CHUNKED, SSE, whole
from tests.fake_dialects import chat_events
from tests.fake_steps import Chunk, Head, LastChunk, Script, Sleep, Stall
from tests.fake_upstream import FakeUpstream
from tests.rig import free_port
from tests.rig_client import request_bytes
from tests.rig_gateway import speak_locally

pytestmark = pytest.mark.anyio

PATH = "/v1/chat/completions"
CALL = request_bytes("POST", PATH, json.dumps({"model": "x", "stream": True, "messages": []}).encode())
EVENTS = chat_events()
# More than all the buffers between a provider and a client that has asked for a small one.
FILLER = b": " + b"x" * 65_532 + b"\n\n"
FILLERS = 320
LONG: Script = (Head(200, (*SSE, *CHUNKED)), *map(Chunk, EVENTS[:3]), *(Chunk(FILLER) for _ in range(FILLERS)))


@pytest.fixture(name="upstream")
def fixture_upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream(speak_locally) as upstream:
        upstream.on(PATH, (*LONG, *map(Chunk, EVENTS[3:]), LastChunk()))
        upstream.on("/page", whole(b"y" * len(FILLER) * FILLERS, "text/plain"))
        yield upstream


Build = Callable[[float, float], Registry]


@pytest.fixture(name="build")
def fixture_build(make_registry: Callable[..., Registry], upstream: FakeUpstream, tmp_path: Path) -> Build:
    def build(stall: float, gap: float) -> Registry:
        return make_registry(
            f"providers: {{local: {{kind: llamacpp, base_url: '{upstream.url}', deadlines: {{gap: {gap}}}}}}}",
            PATCHBAY_LISTEN=f"127.0.0.1:{free_port()}",
            PATCHBAY_CLIENT_STALL=str(stall),
            PATCHBAY_DB=str(tmp_path / "rows.db"),
            PATCHBAY_SHUTDOWN_GRACE="0",
        )

    return build


@asynccontextmanager
async def running(registry: Registry) -> AsyncIterator[Listener]:
    chain = make_chain(Watcher(lambda: registry, registry))
    listener = next(addon for addon in chain if isinstance(addon, Listener))
    with taddons.context(Proxyserver(), NextLayer(), *chain) as context:
        context.options.update(mode=modes_for(registry))
        await context.master.addons.trigger_event(RunningHook())
        await listener.opened()
        yield listener
        context.master.should_exit.set()
        await context.master.addons.trigger_event(DoneHook())


async def say(registry: Registry, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Ask from a client with small buffers."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    await asyncio.get_running_loop().sock_connect(client, registry.listen)
    reader, writer = await asyncio.open_connection(sock=client, limit=4096)
    writer.write(data)
    return reader, writer


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(8):
        while not condition():
            await asyncio.sleep(0.01)


def rows(registry: Registry) -> list[tuple[str | None, ...]]:
    with closing(sqlite3.connect(registry.database)) as database:
        return database.execute("select outcome, who_ended from exchanges").fetchall()


async def test_a_client_that_takes_nothing_is_hung_up_on(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    registry = build(0.4, 0.2)
    async with running(registry) as listener:
        reader, writer = await say(registry, CALL)
        await until(lambda: listener.in_flight() == 1)
        await until(lambda: listener.in_flight() == 0)
        said = await asyncio.wait_for(reader.read(), 5)
        assert b"[DONE]" not in said
        assert not said.endswith(b"0\r\n\r\n")
        writer.close()
    assert "has taken nothing of its answer for 0.4 s" in caplog.text
    # It is the client's doing, although the provider's own deadline is shorter.
    assert rows(registry) == [("client_disconnected", "client")]


async def test_signs_of_life_do_not_count_as_taken(
    build: Build, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider that paces its events leaves the client between two of them, where a sign of life may stand."""
    monkeypatch.setattr("addons.router.Settings", partial(Settings, hold=0.05, alive=0.06))
    paced = (step for _ in range(1000) for step in (Chunk(b": " + b"x" * 16_380 + b"\n\n"), Sleep(0.001)))
    upstream.on(PATH, (Head(200, (*SSE, *CHUNKED)), *map(Chunk, EVENTS[:3]), *paced, Stall()))
    registry = build(0.6, 60)
    async with running(registry) as listener:
        _, writer = await say(registry, CALL)
        await until(lambda: listener.in_flight() == 1)
        await until(lambda: listener.in_flight() == 0)
        writer.close()
    assert rows(registry) == [("client_disconnected", "client")]


async def test_a_page_of_the_local_server_waits_no_longer(build: Build) -> None:
    registry = build(0.3, 60)
    async with running(registry) as listener:
        reader, writer = await say(registry, request_bytes("GET", "/page"))
        await until(lambda: listener.in_flight() == 1)
        await until(lambda: listener.in_flight() == 0)
        assert len(await asyncio.wait_for(reader.read(), 5)) < len(FILLER) * FILLERS
        writer.close()


@pytest.mark.parametrize("stall", [0, 1])
async def test_a_client_that_reads_slowly_gets_everything(build: Build, stall: float) -> None:
    registry = build(stall, 0.2)
    async with running(registry):
        reader, writer = await say(registry, CALL)
        size, slow_until = 0, time.monotonic() + 1.6
        last = b""
        while not last.endswith(b"0\r\n\r\n"):
            if time.monotonic() < slow_until:
                await asyncio.sleep(0.1)
            read = await asyncio.wait_for(reader.read(1 << 17), 5)
            assert read, "the answer was cut"
            size, last = size + len(read), (last + read)[-100:]
        assert b"[DONE]" in last
        assert size > len(FILLER) * FILLERS
        writer.close()
    assert rows(registry) == [("ok", "upstream")]


async def test_whom_nothing_waits_for_is_left_alone(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = build(0, 60)
    patience = Patience(Configuration(Watcher(lambda: registry, registry)))
    patience.done()  # before it began
    async with running(registry) as listener:
        idle, busy = await say(registry, request_bytes("GET", "/health")), await say(registry, CALL)
        assert await idle[0].readline() == b"HTTP/1.1 200 OK\r\n"
        await until(lambda: listener.in_flight() == 1)
        await asyncio.sleep(0.3)
        monkeypatch.setattr(sys, "platform", "darwin")  # which does not tell what it holds
        for given, now in ((0, 0), (0, 99), (10, 100), (10, 109.9)):
            patience.look(given, now)
        assert listener.in_flight() == 1
        patience.look(10, 110)
        await until(lambda: listener.in_flight() == 0)
        idle[1].write(request_bytes("GET", "/health"))
        assert b"HTTP/1.1 200 OK" in await idle[0].readuntil(b"200 OK")
        for _, writer in (idle, busy):
            writer.close()


async def test_who_has_no_socket_is_never_behind() -> None:
    with taddons.context():
        assert not is_behind(tflow.tclient_conn())
    with taddons.context(Proxyserver()):
        assert not is_behind(tflow.tclient_conn())
