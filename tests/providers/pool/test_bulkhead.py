"""How many are inside, how many wait, and who is next."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from providers.pool.bulkhead import Bulkhead, Full, Load, Queued, Ticket

LATER = 1_000_000


def inside(bulkhead: Bulkhead, now: int = 0) -> Ticket:
    found = bulkhead.enter(now, LATER)
    assert isinstance(found, Ticket)
    return found


def queued(bulkhead: Bulkhead, now: int = 0, deadline: int = LATER) -> Queued:
    found = bulkhead.enter(now, deadline)
    assert isinstance(found, Queued)
    return found


def test_room_then_line_then_full() -> None:
    bulkhead = Bulkhead(1, 1)
    ticket, waiting = inside(bulkhead), queued(bulkhead, 5)
    assert (waiting.since, waiting.deadline) == (5, LATER)
    assert bulkhead.enter(0, LATER) == Full(1, 1)
    assert bulkhead.leave(ticket, 10) == (waiting,)
    assert waiting.ticket is not None
    assert bulkhead.leave(waiting.ticket, 11) == ()
    assert bulkhead.load == Load(0, 0, 1, 1, entered=2, turned_away=1, expired=0)


def test_first_come_first_served() -> None:
    bulkhead = Bulkhead(2, 3)
    tickets = [inside(bulkhead), inside(bulkhead)]
    line = [queued(bulkhead) for _ in range(3)]
    assert bulkhead.leave(tickets[1], 1) == (line[0],)
    assert bulkhead.leave(tickets[0], 1) == (line[1],)
    assert bulkhead.load.in_flight == 2


def test_a_ticket_is_given_back_once() -> None:
    bulkhead = Bulkhead(1, 2)
    ticket = inside(bulkhead)
    first, second = queued(bulkhead), queued(bulkhead)
    assert bulkhead.leave(ticket, 1) == (first,)
    assert bulkhead.leave(ticket, 1) == ()
    assert second.ticket is None
    assert bulkhead.load.in_flight == 1


def test_who_leaves_the_line_is_not_woken() -> None:
    bulkhead = Bulkhead(1, 2)
    ticket = inside(bulkhead)
    first, second = queued(bulkhead), queued(bulkhead)
    assert bulkhead.abandon(first, 1) == ()
    assert bulkhead.abandon(first, 1) == ()
    assert not first.expired
    assert bulkhead.leave(ticket, 1) == (second,)


def test_who_was_woken_and_has_gone_wakes_the_next() -> None:
    bulkhead = Bulkhead(1, 2)
    ticket = inside(bulkhead)
    first, second = queued(bulkhead), queued(bulkhead)
    bulkhead.leave(ticket, 1)
    assert bulkhead.abandon(first, 1) == (second,)
    assert bulkhead.abandon(first, 1) == ()
    assert bulkhead.load.in_flight == 1


def test_who_is_past_the_deadline_is_passed_over() -> None:
    bulkhead = Bulkhead(1, 3)
    ticket = inside(bulkhead)
    short, long = queued(bulkhead, deadline=10), queued(bulkhead)
    assert bulkhead.leave(ticket, 10) == (long,)
    assert short.expired
    assert bulkhead.abandon(short, 11) == ()
    assert bulkhead.load.expired == 1


def test_a_timer_of_its_own_ends_a_wait() -> None:
    bulkhead = Bulkhead(1, 1)
    inside(bulkhead)
    waiting = queued(bulkhead, deadline=10)
    assert bulkhead.abandon(waiting, 10) == ()
    assert waiting.expired
    assert bulkhead.load == Load(1, 0, 1, 1, entered=1, turned_away=0, expired=1)


def test_who_is_past_the_deadline_keeps_nobody_out() -> None:
    bulkhead = Bulkhead(1, 2)
    ticket = inside(bulkhead)
    long, short = queued(bulkhead), queued(bulkhead, deadline=10)
    assert isinstance(bulkhead.enter(9, LATER), Full)
    newest = queued(bulkhead, 10)
    assert short.expired
    assert isinstance(bulkhead.enter(10, LATER), Full)
    assert bulkhead.leave(ticket, 11) == (long,)
    assert bulkhead.abandon(long, 11) == (newest,)


def test_nobody_waits_who_has_no_time() -> None:
    bulkhead = Bulkhead(1, 5)
    ticket = bulkhead.enter(7, 7)
    assert isinstance(ticket, Ticket)
    assert bulkhead.enter(7, 7) == Full(1, 0)
    assert Bulkhead(1).load.room == 0


def test_other_numbers_while_it_is_in_use() -> None:
    bulkhead = Bulkhead(3, 3)
    tickets = [inside(bulkhead) for _ in range(3)]
    line = [queued(bulkhead) for _ in range(3)]
    assert bulkhead.resize(1, 0, 1) == ()
    assert bulkhead.leave(tickets[0], 2) == bulkhead.leave(tickets[1], 2) == ()
    assert bulkhead.leave(tickets[2], 2) == (line[0],)
    assert isinstance(bulkhead.enter(2, LATER), Full)
    assert bulkhead.resize(9, 9, 3) == (line[1], line[2])
    assert bulkhead.load.in_flight == 3


@pytest.mark.parametrize(("limit", "room"), [(0, 0), (-1, 3), (1, -1)])
def test_numbers_that_mean_nothing(limit: int, room: int) -> None:
    with pytest.raises(ValueError, match="at least 1 call and a line of at least 0"):
        Bulkhead(limit, room)
    with pytest.raises(ValueError, match="at least 1 call"):
        Bulkhead(1).resize(limit, room, 0)


class Interleaved(RuleBasedStateMachine):
    """200 callers who come, wait, leave, give up, and do so twice, in any order, beside a list of who is where."""

    @initialize(limit=st.integers(1, 8), room=st.integers(0, 12))
    def begin(self, limit: int, room: int) -> None:
        self.bulkhead = Bulkhead(limit, room)
        self.limit, self.room, self.now, self.callers = limit, room, 0, 0
        self.inside: list[Ticket] = []
        self.line: list[Queued] = []
        self.gone: list[Ticket | Queued] = []
        self.entered = self.turned_away = self.expired = 0

    @rule(passed=st.integers(0, 15))
    def time_passes(self, passed: int) -> None:
        self.now += passed

    @precondition(lambda self: self.callers < 200)
    @rule(callers=st.integers(1, 40), patience=st.integers(0, 40))
    def come(self, callers: int, patience: int) -> None:
        for _ in range(min(callers, 200 - self.callers)):
            self.callers += 1
            self.clear_line()
            found = self.bulkhead.enter(self.now, self.now + patience)
            match found:
                case Ticket():
                    assert len(self.inside) < self.limit
                    assert not self.line
                    self.inside.append(found)
                    self.entered += 1
                case Queued():
                    assert len(self.inside) >= self.limit
                    assert len(self.line) < self.room
                    assert patience
                    self.line.append(found)
                case Full():
                    assert len(self.inside) >= self.limit
                    assert len(self.line) >= self.room or not patience
                    assert (found.in_flight, found.queued) == (len(self.inside), len(self.line))
                    self.turned_away += 1

    @precondition(lambda self: self.inside)
    @rule(which=st.integers(0, 10**6))
    def leave(self, which: int) -> None:
        ticket = self.inside.pop(which % len(self.inside))
        self.gone.append(ticket)
        self.woken(self.bulkhead.leave(ticket, self.now))

    @precondition(lambda self: self.line)
    @rule(which=st.integers(0, 10**6))
    def give_up(self, which: int) -> None:
        waiting = self.line.pop(which % len(self.line))
        self.gone.append(waiting)
        assert self.bulkhead.abandon(waiting, self.now) == ()
        assert waiting.expired == (self.now >= waiting.deadline)
        self.expired += waiting.expired

    @precondition(lambda self: self.gone)
    @rule(which=st.integers(0, 10**6))
    def do_it_again(self, which: int) -> None:
        match self.gone[which % len(self.gone)]:
            case Ticket() as ticket:
                assert self.bulkhead.leave(ticket, self.now) == ()
            case Queued() as waiting if waiting.ticket is None or not waiting.ticket.held:
                assert self.bulkhead.abandon(waiting, self.now) == ()

    @rule(limit=st.integers(1, 8), room=st.integers(0, 12))
    def resize(self, limit: int, room: int) -> None:
        self.limit, self.room = limit, room
        self.woken(self.bulkhead.resize(limit, room, self.now))

    def woken(self, found: tuple[Queued, ...]) -> None:
        """The first of the line who are not too late, as many as there is room for."""
        expected = []
        while self.line and len(self.inside) < self.limit:
            waiting = self.line.pop(0)
            self.gone.append(waiting)
            if self.now >= waiting.deadline:
                self.expired += 1
                continue
            expected.append(waiting)
            assert waiting.ticket is not None
            self.inside.append(waiting.ticket)
            self.entered += 1
        assert list(found) == expected

    def clear_line(self) -> None:
        late = [waiting for waiting in self.line if self.now >= waiting.deadline]
        self.line = [waiting for waiting in self.line if waiting not in late]
        self.gone += late
        self.expired += len(late)

    @invariant()
    def the_counts_are_exact(self) -> None:
        if hasattr(self, "bulkhead"):
            assert self.bulkhead.load == Load(
                len(self.inside),
                len(self.line),
                self.limit,
                self.room,
                self.entered,
                self.turned_away,
                self.expired,
            )
            assert all(ticket.held for ticket in self.inside)
            assert not self.line or len(self.inside) >= self.limit


TestInterleaved = Interleaved.TestCase


# 200 who want in at once all get in, never more than the limit at a time, in the order in which they came.
@settings(max_examples=50)
@given(st.integers(1, 20), st.lists(st.integers(0, 10**6), min_size=200, max_size=200))
def test_everybody_gets_in(limit: int, leaving: list[int]) -> None:
    bulkhead = Bulkhead(limit, 200)
    came = [bulkhead.enter(0, LATER) for _ in range(200)]
    held = [one for one in came if isinstance(one, Ticket)]
    order: list[Queued] = []
    for which in leaving:
        woken = bulkhead.leave(held.pop(which % len(held)), 1)
        order += woken
        held += [one.ticket for one in woken if one.ticket is not None]
        assert bulkhead.load.in_flight == len(held) <= limit
    assert order == [one for one in came if isinstance(one, Queued)]
    assert bulkhead.load == Load(0, 0, limit, 200, entered=200, turned_away=0, expired=0)
