"""A stop, with the whole chain on real sockets and in this process; tests/end_to_end/test_shutdown.py ends programs."""

import asyncio
import json
import logging
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from mitmproxy.addons.next_layer import NextLayer
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.hooks import DoneHook, RunningHook
from mitmproxy.http import HTTPFlow, Response
from mitmproxy.test import taddons, tflow

from addons.chain import make_chain
from addons.process.draining import Draining
from addons.process.listener import Listener, modes_for
from providers.registry import Registry, Watcher
from tests.fake_answers import CHUNKED, SSE
from tests.fake_dialects import chat_events
from tests.fake_steps import Chunk, Head, Raw, Stall
from tests.fake_upstream import FakeUpstream
from tests.rig import free_port
from tests.rig_client import request_bytes
from tests.rig_gateway import speak_locally

pytestmark = pytest.mark.anyio

CALL = request_bytes(
    "POST", "/v1/chat/completions", json.dumps({"model": "x", "stream": True, "messages": []}).encode()
)
EVENTS = chat_events()


class Dawdler:
    """An addon that keeps every request to /slow waiting."""

    async def request(self, flow: HTTPFlow) -> None:
        if flow.request.path == "/slow":
            await asyncio.Event().wait()


@dataclass
class House:
    """A running proxy."""

    port: int
    context: taddons.context
    draining: Draining
    listener: Listener
    database: Path

    async def say(self, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        return reader, writer

    def stop(self) -> "asyncio.Task[None]":
        """Do as mitmproxy does at a signal."""
        self.context.master.should_exit.set()
        done: Awaitable[None] = self.context.master.addons.trigger_event(DoneHook())
        return asyncio.ensure_future(done)

    def outcomes(self) -> list[str | None]:
        with closing(sqlite3.connect(self.database)) as database:
            return [row[0] for row in database.execute("select outcome from exchanges")]


@pytest.fixture(name="upstream")
def fixture_upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream(speak_locally) as upstream:
        upstream.on("/v1/chat/completions", (Head(200, (*SSE, *CHUNKED)), *map(Chunk, EVENTS[:4]), Stall()))
        yield upstream


@pytest.fixture(name="build")
def fixture_build(
    make_registry: Callable[..., Registry], upstream: FakeUpstream, tmp_path: Path
) -> Callable[[float], Registry]:
    def build(grace: float) -> Registry:
        return make_registry(
            "{}",
            PATCHBAY_LISTEN=f"127.0.0.1:{free_port()}",
            PATCHBAY_LOCAL_BASE_URL=upstream.url,
            PATCHBAY_SHUTDOWN_GRACE=str(grace),
            PATCHBAY_DB=str(tmp_path / "rows.db"),
        )

    return build


@asynccontextmanager
async def house(registry: Registry) -> AsyncIterator[House]:
    chain = make_chain(Watcher(lambda: registry, registry))
    listener = next(addon for addon in chain if isinstance(addon, Listener))
    draining = next(addon for addon in chain if isinstance(addon, Draining))
    with taddons.context(Proxyserver(), NextLayer(), *chain, Dawdler()) as context:
        context.options.update(mode=modes_for(registry))
        await context.master.addons.trigger_event(RunningHook())
        await listener.opened()
        yield House(registry.listen[1], context, draining, listener, registry.database)
        await listener.end_connections(0)
        await listener.stop_accepting()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def test_the_grace_is_given_and_then_the_stream_is_told(
    build: Callable[[float], Registry], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with house(build(0.3)) as its:
        reader, writer = await its.say(CALL)
        said = await reader.readuntil(EVENTS[3])
        began, stopping = time.monotonic(), its.stop()
        await until(lambda: its.draining.has_begun)
        said += await asyncio.wait_for(reader.read(), 5)
        assert 0.3 <= time.monotonic() - began < 2
        assert b"gateway_shutdown" in said
        await stopping
        writer.close()
        with pytest.raises(OSError, match=r"Connect call failed|Errno"):
            await asyncio.open_connection("127.0.0.1", its.port)
        assert its.outcomes() == ["shutdown"]
    assert "calls in flight (1) have 0.3 s" in caplog.text
    assert "(1) are ended with an error" in caplog.text


async def test_a_signal_ends_the_grace(build: Callable[[float], Registry]) -> None:
    async with house(build(60)) as its:
        reader, writer = await its.say(CALL)
        await reader.readuntil(EVENTS[3])
        stopping = its.stop()
        await until(lambda: its.draining.has_begun)
        signal.raise_signal(signal.SIGTERM)
        assert b"gateway_shutdown" in await asyncio.wait_for(reader.read(), 5)
        await stopping
        writer.close()


async def test_nothing_is_waited_for_where_nothing_is_asked(
    build: Callable[[float], Registry], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with house(build(60)) as its:
        silent, used = await its.say(b""), await its.say(request_bytes("GET", "/health"))
        assert (await used[0].readline()).startswith(b"HTTP/1.1 200")
        await until(lambda: its.listener.in_flight() == 0)
        await asyncio.wait_for(its.stop(), 5)
        for _, writer in (silent, used):
            writer.close()
    assert "Stopping" not in caplog.text


async def test_who_waits_for_an_addon_is_told_as_well(build: Callable[[float], Registry]) -> None:
    async with house(build(0)) as its:
        reader, writer = await its.say(request_bytes("GET", "/slow"))
        await until(lambda: its.listener.in_flight() == 1)
        stopping = its.stop()
        said = await asyncio.wait_for(reader.read(), 5)
        assert said.startswith(b"HTTP/1.1 503")
        assert b"gateway_shutdown" in said
        await stopping
        writer.close()


async def test_a_client_that_takes_nothing_is_in_flight_and_is_left(
    build: Callable[[float], Registry], upstream: FakeUpstream
) -> None:
    size = 64 << 20
    upstream.on("/big", (Head(200, (("content-length", str(size)),)), Raw(bytes(size))))
    async with house(build(0.2)) as its:
        reader, writer = await its.say(request_bytes("GET", "/big"))
        await reader.readline()
        await asyncio.sleep(0.2)
        began = time.monotonic()
        await asyncio.wait_for(its.stop(), 10)
        assert 1.2 <= time.monotonic() - began < 3
        writer.transport.abort()


def asked(path: str) -> HTTPFlow:
    flow: HTTPFlow = tflow.tflow()
    flow.request.path = path
    return flow


async def test_while_it_drains_new_calls_are_refused_but_for_our_own_pages(build: Callable[[float], Registry]) -> None:
    async with house(build(0)) as its:
        before = asked("/v1/chat/completions")
        its.draining.requestheaders(before)
        assert before.response is None
        await its.stop()
        late, page, answered = asked("/v1/chat/completions"), asked("/patchbay/health"), asked("/v1/messages")
        answered.response = Response.make(403)
        for flow in (late, page, answered):
            its.draining.requestheaders(flow)
        assert late.response is not None
        assert (late.response.status_code, late.response.headers["connection"]) == (503, "close")
        assert late.response.json()["error"]["code"] == "gateway_shutdown"
        assert page.response is None
        assert answered.response.status_code == 403


async def test_a_script_that_is_loaded_again_stops_nothing(build: Callable[[float], Registry]) -> None:
    async with house(build(60)) as its:
        assert its.draining.done() is None
        assert not its.draining.has_begun
        assert asyncio.iscoroutinefunction(its.draining.done) is False  # mitmproxy refuses to call one there
