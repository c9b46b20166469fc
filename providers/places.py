"""The places at providers' servers: who is at which of them, who waits in line, and who is woken when one leaves.

Strategy: a bulkhead (`providers.pool.bulkhead`) for each server of a target that has `Target.servers`; where no limit
is set it only counts. A call asks its servers in their order: one with room comes first, then one whose line has room.
Whoever leaves, or brings a changed limit, lets the next ones in and calls their ``wake``. When there will be room is
guessed from how long calls have stayed inside of late. Times in monotonic µs.
"""

import sys
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

from providers.exchange.plan import Server, Target
from providers.pool.bulkhead import Bulkhead, Full, Load, Queued, Ticket

NO_LIMIT = sys.maxsize
_WEIGHT = 1 / 8  # of the last call in the mean of how long they stay


@dataclass(slots=True, eq=False)
class Place:
    """One call at one server, inside since ``since``, or in its line; given back with `Places.leave`."""

    server: Server
    door: Bulkhead
    held: Ticket | Queued
    since: int

    @property
    def is_inside(self) -> bool:
        """It is not, or no more, in line."""
        return isinstance(self.held, Ticket) or self.held.ticket is not None


class Places:
    """The servers of all providers. Used from one event loop, for as long as the program runs."""

    def __init__(self) -> None:
        self._doors: dict[tuple[str, str], Bulkhead] = {}
        self._lines: dict[Queued, tuple[Place, Callable[[], None]]] = {}
        self._stays: dict[Bulkhead, float] = {}  # the mean of the calls of late

    def busy(self, provider: str, server: str) -> int:
        """Count the calls at a server, those in its line included."""
        door = self._doors.get((provider, server))
        return 0 if door is None else door.in_flight + door.queued

    def enter(
        self, target: Target, servers: Sequence[Server], now: int, until: int, wake: Callable[[], None]
    ) -> Place | None:
        """Enter one of the servers or get in line for it until ``until``; None if all are full."""
        doors = [(server, self._door(target, server, now)) for server in servers]
        for server, door in sorted(doors, key=lambda pair: pair[1].is_full):
            held = door.enter(now, until)
            if isinstance(held, Full):
                continue
            place = Place(server, door, held, now)
            if isinstance(held, Queued):
                self._lines[held] = place, wake
            return place
        return None

    def leave(self, place: Place, now: int) -> None:
        """Give a place back, inside or in line, once or more often: whoever waited for it is woken."""
        held, inside = place.held, place.held if isinstance(place.held, Ticket) else place.held.ticket
        if inside is not None and inside.held:
            mean, stay = self._stays.get(place.door), now - place.since
            self._stays[place.door] = stay if mean is None else mean + (stay - mean) * _WEIGHT
        if isinstance(held, Ticket):
            woken = place.door.leave(held, now)
        else:
            self._lines.pop(held, None)
            woken = place.door.abandon(held, now)
        self._call(woken, now)

    def room_in(self, target: Target, _now: int) -> float:
        """Guess the seconds until one of a target's servers has room for a call that comes behind those in line.

        Calls leave at the rate of those inside by the mean of how long they stay; 0.0 where none has left yet.
        """
        waits = (self._wait_at(self._doors.get((target.provider, server.name))) for server in target.servers)
        return min(waits, default=0.0) / 1e6

    def _wait_at(self, door: Bulkhead | None) -> float:
        if door is None or not door.is_full:
            return 0.0
        return self._stays.get(door, 0.0) * (door.queued + 1) / door.limit

    def load(self, provider: str, server: str) -> Load | None:
        """Return how full a server is, None where nobody has been counted."""
        door = self._doors.get((provider, server))
        return None if door is None else door.load

    def forget(self, provider: str, kept: Container[str]) -> None:
        """Let go of the servers that a provider has no more, but for those at which there are calls."""
        for place, door in list(self._doors.items()):
            if place[0] == provider and place[1] not in kept and not door.in_flight + door.queued:
                del self._doors[place]
                self._stays.pop(door, None)

    def _door(self, target: Target, server: Server, now: int) -> Bulkhead:
        """The bulkhead of a server, with the limits that the target brings."""
        limit, room = target.max_in_flight or NO_LIMIT, target.max_queued
        door = self._doors.get((target.provider, server.name))
        if door is None:
            door = self._doors[target.provider, server.name] = Bulkhead(limit, room)
        elif (door.limit, door.room) != (limit, room):
            self._call(door.resize(limit, room, now), now)
        return door

    def _call(self, woken: Sequence[Queued], now: int) -> None:
        for queued in woken:
            place, wake = self._lines.pop(queued)
            place.since = now
            wake()
