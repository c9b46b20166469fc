"""F57: a provider with a limit gets many times what it can do."""

import asyncio
from dataclasses import dataclass
from functools import partial

from scripts.benchmark.load.calls import Call, closed_load, open_load, question
from scripts.benchmark.load.findings import Finding, at_least, at_most, exactly, told
from scripts.benchmark.load.stand import Setup, Stand, provider, registry
from scripts.benchmark.summary import quantile
from scripts.benchmark.ways import Ground

FAULT = "F57"
_LANE = "limited"
_GOODPUT_LEAST = 80.0  # percent of the capacity
_SHED_MOST = 100.0  # ms
_RECOVERY_MOST = 5.0  # seconds


@dataclass(frozen=True, slots=True)
class Size:
    """A provider of so many ``slots``, each call takes ``delay`` seconds, ``times`` what it can do for ``seconds``."""

    slots: int = 10
    delay: float = 0.1
    times: float = 5.0
    seconds: float = 60.0
    capacity_seconds: float = 5.0
    after_seconds: float = 6.0


FULL = Size()
QUICK = Size(seconds=8, capacity_seconds=2)


def setup(size: Size) -> Setup:
    """The scenario in a size: the line is as long as the provider has slots, so that nobody waits for long."""
    return Setup(partial(_registry, size), partial(_measure, size))


def _registry(size: Size, ground: Ground) -> str:
    limits = f"max_in_flight: {size.slots}, max_queued: {size.slots}"
    return registry([provider(_LANE, ground.upstream, extra=limits)])


async def _measure(size: Size, stand: Stand) -> list[Finding]:
    await stand.set_lane(_LANE, slots=size.slots, delay=size.delay)
    lines, request = stand.lines(), question(f"{_LANE}/m")
    usual = await closed_load(size.slots, size.capacity_seconds, lambda: lines.ask(request))
    capacity = sum(call.good for call in usual) / size.capacity_seconds
    flood = await open_load(capacity * size.times, size.seconds, lambda due: lines.ask(request, due=due))
    over = asyncio.get_running_loop().time()
    after = await open_load(capacity / 2, size.after_seconds, lambda due: lines.ask(request, due=due))
    lines.close()
    return [
        *_in_overload(size, capacity, flood),
        at_most(FAULT, "  until all is well again", _recovery(size, after, over), _RECOVERY_MOST, "s", 2),
        exactly(FAULT, "  calls at once at the provider", (await stand.seen(_LANE)).most, size.slots),
    ]


def _in_overload(size: Size, capacity: float, flood: list[Call]) -> list[Finding]:
    good = sum(call.good for call in flood)
    waits = [1000 * call.seconds for call in flood if call.shed]
    others = sorted({call.complaint for call in flood if not (call.good or call.shed)})
    share = 100 * good / (capacity * size.seconds)
    found = at_least(FAULT, f"overload {size.times:g} ×, {size.seconds:g} s: goodput", share, _GOODPUT_LEAST, "%")
    return [
        told(FAULT, "capacity of the limited provider", f"{capacity:.0f}/s"),
        found,
        at_most(FAULT, "  turned away with Retry-After, p99", quantile(waits or [0.0], 0.99), _SHED_MOST, "ms", 1),
        told(FAULT, "  turned away", f"{len(waits):,} of {len(flood):,}, slowest {max(waits, default=0):.0f} ms"),
        exactly(FAULT, "  neither answered nor turned away", len(flood) - good - len(waits), 0),
        *(told(FAULT, "  wrong", other) for other in others[:3]),
    ]


def _recovery(size: Size, after: list[Call], over: float) -> float:
    """The seconds until the last call that was refused, or took three times as long as it should."""
    ill = [call.ended for call in after if not call.good or call.seconds > 3 * size.delay]
    return max(ill, default=over) - over
