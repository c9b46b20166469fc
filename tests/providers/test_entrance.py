"""How a call gets in at a provider with several servers: past broken ones, into a line, and out of it again."""

from dataclasses import replace
from functools import partial

import pytest

from providers.entrance import circuit, key_name, let
from providers.exchange.account import Outcome
from providers.exchange.course import Full, InLine, Lost, Next
from providers.exchange.plan import Plan, Server, Target
from providers.failover import Failover
from providers.pool.breaker import Circuit, Denied, Permit
from providers.pool.error_class import ErrorClass
from providers.wire.events import Failure
from tests.providers.exchange.playbook import TARGET

SECOND = 1_000_000  # µs
UNTIL = 3600 * SECOND
SERVERS = tuple(Server(f"http://{name}:1", "http", name, 1, "/v1") for name in ("a", "b", "c"))
SHARED = replace(TARGET, servers=SERVERS[:2]).at(SERVERS[0])
SMALL = replace(TARGET, servers=SERVERS[:1], max_in_flight=1, max_queued=1).at(SERVERS[0])
BACKUP = replace(TARGET, provider="backup", host="backup.example", server="https://backup.example")


def itself(target: Target) -> Target:
    return target


class Front:
    """A call and its `wake`."""

    def __init__(self, shared: Failover, target: Target, *later: Target) -> None:
        self.woken = 0
        self.course = shared.course(3)
        self.plan = Plan(target, "because", later=tuple(partial(itself, one) for one in later))
        self.first = self.course.begin(self.plan, 0, UNTIL)

    def wake(self) -> None:
        self.woken += 1

    def enter(self, target: Target, now: int = 0) -> Target | InLine | Full:
        return self.course.enter(target, now, self.wake)

    def host(self, target: Target, now: int = 0) -> str:
        entered = self.enter(target, now)
        assert isinstance(entered, Target)
        return entered.host


def failover() -> Failover:
    return Failover(chance=lambda: 0.0, wall=lambda: 1e6, clock=lambda: 0)


def lost(target: Target, outcome: Outcome = Outcome.UPSTREAM_REFUSED, status: int = 0) -> Lost:
    return Lost(
        target, outcome, status, [], Failure("said") if status else None, outcome is not Outcome.UPSTREAM_REFUSED, 9
    )


def break_server(shared: Failover, target: Target, server: Server, now: int = 0) -> None:
    about = Circuit(target.provider, server.name, key_name(ours=target.our_key))
    while shared.breakers.denied(about, now) is None:
        permit = shared.breakers.admit(about, now)
        assert isinstance(permit, Permit)
        shared.breakers.over(permit, ErrorClass.REFUSED, now)


def test_the_first_server_is_asked_and_the_next_one_when_it_fails() -> None:
    front = Front(failover(), SHARED, BACKUP)
    assert front.host(SHARED) == "a"
    assert front.course.lost(lost(SHARED), 1) == Next(SHARED, 0, "refused: next endpoint")
    assert front.host(SHARED, 1) == "b"
    assert front.course.lost(lost(SHARED.at(SERVERS[1])), 2) == Next(BACKUP, 0, "refused: next target")


def test_one_attempt_stays_for_the_next_target() -> None:
    three = replace(SHARED, servers=SERVERS)
    front = Front(failover(), three, BACKUP)
    for server, then in zip(SERVERS[:2], (three, BACKUP), strict=True):
        assert front.host(three) == server.host
        following = front.course.lost(lost(three.at(server)), 1)
        assert following is not None
        assert following.target.provider == then.provider


def test_when_all_have_failed_they_are_asked_again_after_a_wait() -> None:
    front = Front(failover(), SHARED)
    assert front.host(SHARED) == "a"
    assert front.course.lost(lost(SHARED), 1) == Next(SHARED, 0, "refused: next endpoint")
    assert front.host(SHARED, 1) == "b"
    again = front.course.lost(lost(SHARED.at(SERVERS[1])), 2)
    assert again is not None
    assert again.wait_us > 0
    assert front.host(again.target, 3) == "a"
    assert front.course.lost(lost(SHARED), 4) is None  # three attempts


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (401, Outcome.UPSTREAM_HTTP_ERROR),
        (400, Outcome.UPSTREAM_HTTP_ERROR),
        (504, Outcome.UPSTREAM_HTTP_ERROR),
        (0, Outcome.UPSTREAM_TIMEOUT_FIRST_BYTE),
    ],
)
def test_what_another_server_would_not_do_better_or_twice(status: int, outcome: Outcome) -> None:
    front = Front(failover(), SHARED)
    front.host(SHARED)
    assert front.course.lost(lost(SHARED, outcome, status), 1) is None


def test_nobody_is_asked_after_the_deadline() -> None:
    front = Front(failover(), SHARED)
    front.host(SHARED)
    assert front.course.lost(lost(SHARED), UNTIL) is None


def test_a_broken_server_is_passed_over() -> None:
    shared = failover()
    break_server(shared, SHARED, SERVERS[0])
    front = Front(shared, SHARED, BACKUP)
    assert front.first.target is SHARED
    assert front.host(SHARED) == "b"
    assert front.course.lost(lost(SHARED.at(SERVERS[1])), 1) == Next(BACKUP, 0, "refused: next target")


def test_where_all_servers_are_broken_the_next_target_is_asked_or_one_of_them() -> None:
    shared = failover()
    for server in SERVERS[:2]:
        break_server(shared, SHARED, server)
    front = Front(shared, SHARED, BACKUP)
    assert front.first.target is BACKUP
    assert "passed over" in front.first.why
    assert Front(shared, SHARED).host(SHARED) == "a"


def test_a_good_answer_closes_the_breaker_of_its_server_alone() -> None:
    shared = failover()
    for server in SERVERS[:2]:
        break_server(shared, SHARED, server)
    front = Front(shared, SHARED)
    assert front.host(SHARED) == "a"
    front.course.answered(SHARED, 1)
    open_ones = [state.circuit.endpoint for state in shared.breakers.snapshot(1) if state.wait_us]
    assert open_ones == [SERVERS[1].name]


def test_a_call_in_line_goes_in_when_another_one_is_over() -> None:
    shared = failover()
    one, two, three = (Front(shared, SMALL) for _ in range(3))
    assert one.enter(SMALL) == SMALL
    assert two.enter(SMALL) == InLine(SMALL, int(SMALL.deadlines.head * SECOND))
    assert three.enter(SMALL) == Full()
    assert two.course.placed(1) is None
    assert three.course.placed(1) is None
    one.course.over(2)
    one.course.over(3)
    assert two.woken == 1
    assert two.course.placed(4) == SMALL
    two.course.cut(lost(SMALL, Outcome.UPSTREAM_RESET), 5)
    assert shared.places.busy("acme", SERVERS[0].name) == 0
    assert three.enter(SMALL, 6) == SMALL


def test_a_place_is_given_back_when_the_try_has_failed() -> None:
    shared = failover()
    front = Front(shared, SMALL, BACKUP)
    front.enter(SMALL)
    assert front.course.lost(lost(SMALL), 1) == Next(BACKUP, 0, "refused: next target")
    assert shared.places.busy("acme", SERVERS[0].name) == 0
    front.course.left(BACKUP, 2)


def test_a_full_target_is_no_failure() -> None:
    shared = failover()
    front = Front(shared, SMALL, BACKUP)
    assert front.course.lost(lost(SMALL, Outcome.SHED), 1) == Next(BACKUP, 0, "acme is full: next target")
    assert front.course.lost(lost(BACKUP, Outcome.SHED), 1) is None
    assert shared.breakers.snapshot(1) == []


def test_the_target_that_is_named_for_overload_takes_over() -> None:
    front = Front(failover(), SMALL, TARGET)
    front.plan = replace(front.plan, instead={"overloaded": (lambda: BACKUP,)})
    front.course.begin(front.plan, 0, UNTIL)
    assert front.course.lost(lost(SMALL, Outcome.SHED), 1) == Next(BACKUP, 0, "acme is full: named target")
    assert front.course.lost(lost(BACKUP, Outcome.SHED), 1) is None


def in_line_at_a_server_that_breaks(*later: Target, servers: int = 1) -> tuple[Front, Failover, Target]:
    shared, target = failover(), replace(SMALL, servers=SERVERS[:servers])
    holders = [Front(shared, target) for _ in range(servers)]
    for holder in holders:
        holder.enter(target)
    front = Front(shared, target, *later)
    assert isinstance(front.enter(target), InLine)
    break_server(shared, target, SERVERS[0])
    for holder in holders:
        holder.course.over(1)
    assert front.woken == 1
    return front, shared, target


def test_who_waited_for_a_server_that_broke_goes_to_a_better_one() -> None:
    front, _, target = in_line_at_a_server_that_breaks(servers=2)
    assert front.course.placed(2) == target.at(SERVERS[1])


def test_or_to_the_next_target() -> None:
    front, shared, target = in_line_at_a_server_that_breaks(BACKUP)
    assert front.course.placed(2) == Full()
    assert front.course.lost(lost(target, Outcome.SHED), 2) == Next(BACKUP, 0, "acme is full: next target")
    assert shared.places.busy("acme", SERVERS[0].name) == 0


def test_or_asks_it_all_the_same() -> None:
    front, _, target = in_line_at_a_server_that_breaks()
    assert front.course.placed(2) == target


def test_words() -> None:
    assert circuit(replace(SHARED, our_key=False)) == Circuit("acme", SERVERS[0].name, "")
    assert let(Denied(1, "no")) is None


def test_named_targets_that_cannot_be_asked_leave_nobody() -> None:
    front = Front(failover(), SMALL, TARGET)
    front.course.begin(replace(front.plan, instead={"overloaded": (lambda: None,)}), 0, UNTIL)
    assert front.course.lost(lost(SMALL, Outcome.SHED), 1) is None


def test_when_a_full_target_has_room_again() -> None:
    shared = failover()
    one, other, turned_away = (Front(shared, SMALL) for _ in range(3))
    one.enter(SMALL)
    other.enter(SMALL)
    assert turned_away.course.again(1) is None
    assert turned_away.enter(SMALL, 1) == Full()
    assert turned_away.course.lost(lost(SMALL, Outcome.SHED), 1) is None
    assert turned_away.course.again(1) == 0  # nobody has left yet: nobody can say
    one.course.over(SECOND)
    assert turned_away.course.again(SECOND) == 1


def test_when_a_broken_target_is_asked_again() -> None:
    shared = failover()
    for server in SERVERS[:2]:
        break_server(shared, SHARED, server)
    front = Front(shared, SHARED, BACKUP)
    assert front.course.again(SECOND // 4) == 0.75
    assert front.course.lost(lost(BACKUP), 1) is not None
    assert front.course.again(1) == 0  # that one is not left alone yet
