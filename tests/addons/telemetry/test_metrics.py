"""What is counted of finished exchanges, read back with prometheus_client's own parser."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from addons.telemetry.metrics import MOST_MODELS, Metrics, tokens_per_second
from providers.exchange.account import AttemptAccount, ExchangeAccount, Outcome


def account(**known: object) -> ExchangeAccount:
    """A finished call of big-1 at acme, with what else is known of it."""
    fixed = {"id": "pb-1", "started_at": 1.0, "provider": "acme", "kind": "compatible", "dialect": "chat"}
    asked = {"operation": "generate", "requested_model": "big", "model": "big-1", "stream": True}
    return ExchangeAccount(**{**fixed, **asked, "outcome": Outcome.OK, **known})  # type: ignore[arg-type]


class _Page(Collector):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        return self._metrics.families()


def read(metrics: Metrics) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample: its name and the values of its labels, sorted by label → its value."""
    registry = CollectorRegistry()
    registry.register(_Page(metrics))
    text = generate_latest(registry).decode()
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def test_a_call_is_counted_once_by_all_its_labels() -> None:
    metrics = Metrics()
    metrics.observe(account())
    metrics.observe(account(outcome=Outcome.UPSTREAM_RESET))
    metrics.observe(account())
    told = read(metrics)
    assert told["patchbay_requests_total", ("big-1", "generate", "ok", "acme")] == 2
    assert told["patchbay_requests_total", ("big-1", "generate", "upstream_reset", "acme")] == 1


def test_ends_of_one_kind_are_summed_over_all_models() -> None:
    metrics = Metrics()
    for known in ({"model": "shed"}, {"outcome": Outcome.SHED}, {"outcome": Outcome.SHED, "provider": "other"}):
        metrics.observe(account(**known))
    assert metrics.ended(Outcome.SHED) == 2


def test_an_end_without_a_word_is_an_error_of_ours_as_in_the_record() -> None:
    metrics = Metrics()
    metrics.observe(account(outcome=None))
    assert read(metrics)["patchbay_requests_total", ("big-1", "generate", "internal_error", "acme")] == 1


def test_attempts_and_what_came_after_the_first() -> None:
    metrics = Metrics()
    tries = [
        AttemptAccount("acme", "big-1", outcome=Outcome.UPSTREAM_REFUSED),
        AttemptAccount("other", "big-2"),
        AttemptAccount("other", "big-2", outcome=Outcome.OK),
    ]
    metrics.observe(account(provider="other", model="big-2", attempts=tries))
    told = read(metrics)
    assert told["patchbay_attempts_total", ("big-1", "upstream_refused", "acme")] == 1
    assert told["patchbay_attempts_total", ("big-2", "internal_error", "other")] == 1
    assert told["patchbay_attempts_total", ("big-2", "ok", "other")] == 1
    assert told["patchbay_retries_total", ("big-2", "other")] == 2
    assert ("patchbay_retries_total", ("big-1", "acme")) not in told


def test_tokens_by_kind_and_cost() -> None:
    metrics = Metrics()
    used = {"input_tokens": 100, "output_tokens": 20, "cache_read_tokens": 60, "reasoning_tokens": 5}
    metrics.observe(account(**used, cost=0.25))
    metrics.observe(account(**used, cost=0.5))
    told = read(metrics)
    counted = {labels[0]: value for (name, labels), value in told.items() if name == "patchbay_tokens_total"}
    assert counted == {"input": 200, "output": 40, "cache_read": 120, "reasoning": 10}
    assert told["patchbay_cost_dollars_total", ("big-1", "acme")] == 0.75
    assert ("patchbay_unpriced_requests_total", ("big-1", "acme")) not in told


def test_what_has_no_price_is_counted_apart_and_never_as_nothing() -> None:
    metrics = Metrics()
    metrics.observe(account(output_tokens=20))
    metrics.observe(account())
    told = read(metrics)
    assert told["patchbay_unpriced_requests_total", ("big-1", "acme")] == 1
    assert ("patchbay_cost_dollars_total", ("big-1", "acme")) not in told


def test_spreads_are_cumulative_and_hold_every_value() -> None:
    metrics = Metrics()
    for ttft in (10_000, 25_000, 90_000, 3_600_000_000):
        metrics.observe(account(ttft_us=ttft, duration_us=2 * ttft, overhead_us=300))
    told = read(metrics)
    buckets = {
        labels[0]: value
        for (name, labels), value in told.items()
        if name == "patchbay_time_to_first_token_seconds_bucket"
    }
    assert (buckets["0.025"], buckets["0.05"], buckets["0.1"], buckets["600.0"], buckets["+Inf"]) == (2, 2, 3, 3, 4)
    assert told["patchbay_time_to_first_token_seconds_count", ("acme",)] == 4
    assert told["patchbay_time_to_first_token_seconds_sum", ("acme",)] == pytest.approx(3600.125)
    assert told["patchbay_duration_seconds_count", ("acme",)] == 4
    assert told["patchbay_overhead_seconds_bucket", ("0.0005", "acme")] == 4


def test_labels_are_bounded_whatever_clients_ask_for() -> None:
    metrics = Metrics()
    for number in range(MOST_MODELS + 50):
        metrics.observe(account(model=f"model-{number}"))
    told = read(metrics)
    models = {labels[0] for name, labels in told if name == "patchbay_requests_total"}
    assert len(models) == MOST_MODELS + 1
    assert told["patchbay_requests_total", ("other", "generate", "ok", "acme")] == 50


def test_a_key_in_place_of_a_model_is_no_label() -> None:
    metrics = Metrics(lambda: ("the-secret-of-acme",))
    metrics.observe(account(model="the-secret-of-acme"))
    metrics.observe(account(model="sk-ant-api03-abcdefgh12345678"))
    metrics.observe(account(model="m" * 500))
    models = {labels[0] for name, labels in read(metrics) if name == "patchbay_requests_total"}
    assert models == {"[redacted]", "m" * 120}


@pytest.mark.parametrize(
    ("known", "speed"),
    [
        ({}, None),
        ({"output_tokens": 0, "decode_us": 1}, None),
        ({"output_tokens": 50, "decode_us": 1_000_000}, 50),
        ({"output_tokens": 50, "decode_us": 1_000_000, "usage_source": "estimated"}, None),
        ({"output_tokens": 50, "decode_us": 0, "ttft_us": 1_000_000, "duration_us": 2_000_000}, 49),
        ({"output_tokens": 51, "ttft_us": 1_000_000, "duration_us": 3_000_000}, 25),
        ({"output_tokens": 51, "ttft_us": 1_000_000, "duration_us": 3_000_000, "stream": False}, None),
        ({"output_tokens": 51, "duration_us": 3_000_000}, None),
        ({"output_tokens": 51, "ttft_us": 1_000_000}, None),
        ({"output_tokens": 51, "ttft_us": 1_000_000, "duration_us": 1_000_000}, None),
        ({"output_tokens": 1, "ttft_us": 1_000_000, "duration_us": 2_000_000}, None),
    ],
)
def test_speed_is_what_came_after_the_first_content(known: dict[str, object], speed: float | None) -> None:
    assert tokens_per_second(account(**known)) == speed


outcomes = st.sampled_from(list(Outcome))
tokens = st.one_of(st.none(), st.integers(0, 10**9))
calls = st.builds(
    account,
    provider=st.sampled_from(["acme", "local"]),
    outcome=outcomes,
    input_tokens=tokens,
    output_tokens=tokens,
    ttft_us=st.one_of(st.none(), st.integers(0, 10**10)),
    duration_us=st.one_of(st.none(), st.integers(0, 10**10)),
    attempts=st.lists(st.builds(AttemptAccount, st.just("acme"), st.just("m"), outcome=outcomes), max_size=3),
)


@given(st.lists(calls, max_size=20))
def test_totals_are_those_of_the_accounts(accounts: list[ExchangeAccount]) -> None:
    metrics = Metrics()
    for each in accounts:
        metrics.observe(each)
    told = read(metrics)

    def total(name: str) -> float:
        return sum(value for (sample, _), value in told.items() if sample == name)

    assert total("patchbay_requests_total") == len(accounts)
    assert total("patchbay_attempts_total") == sum(len(each.attempts) for each in accounts)
    used = sum((each.input_tokens or 0) + (each.output_tokens or 0) for each in accounts)
    assert total("patchbay_tokens_total") == used
    timed = sum(each.ttft_us is not None for each in accounts)
    assert total("patchbay_time_to_first_token_seconds_count") == timed
