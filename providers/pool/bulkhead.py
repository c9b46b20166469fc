"""A bulkhead: how many calls one endpoint has at once, and how many wait for it, so that a slow one sinks alone.

Strategy: whoever finds room enters; whoever does not waits in line, first come first served, until somebody leaves or
its own deadline comes; whoever finds the line full is turned away at once. Nobody passes those who wait. The driver
keeps a timer for each that waits and wakes those whom `leave`, `abandon` and `resize` name; each of these may be called
again, or too late, without a count going wrong. All times are integer µs of the monotonic clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Ticket:
    """A place inside; it is given back with `Bulkhead.leave`."""

    held: bool = True


@dataclass(slots=True, eq=False)
class Queued:
    """A place in the line since ``since``. ``ticket`` is there once it has entered; ``expired``: it came too late."""

    since: int
    deadline: int
    ticket: Ticket | None = None
    expired: bool = False


@dataclass(frozen=True, slots=True)
class Full:
    """There is no room, inside or in line (or no time to wait). The numbers are those that were found."""

    in_flight: int
    queued: int


@dataclass(frozen=True, slots=True)
class Load:
    """How full a bulkhead is, and what it has seen since the start."""

    in_flight: int
    queued: int
    limit: int
    room: int
    entered: int
    turned_away: int
    expired: int


class Bulkhead:
    """The calls at one endpoint: at most ``limit`` (1 or more) inside, at most ``room`` in line; else ValueError."""

    def __init__(self, limit: int, room: int = 0) -> None:
        _check(limit, room)
        self._limit = limit
        self._room = room
        self._in_flight = 0
        self._line: dict[Queued, None] = {}  # in the order of arrival
        self._earliest = 0  # no deadline in the line is before it
        self._entered = 0
        self._turned_away = 0
        self._expired = 0

    @property
    def limit(self) -> int:
        """How many calls may be inside."""
        return self._limit

    @property
    def room(self) -> int:
        """How many calls may be in line."""
        return self._room

    @property
    def in_flight(self) -> int:
        """How many calls are inside."""
        return self._in_flight

    @property
    def queued(self) -> int:
        """How many calls are in line, as in `Load.queued`."""
        return len(self._line)

    @property
    def is_full(self) -> bool:
        """Whether a call that comes now would have to wait, or is turned away."""
        return self._in_flight >= self._limit

    @property
    def load(self) -> Load:
        """The numbers of now; `Load.queued` may hold some whose deadline has just passed."""
        return Load(
            self._in_flight,
            len(self._line),
            self._limit,
            self._room,
            self._entered,
            self._turned_away,
            self._expired,
        )

    def enter(self, now: int, deadline: int) -> Ticket | Queued | Full:
        """Enter, or get in line until ``deadline``, or be turned away."""
        if self._line and now >= self._earliest:
            self._drop_expired(now)
        if self._in_flight < self._limit:  # then nobody waits: whoever leaves makes room for the line first
            return self._inside()
        if len(self._line) >= self._room or deadline <= now:
            self._turned_away += 1
            return Full(self._in_flight, len(self._line))
        self._earliest = min(self._earliest, deadline) if self._line else deadline
        queued = Queued(now, deadline)
        self._line[queued] = None
        return queued

    def leave(self, ticket: Ticket, now: int) -> tuple[Queued, ...]:
        """Give a place back; return who has entered for it. A ticket that was given back before changes nothing."""
        if not ticket.held:
            return ()
        ticket.held = False
        self._in_flight -= 1
        return tuple(self._admit(now))

    def abandon(self, queued: Queued, now: int) -> tuple[Queued, ...]:
        """Get out of the line, or of the bulkhead if it has entered meanwhile; return who has entered for it."""
        if queued.ticket is not None:
            return self.leave(queued.ticket, now)
        if queued in self._line:
            del self._line[queued]
            self._mark(queued, now)
        return ()

    def resize(self, limit: int, room: int, now: int) -> tuple[Queued, ...]:
        """Take other numbers; return who has entered by them. Whoever is inside or in line stays there."""
        _check(limit, room)
        self._limit, self._room = limit, room
        return tuple(self._admit(now))

    def _inside(self) -> Ticket:
        self._in_flight += 1
        self._entered += 1
        return Ticket()

    def _admit(self, now: int) -> Iterator[Queued]:
        """Let in as many as there is room for, from the head of the line."""
        while self._line and self._in_flight < self._limit:
            queued = next(iter(self._line))
            del self._line[queued]
            if not self._mark(queued, now):
                queued.ticket = self._inside()
                yield queued

    def _drop_expired(self, now: int) -> None:
        for queued in [queued for queued in self._line if self._mark(queued, now)]:
            del self._line[queued]
        self._earliest = min((queued.deadline for queued in self._line), default=0)

    def _mark(self, queued: Queued, now: int) -> bool:
        """Whether its deadline has passed; it is counted once."""
        if now < queued.deadline:
            return False
        queued.expired = True
        self._expired += 1
        return True


def _check(limit: int, room: int) -> None:
    if limit < 1 or room < 0:
        raise ValueError(f"a bulkhead holds at least 1 call and a line of at least 0, not {limit} and {room}")
