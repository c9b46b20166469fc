"""When a breaker opens, for how long, and who is let through."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from providers.pool.breaker import PROBE, Breakers, Circuit, CircuitState, Denied, Permit
from providers.pool.error_class import ErrorClass
from providers.pool.trouble import LIMITS, LONGEST_ASKED, SILENT, TROUBLE, Limits, Proof, State, Trouble

SECOND = 1_000_000
ONE = Circuit("gpu", "http://127.0.0.1:9001", "GPU_KEY")
OTHER_KEY = ONE._replace(key="SECOND_KEY")
OF_TROUBLE = {trouble: kind for kind, trouble in reversed(TROUBLE.items()) if kind}
ANSWERED = [None, ErrorClass.REQUEST, ErrorClass.CONTEXT_LENGTH, ErrorClass.CONTENT_FILTER, ErrorClass.UNSUPPORTED]


def let_in(breakers: Breakers, now: int, circuit: Circuit = ONE, *, last: bool = False) -> Permit:
    found = breakers.admit(circuit, now, last=last)
    assert isinstance(found, Permit)
    return found


def fail(breakers: Breakers, kind: ErrorClass, now: int, times: int = 1, *, asked: int | None = None) -> None:
    for permit in [let_in(breakers, now, last=True) for _ in range(times)]:
        breakers.over(permit, kind, now, asked=asked)


def state(breakers: Breakers, now: int, circuit: Circuit = ONE) -> str:
    return next((one.state for one in breakers.snapshot(now) if one.circuit == circuit), State.CLOSED)


def opened(kind: ErrorClass = ErrorClass.REFUSED, now: int = 0) -> Breakers:
    breakers = Breakers()
    fail(breakers, kind, now, LIMITS[TROUBLE[kind]].threshold)
    assert state(breakers, now) == "open"
    return breakers


def test_every_class_of_failure_is_trouble_or_silence_or_an_answer() -> None:
    assert {kind for kind in ErrorClass if kind not in TROUBLE and kind not in SILENT} == {*ANSWERED[1:]}
    assert not set(TROUBLE) & SILENT
    assert set(LIMITS) == set(Trouble) == set(TROUBLE.values())


@pytest.mark.parametrize("trouble", Trouble)
def test_it_opens_at_the_threshold_of_a_kind_and_for_longer_each_time(trouble: Trouble) -> None:
    limits, kind, breakers, now = LIMITS[trouble], OF_TROUBLE[trouble], Breakers(), 0
    fail(breakers, kind, now, limits.threshold - 1)
    assert state(breakers, now) == "closed"
    fail(breakers, kind, now)
    for opening in range(14):
        length = min(limits.cap, limits.first * 2**opening)
        assert breakers.admit(ONE, now) == Denied(length, f"its breaker is open after: {trouble}")
        assert isinstance(breakers.admit(ONE, now + length - 1), Denied)
        now += length
        assert breakers.denied(ONE, now) is None
        breakers.over(let_in(breakers, now), kind, now)
    assert breakers.opened == 15
    assert breakers.snapshot(now)[0].wait_us == limits.cap


def test_kinds_are_counted_apart() -> None:
    breakers = Breakers()
    for kind in (ErrorClass.REFUSED, ErrorClass.CONNECT_TIMEOUT, ErrorClass.SERVER_ERROR, ErrorClass.RESET):
        fail(breakers, kind, 0, 2)
    counts = {"refused": 2, "timeout": 2, "server_error": 2, "reset": 2}
    assert breakers.snapshot(0) == [CircuitState(ONE, State.CLOSED, "", 0, 0, counts)]
    fail(breakers, ErrorClass.STALL, 0)
    assert breakers.snapshot(SECOND) == [CircuitState(ONE, State.OPEN, "timeout", 4 * SECOND, 1, {})]


@pytest.mark.parametrize("answered", ANSWERED)
def test_any_answer_ends_the_counting(answered: ErrorClass | None) -> None:
    breakers = Breakers()
    fail(breakers, ErrorClass.REFUSED, 0, 2)
    breakers.over(let_in(breakers, 0), answered, 0)
    fail(breakers, ErrorClass.REFUSED, 0, 2)
    assert state(breakers, 0) == "closed"


@pytest.mark.parametrize("silent", sorted(SILENT, key=str))
def test_an_end_that_tells_nothing_changes_nothing(silent: ErrorClass) -> None:
    breakers = Breakers()
    breakers.over(let_in(breakers, 0), silent, 0)
    assert breakers.snapshot(0) == []
    fail(breakers, ErrorClass.REFUSED, 0, 2)
    breakers.over(let_in(breakers, 0), silent, 0)
    fail(breakers, ErrorClass.REFUSED, 0)
    assert state(breakers, 0) == "open"


def test_half_open_lets_one_through() -> None:
    breakers = opened()
    assert state(breakers, SECOND) == "half_open"
    probe = let_in(breakers, SECOND)
    assert probe.is_probe
    denied = Denied(SECOND, "its breaker waits for a probe after: refused")
    assert [breakers.admit(ONE, SECOND + at) for at in range(200)] == [denied] * 200
    assert breakers.denied(ONE, SECOND) == denied
    breakers.over(probe, None, SECOND)
    assert [let_in(breakers, SECOND).is_probe for _ in range(200)] == [False] * 200
    fail(breakers, ErrorClass.REFUSED, SECOND, 3)
    assert breakers.snapshot(SECOND)[0].wait_us == SECOND  # it begins with the first time again


def test_a_probe_closes_it_when_it_begins_to_answer_and_counts_when_it_breaks_off() -> None:
    breakers = opened()
    probe = let_in(breakers, SECOND)
    breakers.answering(probe)
    assert state(breakers, SECOND) == "closed"
    breakers.over(probe, ErrorClass.CUT, 2 * SECOND)
    assert breakers.snapshot(SECOND)[0].counts == {"reset": 1}
    breakers.answering(let_in(breakers, SECOND))  # a closed one goes on counting
    assert breakers.snapshot(SECOND)[0].counts == {"reset": 1}
    breakers.answering(let_in(breakers, 0, OTHER_KEY))


@pytest.mark.parametrize("how", ["drop", "over", "silence"])
def test_a_probe_that_nobody_hears_of_makes_room_for_another(how: str) -> None:
    breakers = opened()
    probe, now = let_in(breakers, SECOND), SECOND
    match how:
        case "drop":
            breakers.drop(probe)
        case "over":
            breakers.over(probe, ErrorClass.ENDED, now)
        case _:
            now += PROBE
            assert isinstance(breakers.admit(ONE, now - 1), Denied)
    second = let_in(breakers, now)
    assert second.is_probe
    breakers.drop(probe)  # too late: it is the second's turn
    breakers.over(probe, ErrorClass.REFUSED, now)
    assert isinstance(breakers.admit(ONE, now), Denied)
    breakers.over(second, ErrorClass.REFUSED, now)
    assert state(breakers, now) == "open"


def test_the_last_target_of_a_plan_is_always_let_through() -> None:
    breakers = opened()
    forced = let_in(breakers, 0, last=True)
    assert not forced.is_probe
    breakers.over(forced, ErrorClass.REFUSED, SECOND - 1)
    assert state(breakers, SECOND) == "half_open"  # it was not held open for longer
    assert let_in(breakers, SECOND, last=True).is_probe
    forced = let_in(breakers, SECOND, last=True)
    assert not forced.is_probe
    breakers.over(forced, None, SECOND)
    assert state(breakers, SECOND) == "closed"


def test_what_was_admitted_before_it_opened_counts_no_more() -> None:
    breakers = Breakers()
    early = [let_in(breakers, 0) for _ in range(200)]
    for permit in early[:100]:
        breakers.over(permit, ErrorClass.REFUSED, 0)
    assert breakers.opened == 1
    for permit in early[100:150]:
        breakers.answering(permit)
        breakers.over(permit, None, SECOND - 1)
    assert state(breakers, 0) == "open"
    breakers.over(let_in(breakers, SECOND), None, SECOND)
    for permit in early[150:]:
        breakers.over(permit, ErrorClass.STALL, SECOND)
    assert state(breakers, SECOND) == "closed"


@pytest.mark.parametrize("kind", ["rate_limit", "spend_limit", "overloaded"])
def test_an_asked_wait_is_kept(kind: str) -> None:
    breakers = Breakers()
    fail(breakers, ErrorClass(kind), 0, asked=7 * SECOND)
    assert breakers.snapshot(0)[0].wait_us == 7 * SECOND
    fail(breakers, ErrorClass(kind), 1 * SECOND, times=100, asked=3 * SECOND)
    assert breakers.snapshot(0)[0].wait_us == 7 * SECOND
    fail(breakers, ErrorClass(kind), 1 * SECOND, times=100, asked=9 * SECOND)
    assert breakers.snapshot(0)[0].wait_us == 10 * SECOND
    assert breakers.opened == 1
    assert state(breakers, 0, OTHER_KEY) == "closed"
    breakers.over(let_in(breakers, 10 * SECOND), ErrorClass(kind), 10 * SECOND, asked=-5)
    assert state(breakers, 10 * SECOND) == "half_open"
    assert breakers.opened == 2
    fail(breakers, ErrorClass(kind), 10 * SECOND, asked=10**15)
    assert breakers.snapshot(10 * SECOND)[0].wait_us == LONGEST_ASKED


def test_a_wait_is_kept_only_where_it_is_meant() -> None:
    breakers = Breakers()
    fail(breakers, ErrorClass.SERVER_ERROR, 0, asked=7 * SECOND)
    assert state(breakers, 0) == "closed"


def well(breakers: Breakers, now: int = 0, circuit: Circuit = ONE, *, was_ill: bool = False) -> str:
    """The state after a health check that was answered."""
    breakers.well(*circuit[:2], now, mark=breakers.mark, was_ill=was_ill)
    return state(breakers, now)


@pytest.mark.parametrize("was_ill", [False, True])
@pytest.mark.parametrize("trouble", Trouble)
def test_a_health_check_ends_what_it_can_know(trouble: Trouble, was_ill: bool) -> None:
    proof = LIMITS[trouble].proof
    expected = {Proof.OVER: "closed", Proof.PERHAPS: "half_open" if was_ill else "open", Proof.NOTHING: "open"}[proof]
    breakers = opened(OF_TROUBLE[trouble])
    assert breakers.ails(ONE, -1) is (proof is not Proof.NOTHING)
    assert not breakers.ails(ONE, breakers.mark)
    assert well(breakers, circuit=ONE._replace(endpoint="elsewhere"), was_ill=was_ill) == "open"
    assert well(breakers, circuit=ONE._replace(provider="other"), was_ill=was_ill) == "open"
    assert well(breakers, was_ill=was_ill) == expected


def test_a_health_check_that_began_before_it_opened_is_old() -> None:
    breakers = Breakers()
    mark = breakers.mark
    fail(breakers, ErrorClass.REFUSED, 0, 3)
    breakers.well(*ONE[:2], 0, mark=mark, was_ill=True)
    assert state(breakers, 0) == "open"


def test_a_closed_breaker_counts_no_refusals_from_before_a_health_check() -> None:
    breakers = Breakers()
    fail(breakers, ErrorClass.REFUSED, 0, 2)
    fail(breakers, ErrorClass.RESET, 0, 2)
    assert well(breakers) == "closed"
    assert breakers.snapshot(0)[0].counts == {"reset": 2}
    assert not breakers.ails(ONE, -1)


def test_a_refused_health_check_counts_as_a_refused_call() -> None:
    breakers = Breakers()
    assert not breakers.ails(ONE, -1)
    for _ in range(2):
        breakers.refused(ONE, 0)
    assert state(breakers, 0) == "closed"
    breakers.refused(ONE, 0)
    assert state(breakers, 0) == "open"
    breakers.refused(ONE, SECOND - 1)  # it is known
    assert breakers.snapshot(SECOND)[0].state == "half_open"
    probe = let_in(breakers, SECOND)
    breakers.refused(ONE, SECOND)  # somebody finds out
    assert state(breakers, SECOND) == "half_open"
    breakers.drop(probe)
    breakers.refused(ONE, SECOND)
    assert (state(breakers, SECOND), breakers.snapshot(SECOND)[0].wait_us) == ("open", 2 * SECOND)
    assert isinstance(breakers.admit(ONE, SECOND, last=True), Permit)  # never the last target of a plan


def test_openings_and_closings_are_told() -> None:
    breakers, told = Breakers(), list[object]()
    breakers.on_open = lambda *opened: told.append(opened)
    breakers.on_close = told.append
    breakers.over(let_in(breakers, 0), None, 0)
    fail(breakers, ErrorClass.REFUSED, 0, 2)
    breakers.over(let_in(breakers, 0), None, 0)  # counted, but never open: it has not closed
    assert told == []
    fail(breakers, ErrorClass.REFUSED, 0, 4)
    assert told == [(ONE, Trouble.REFUSED, 0, SECOND)]
    fail(breakers, ErrorClass.REFUSED, SECOND)  # the probe
    fail(breakers, ErrorClass.OVERLOADED, SECOND, asked=9 * SECOND)
    fail(breakers, ErrorClass.OVERLOADED, SECOND, asked=3 * SECOND)  # it is open for longer
    assert told[1:] == [(ONE, Trouble.REFUSED, SECOND, 3 * SECOND), (ONE, Trouble.OVERLOAD, SECOND, 10 * SECOND)]
    del told[:]
    for ending in ("answering", "over"):
        fail(breakers, ErrorClass.AUTH, 20 * SECOND)
        permit = let_in(breakers, 20 * SECOND, last=True)
        breakers.answering(permit) if ending == "answering" else None
        breakers.over(permit, None, 20 * SECOND)
        assert told.pop() == ONE
    breakers = opened()
    breakers.on_close = told.append
    breakers.well(*ONE[:2], 1, mark=breakers.mark, was_ill=False)
    assert told[-1] == ONE


def test_a_changed_provider_begins_anew_whatever_is_in_flight() -> None:
    breakers = Breakers()
    late, other = let_in(breakers, 0), let_in(breakers, 0, Circuit("other", "x"))
    fail(breakers, ErrorClass.AUTH, 0)
    breakers.forget("gpu")
    breakers.over(late, ErrorClass.AUTH, 0)
    breakers.over(other, ErrorClass.AUTH, 0)
    assert [one.circuit.provider for one in breakers.snapshot(0)] == ["other"]
    fail(breakers, ErrorClass.AUTH, 0)
    assert state(breakers, 0) == "open"


def test_the_table_is_bounded_and_keeps_what_is_open() -> None:
    breakers = Breakers(most=3)

    def trouble(name: str, kind: ErrorClass) -> None:
        breakers.over(let_in(breakers, 0, Circuit(name, "x"), last=True), kind, 0)

    for name, kind in [("a", "auth"), ("b", "refused"), ("c", "refused"), ("b", "refused"), ("d", "auth")]:
        trouble(name, ErrorClass(kind))
    assert [one.circuit.provider for one in breakers.snapshot(0)] == ["a", "b", "d"]
    trouble("e", ErrorClass.AUTH)
    assert [one.circuit.provider for one in breakers.snapshot(0)] == ["a", "d", "e"]
    trouble("f", ErrorClass.AUTH)
    assert [one.circuit.provider for one in breakers.snapshot(0)] == ["d", "e", "f"]


SMALL = {trouble: Limits(2, 4, 16, limits.obeys, limits.proof) for trouble, limits in LIMITS.items()}
circuits = st.sampled_from([ONE, OTHER_KEY, Circuit("other", "x")])
troubles = st.sampled_from([ErrorClass.REFUSED, ErrorClass.STALL, ErrorClass.RATE_LIMIT, ErrorClass.OVERLOADED])


class AnyOrder(RuleBasedStateMachine):
    """Callers who come, are let through or not, and report in any order, beside a plain model of one breaker each."""

    permits: Bundle[Permit] = Bundle("permits")

    @initialize()
    def begin(self) -> None:
        self.breakers = Breakers(SMALL, probe_us=50)
        self.now = 0
        self.probes: dict[Circuit, tuple[Permit, int]] = {}  # who is out, and since when

    @rule(passed=st.integers(0, 20))
    def time_passes(self, passed: int) -> None:
        self.now += passed

    @rule(target=permits, circuit=circuits, last=st.booleans())
    def ask(self, circuit: Circuit, last: bool) -> Permit:
        before, would = state(self.breakers, self.now, circuit), self.breakers.denied(circuit, self.now)
        found = self.breakers.admit(circuit, self.now, last=last)
        if isinstance(found, Denied):
            # Only who has other targets is denied, and never by a closed breaker; the wait is told.
            assert not last
            assert before != "closed"
            assert found == would
            assert found.wait_us > 0
            return Permit(Circuit("nobody", ""), 0)
        if found.is_probe:
            # One probe at a time, and only when the breaker's time has passed.
            assert before == "half_open"
            out, since = self.probes.get(circuit, (None, 0))
            assert out is None or self.now >= since + 50
            self.probes[circuit] = found, self.now
        else:
            assert last or before == "closed"
        return found

    @rule(permit=consumes(permits), failed=troubles, asked=st.none() | st.integers(0, 30))
    def fails(self, permit: Permit, failed: ErrorClass, asked: int | None) -> None:
        before, opened = state(self.breakers, self.now, permit.circuit), self.breakers.opened
        self.breakers.over(permit, failed, self.now, asked=asked)
        self.reported(permit)
        obeyed = asked is not None and SMALL[TROUBLE[failed]].obeys
        after = next(one for one in self.breakers.snapshot(self.now) if one.circuit == permit.circuit)
        if obeyed and asked:
            assert after.state == "open"
            assert after.wait_us >= asked
        if before == "open":
            assert self.breakers.opened == opened
        if after.state == "open" and before != "open":
            assert self.breakers.opened == opened + 1
            assert after.wait_us == (asked if obeyed else min(16, 4 * 2 ** (after.openings - 1)))
        self.forget_probe_of_newly_opened(permit.circuit, opened)

    @rule(permit=consumes(permits), kind=st.sampled_from(ANSWERED))
    def answers(self, permit: Permit, kind: ErrorClass | None) -> None:
        before = state(self.breakers, self.now, permit.circuit)
        self.breakers.over(permit, kind, self.now)
        self.reported(permit)
        after = state(self.breakers, self.now, permit.circuit)
        assert after in ("closed", before)
        if after == "closed":
            self.probes.pop(permit.circuit, None)

    @rule(permit=consumes(permits))
    def is_dropped(self, permit: Permit) -> None:
        before = self.breakers.snapshot(self.now)
        self.breakers.drop(permit)
        self.reported(permit)
        assert self.breakers.snapshot(self.now) == before

    def reported(self, permit: Permit) -> None:
        if self.probes.get(permit.circuit, (None, 0))[0] is permit:
            del self.probes[permit.circuit]

    def forget_probe_of_newly_opened(self, circuit: Circuit, opened: int) -> None:
        """What a breaker that has opened again thinks of a probe that is still out: nothing."""
        if self.breakers.opened > opened or state(self.breakers, self.now, circuit) == "open":
            self.probes.pop(circuit, None)

    @invariant()
    def a_closed_breaker_lets_everybody_through(self) -> None:
        for one in self.breakers.snapshot(self.now) if hasattr(self, "breakers") else []:
            assert (one.wait_us > 0) == (one.state == "open")
            assert one.state != "closed" or self.breakers.denied(one.circuit, self.now) is None
            assert all(count < SMALL[Trouble(trouble)].threshold for trouble, count in one.counts.items())


TestAnyOrder = AnyOrder.TestCase
