"""MetricsPage: answers GET /patchbay/metrics in Prometheus's words.

What was counted comes from `addons.telemetry.metrics`, what is so at this moment from those who know. The page names
providers and models, never addresses, keys or files: whoever may call may read it.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mitmproxy import http
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from addons import clock
from addons.configuration import Configuration
from addons.exchanges import Exchanges
from addons.own_pages import answer_error, own_page
from addons.process.descriptors import Descriptors
from addons.process.loop_lag import LoopLag
from addons.process.output import Output
from addons.recorder import Recorder
from addons.telemetry.metrics import Metrics
from providers.exchange.account import Outcome
from providers.failover import Failover
from providers.pool.breaker import CircuitState
from providers.pool.trouble import State
from providers.version import version

_PAGE = "metrics"
_METHODS = ("GET", "HEAD")
_BREAKER = {State.CLOSED: 0.0, State.HALF_OPEN: 1.0, State.OPEN: 2.0}

Reading = tuple[str, str, float]  # name, help, value


class Vitals(NamedTuple):
    """Those who know how the process itself is."""

    loop_lag: LoopLag
    descriptors: Descriptors
    output: Output


class MetricsPage(Collector):
    """The numbers of this run."""

    def __init__(
        self,
        exchanges: Exchanges,
        configuration: Configuration,
        recorder: Recorder,
        metrics: Metrics,
        vital: Vitals,
    ) -> None:
        self._exchanges = exchanges
        self._configuration = configuration
        self._recorder = recorder
        self._metrics = metrics
        self._vital = vital
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def request(self, flow: http.HTTPFlow) -> None:
        """Answer, if this page is asked for."""
        asked = own_page(flow.request.path) == _PAGE
        if not asked or flow.response is not None or self._exchanges.of(flow) is None:
            return
        if flow.request.method not in _METHODS:
            answer_error(flow, 405, "Metrics are only read: use GET.")
            assert flow.response is not None
            flow.response.headers["allow"] = ", ".join(_METHODS)
            return
        encode, content_type = choose_encoder(flow.request.headers.get("accept", ""))
        headers = {"content-type": content_type, "cache-control": "no-store"}
        flow.response = http.Response.make(200, encode(self._registry), headers)

    def collect(self) -> Iterator[Metric]:
        """Return all families, as prometheus_client asks for them."""
        yield InfoMetricFamily("patchbay", "Which Patchbay this is.", value={"version": version()})
        yield from self._metrics.families()
        yield _in_flight(in_hand.exchange.account.provider for _, in_hand in self._exchanges.open() if in_hand.exchange)
        yield _breakers(self._configuration.failover.breakers.snapshot(clock.now_us()))
        yield self._shed()
        yield from _troubles(self._configuration.failover)
        for name, text, value in self._now():
            yield GaugeMetricFamily(name, text, value=value)
        for name, text, value in self._so_far():
            yield CounterMetricFamily(name, text, value=value)

    def _shed(self) -> Metric:
        family = CounterMetricFamily(
            "patchbay_shed", "Calls and clients turned away for want of room.", labels=["reason"]
        )
        family.add_metric(["provider_full"], self._metrics.ended(Outcome.SHED))
        family.add_metric(["descriptors"], self._vital.descriptors.shed)
        return family

    def _now(self) -> Iterator[Reading]:
        store = self._recorder.health()
        yield "patchbay_log_queue_depth", "Calls that wait to be recorded.", store.queued if store else 0
        lag = self._vital.loop_lag
        yield "patchbay_loop_lag_seconds", "How late the event loop was when it was asked last.", lag.lag_seconds
        yield "patchbay_loop_lag_worst_seconds", "How late it was at worst since the start.", lag.worst_seconds
        generation = self._configuration.registry.generation
        yield "patchbay_config_generation", "How often the configuration was read anew.", generation

    def _so_far(self) -> Iterator[Reading]:
        store, failures = self._recorder.health(), self._configuration.reload_failures
        yield "patchbay_log_dropped", "Calls that could not be recorded.", store.dropped if store else 0
        dropped = store.dropped_bodies if store else 0
        yield "patchbay_log_dropped_bodies", "Calls that were recorded without their bodies.", dropped
        yield "patchbay_db_write_errors", "Failed tries to write the record.", store.write_errors if store else 0
        yield "patchbay_config_reload_failures", "Edits of the configuration that were refused.", failures
        lag, descriptors, output = self._vital
        yield (
            "patchbay_loop_blocked",
            "How often the event loop was over 0.25 s late.",
            lag.blocked,
        )
        yield "patchbay_clients_shed", "Clients that were turned away for want of descriptors.", descriptors.shed
        yield "patchbay_output_lines_dropped", "Lines that nobody read from standard output.", output.dropped


def _troubles(failover: Failover) -> Iterator[Metric]:
    """Yield what needs a person, and what the retry budgets did not allow."""
    text = "Tries that failed because a provider refuses our key (auth) or its money is spent (spend_limit)."
    keys = CounterMetricFamily("patchbay_key_troubles", text, labels=("provider", "reason"))
    for (provider, reason), count in sorted(failover.key_troubles.counts.items()):
        keys.add_metric((provider, reason), count)
    yield keys
    text = "Repetitions that were not made, since a provider had got its share of them."
    spent = CounterMetricFamily("patchbay_retry_budget_exhausted", text, labels=("provider",))
    for provider, count in sorted(failover.budgets_exhausted().items()):
        spent.add_metric((provider,), count)
    yield spent


def _in_flight(providers: Iterable[str]) -> Metric:
    family = GaugeMetricFamily("patchbay_in_flight", "Calls in flight, by who is asked now.", labels=("provider",))
    for provider, count in sorted(Counter(providers).items()):
        family.add_metric((provider,), count)
    return family


def _breakers(states: Iterable[CircuitState]) -> Metric:
    """Show the worst breaker of each provider: its servers and keys are no labels."""
    family = GaugeMetricFamily(
        "patchbay_breaker_state", "0 closed, 1 half open, 2 open: the worst of a provider's.", labels=("provider",)
    )
    worst: dict[str, float] = {}
    for state in states:
        provider = state.circuit.provider
        worst[provider] = max(worst.get(provider, -math.inf), _BREAKER[state.state])
    for provider, value in sorted(worst.items()):
        family.add_metric((provider,), value)
    return family
