"""F56: many streams that arrive at once, each with numbered events and a checksum."""

import asyncio
from dataclasses import dataclass
from functools import partial

from scripts.benchmark.load.calls import NumberedAnswer, question
from scripts.benchmark.load.findings import Finding, at_most, exactly, told
from scripts.benchmark.load.stand import Setup, Stand, provider, registry
from scripts.benchmark.summary import quantile
from scripts.benchmark.ways import Ground

FAULT = "F56"
_FIRST_MOST = 5.0  # seconds
_LANE = "streams"


@dataclass(frozen=True, slots=True)
class Size:
    """How many streams, of how many events, so many a second."""

    streams: int
    events: int
    per_second: int


FULL = Size(1000, 100, 10)
QUICK = Size(1000, 20, 10)


def setup(size: Size) -> Setup:
    """The scenario in a size."""
    return Setup(_registry, partial(_measure, size))


def _registry(ground: Ground) -> str:
    return registry([provider(_LANE, ground.upstream)])


async def _measure(size: Size, stand: Stand) -> list[Finding]:
    lines, model = stand.lines(), f"{_LANE}/numbered-{size.events}-{size.per_second}"
    asked = (
        lines.ask(question(model, user=stream, stream=True), NumberedAnswer(stream, size.events))
        for stream in range(1, size.streams + 1)
    )
    calls = await asyncio.gather(*asked)
    lines.close()
    firsts = [call.first - call.due for call in calls if call.good]
    errors = sorted({call.complaint for call in calls if not call.good})
    return [
        exactly(FAULT, "streams at once: complete, events in order, checksum right", len(firsts), size.streams),
        at_most(FAULT, "  first event p99", quantile(firsts or [float("inf")], 0.99), _FIRST_MOST, "s", 2),
        *(told(FAULT, "  wrong", error) for error in errors[:3]),
    ]
