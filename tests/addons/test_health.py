"""What health says of each state, and to whom it answers."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mitmproxy.http import HTTPFlow
from mitmproxy.test import tflow

from addons import clock
from addons.configuration import Configuration
from addons.exchanges import Exchanges
from addons.health import Facts, Health
from addons.process.draining import Draining
from addons.process.listener import Listener
from addons.recorder import Recorder
from addons.telemetry.store import StoreHealth
from providers.exchange.plan import Server
from providers.pool.breaker import Circuit, CircuitState, Permit
from providers.pool.error_class import ErrorClass
from providers.pool.trouble import State
from providers.probing import Found, Slots
from providers.version import version
from tests.addons.conftest import ACME_KEY
from tests.providers.exchange.playbook import TARGET, exchange

REGISTRY = """
providers:
  local: {kind: llamacpp, base_url: "http://127.0.0.1:9"}
  acme: {kind: compatible, base_url: "http://127.0.0.1:9901/v1", api_key: "${ACME_API_KEY}"}
  gpu: {kind: llamacpp, endpoints: [{base_url: "http://127.0.0.1:9001"}, {base_url: "http://127.0.0.1:9002"}]}
"""
WELL = StoreHealth("ok", 3, 0, 0, "")
ACME = Circuit("acme", "http://127.0.0.1:9901/v1", "ours")
FIRST, SECOND = (Circuit("gpu", f"http://127.0.0.1:900{n}") for n in (1, 2))
SECRET = (ACME_KEY, "127.0.0.1", "9901", "900", "ACME_API_KEY", "OPENAI_API_KEY", ".yaml", ".db", "not found")


class Desk:
    """Health with what it asks, and one admitted request."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.exchanges = Exchanges()
        self.recorder = Recorder(self.exchanges, configuration)
        self.draining = Draining(configuration, Listener(configuration))
        self.health = Health(self.exchanges, configuration, self.draining, self.recorder)

    async def ask(
        self,
        path: str = "/patchbay/health",
        method: str = "GET",
        *,
        admitted: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> HTTPFlow:
        flow: HTTPFlow = tflow.tflow()
        flow.request.path, flow.request.method = path, method
        flow.request.headers.update(headers or {})
        if admitted:
            self.exchanges.admit(flow)
        waiting = self.health.request(flow)
        if waiting is not None:
            await waiting
        return flow

    async def told(self, path: str = "/patchbay/health") -> Any:
        flow = await self.ask(path)
        assert flow.response is not None
        text = flow.response.get_text() or ""
        assert not [word for word in SECRET if word in text], text
        return flow.response.json()


@pytest.fixture(name="desk")
def fixture_desk(configure: Callable[..., Configuration], tmp_path: Path) -> Desk:
    desk = Desk(configure(REGISTRY, PATCHBAY_DB=str(tmp_path / "rows.db")))
    desk.recorder.running()
    return desk


def provider(told: Any, name: str) -> Any:
    return next(one for one in told["providers"] if one["name"] == name)


@pytest.mark.anyio
async def test_all_is_well(desk: Desk) -> None:
    told = await desk.told()
    assert (told["status"], told["reasons"], told["version"]) == ("ok", [], version())
    assert told["configuration"] == {"generation": 1, "last_edit_refused": False}
    assert told["recorder"] == {"state": "ok", "queued": 0, "dropped": 0, "dropped_bodies": 0, "write_errors": 0}
    assert told["calls_in_flight"] == 0
    assert {one["name"]: one["state"] for one in told["providers"]} == {
        "local": "ready",
        "anthropic": "no key",
        "openai": "no key",
        "openrouter": "no key",
        "demo": "ready",
        "acme": "ready",
        "gpu": "ready",
    }
    desk.recorder.done()


class Heart:
    """Something of the process."""

    def vitals(self) -> dict[str, object]:
        return {"beats": 3}


@pytest.mark.anyio
async def test_the_process_speaks_for_itself(desk: Desk) -> None:
    assert (await desk.told())["process"] == {}
    desk.health = Health(desk.exchanges, desk.configuration, desk.draining, desk.recorder, [Heart(), Heart()])
    assert (await desk.told())["process"] == {"beats": 3}
    desk.recorder.done()


@pytest.mark.anyio
async def test_a_local_server_that_is_away_is_noticed_by_asking(desk: Desk) -> None:
    """Nobody waits for the question: the first answer may still know nothing."""
    await desk.told()
    await desk.configuration.catalog.know_local(5)
    told = await desk.told()
    assert (told["status"], told["reasons"]) == ("degraded", ["local cannot be reached."])
    assert provider(told, "local")["state"] == "unreachable"
    desk.recorder.done()


@pytest.mark.anyio
async def test_breakers_are_shown_without_addresses(desk: Desk) -> None:
    breakers, now = desk.configuration.failover.breakers, clock.now_us()
    breakers.over(Permit(ACME, 0), ErrorClass.RATE_LIMIT, now, asked=30_000_000)
    breakers.over(Permit(SECOND, 0), ErrorClass.REFUSED, now, asked=None)
    told = await desk.told()
    (acme,) = provider(told, "acme")["breakers"]
    assert (acme["state"], acme["cause"], acme["failures"]) == ("open", "rate_limit", {})
    assert 29 < acme["wait_seconds"] <= 30
    assert "server" not in acme
    assert [one["server"] for one in provider(told, "gpu")["breakers"]] == [2]
    assert told["status"] == "degraded"
    assert told["reasons"] == ["acme limits our rate for 30 more seconds."]
    desk.recorder.done()


@pytest.mark.anyio
async def test_while_draining_the_status_is_503(desk: Desk) -> None:
    desk.draining.has_begun = True
    flow = await desk.ask()
    assert flow.response is not None
    assert (flow.response.status_code, flow.response.json()["status"]) == (503, "draining")
    desk.recorder.done()
    assert (await desk.told())["recorder"] == {"state": "closed"}


@pytest.mark.anyio
async def test_calls_in_flight_are_counted(desk: Desk) -> None:
    flow: HTTPFlow = tflow.tflow()
    desk.exchanges.admit(flow).exchange = exchange()
    assert (await desk.told())["calls_in_flight"] == 1
    desk.recorder.done()


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/patchbay", "/patchbay/", "/patchbay/nothing", "/patchbay/health/more"])
async def test_other_pages_are_404_in_a_plain_shape(desk: Desk, path: str) -> None:
    told = await desk.told(path)
    assert list(told) == ["error"]
    flow = await desk.ask(path, "POST")
    assert flow.response is not None
    assert flow.response.status_code == 404
    desk.recorder.done()


@pytest.mark.anyio
async def test_health_is_only_read(desk: Desk) -> None:
    head, post = await desk.ask(method="HEAD"), await desk.ask(method="POST")
    assert head.response is not None
    assert post.response is not None
    assert (head.response.status_code, post.response.status_code) == (200, 405)
    assert post.response.headers["allow"] == "GET, HEAD"
    desk.recorder.done()


@pytest.mark.anyio
async def test_what_is_not_ours_to_answer_is_left(desk: Desk) -> None:
    assert (await desk.ask("/health")).response is None
    assert (await desk.ask(admitted=False)).response is None
    flow: HTTPFlow = tflow.tflow(resp=True)
    flow.request.path = "/patchbay/health"
    desk.exchanges.admit(flow)
    before = flow.response
    assert desk.health.request(flow) is None
    assert flow.response is before
    desk.recorder.done()


def opened(circuit: Circuit, cause: str = "refused", state: State = State.OPEN) -> CircuitState:
    return CircuitState(circuit, state, cause, 1, 1, {})


def facts(configuration: Configuration) -> Facts:
    return Facts(
        version="1",
        draining=False,
        in_flight=0,
        providers=tuple(configuration.registry.providers.values()),
        unreachable=frozenset(),
        breakers=(),
        store=WELL,
        generation=1,
        edit_refused=False,
    )


@pytest.mark.anyio
@pytest.mark.parametrize("forwarded", [False, True])
async def test_why_an_edit_was_refused_is_told_on_this_machine_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, forwarded: bool
) -> None:
    refusal = "registry.yaml:1: a\nthe configuration stays as it was"
    monkeypatch.setattr(Configuration, "refusal", refusal)
    flow = await desk.ask(headers={"x-forwarded-for": "10.0.0.1"} if forwarded else {})
    assert flow.response is not None
    said = "; the log says why." if forwarded else ": registry.yaml:1: a; the configuration stays as it was"
    assert flow.response.json()["reasons"] == [f"The last edit of the configuration was refused{said}"]
    desk.recorder.done()


KEYLESS = "gpu refuses its key; the log says which variable to look at."
RESTING = "gpu has failed of late and is left alone for a while."


@pytest.mark.parametrize(
    ("changed", "status", "reasons"),
    [
        ({}, "ok", []),
        ({"draining": True, "store": None}, "draining", []),
        ({"edit_refused": True}, "degraded", ["The last edit of the configuration was refused; the log says why."]),
        ({"store": None}, "degraded", ["Calls cannot be recorded now; the log says why."]),
        (
            {"store": replace(WELL, state="degraded", message="/a/file was moved")},
            "degraded",
            ["Calls cannot be recorded now; the log says why."],
        ),
        ({"store": replace(WELL, dropped=7)}, "ok", []),
        ({"unreachable": frozenset({"acme", "openai"})}, "degraded", ["acme cannot be reached."]),
        ({"breakers": (opened(FIRST),)}, "degraded", [RESTING]),
        ({"breakers": (opened(FIRST), opened(SECOND))}, "degraded", ["gpu cannot be reached.", RESTING]),
        ({"breakers": (opened(FIRST), opened(SECOND, "overload"))}, "degraded", [RESTING]),
        ({"breakers": (opened(FIRST, "auth"),)}, "degraded", [KEYLESS]),
        ({"breakers": (opened(FIRST, state=State.CLOSED), opened(SECOND, state=State.HALF_OPEN))}, "ok", []),
        ({"breakers": (opened(Circuit("gone", "127.0.0.1:1")),)}, "degraded", [RESTING.replace("gpu", "gone")]),
    ],
)
def test_what_is_wrong(configure: Callable[..., Configuration], changed: Any, status: str, reasons: list[str]) -> None:
    known = replace(facts(configure(REGISTRY)), **changed)
    assert (known.status(), known.reasons()) == (status, reasons)
    assert not [word for word in SECRET if word in repr(known.shown())]


@pytest.mark.anyio
async def test_probes_and_queues_are_shown(desk: Desk) -> None:
    failover, now = desk.configuration.failover, clock.now_us()
    gpu = desk.configuration.registry.providers["gpu"]
    failover.called("gpu", now)
    assert failover.probing.due([gpu], 10**9, now) == []
    probes = failover.probing.due([gpu], 10**9, now + 10**7)
    assert probes is not None
    failover.probing.over(probes[0], Found.WELL, 1000, now, Slots(2, 1))
    server = Server(gpu.replicas[1].name, "http", "127.0.0.1", 9002, "/v1")
    target = replace(TARGET, provider="gpu", servers=(server,), max_in_flight=2, max_queued=3)
    assert failover.places.enter(target, (server,), now, now + 1, lambda: None) is not None
    one, two = provider(await desk.told(), "gpu")["servers"]
    assert (one["probe"]["found"], one["probe"]["slots"]) == ("well", {"total": 2, "busy": 1})
    assert two == {"server": 2, "probe": None, "calls": {"in_flight": 1, "limit": 2, "queued": 0, "room": 3}}
    desk.recorder.done()
