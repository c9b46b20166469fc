"""Probes of the running program: those in use are asked how they are, nobody else, and nobody once nobody calls."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fake_answers import json_answer, speak
from tests.fake_requests import Request
from tests.fake_steps import Reset, Script, Stall
from tests.fake_upstream import FakeUpstream
from tests.rig import free_port
from tests.rig_client import finished, query
from tests.rig_gateway import DIALECTS, KEYS, Behind, Gateway, ask, assert_told_in_dialect, run_gateway

PROBE_FOR = 8  # seconds; a server is probed some 5 s after its first call, and when it ails from half a second on
PATIENCE = 12.0
QUIET = 6.5  # more than the longest wait between two probes of a llama-server that ails

REGISTRY = """\
  gpu:    {{kind: llamacpp, endpoints: [{{base_url: {one}}}, {{base_url: {two}}}], dialects: [chat]}}
  unused: {{kind: llamacpp, base_url: {unused}, dialects: [chat]}}
  slow:   {{kind: llamacpp, base_url: {slow}, dialects: [chat]}}
  back:   {{kind: llamacpp, base_url: "http://127.0.0.1:{back}", dialects: [chat]}}
  cloud:  {{kind: compatible, base_url: {external}/cloud/v1, api_key: ${{HASTY_API_KEY}}, dialects: [chat]}}
models:
  pair: {{targets: [back/m, groq/some-model]}}
"""


@dataclass
class House:
    """The gateway, and who stands behind it beside the usual ones; nobody listens on ``back`` yet."""

    gateway: Gateway
    one: FakeUpstream
    two: FakeUpstream
    unused: FakeUpstream
    slow: FakeUpstream
    back: int

    def call(self, model: str) -> Any:
        answer = self.gateway.post(*ask("chat", model))
        assert answer.status == 200, answer.body
        return answer

    def provider(self, name: str) -> Any:
        told = self.gateway.get("/patchbay/health").json()
        return next(one for one in told["providers"] if one["name"] == name)


@pytest.fixture(name="house", scope="module")
def fixture_house(all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder, back = tmp_path_factory.mktemp("probes"), free_port()
    with (
        FakeUpstream(speak) as one,
        FakeUpstream(speak) as two,
        FakeUpstream(speak) as unused,
        FakeUpstream(loading) as slow,
    ):
        urls = {"one": one.url, "two": two.url, "unused": unused.url, "slow": slow.url}
        more = REGISTRY.format(**urls, back=back, external=all_upstreams.external.url)
        registry = all_upstreams.registry().replace("models:\n", more, 1)
        env = {"PATCHBAY_ATTEMPTS": "3", "PATCHBAY_PROBE_FOR": str(PROBE_FOR)}
        with run_gateway("serve", all_upstreams, folder, registry=registry, env=env) as gateway:
            yield House(gateway, one, two, unused, slow, back)
            assert "Traceback" not in gateway.program.output
            assert "exception" not in gateway.program.output.lower()


def loading(request: Request) -> Script:
    """A llama-server that answers calls, but says that it loads its model."""
    told = {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}
    return json_answer(told, 503) if request.path == "/health" else speak(request)


def until(holds: Callable[[], object], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def paths(upstream: FakeUpstream) -> list[str]:
    return [request.path for request in upstream.requests if request.method == "GET"]


def test_those_in_use_are_probed_nobody_else_and_nobody_once_nobody_calls(house: House) -> None:
    """All servers of the provider are asked, though the call went to one of them; the other one fails."""
    house.two.on("/health", json_answer({"error": "no"}, 500))
    house.slow.on("/slots", json_answer({"error": "no"}, 501))
    for model in ("gpu/m", "slow/m"):
        house.call(model)
    called = time.monotonic()
    until(lambda: "/slots" in paths(house.one))
    until(lambda: paths(house.two).count("/health") > 1)
    first, second = house.provider("gpu")["servers"]
    assert (first["server"], first["probe"]["found"], second["probe"]["found"]) == (1, "well", "failing")
    assert first["probe"]["slots"] == {"total": 1, "busy": 0}
    assert 0 <= first["probe"]["seconds_ago"] < PATIENCE
    assert first["probe"]["latency_ms"] > 0
    assert first["calls"] == {"in_flight": 0, "limit": None, "queued": 0, "room": 0}
    until(lambda: house.provider("slow")["state"] == "loading")
    assert "slow is loading its model." in house.gateway.get("/patchbay/health").json()["reasons"]

    time.sleep(max(0, called + PROBE_FOR + 1 - time.monotonic()))
    before = [len(upstream.requests) for upstream in (house.one, house.two, house.slow)]
    time.sleep(QUIET)
    assert [len(upstream.requests) for upstream in (house.one, house.two, house.slow)] == before
    assert set(paths(house.unused)) <= {"/v1/models"}  # everybody was asked for its models at the start
    # None of it was a call.
    finished(house.gateway.database, "select id from exchanges where outcome = 'ok'", count=2)
    assert query(house.gateway.database, "select count(*) as rows from exchanges")[0]["rows"] == 2


def test_who_comes_back_is_noticed_without_a_call(house: House) -> None:
    for _ in range(4):
        assert house.call("pair").get("x-patchbay-provider") == "groq"
    until(lambda: [one["cause"] for one in house.provider("back")["breakers"]] == ["refused"])
    assert house.provider("back")["state"] == "unreachable"
    with FakeUpstream(speak, port=house.back) as back:
        until(lambda: [one["state"] for one in house.provider("back")["breakers"]] == ["closed"])
        assert {request.path for request in back.requests} <= {"/health", "/slots"}
        assert house.provider("back")["state"] == "ready"
        answer = house.call("pair")
        assert (answer.get("x-patchbay-provider"), answer.get("x-patchbay-attempts")) == ("back", "1")


def test_elsewhere_the_list_of_models_is_asked_for_with_the_providers_key(house: House) -> None:
    upstream = house.gateway.external
    upstream.reset()
    upstream.on("/cloud/v1/chat/completions", (Reset(),))
    for _ in range(6):
        assert house.gateway.post(*ask("chat", "cloud/m")).status == 502
    until(lambda: "/cloud/v1/models" in paths(upstream))
    probe = next(request for request in upstream.requests if request.method == "GET")
    assert probe.get("authorization") == f"Bearer {KEYS['HASTY_API_KEY']}"
    assert probe.body == b""


@pytest.mark.parametrize("dialect", DIALECTS)
def test_if_everybody_refuses_the_client_is_told_when_to_come_back(house: House, dialect: str) -> None:
    answer = [house.gateway.post(*ask(dialect, "refused/m")) for _ in range(3)][-1]
    error = assert_told_in_dialect(answer, dialect, house.gateway.behind, 529 if dialect == "messages" else 503)
    assert error["type"] == ("overloaded_error" if dialect == "messages" else "server_error")
    assert 1 <= int(answer.get("retry-after") or 0) <= 120


def test_a_probe_that_is_out_does_not_delay_the_end(upstreams: Behind, tmp_path: Path) -> None:
    with FakeUpstream(lambda request: (Stall(),) if request.path == "/health" else speak(request)) as stuck:
        more = f"  stuck: {{kind: llamacpp, base_url: {stuck.url}, dialects: [chat]}}\nmodels:\n"
        registry = upstreams.registry().replace("models:\n", more, 1)
        with run_gateway("mitmdump", upstreams, tmp_path, registry=registry) as gateway:
            assert gateway.post(*ask("chat", "stuck/m")).status == 200
            until(lambda: "/health" in paths(stuck))
            began = time.monotonic()
            assert gateway.program.stop() == 0
            assert time.monotonic() - began < 4
            assert "Traceback" not in gateway.program.output
