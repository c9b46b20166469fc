"""F59: one provider becomes slow: its line fills, and the calls of another one take no longer.

Strategy: both providers get the same load in all rounds; in every other round the neighbour is slow. So the ratio tells
what its slowness does, and not what its calls cost. The machine's noise meets both kinds of rounds alike: each slow
round is set beside the healthy one before it, and the median of these ratios counts.
"""

import asyncio
from dataclasses import dataclass
from functools import partial
from statistics import median

from scripts.benchmark.load.calls import Call, open_load, question
from scripts.benchmark.load.findings import Finding, at_least, at_most, exactly, told
from scripts.benchmark.load.stand import Setup, Stand, provider, registry
from scripts.benchmark.summary import quantile
from scripts.benchmark.ways import Ground

FAULT = "F59"
_FAST, _SLOW = "fast", "slow"
_CHANGE_MOST = 10.0  # percent


@dataclass(frozen=True, slots=True)
class Size:
    """Pairs of rounds of so many seconds. Rates are calls a second, delays seconds of an answer."""

    rounds: int = 7
    seconds: float = 5.0
    rate: float = 100.0
    slow_rate: float = 20.0
    delay: float = 0.05
    slow_delay: float = 2.0
    limit: int = 4


FULL = Size()
QUICK = Size(rounds=3, seconds=2.5)


def setup(size: Size) -> Setup:
    """The scenario in a size."""
    return Setup(partial(_registry, size), partial(_measure, size))


def _registry(size: Size, ground: Ground) -> str:
    limits = f"max_in_flight: {size.limit}, max_queued: {size.limit}"
    return registry([provider(_FAST, ground.upstream), provider(_SLOW, ground.upstream, extra=limits)])


async def _measure(size: Size, stand: Stand) -> list[Finding]:
    await stand.set_lane(_FAST, delay=size.delay)
    await _round(size, stand, size.delay)  # let everything be imported and connected that a first round would
    pairs, shed, wrong = list[tuple[float, float]](), 0, 0
    for _ in range(size.rounds):
        healthy, _ = await _round(size, stand, size.delay)
        beside, neighbour = await _round(size, stand, size.slow_delay)
        pairs.append((_p99(healthy), _p99(beside)))
        shed += sum(call.shed for call in neighbour)
        wrong += sum(not call.good for call in (*healthy, *beside))
    changes = [100 * (slow / healthy - 1) for healthy, slow in pairs]
    p99s = " → ".join(f"{1000 * median(values):.1f}" for values in zip(*pairs, strict=True))
    return [
        at_most(FAULT, "a provider's p99 when its neighbour is slow, change", median(changes), _CHANGE_MOST, "%", 1),
        told(
            FAULT, "  p99 and the changes of the rounds", f"{p99s} ms, {min(changes):+.0f} % to {max(changes):+.0f} %"
        ),
        exactly(FAULT, "  its calls without a good answer", wrong, 0),
        at_least(FAULT, "  calls turned away by the slow one's full line", shed, 1, "calls"),
        exactly(FAULT, "  most at once at the slow one", (await stand.seen(_SLOW)).most, size.limit),
    ]


async def _round(size: Size, stand: Stand, delay: float) -> tuple[list[Call], list[Call]]:
    """Both loads for a while; the calls of the fast one and of its neighbour."""
    await stand.set_lane(_SLOW, delay=delay)
    lines, others = stand.lines(), stand.lines()
    fast, slow = await asyncio.gather(
        open_load(size.rate, size.seconds, lambda due: lines.ask(question(f"{_FAST}/m"), due=due)),
        open_load(size.slow_rate, size.seconds, lambda due: others.ask(question(f"{_SLOW}/m"), due=due)),
    )
    lines.close()
    others.close()
    return fast, slow


def _p99(calls: list[Call]) -> float:
    return quantile([call.seconds for call in calls], 0.99)
