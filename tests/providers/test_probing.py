"""Who is probed when, and what the calls after it learn from the answer: the clock and the dice in the test's hand."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.addresses import parse_base_url
from providers.compatible import Compatible
from providers.llamacpp import LlamaCpp
from providers.openai import OpenAI
from providers.pool.breaker import Breakers, Circuit, Permit
from providers.pool.error_class import ErrorClass
from providers.pool.trouble import State
from providers.probing import FRESH, NEAR, SLOTS_AFTER, Found, Probe, Probing, Seen, Slots, found_by, slots_in
from providers.provider import Provider, Replica
from providers.virtual import Demo

SECOND = 1_000_000
WINDOW = 300 * SECOND
ONE, TWO = (Replica(parse_base_url(f"http://127.0.0.1:900{n}")) for n in (1, 2))
GPU = LlamaCpp(name="gpu", base_url=ONE.name, endpoints=(ONE, TWO))
LONE = LlamaCpp(name="lone", base_url=ONE.name)
CLOUD = Compatible(name="cloud", base_url="https://cloud.example/v1")
KEYLESS = OpenAI(name="openai", base_url="https://openai.example/v1", problem="no key: set OPENAI_API_KEY")
ALL: tuple[Provider, ...] = (GPU, LONE, CLOUD, KEYLESS, Demo(name="demo"))
BREAKER = Circuit("lone", ONE.name, "ours")


class World:
    """Probes by hand; ``chance`` 0.5 makes each wait exactly what the table says."""

    def __init__(self, chance: float = 0.5) -> None:
        self.breakers = Breakers()
        self.probing = Probing(self.breakers, lambda: chance)
        self.now = 1000 * SECOND

    def due(self, window: int = WINDOW) -> list[Probe] | None:
        return self.probing.due(ALL, window, self.now)

    def use(self, *names: str) -> None:
        for name in names:
            self.probing.used(name, self.now)
        self.due()

    def next(self) -> tuple[list[Probe], float]:
        """Go on, a quarter of a second at a time and with calls that never cease, to the next probes."""
        began = self.now
        while not (due := self.due()):
            self.now += SECOND // 4
            assert self.now - began < WINDOW
        return due, (self.now - began) / SECOND

    def over(self, probe: Probe, found: Found, slots: Slots | None = None, own: int = 0) -> bool:
        return self.probing.over(probe, found, 1500, self.now, slots, own)

    def probed(self, *found: Found) -> list[float]:
        """The waits before each probe of the only server in use."""
        waits = []
        for one in found:
            (probe,), waited = self.next()
            waits.append(waited)
            self.over(probe, one)
        return waits

    def fail(self, kind: ErrorClass, times: int, circuit: Circuit = BREAKER) -> None:
        for _ in range(times):
            self.breakers.over(Permit(circuit, self.breakers.mark), kind, self.now)

    def state(self) -> str:
        return next((one.state for one in self.breakers.snapshot(self.now) if one.circuit == BREAKER), State.CLOSED)


@pytest.fixture(name="world")
def fixture_world() -> World:
    return World()


def names(probes: Sequence[Probe] | None) -> list[tuple[str, str]]:
    assert probes is not None
    return [(probe.provider.name, probe.server.name) for probe in probes]


def test_nobody_is_probed_who_is_not_called(world: World) -> None:
    assert world.due() is None
    world.use("openai", "demo", "gone")
    assert world.due() is None  # none of them can be asked


def test_all_servers_of_a_provider_in_use_are_probed(world: World) -> None:
    world.use("gpu")
    probes, waited = world.next()
    assert waited == NEAR.well / SECOND
    assert names(probes) == [("gpu", ONE.name), ("gpu", TWO.name)]
    assert world.due() == []  # they are out


def test_nobody_is_probed_once_nobody_calls(world: World) -> None:
    woken: list[bool] = []
    world.probing.wake = lambda: woken.append(True)
    world.use("lone")
    world.use("lone")
    assert woken == [True]
    world.probed(Found.WELL)
    world.now += WINDOW
    assert world.due() is None
    world.now += 10 * WINDOW
    assert world.due() is None
    assert woken == [True]
    world.use("lone")
    assert woken == [True, True]
    assert world.probed(Found.WELL) == [NEAR.well / SECOND]  # it begins anew: its calls tell more


def test_an_answer_that_comes_when_nobody_calls_any_more_counts_no_more(world: World) -> None:
    world.use("lone")
    (probe,), _ = world.next()
    world.now += WINDOW
    assert world.due() is None
    assert world.over(probe, Found.AWAY) is False
    assert world.probing.seen("lone", ONE.name) is None


W, L, F, S = Found.WELL, Found.LOADING, Found.FAILING, Found.SILENT


@pytest.mark.parametrize(
    ("name", "found", "waits"),
    [
        ("lone", [W, W, W, W, W], [5, 5, 10, 15, 15]),
        ("lone", [S, S, S, S, S, S, W, W], [5, 0.5, 1, 2, 4, 5, 5, 5]),
        ("lone", [L, S, F, W, W, L, L], [5, 0.5, 1, 2, 5, 10, 0.5]),
        ("cloud", [W, W, W, W, W], [30, 30, 60, 120, 120]),
        ("cloud", [F, F, F, F, F, F, W], [30, 2, 4, 8, 16, 30, 30]),
    ],
)
def test_the_pace(world: World, name: str, found: list[Found], waits: list[float]) -> None:
    for one, waited in zip(found, waits, strict=True):
        world.use(name)
        assert world.probed(one) == [waited]


@given(st.floats(0, 1, exclude_max=True), st.lists(st.sampled_from(Found), max_size=12))
def test_the_waits_are_never_exact_and_never_far_off(chance: float, found: list[Found]) -> None:
    """A server is asked no sooner than a tenth before the shortest wait, no later than a tenth after the longest."""
    world = World(chance)
    for one in found:
        world.use("lone")
        waited = world.probed(one)[0]
        assert 0.9 * NEAR.ill / SECOND <= waited <= 1.1 * NEAR.longest / SECOND + 0.25


def test_a_breaker_that_opens_is_looked_after_at_once(world: World) -> None:
    world.use("lone")
    world.probed(W, W, W)
    world.fail(ErrorClass.RESET, 5)
    assert world.probed(W) == [NEAR.ill / SECOND]
    # It is well though calls broke off: probes cannot see what ails it, so they tell nothing and need not hurry.
    assert world.state() == State.OPEN
    assert world.probed(W)[0] == NEAR.longest / SECOND


@pytest.mark.parametrize("kind", [ErrorClass.AUTH, ErrorClass.OVERLOADED])
def test_one_that_opens_for_what_no_probe_can_see_is_none_of_its_business(world: World, kind: ErrorClass) -> None:
    world.use("lone")
    world.probed(W)
    world.fail(kind, 3)
    assert world.probed(W) == [NEAR.well / SECOND]
    assert world.state() != State.CLOSED


def test_a_server_that_comes_back_is_found_before_a_call_is_wasted_on_it(world: World) -> None:
    world.use("lone")
    world.fail(ErrorClass.REFUSED, 3)
    world.probed(Found.AWAY, Found.AWAY)
    assert world.state() != State.CLOSED
    world.probed(Found.LOADING)
    assert world.state() != State.CLOSED
    world.probed(Found.WELL)
    assert world.state() == State.CLOSED


def test_a_server_that_is_away_is_left_alone_before_a_call_meets_it(world: World) -> None:
    world.use("lone")
    world.probed(W, Found.AWAY, Found.AWAY)
    assert world.state() == State.CLOSED
    world.probed(Found.AWAY)
    assert world.state() == State.OPEN


@pytest.mark.parametrize("found", [Found.SILENT, Found.FAILING, Found.LOADING])
def test_nothing_else_opens_a_breaker(world: World, found: Found) -> None:
    world.use("lone")
    world.probed(*[found] * 20)
    assert world.breakers.snapshot(world.now) == []


def test_what_failed_for_probes_too_is_half_open_once_they_are_answered(world: World) -> None:
    world.use("lone")
    world.fail(ErrorClass.STALL, 3)
    world.probed(Found.SILENT)
    assert world.state() == State.OPEN
    world.probed(Found.WELL)
    assert world.state() == State.HALF_OPEN


def test_an_answer_from_before_it_opened_is_old(world: World) -> None:
    world.use("lone")
    (probe,), _ = world.next()
    world.fail(ErrorClass.REFUSED, 3)
    world.over(probe, Found.WELL)
    assert world.state() == State.OPEN


def test_who_has_just_gone_is_told_once(world: World) -> None:
    world.use("lone")
    told = []
    for found in (Found.AWAY, Found.AWAY, Found.SILENT, Found.AWAY, Found.WELL, Found.AWAY):
        (probe,), _ = world.next()
        told.append(world.over(probe, found))
    assert told == [True, False, False, True, False, True]


def test_slots_are_asked_for_right_after_calls_and_never_again_where_they_are_refused(world: World) -> None:
    world.use("gpu", "cloud")
    probes, _ = world.next()
    assert [probe.slots for probe in probes] == [True, True]
    world.probing.no_slots(probes[0])
    for probe in probes:
        world.over(probe, W)
    world.use("gpu")
    probes, _ = world.next()
    assert [probe.slots for probe in probes] == [False, True]
    for probe in probes:
        world.over(probe, W)
    world.now += SLOTS_AFTER
    probes = world.due() or []
    assert {(probe.provider.name, probe.slots) for probe in probes} == {("gpu", False), ("cloud", False)}


def test_what_others_have_a_server_do_is_known_for_a_moment(world: World) -> None:
    world.use("gpu")
    one, two = world.next()[0]
    world.over(one, W, Slots(4, 3), own=1)
    world.over(two, W, Slots(4, 0), own=2)
    assert world.probing.seen("gpu", ONE.name) == Seen(W, world.now, 1500, Slots(4, 3), 2)
    assert [world.probing.others("gpu", server.name, world.now) for server in (ONE, TWO)] == [2, 0]
    assert world.probing.others("lone", ONE.name, world.now) == 0
    assert world.probing.others("gpu", ONE.name, world.now + FRESH) == 0


def test_a_server_that_loads_is_known(world: World) -> None:
    world.use("lone")
    world.probed(Found.LOADING)
    assert world.probing.is_loading("lone", ONE.name, world.now)
    assert not world.probing.is_loading("lone", ONE.name, world.now + FRESH)
    assert not world.probing.is_loading("gpu", ONE.name, world.now)
    world.probed(Found.WELL)
    assert not world.probing.is_loading("lone", ONE.name, world.now)


@pytest.mark.parametrize(("name", "server", "waits"), [("lone", ONE.name, 0.5), ("cloud", CLOUD.base_url, 2)])
@pytest.mark.parametrize("found", [Found.AWAY, Found.LOADING])
def test_who_answers_a_call_is_not_said_to_be_away(
    world: World, name: str, server: str, waits: float, found: Found
) -> None:
    world.use(name)
    world.probed(found, found, found, found)
    world.probing.answered(name, server, world.now)
    assert world.probing.seen(name, server) is None
    assert not world.probing.is_loading(name, server, world.now)
    (probe,), waited = world.next()
    assert waited == waits
    world.over(probe, Found.WELL)
    world.probing.answered(name, server, world.now)
    seen = world.probing.seen(name, server)
    assert seen is not None
    assert seen.found is Found.WELL


def test_an_answer_that_comes_when_nobody_is_probed_any_more_is_taken_note_of(world: World) -> None:
    world.use("lone")
    world.probed(Found.AWAY)
    world.now += WINDOW
    assert world.due() is None
    world.probing.answered("lone", ONE.name, world.now)
    assert world.probing.seen("lone", ONE.name) is None


def test_a_provider_that_was_changed_is_another_one(world: World) -> None:
    world.use("lone", "gpu")
    probes, _ = world.next()
    world.probing.no_slots(probes[0])
    world.over(probes[0], W)
    world.probing.forget("gpu")
    assert world.over(probes[1], Found.AWAY) is False
    assert world.probing.seen("gpu", ONE.name) is None
    world.over(probes[2], W)
    assert world.probing.seen("lone", ONE.name) is not None
    world.use("gpu", "lone")
    probes = []
    while len(probes) < 3:
        probes += world.next()[0]
    assert all(probe.slots for probe in probes)


@given(st.lists(st.tuples(st.sampled_from(["use", "wait", "due", *Found]), st.sampled_from(ALL)), max_size=40))
def test_only_those_in_use_are_probed_and_each_once_at_a_time(steps: list[tuple[str, Provider]]) -> None:
    """A probe is only ever of a server whose provider was called within the window, and never of one that is out."""
    world, last, out = World(), dict[str, int](), dict[tuple[str, str], Probe]()
    for step, provider in steps:
        if step == "use":
            last[provider.name] = world.now
            world.probing.used(provider.name, world.now)
        elif step == "wait":
            world.now += 40 * SECOND
        elif step == "due":
            out = {place: probe for place, probe in out.items() if world.now - last[place[0]] < 60 * SECOND}
            for probe in world.due(60 * SECOND) or []:
                place = probe.provider.name, probe.server.name
                assert world.now - last[probe.provider.name] < 60 * SECOND
                assert probe.provider.ready
                assert place not in out
                out[place] = probe
        elif out:
            world.over(out.popitem()[1], Found(step))


@pytest.mark.parametrize(
    ("status", "provider", "found"),
    [
        *[(status, GPU, W) for status in (200, 204, 401, 403, 404, 405, 429, 501)],
        *[(status, CLOUD, W) for status in (200, 400, 401, 404, 429, 501)],
        *[(status, CLOUD, F) for status in (301, 302, 500, 502, 503, 504, 529)],
        *[(status, GPU, F) for status in (302, 500, 502, 504)],
        (503, GPU, Found.LOADING),
    ],
)
def test_what_a_status_says(status: int, provider: Provider, found: Found) -> None:
    assert found_by(status, provider) is found


@pytest.mark.parametrize(
    ("told", "slots"),
    [
        ([{"id": 0, "is_processing": True}, {"id": 1, "is_processing": False}], Slots(2, 1)),
        ([{"id": 0, "state": 1}, {"id": 1, "state": 0}], Slots(2, 1)),
        ([{"id": 0}], Slots(1, 0)),
        ([], None),
        ([1, "a"], None),
        ({"error": "no"}, None),
        (None, None),
    ],
)
def test_slots_are_read_as_they_are_told(told: object, slots: Slots | None) -> None:
    assert slots_in(told) == slots  # type: ignore[arg-type]  # any JSON
