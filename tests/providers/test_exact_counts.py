"""Exact counts under 200 parallel callers: places, repetitions and probes, whatever order things happen in.

A small world without sockets: every exchange is a real one, all share one `Failover`, and time is a heap of what is
due. Chance decides how long everything takes and who comes first; what is counted must not depend on it.
"""

import heapq
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from providers.exchange.account import Outcome
from providers.exchange.commands import Command, Dial, End, Head, Send, SetTimer, Timer
from providers.exchange.machine import Exchange, Settings
from providers.exchange.plan import Plan, Server, Target
from providers.failover import Failover
from providers.pool.breaker import Circuit
from providers.pool.retry_budget import FLOOR, PERCENT
from providers.wire.readers import reader_for
from tests.fake_dialects import chat_body
from tests.providers.exchange.playbook import DEADLINES, JSON, SECOND, TARGET, account

CALLERS = 200
BODY = json.dumps(chat_body()).encode()
PATIENT = replace(DEADLINES, connect=60, head=60, first_content=60, gap=60, total=600)
FIRST = replace(TARGET, deadlines=PATIENT, server="first")
SECOND_CHOICE = replace(FIRST, provider="backup", host="backup.example", server="second")
PLACE = Server("first", "https", TARGET.host, TARGET.port, TARGET.path)


@dataclass
class World:
    """All callers, and the providers: those in ``down`` refuse, ``failing`` ones answer 503."""

    chance: Random
    down: set[str] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)
    now: int = 0
    shared: Failover = field(init=False)
    asked: Counter[str] = field(default_factory=Counter)
    inside: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    _due: list[tuple[int, float, int, Callable[[], None]]] = field(default_factory=list)
    _count: int = 0

    def __post_init__(self) -> None:
        self.shared = Failover(chance=self.chance.random, wall=lambda: 1e6, clock=lambda: self.now)

    def later(self, wait: int, do: Callable[[], None]) -> None:
        """Have something happen; of what happens at the same time, chance says what is first."""
        self._count += 1
        heapq.heappush(self._due, (self.now + wait, self.chance.random(), self._count, do))

    def run(self) -> None:
        """Let time pass until nothing is due any more."""
        while self._due:
            self.now, _, _, do = heapq.heappop(self._due)
            do()

    def callers(self, plan: Plan, count: int = CALLERS, within: int = 0) -> None:
        """Let so many come at once, or within some time, and see them through."""
        for _ in range(count):
            self.later(self.chance.randint(0, within), Caller(self, plan).begin)
        self.run()

    def takes(self) -> int:
        """How long a step takes, in µs."""
        return self.chance.randint(1, 50_000)


class Caller:
    """One call and its driver."""

    def __init__(self, world: World, plan: Plan) -> None:
        self._world = world
        self._exchange = Exchange(account(stream=False), plan, reader_for, Settings(), world.shared.course())
        self._timers: dict[Timer, int] = {}
        self._at = ""  # who is asked now
        self._ended = False

    def begin(self) -> None:
        self._do(self._exchange.begin(self._world.now, self._woken))

    def _woken(self) -> None:
        self._world.later(0, lambda: self._do(self._exchange.timer(Timer.PLACE, self._world.now)))

    def _do(self, commands: Iterable[Command]) -> None:
        for command in commands:
            match command:
                case SetTimer():
                    due = self._timers[command.name] = self._world.now + int(command.seconds * SECOND)
                    self._world.later(due - self._world.now, partial(self._ring, command.name, due))
                case Dial():
                    self._dial(command.target)
                case Send():
                    self._world.later(self._world.takes(), partial(self._answer, command.target))
                case Head():
                    self._world.statuses[command.status] += 1
                case End():
                    self._ended = True
                case _:
                    pass

    def _ring(self, name: Timer, due: int) -> None:
        if self._timers.get(name) == due and not self._ended:
            self._do(self._exchange.timer(name, due))

    def _dial(self, target: Target) -> None:
        world = self._world
        world.asked[target.provider] += 1
        if target.provider in world.down:
            world.later(world.takes(), lambda: self._do(self._exchange.failed(Outcome.UPSTREAM_REFUSED, world.now)))
            return
        world.inside[target.provider] += 1
        world.most[target.provider] = max(world.most[target.provider], world.inside[target.provider])
        world.later(world.takes(), lambda: self._do(self._exchange.opened(world.now)))

    def _answer(self, target: Target) -> None:
        world, status = self._world, 503 if target.provider in self._world.failing else 200
        world.inside[target.provider] -= 1
        self._do(self._exchange.head(status, JSON, world.now))
        self._do(self._exchange.data(BODY if status == 200 else b"{}", world.now))
        self._do(self._exchange.ended(world.now))


seeds = st.integers(0, 2**32).map(Random)
few = settings(max_examples=15, deadline=None)


# Of 200 that come at once, exactly as many get in as there is room for, inside and in line; never more are inside.
@few
@given(seeds, st.integers(1, 40), st.integers(0, 40))
def test_a_limit_lets_exactly_so_many_in(chance: Random, limit: int, room: int) -> None:
    world = World(chance)
    target = replace(FIRST, servers=(PLACE,), max_in_flight=limit, max_queued=room)
    world.callers(Plan(target, "because"))
    assert world.statuses == Counter({200: limit + room, 503: CALLERS - limit - room}) + Counter()
    assert (world.asked["acme"], world.most["acme"], world.inside["acme"]) == (limit + room, limit, 0)
    assert world.shared.places.busy("acme", "first") == 0


# However they follow on each other, nobody is inside beyond the limit, and every place comes back.
@few
@given(seeds, st.integers(1, 10), st.integers(0, 400))
def test_places_come_back(chance: Random, limit: int, within_ms: int) -> None:
    world = World(chance)
    target = replace(FIRST, servers=(PLACE,), max_in_flight=limit, max_queued=CALLERS)
    for _ in range(3):
        world.callers(Plan(target, "because"), within=within_ms * 1000)
    assert world.statuses == Counter({200: 3 * CALLERS})
    assert world.most["acme"] <= limit
    assert world.shared.places.busy("acme", "first") == 0


# A provider that is down is asked once for each call, and again exactly as often as its budget says.
@few
@given(seeds, st.booleans(), st.integers(1, CALLERS))
def test_repetitions_are_exactly_the_budget(chance: Random, refuses: bool, count: int) -> None:
    world = World(chance, down={"acme"} if refuses else set(), failing=set() if refuses else {"acme"})
    world.callers(Plan(FIRST, "because"), count)
    granted = max(FLOOR, count * PERCENT // 100)
    assert world.asked["acme"] == count + min(granted, 2 * count)
    assert world.statuses == Counter({503: count})
    assert world.shared.budget("acme").taken == min(granted, 2 * count)


# When a breaker's time is over, one of 200 is the probe; all others go to the next target. Nobody is refused.
@few
@given(seeds, st.booleans())
def test_one_of_all_is_the_probe(chance: Random, is_back: bool) -> None:
    world = World(chance, down={"acme"})
    plan = Plan(FIRST, "because", later=(lambda: SECOND_CHOICE,))
    circuit = Circuit("acme", "first", "ours")
    world.callers(plan)
    opened = world.shared.breakers.opened
    assert opened == 1
    while (denied := world.shared.breakers.denied(circuit, world.now)) is not None:
        world.now += denied.wait_us
    before = world.asked["acme"]
    world.down -= {"acme"} if is_back else set()
    world.callers(plan)
    assert world.asked["acme"] == before + 1
    assert world.statuses == Counter({200: 2 * CALLERS})
    assert world.shared.breakers.opened == opened + (not is_back)
    if is_back:
        world.callers(plan)
        assert world.asked["acme"] == before + 1 + CALLERS
