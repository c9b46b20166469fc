"""GET /patchbay/metrics: what it shows, in which words, and to whom it answers."""

import asyncio

import pytest
from mitmproxy.http import HTTPFlow
from mitmproxy.test import tflow
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from addons import clock
from addons.configuration import Configuration
from addons.exchanges import Exchanges
from addons.metrics_page import MetricsPage, Vitals
from addons.process.descriptors import Descriptors
from addons.process.listener import Listener
from addons.process.loop_lag import LoopLag
from addons.process.output import Output
from addons.recorder import Recorder
from addons.telemetry.metrics import Metrics
from providers.exchange.account import Outcome
from providers.pool.breaker import Circuit, Permit
from providers.pool.error_class import ErrorClass
from providers.version import version
from tests.addons.conftest import ACME_KEY
from tests.addons.telemetry.test_metrics import account
from tests.providers.exchange.playbook import exchange

SECRET = (ACME_KEY, "127.0.0.1", "9901", ".yaml", ".db")


class Desk:
    """The page with what it asks, and one admitted request."""

    def __init__(self, configuration: Configuration) -> None:
        self.exchanges = Exchanges()
        self.metrics = Metrics()
        self.recorder = Recorder(self.exchanges, configuration)
        vital = Vitals(LoopLag(Listener(configuration).freshen), Descriptors(), Output())
        self.page = MetricsPage(self.exchanges, configuration, self.recorder, self.metrics, vital)

    def ask(self, path: str = "/patchbay/metrics", method: str = "GET", accept: str = "") -> HTTPFlow:
        flow: HTTPFlow = tflow.tflow()
        flow.request.path, flow.request.method = path, method
        flow.request.headers["accept"] = accept
        self.exchanges.admit(flow)
        self.page.request(flow)
        return flow

    def told(self) -> dict[str, float]:
        response = self.ask().response
        assert response is not None
        assert response.status_code == 200
        text = response.get_text()
        assert text is not None
        assert not [word for word in SECRET if word in text]
        families = text_string_to_metric_families(text)
        return {
            f"{sample.name}{sorted(sample.labels.values())}": sample.value
            for family in families
            for sample in family.samples
        }


@pytest.fixture(name="desk")
def fixture_desk(configuration: Configuration) -> Desk:
    return Desk(configuration)


def test_it_shows_what_was_counted_and_what_is_so_now(desk: Desk, configuration: Configuration) -> None:
    desk.metrics.observe(account())
    flow: HTTPFlow = tflow.tflow()
    desk.exchanges.admit(flow).exchange = exchange()
    told = desk.told()
    assert told["patchbay_requests_total['acme', 'big-1', 'generate', 'ok']"] == 1
    assert [value for name, value in told.items() if name.startswith("patchbay_in_flight")] == [1]
    assert told[f"patchbay_info['{version()}']"] == 1
    assert told["patchbay_config_generation[]"] == configuration.registry.generation
    assert told["patchbay_config_reload_failures_total[]"] == 0
    for name in (
        "log_queue_depth",
        "log_dropped_total",
        "log_dropped_bodies_total",
        "db_write_errors_total",
        "loop_blocked_total",
    ):
        assert told[f"patchbay_{name}[]"] == 0


def test_the_worst_breaker_of_a_provider(desk: Desk, configuration: Configuration) -> None:
    breakers = configuration.failover.breakers
    for port, failures in ((9901, 1), (9902, 20)):
        circuit = Circuit("acme", f"http://127.0.0.1:{port}/v1", "ours")
        for _ in range(failures):
            permit = breakers.admit(circuit, clock.now_us())
            if isinstance(permit, Permit):
                breakers.over(permit, ErrorClass.REFUSED, clock.now_us())
    assert desk.told()["patchbay_breaker_state['acme']"] == 2


def test_what_needs_a_person_or_more_room_is_told(desk: Desk, configuration: Configuration) -> None:
    failover, now = configuration.failover, clock.now_us()
    failover.key_troubles.note("acme", ErrorClass.AUTH, now)
    failover.key_troubles.note("acme", ErrorClass.SPEND_LIMIT, now)
    failover.key_troubles.note("acme", ErrorClass.SPEND_LIMIT, now)
    while failover.budget("acme").take(now):
        pass
    desk.metrics.observe(account(outcome=Outcome.SHED))
    told = desk.told()
    assert told["patchbay_key_troubles_total['acme', 'auth']"] == 1
    assert told["patchbay_key_troubles_total['acme', 'spend_limit']"] == 2
    assert told["patchbay_retry_budget_exhausted_total['acme']"] == 1
    assert told["patchbay_shed_total['provider_full']"] == 1
    assert told["patchbay_shed_total['descriptors']"] == 0


def test_it_speaks_openmetrics_to_who_asks_for_it(desk: Desk) -> None:
    response = desk.ask(accept="application/openmetrics-text; version=1.0.0").response
    assert response is not None
    assert "openmetrics" in response.headers["content-type"]
    text = response.get_text()
    assert text is not None
    assert "patchbay_config_generation" in {family.name for family in read_openmetrics(text)}


def test_a_head_is_answered_and_writing_is_not(desk: Desk) -> None:
    assert desk.ask(method="HEAD").response is not None
    refused = desk.ask(method="POST").response
    assert refused is not None
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/metrics", "/patchbay/", "/patchbay/metrics/more", "/patchbay/health"])
def test_other_pages_are_not_its_own(desk: Desk, path: str) -> None:
    assert desk.ask(path).response is None


def test_what_was_not_admitted_is_not_answered(desk: Desk) -> None:
    flow: HTTPFlow = tflow.tflow()
    flow.request.path = "/patchbay/metrics"
    desk.page.request(flow)
    assert flow.response is None


def test_the_record_is_told_of(desk: Desk) -> None:
    async def run() -> None:
        desk.recorder.running()
        try:
            assert desk.told()["patchbay_log_queue_depth[]"] == 0
        finally:
            desk.recorder.done()

    asyncio.run(run())
