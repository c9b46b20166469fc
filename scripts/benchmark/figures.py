"""What is measured: each figure puts one load on one way and returns one sample of named values."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from time import monotonic, monotonic_ns

from scripts.benchmark import wire
from scripts.benchmark.answers import PlainAnswer, StreamAnswer, Tally
from scripts.benchmark.caller import Load, arrive, call
from scripts.benchmark.summary import quantile
from scripts.benchmark.ways import Running

_LIMIT = 60.0  # seconds beyond what a load takes by itself, then who has no answer is an error
_MS, _US = 1e-6, 1e-3  # of a ns
# Paced streams begin this many places of the interval apart: out of step, as real ones are, and slowly enough that the
# work of admitting one is not seen in the events of others. Only events after the last beginning are counted.
_PHASE = 11


@dataclass(frozen=True)
class Sizes:
    """How much of each load; times in seconds."""

    rounds: int = 5
    requests_seconds: float = 3.0
    connections: int = 16
    floods: int = 2
    flood_events: int = 30_000
    latency_requests: int = 400
    ttft_requests: int = 300
    paced_streams: int = 50
    paced_rate: int = 20
    paced_events: int = 60
    burst_rounds: int = 3
    burst_streams: int = 1000
    burst_rate: int = 10
    burst_events: int = 30
    soak_requests: int = 100_000

    @property
    def whole_burst(self) -> bool:
        """Whether the streams at once are as many and as long as their goals are meant for."""
        return self.burst_streams * self.burst_events >= 30_000


QUICK = Sizes(
    rounds=2,
    requests_seconds=0.8,
    flood_events=15_000,
    latency_requests=120,
    ttft_requests=100,
    paced_events=30,
    burst_rounds=1,
    burst_events=10,
    soak_requests=0,
)


@dataclass(frozen=True)
class Sample:
    """One measurement. ``busy`` is the share of its core that the proxy used, None where not to be had."""

    values: Mapping[str, float]
    errors: Mapping[str, int]
    busy: float | None = None


class _Meter:
    """The proxy's CPU time over one load."""

    def __init__(self, running: Running) -> None:
        self._process = running.process
        self._began, self._cpu = monotonic(), self._used()

    def _used(self) -> float | None:
        return self._process.cpu() if self._process is not None else None

    def sample(self, tally: Tally, values: Mapping[str, float], **per_unit: int) -> Sample:
        """Make a sample; each of ``per_unit`` (value's name → count) becomes CPU µs for one."""
        used = self._used()
        if used is None or self._cpu is None:
            return Sample(values, tally.errors)
        spent = used - self._cpu
        each = {name: spent * 1e6 / count for name, count in per_unit.items() if count}
        return Sample({**values, **each}, tally.errors, spent / (monotonic() - self._began))


def _never() -> bool:
    return False


def _spread(name: str, spans: list[int], unit: float) -> dict[str, float]:
    return {f"{name}_p{at}": quantile(spans, at / 100) * unit for at in (50, 99)} if spans else {}


async def requests(running: Running, sizes: Sizes) -> Sample:
    """Small completions on keep-alive connections, as many as will go."""
    tally, meter = Tally(), _Meter(running)
    end = monotonic() + sizes.requests_seconds
    load = Load(wire.request(), PlainAnswer, lambda: monotonic() < end, tally)
    took = await call(running.port, load, sizes.connections, limit=sizes.requests_seconds + _LIMIT)
    return meter.sample(tally, {"requests": tally.answers / took}, requests_cpu=tally.answers)


async def chunks(running: Running, sizes: Sizes) -> Sample:
    """A few streams that the upstream writes as fast as it can."""
    tally, meter, stream = Tally(), _Meter(running), wire.Stream(sizes.flood_events)
    load = Load(wire.request(stream), partial(StreamAnswer, stream), _never, tally)
    took = await call(running.port, load, sizes.floods, limit=_LIMIT)
    return meter.sample(tally, {"chunks": tally.events / took}, chunks_cpu=tally.events)


async def latency(running: Running, sizes: Sizes) -> Sample:
    """Small completions one after another."""
    tally, left = Tally(), iter(range(sizes.latency_requests - 1))
    load = Load(wire.request(), PlainAnswer, lambda: next(left, None) is not None, tally)
    await call(running.port, load, 1, limit=_LIMIT)
    return Sample(_spread("latency", tally.spans, _MS), tally.errors)


async def ttft(running: Running, sizes: Sizes) -> Sample:
    """Short streams one after another: until the first event is here."""
    tally, left, stream = Tally(), iter(range(sizes.ttft_requests - 1)), wire.Stream(3)
    again = lambda: next(left, None) is not None  # noqa: E731  # one line beside the other loads
    load = Load(wire.request(stream), partial(StreamAnswer, stream), again, tally)
    await call(running.port, load, 1, limit=_LIMIT)
    return Sample(_spread("ttft", tally.firsts, _MS), tally.errors)


async def transit(running: Running, sizes: Sizes) -> Sample:
    """Paced streams side by side: from the upstream's write of an event to the client's read."""
    tally, meter = Tally(), _Meter(running)
    stream, transits = wire.Stream(sizes.paced_events, sizes.paced_rate), list[int]()
    gap = _PHASE / sizes.paced_rate / sizes.paced_streams
    all_begun = monotonic_ns() + int(gap * sizes.paced_streams * 1e9)
    load = Load(wire.request(stream), partial(StreamAnswer, stream, transits, all_begun), _never, tally)
    lasts = sizes.paced_events / sizes.paced_rate
    await call(running.port, load, sizes.paced_streams, limit=lasts + _LIMIT, stagger=gap)
    return meter.sample(tally, _spread("transit", transits, _US), transit_cpu=tally.events)


async def burst(running: Running, sizes: Sizes) -> Sample:
    """Many paced streams that all arrive at once."""
    if running.process is not None:
        running.process.forget_peak()
    tally, meter, stream = Tally(), _Meter(running), wire.Stream(sizes.burst_events, sizes.burst_rate)
    load = Load(wire.request(stream), partial(StreamAnswer, stream), _never, tally)
    took = await arrive(running.port, load, sizes.burst_streams, limit=sizes.burst_events / sizes.burst_rate + _LIMIT)
    values = {"burst_seconds": took, **_spread("burst_ttft", tally.firsts, _MS)}
    peak = running.process.peak() if running.process is not None else None
    if peak is not None:
        values["burst_peak"] = peak / 2**20
    return meter.sample(tally, values, burst_cpu=tally.events)


async def idle(running: Running, sizes: Sizes) -> Sample:
    """How long the start took, and the memory before anything was asked but the first answer."""
    values = {"startup": running.began} if running.began is not None else {}
    if running.idle is not None:
        values["idle"] = running.idle / 2**20
    return Sample(values, {})


Figure = Callable[[Running, Sizes], Coroutine[None, None, Sample]]
FIGURES: dict[str, Figure] = {
    "idle": idle,
    "requests": requests,
    "chunks": chunks,
    "latency": latency,
    "ttft": ttft,
    "transit": transit,
    "burst": burst,
}
SOAK = "soak"
NAMES = (*FIGURES, SOAK)
