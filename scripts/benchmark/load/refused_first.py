"""What it costs when the first target of a route refuses the connection, and the next one answers."""

from dataclasses import dataclass
from functools import partial

from scripts.benchmark.load.calls import Call, question
from scripts.benchmark.load.findings import Finding, at_most, exactly, told
from scripts.benchmark.load.stand import Setup, Stand, provider, registry
from scripts.benchmark.probe import free_port
from scripts.benchmark.summary import quantile
from scripts.benchmark.ways import Ground

FAULT = "F1"
_LANE = "healthy"
_COST_MOST = 20.0  # ms
_CALLS = 2  # at each route: a third refusal would open its breaker, and the first target would be asked no more


@dataclass(frozen=True, slots=True)
class Size:
    """So many routes whose first target refuses, each with a breaker of its own."""

    routes: int


FULL = Size(100)
QUICK = Size(25)


def setup(size: Size) -> Setup:
    """The scenario in a size."""
    return Setup(partial(_registry, size), partial(_measure, size))


def _registry(size: Size, ground: Ground) -> str:
    refusing, healthy = free_port(), provider(_LANE, ground.upstream)
    return registry(
        [healthy, *(provider(f"refusing-{number}", refusing) for number in range(size.routes))],
        [f"route-{number}: {{targets: [refusing-{number}/m, {_LANE}/m]}}" for number in range(size.routes)],
    )


async def _measure(size: Size, stand: Stand) -> list[Finding]:
    lines, plain, failed_over = stand.lines(), list[Call](), list[Call]()
    for number in range(10):  # let everything be imported and connected that a first call would
        await lines.ask(question(f"{_LANE}/m", user=number))
    for number in range(size.routes * _CALLS):
        plain.append(await lines.ask(question(f"{_LANE}/m")))
        failed_over.append(await lines.ask(question(f"route-{number % size.routes}")))
    lines.close()
    asked = await stand.rows(
        "select count(*) from attempts where provider like 'refusing-%'",
        until=lambda rows: rows[0][0] == len(failed_over),
    )
    wrong = sorted({call.complaint for call in failed_over if not call.good})
    added = _median_ms(failed_over) - _median_ms(plain)
    return [
        at_most(FAULT, "failover when the first target refuses adds, p50", added, _COST_MOST, "ms", 2),
        exactly(FAULT, "  answered by the second", sum(call.good for call in failed_over), len(failed_over)),
        exactly(FAULT, "  of them had asked the first", asked[0][0], len(failed_over)),
        *(told(FAULT, "  wrong", error) for error in wrong[:3]),
    ]


def _median_ms(calls: list[Call]) -> float:
    return 1000 * quantile([call.seconds for call in calls], 0.5)
