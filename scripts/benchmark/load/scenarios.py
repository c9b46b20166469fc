"""All scenarios, in the order in which they run: name → its setup in full size, and in the quick one."""

from collections.abc import Callable

from scripts.benchmark.load import (
    exact_count,
    many_streams,
    overload,
    refused_first,
    retry_storm,
    slow_neighbour,
    slow_reader,
)
from scripts.benchmark.load.stand import Setup

Make = Callable[[], Setup]

SCENARIOS: dict[str, tuple[Make, Make]] = {
    "streams": (lambda: many_streams.setup(many_streams.FULL), lambda: many_streams.setup(many_streams.QUICK)),
    "overload": (lambda: overload.setup(overload.FULL), lambda: overload.setup(overload.QUICK)),
    "storm": (lambda: retry_storm.setup(retry_storm.FULL), lambda: retry_storm.setup(retry_storm.QUICK)),
    "neighbour": (
        lambda: slow_neighbour.setup(slow_neighbour.FULL),
        lambda: slow_neighbour.setup(slow_neighbour.QUICK),
    ),
    "reader": (lambda: slow_reader.setup(slow_reader.FULL), lambda: slow_reader.setup(slow_reader.QUICK)),
    "count": (lambda: exact_count.setup(exact_count.FULL), lambda: exact_count.setup(exact_count.QUICK)),
    "failover": (lambda: refused_first.setup(refused_first.FULL), lambda: refused_first.setup(refused_first.QUICK)),
}
