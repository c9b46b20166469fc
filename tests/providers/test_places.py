"""Places at servers: nobody has more of them than there are, and whoever waits gets the next one that comes free."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.exchange.plan import Server, Target
from providers.places import Place, Places
from tests.providers.exchange.playbook import TARGET

FIRST, OTHER = (Server(f"http://{host}:1", "http", host, 1, "/v1") for host in ("one", "two"))
BOTH = (FIRST, OTHER)
LATE = 1_000_000


def limited(limit: int | None, room: int = 0) -> Target:
    return replace(TARGET, servers=BOTH, max_in_flight=limit, max_queued=room)


class Door:
    """Calls before the same places; remembers who was woken."""

    def __init__(self) -> None:
        self.places = Places()
        self.woken: list[str] = []

    def enter(self, name: str, target: Target, *servers: Server, until: int = LATE, now: int = 0) -> Place | None:
        return self.places.enter(target, servers or BOTH, now, until, lambda: self.woken.append(name))

    def inside(self, name: str, target: Target, *servers: Server) -> Place:
        place = self.enter(name, target, *servers)
        assert place is not None
        assert place.is_inside
        return place

    def in_line(self, name: str, target: Target, *servers: Server, until: int = LATE) -> Place:
        place = self.enter(name, target, *servers, until=until)
        assert place is not None
        assert not place.is_inside
        return place

    def busy(self) -> tuple[int, int]:
        return self.places.busy("acme", FIRST.name), self.places.busy("acme", OTHER.name)


def test_without_a_limit_calls_are_only_counted() -> None:
    door = Door()
    places = [door.inside("a", limited(None), FIRST) for _ in range(50)]
    assert door.busy() == (50, 0)
    for place in (*places, *places):
        door.places.leave(place, 1)
    assert door.busy() == (0, 0)


def test_a_server_with_room_comes_before_one_with_a_line() -> None:
    door, target = Door(), limited(1, 1)
    assert door.inside("a", target).server is FIRST
    assert door.inside("b", target).server is OTHER
    assert door.in_line("c", target).server is FIRST
    assert door.in_line("d", target).server is OTHER
    assert door.enter("e", target) is None
    assert door.busy() == (2, 2)


def test_whoever_leaves_wakes_the_next_one_once() -> None:
    door, target = Door(), limited(1, 2)
    first = door.inside("a", target, FIRST)
    second, third = door.in_line("b", target, FIRST), door.in_line("c", target, FIRST)
    door.places.leave(first, 1)
    door.places.leave(first, 2)
    assert door.woken == ["b"]
    assert second.is_inside
    assert not third.is_inside
    door.places.leave(second, 3)
    assert door.woken == ["b", "c"]
    door.places.leave(third, 4)
    assert door.busy() == (0, 0)


def test_whoever_leaves_the_line_makes_room_in_it() -> None:
    door, target = Door(), limited(1, 1)
    inside, waits = door.inside("a", target, FIRST), door.in_line("b", target, FIRST)
    assert door.enter("c", target, FIRST) is None
    door.places.leave(waits, 1)
    last = door.in_line("c", target, FIRST)
    door.places.leave(inside, 2)
    assert door.woken == ["c"]
    assert last.is_inside


def test_who_waited_too_long_is_not_woken() -> None:
    door, target = Door(), limited(1, 1)
    inside, waits = door.inside("a", target, FIRST), door.in_line("b", target, FIRST, until=5)
    door.places.leave(inside, 6)
    assert door.woken == []
    assert not waits.is_inside
    door.places.leave(waits, 7)
    assert door.busy() == (0, 0)


def test_a_larger_limit_lets_in_those_who_wait() -> None:
    door = Door()
    door.inside("a", limited(1, 1), FIRST)
    door.in_line("b", limited(1, 1), FIRST)
    door.inside("c", limited(3, 1), FIRST)
    assert door.woken == ["b"]
    assert door.busy() == (3, 0)


# Whatever the order: never more inside than the limit, nobody is left waiting beside a free place, all comes back.
@pytest.mark.parametrize("limit", [1, 3])
@given(steps=st.lists(st.integers(0, 9), max_size=60))
def test_no_place_is_lost(limit: int, steps: list[int]) -> None:
    door, target, held = Door(), limited(limit, 4), list[Place]()
    for step in steps:
        if step < 5 and (place := door.enter("x", target, FIRST)) is not None:
            held.append(place)
        elif held:
            door.places.leave(held.pop(step % len(held)), 1)
        inside = sum(place.is_inside for place in held)
        assert inside == min(limit, len(held))
        assert door.busy() == (len(held), 0)
    for place in held:
        door.places.leave(place, 2)
    assert door.busy() == (0, 0)


SECOND = 1_000_000


def test_how_full_a_server_is() -> None:
    door, target = Door(), limited(1, 1)
    assert door.places.load("acme", FIRST.name) is None
    door.inside("a", target, FIRST)
    door.in_line("b", target, FIRST)
    load = door.places.load("acme", FIRST.name)
    assert load is not None
    assert (load.in_flight, load.queued, load.limit, load.room) == (1, 1, 1, 1)


def test_when_there_will_be_room_is_guessed_from_how_long_calls_stayed() -> None:
    door, target = Door(), limited(2, 1)
    assert door.places.room_in(target, 0) == 0
    places = [door.inside(name, target, FIRST) for name in ("a", "b")]
    assert door.places.room_in(replace(target, servers=(FIRST,)), 0) == 0  # nobody has left yet
    for place in places:
        door.places.leave(place, 8 * SECOND)
        door.places.leave(place, 99 * SECOND)
    assert door.places.room_in(target, 0) == 0  # there is room
    for name in ("c", "d"):
        assert door.enter(name, target, FIRST, now=10 * SECOND) is not None
    assert door.places.room_in(replace(target, servers=(FIRST,)), 0) == 4
    waiting = door.enter("e", target, FIRST, now=10 * SECOND, until=99 * SECOND)
    assert waiting is not None
    assert door.places.room_in(replace(target, servers=(FIRST,)), 0) == 8
    assert door.places.room_in(target, 0) == 0  # the other one has room


def test_the_time_in_line_is_none_inside() -> None:
    door, target = Door(), replace(limited(1, 1), servers=(FIRST,))
    first = door.inside("a", target, FIRST)
    second = door.in_line("b", target, FIRST, until=99 * SECOND)
    door.places.leave(first, 8 * SECOND)
    door.places.leave(second, 24 * SECOND)
    door.inside("c", target, FIRST)
    assert door.places.room_in(target, 0) == 8 + (16 - 8) / 8
    lost = door.in_line("d", target, FIRST, until=99 * SECOND)
    door.places.leave(lost, 98 * SECOND)  # it never was inside
    assert door.places.room_in(target, 0) == 9


def test_servers_that_are_gone_are_let_go_once_nobody_is_there() -> None:
    door, target = Door(), limited(1)
    place = door.inside("a", target, FIRST)
    door.inside("b", target, OTHER)
    door.places.forget("other", ())
    door.places.forget("acme", (OTHER.name,))
    assert door.busy() == (1, 1)
    door.places.leave(place, 1)
    assert door.places.load("acme", FIRST.name) is not None
    door.places.forget("acme", (OTHER.name,))
    assert door.places.load("acme", FIRST.name) is None
    assert door.busy() == (0, 1)
