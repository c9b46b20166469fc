"""The driver of probes: what a server answers, over a mock network; that it sleeps, wakes and stops."""

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from addons import prober
from addons.configuration import Configuration
from addons.prober import Prober, ask
from providers.client import Client
from providers.exchange.plan import Server
from providers.failover import Failover
from providers.probing import Found, Probe, Slots
from providers.provider import Provider
from tests.providers.exchange.playbook import TARGET

pytestmark = pytest.mark.anyio
SECOND = 1_000_000
REGISTRY = """
providers:
  gpu: {kind: llamacpp, base_url: "http://gpu", max_in_flight: 2}
settings: {probe_for: 60}
"""
Answer = int | Exception | Any


class World:
    """One llama-server whose pages answer as told, and the clock in the test's hand."""

    def __init__(self, configuration: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000 * SECOND
        self.pages: dict[str, Answer] = {"/health": 200, "/slots": [{"is_processing": True}, {"is_processing": False}]}
        self.asked: list[str] = []
        self.open = asyncio.Event()
        self.open.set()
        self.configuration = configuration
        configuration.client = Client(httpx.MockTransport(self._answer))
        self.failover: Failover = configuration.failover
        monkeypatch.setattr("addons.clock.now_us", lambda: self.now)
        monkeypatch.setattr(prober, "_LOOK", 0.001)
        monkeypatch.setattr(configuration.failover.probing, "_chance", lambda: 0.5)

    @property
    def provider(self) -> Provider:
        return self.configuration.registry.providers["gpu"]

    @property
    def server(self) -> str:
        return self.provider.replicas[0].name

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        await self.open.wait()
        self.now += 2500
        answer = self.pages[request.url.path]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer) if isinstance(answer, int) else httpx.Response(200, json=answer)

    def probe(self) -> Probe:
        """The next probe of the server, which is in use."""
        self.failover.called("gpu", self.now)
        while not (due := self.failover.probing.due([self.provider], 60 * SECOND, self.now)):
            self.now += SECOND
        return due[0]

    async def found(self, **pages: Answer) -> Found:
        self.pages |= {f"/{name}": answer for name, answer in pages.items()}
        await ask(self.probe(), self.configuration.client, self.failover)
        seen = self.failover.probing.seen("gpu", self.server)
        assert seen is not None
        return seen.found


@pytest.fixture(name="world")
def fixture_world(configure: Callable[..., Configuration], monkeypatch: pytest.MonkeyPatch) -> World:
    return World(configure(REGISTRY), monkeypatch)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (200, Found.WELL),
        (503, Found.LOADING),
        (500, Found.FAILING),
        (401, Found.WELL),
        (httpx.ReadTimeout("silent"), Found.SILENT),
        (httpx.ConnectError("refused"), Found.AWAY),
        (httpx.RemoteProtocolError("no HTTP"), Found.FAILING),
    ],
    ids=repr,
)
async def test_how_a_server_is_found(world: World, answer: Answer, found: Found) -> None:
    assert await world.found(health=answer) is found
    assert world.asked == (["/health", "/slots"] if found is Found.WELL else ["/health"])


async def test_what_is_seen_of_a_server_that_is_well(world: World) -> None:
    await world.found()
    seen = world.failover.probing.seen("gpu", world.server)
    assert seen is not None
    assert (seen.latency_us, seen.slots, seen.others) == (2500, Slots(2, 1), 1)


async def test_our_own_calls_are_not_those_of_others(world: World) -> None:
    server = Server(world.server, "http", "gpu", 80, "/v1/chat/completions")
    target = dataclasses.replace(TARGET, provider="gpu", servers=(server,), max_in_flight=2)
    assert world.failover.places.enter(target, (server,), world.now, world.now + SECOND, lambda: None) is not None
    await world.found()
    seen = world.failover.probing.seen("gpu", world.server)
    assert seen is not None
    assert seen.others == 0


@pytest.mark.parametrize("status", [400, 401, 403, 404, 501])
async def test_slots_that_are_refused_are_never_asked_for_again(world: World, status: int) -> None:
    assert await world.found(slots=status) is Found.WELL
    await world.found()
    assert world.asked == ["/health", "/slots", "/health"]


@pytest.mark.parametrize("answer", [500, 503, httpx.ReadTimeout("busy"), httpx.ConnectError("gone"), {"not": "a list"}])
async def test_slots_that_cannot_be_had_now_are_asked_for_again(world: World, answer: Answer) -> None:
    assert await world.found(slots=answer) is Found.WELL
    await world.found()
    assert world.asked == ["/health", "/slots"] * 2


async def until(done: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not done():
            await asyncio.sleep(0.001)


async def test_it_sleeps_until_somebody_calls_and_again_when_nobody_does(world: World) -> None:
    driver = Prober(world.configuration)
    driver.running()
    await asyncio.sleep(0.02)
    assert world.asked == []
    world.failover.called("gpu", world.now)
    await asyncio.sleep(0.02)
    world.now += 6 * SECOND
    await until(lambda: len(world.asked) == 2)
    world.now += 60 * SECOND
    await asyncio.sleep(0.02)
    assert len(world.asked) == 2
    world.failover.called("gpu", world.now)
    await asyncio.sleep(0.02)
    world.now += 6 * SECOND
    await until(lambda: len(world.asked) == 4)
    driver.done()


async def test_who_called_before_it_ran_is_probed_too(world: World) -> None:
    world.failover.called("gpu", world.now)
    driver = Prober(world.configuration)
    driver.running()
    await asyncio.sleep(0.02)
    world.now += 6 * SECOND
    await until(lambda: world.asked)
    driver.done()


async def test_a_server_that_has_gone_may_come_back_as_another_version(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten: list[str] = []
    monkeypatch.setattr(world.configuration.dialects, "forget", forgotten.append)
    world.pages["/health"] = httpx.ConnectError("refused")
    driver = Prober(world.configuration)
    driver.running()
    world.failover.called("gpu", world.now)
    await asyncio.sleep(0.02)
    world.now += 6 * SECOND
    await until(lambda: len(world.asked) == 1)
    world.now += 6 * SECOND
    await until(lambda: len(world.asked) == 2)
    await asyncio.sleep(0.02)
    assert forgotten == ["gpu"]
    driver.done()


async def test_what_is_under_way_is_dropped_at_the_end(world: World) -> None:
    world.open.clear()
    driver = Prober(world.configuration)
    driver.done()
    driver.running()
    world.failover.called("gpu", world.now)
    await asyncio.sleep(0.02)
    world.now += 6 * SECOND
    await until(lambda: world.asked)
    driver.done()
    await asyncio.sleep(0)
    await until(lambda: not [task for task in asyncio.all_tasks() if task.get_name().startswith("probe")])
    assert world.failover.probing.seen("gpu", world.server) is None
