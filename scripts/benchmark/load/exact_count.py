"""F63: two clients, many calls at once, one limit: exactly so many come through."""

import asyncio
from dataclasses import dataclass
from functools import partial

from scripts.benchmark.load.calls import Call, question
from scripts.benchmark.load.findings import Finding, exactly, told
from scripts.benchmark.load.stand import Setup, Stand, provider, registry
from scripts.benchmark.ways import Ground

FAULT = "F63"
_LANE = "counted"
_CLIENTS = ("first-client", "second-client")


@dataclass(frozen=True, slots=True)
class Size:
    """So many calls at once, half of them by each client; the provider's limits; how often."""

    parallel: int = 200
    limit: int = 20
    room: int = 10
    rounds: int = 5


FULL = Size()
QUICK = Size(rounds=2)


def setup(size: Size) -> Setup:
    """The scenario in a size."""
    return Setup(partial(_registry, size), partial(_measure, size))


def _registry(size: Size, ground: Ground) -> str:
    limits = f"max_in_flight: {size.limit}, max_queued: {size.room}"
    return registry([provider(_LANE, ground.upstream, extra=limits)])


async def _measure(size: Size, stand: Stand) -> list[Finding]:
    most, calls = 0, list[Call]()
    for _ in range(size.rounds):
        inside, made = await _round(size, stand)
        most, calls = max(most, inside), calls + made
    per_round = size.limit + size.room
    wrong = sorted({call.complaint for call in calls if not (call.good or call.shed)})
    return [
        exactly(
            FAULT,
            f"{size.parallel} calls at once, {size.rounds} times: answered",
            _good(calls),
            per_round * size.rounds,
        ),
        exactly(FAULT, "  turned away", sum(call.shed for call in calls), (size.parallel - per_round) * size.rounds),
        exactly(FAULT, "  most at once at the provider", most, size.limit),
        *(told(FAULT, "  wrong", error) for error in wrong[:3]),
    ]


async def _round(size: Size, stand: Stand) -> tuple[int, list[Call]]:
    """All calls at once, while nobody is answered; returns the most that were inside, and the calls."""
    await stand.set_lane(_LANE, held=1)
    lines = stand.lines()
    await lines.connect(size.parallel)
    asked = [
        asyncio.ensure_future(lines.ask(question(f"{_LANE}/m", token=_CLIENTS[number % 2])))
        for number in range(size.parallel)
    ]
    turned_away = size.parallel - size.limit - size.room
    while sum(call.done() for call in asked) < turned_away:
        await asyncio.wait([call for call in asked if not call.done()], return_when=asyncio.FIRST_COMPLETED)
    await stand.until(_LANE, lambda seen: seen.present >= size.limit)
    await stand.set_lane(_LANE, held=0)
    calls = await asyncio.gather(*asked)
    lines.close()
    return (await stand.seen(_LANE)).most, calls


def _good(calls: list[Call]) -> int:
    return sum(call.good for call in calls)
