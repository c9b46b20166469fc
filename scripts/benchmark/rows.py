"""The rows of the table, in order, and what `scripts/serve` is to reach."""

from dataclasses import dataclass
from enum import Enum, auto

from scripts.benchmark.ways import BARE, DIRECT, ROUTE, SERVE


class Beside(Enum):
    """How a way's number is set beside another's."""

    RATIO = auto()
    DIFFERENCE = auto()
    NOT = auto()


@dataclass(frozen=True)
class Row:
    """One value. ``added``: the ways show what they add to direct, measured in the same round."""

    value: str
    figure: str
    title: str
    unit: str
    digits: int = 0
    beside: Beside = Beside.RATIO
    added: bool = False


_MORE = Beside.DIFFERENCE
ROWS = (
    Row("requests", "requests", "small requests", "/s"),
    Row("requests_cpu", "requests", "  CPU each", "µs"),
    Row("chunks", "chunks", "saturated chunks", "/s"),
    Row("chunks_cpu", "chunks", "  CPU each", "µs", 1),
    Row("latency_p50", "latency", "added latency p50", "ms", 2, _MORE, added=True),
    Row("latency_p99", "latency", "added latency p99", "ms", 2, _MORE, added=True),
    Row("ttft_p50", "ttft", "added TTFT p50", "ms", 2, _MORE, added=True),
    Row("ttft_p99", "ttft", "added TTFT p99", "ms", 2, _MORE, added=True),
    Row("transit_p50", "transit", "transit of a paced event p50", "µs"),
    Row("transit_p99", "transit", "transit of a paced event p99", "µs"),
    Row("transit_cpu", "transit", "  CPU each", "µs"),
    Row("burst_seconds", "burst", "streams at once: all complete", "s", 2),
    Row("burst_ttft_p50", "burst", "streams at once: TTFT p50", "ms"),
    Row("burst_ttft_p99", "burst", "streams at once: TTFT p99", "ms"),
    Row("burst_peak", "burst", "streams at once: peak memory", "MiB"),
    Row("burst_cpu", "burst", "  CPU each event", "µs"),
    Row("idle", "idle", "idle memory", "MiB"),
    Row("startup", "idle", "start-up to first answer", "s", 2),
    Row("soak_10", "soak", "memory after 10 % of the soak", "MiB", 1, Beside.NOT),
    Row("soak_50", "soak", "memory after 50 % of the soak", "MiB", 1, Beside.NOT),
    Row("soak_100", "soak", "memory after 100 % of the soak", "MiB", 1, Beside.NOT),
    Row("soak_recorded", "soak", "calls of the soak on record", "%", 1, Beside.NOT),
)


@dataclass(frozen=True)
class Goal:
    """What a way is to reach: at most (or at least) ``bound``, absolute or beside another way's (``base``) value.

    ``base_value`` is the value of the base where it is not the same one.
    """

    way: str
    value: str
    bound: float
    words: str
    base: str | None = None
    at_least: bool = False
    beside: Beside = Beside.RATIO
    base_value: str | None = None


# "Flat" is taken as: the second half of the soak adds at most a twentieth. A leak grows on, a cache has filled by then.
GOALS = (
    Goal(SERVE, "requests", 1.25, "small requests ≥ 1.25 × bare", BARE, at_least=True),
    Goal(ROUTE, "requests", 0.8, "small requests ≥ 0.8 × bare", BARE, at_least=True),
    Goal(SERVE, "chunks", 1.0, "saturated chunks ≥ 1.0 × bare", BARE, at_least=True),
    Goal(ROUTE, "chunks", 0.8, "saturated chunks ≥ 0.8 × bare", BARE, at_least=True),
    Goal(SERVE, "latency_p50", 0.7, "added latency p50 ≤ bare + 0.7 ms", BARE, beside=Beside.DIFFERENCE),
    Goal(SERVE, "ttft_p50", 0.7, "added TTFT p50 ≤ bare + 0.7 ms", BARE, beside=Beside.DIFFERENCE),
    Goal(SERVE, "burst_seconds", 1.5, "streams at once: within 1.5 × direct's time", DIRECT),
    Goal(SERVE, "burst_ttft_p99", 2000, "streams at once: TTFT p99 ≤ 2 s"),
    Goal(SERVE, "burst_peak", 250, "streams at once: peak memory ≤ 250 MiB"),
    Goal(SERVE, "startup", 2.0, "start-up ≤ 2 s"),
    Goal(SERVE, "soak_100", 1.05, "memory flat over the soak (end ≤ 1.05 × half-way)", SERVE, base_value="soak_50"),
)
