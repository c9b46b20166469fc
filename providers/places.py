"""The places at providers' servers: who is at which of them, who waits in line, and who is woken when one leaves.

Strategy: a bulkhead (`providers.pool.bulkhead`) for each server of a target that has `Target.servers`; where no limit
is set it only counts. A call asks its servers in their order: one with room comes first, then one whose line has room.
Whoever leaves, or brings a changed limit, lets the next ones in and calls their ``wake``. Times in monotonic µs.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from providers.exchange.plan import Server, Target
from providers.pool.bulkhead import Bulkhead, Full, Queued, Ticket

_NO_LIMIT = sys.maxsize


@dataclass(slots=True, eq=False)
class Place:
    """One call at one server, or in its line; given back with `Places.leave`."""

    server: Server
    door: Bulkhead
    held: Ticket | Queued

    @property
    def is_inside(self) -> bool:
        """It is not, or no more, in line."""
        return isinstance(self.held, Ticket) or self.held.ticket is not None


class Places:
    """The servers of all providers. Used from one event loop, for as long as the program runs."""

    def __init__(self) -> None:
        self._doors: dict[tuple[str, str], Bulkhead] = {}
        self._wakes: dict[Queued, Callable[[], None]] = {}

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
            if isinstance(held, Queued):
                self._wakes[held] = wake
            return Place(server, door, held)
        return None

    def leave(self, place: Place, now: int) -> None:
        """Give a place back, inside or in line, once or more often: whoever waited for it is woken."""
        held = place.held
        if isinstance(held, Ticket):
            woken = place.door.leave(held, now)
        else:
            self._wakes.pop(held, None)
            woken = place.door.abandon(held, now)
        self._call(woken)

    def _door(self, target: Target, server: Server, now: int) -> Bulkhead:
        """The bulkhead of a server, with the limits that the target brings."""
        limit, room = target.max_in_flight or _NO_LIMIT, target.max_queued
        door = self._doors.get((target.provider, server.name))
        if door is None:
            door = self._doors[target.provider, server.name] = Bulkhead(limit, room)
        elif (door.limit, door.room) != (limit, room):
            self._call(door.resize(limit, room, now))
        return door

    def _call(self, woken: Sequence[Queued]) -> None:
        for queued in woken:
            self._wakes.pop(queued)()
