"""F58: a provider is down for a while under steady load, and comes back.

Strategy: four loads side by side, each with a provider of its own: one that refuses connections and one that fails
every call, each of them alone and as the first of a pair whose second is well. A route's only target is asked whatever
its breaker says (its own word is better for the client than ours), so it gets every call, and of repetitions as many as
its budget allows. The first of a pair is left alone: it gets the calls that open its breaker, then one probe after each
time for which it stays open. What refuses connections is counted in the gateway's record of attempts, the others at the
upstream itself.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from scripts.benchmark.load.calls import Call, open_load, question
from scripts.benchmark.load.findings import Finding, at_most, exactly, told
from scripts.benchmark.load.stand import Setup, Stand, provider, registry
from scripts.benchmark.probe import free_port
from scripts.benchmark.ways import Ground

FAULT = "F58"
_ATTEMPTS_MOST = 1.2  # of the calls
_SUCCESS_MOST = 1.0  # seconds
_FLOOR = 3  # repetitions that a provider gets in any case: they matter where the calls are few
_SOON = 0.9  # seconds in which a breaker opens; it then stays open for longer than that
_WELL = "well"
_ATTEMPTS = """
select exchanges.started_at from attempts join exchanges on exchanges.id = attempts.exchange_id
where attempts.provider = ? and exchanges.started_at between ? and ? order by 1"""


@dataclass(frozen=True, slots=True)
class Case:
    """A provider that goes down: it refuses connections or fails calls, alone or as the first of a pair."""

    name: str
    refuses: bool
    alone: bool

    @property
    def model(self) -> str:
        """What its calls ask for."""
        return f"{self.name}/m" if self.alone else f"pair-{self.name}"


CASES = (
    Case("refusing-alone", refuses=True, alone=True),
    Case("failing-alone", refuses=False, alone=True),
    Case("refusing-first", refuses=True, alone=False),
    Case("failing-first", refuses=False, alone=False),
)


@dataclass(frozen=True, slots=True)
class Size:
    """``rate`` calls a second at each; seconds before it goes down, while it is, and after it is back."""

    rate: float = 50.0
    before: float = 2.0
    down: float = 30.0
    after: float = 5.0


FULL = Size()
QUICK = Size(down=10, after=3)


@dataclass(frozen=True, slots=True)
class Outage:
    """When it began and ended; ``wall`` adds seconds since the epoch to monotonic ones."""

    began: float
    ended: float
    wall: float


def setup(size: Size) -> Setup:
    """The scenario in a size."""
    outlet = free_port()
    return Setup(partial(_registry, outlet), partial(_measure, size, outlet))


def _registry(outlet: int, ground: Ground) -> str:
    downs = [provider(case.name, outlet if case.refuses else ground.upstream) for case in CASES]
    pairs = [f"{case.model}: {{targets: [{case.name}/m, {_WELL}/m]}}" for case in CASES if not case.alone]
    return registry([provider(_WELL, ground.upstream), *downs], pairs)


async def _measure(size: Size, outlet: int, stand: Stand) -> list[Finding]:
    await _turn(stand, outlet, up=True)
    loads = asyncio.gather(*(_load(size, stand, case) for case in CASES))
    await asyncio.sleep(size.before)
    await _turn(stand, outlet, up=False)
    began = time.monotonic()
    await asyncio.sleep(size.down)
    openings = _openings(await stand.health())
    await _turn(stand, outlet, up=True)
    outage = Outage(began, time.monotonic(), time.time() - time.monotonic())
    found = list[Finding]()
    for case, calls in zip(CASES, await loads, strict=True):
        attempts = await _attempts(stand, case, outage)
        if case.alone:
            found += _of_alone(case, calls, attempts, outage)
        else:
            again = min((at for at in (await stand.seen(case.name)).calls if at >= outage.ended), default=None)
            found += _of_pair(case, calls, attempts, outage, openings.get(case.name, 0))
            found.append(told(FAULT, "  asked again, after it was back for", _seconds(again, outage)))
    return found


def _seconds(again: float | None, outage: Outage) -> str:
    return "(not in this time)" if again is None else f"{again - outage.ended:.2f} s"


async def _turn(stand: Stand, outlet: int, *, up: bool) -> None:
    """Let all that go down do so, or come back."""
    await stand.set_outlet(outlet, is_open=up)
    for case in CASES:
        if not case.refuses:
            await stand.set_lane(case.name, status=200 if up else 503)


async def _load(size: Size, stand: Stand, case: Case) -> list[Call]:
    lines, request = stand.lines(), question(case.model)
    seconds = size.before + size.down + size.after
    try:
        return await open_load(size.rate, seconds, lambda due: lines.ask(request, due=due))
    finally:
        lines.close()


async def _attempts(stand: Stand, case: Case, outage: Outage) -> list[float]:
    """When it was asked while it was down, in monotonic seconds."""
    if not case.refuses:
        return [at for at in (await stand.seen(case.name)).calls if outage.began <= at < outage.ended]
    begun, ended = outage.began + outage.wall, outage.ended + outage.wall
    rows = await stand.rows(_ATTEMPTS, case.name, begun, ended, until=lambda _: True)
    return [at - outage.wall for (at,) in rows]


def _openings(health: dict[str, object]) -> dict[str, int]:
    """How often the breaker of each provider has opened since it was closed last."""
    providers = health["providers"]
    assert isinstance(providers, list)
    return {one["name"]: sum(breaker["openings"] for breaker in one["breakers"]) for one in providers}


def _of_alone(case: Case, calls: Sequence[Call], attempts: Sequence[float], outage: Outage) -> list[Finding]:
    during = [call for call in calls if outage.began <= call.due < outage.ended]
    most = max(_ATTEMPTS_MOST, 1 + _FLOOR / max(1, len(during)))
    return [
        told(FAULT, f"{case.name}, down for {outage.ended - outage.began:.0f} s", f"{len(during):,} calls"),
        at_most(FAULT, "  asked for each call", len(attempts) / max(1, len(during)), most, "times", 2),
        _first_success(calls, outage),
    ]


def _of_pair(
    case: Case, calls: Sequence[Call], attempts: Sequence[float], outage: Outage, opened: int
) -> list[Finding]:
    during = [call for call in calls if outage.began <= call.due < outage.ended]
    probes = sum(at > min(attempts) + _SOON for at in attempts)
    return [
        told(FAULT, f"{case.name} of a pair, down for {outage.ended - outage.began:.0f} s", f"{len(during):,} calls"),
        exactly(FAULT, "  calls without a good answer", sum(not call.good for call in calls), 0),
        told(FAULT, "  asked", f"{len(attempts)} times"),
        Finding(FAULT, "  probes", f"{probes} in {opened} open times", "≤ 1 each", 0 < opened and probes <= opened),
    ]


def _first_success(calls: Sequence[Call], outage: Outage) -> Finding:
    ended = min((call.ended for call in calls if call.good and call.ended >= outage.ended), default=float("inf"))
    return at_most(FAULT, "  first good answer after it is back", ended - outage.ended, _SUCCESS_MOST, "s", 2)
