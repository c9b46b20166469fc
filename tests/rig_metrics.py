"""The product's metrics, read with prometheus_client's own parser, and held against its record."""

import time
from collections import Counter

from prometheus_client.parser import text_string_to_metric_families

from tests.rig_client import query
from tests.rig_gateway import Gateway

Counted = dict[tuple[str, ...], float]


def samples(gateway: Gateway) -> dict[str, Counted]:
    """Name of a sample → values of its labels, in the order of the labels' names → its value."""
    answer = gateway.get("/patchbay/metrics")
    assert answer.status == 200
    told: dict[str, Counted] = {}
    for family in text_string_to_metric_families(answer.body.decode()):
        for sample in family.samples:
            labels = tuple(value for _, value in sorted(sample.labels.items()))
            told.setdefault(sample.name, {})[labels] = sample.value
    return told


def rows(gateway: Gateway, columns: str, amount: str = "1", where: str = "1", table: str = "exchanges") -> Counted:
    """The same from the record: ``columns`` in the order of the labels' names."""
    said = query(
        gateway.database, f"SELECT {columns}, sum({amount}) AS total FROM {table} WHERE {where} GROUP BY {columns}"
    )
    names = columns.split(", ")
    return {tuple(str(row[name]) for name in names): row["total"] for row in said if row["total"]}


def without_models(counted: Counted) -> Counted:
    """Sums over the models, the first label: past two hundred of them the product has one label for all others."""
    summed: Counter[tuple[str, ...]] = Counter()
    for labels, value in counted.items():
        summed[labels[1:]] += int(value)
    return dict(summed)


def assert_counted(gateway: Gateway, seconds: float = 10.0) -> None:
    """Every call and every attempt of the run is counted as it is recorded; waits for the record to catch up."""
    deadline = time.monotonic() + seconds
    while True:
        told = samples(gateway)
        calls = without_models(told["patchbay_requests_total"])
        tries = without_models(told["patchbay_attempts_total"])
        recorded = rows(gateway, "operation, outcome, provider", where="outcome IS NOT NULL")
        if calls == recorded and tries == rows(gateway, "outcome, provider", table="attempts"):
            return
        assert time.monotonic() < deadline, (set(calls.items()) ^ set(recorded.items()), tries)
        time.sleep(0.1)
