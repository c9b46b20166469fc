"""How one call gets in at a target: its breaker, and a place at one of its servers.

Strategy: a target with one server and no limit is a matter of its breaker alone. Of several servers each has a breaker;
which of them it is, and that breaker's word, is settled when the call enters or leaves a line, since it may have stood
there for a while. A place is given back once, when the try has failed or the call is over. Times in monotonic µs.
"""

from collections.abc import Callable, Sequence
from functools import partial

from providers.exchange.course import Entry, Full, InLine
from providers.exchange.plan import Server, Target
from providers.places import Place, Places
from providers.pool.breaker import Breakers, Circuit, Denied, Permit
from providers.pool.error_class import ErrorClass
from providers.pool.trouble import TROUBLE

LOADING_WAIT = 5.0  # seconds that a client is told to wait for a model that is being loaded: nobody knows how long


class Entrance:
    """One call before the doors of its targets, one after the other."""

    def __init__(self, breakers: Breakers, places: Places) -> None:
        self._breakers = breakers
        self._places = places
        self._until = 0  # when the whole call must have ended
        self._permit: Permit | None = None
        self._place: Place | None = None
        self._line: tuple[Target, Callable[[], None]] | None = None  # while in one
        self._tried: set[str] = set()  # the servers of the target that have failed
        self._waits: tuple[Callable[[int], float], ...] = ()  # until who took no call may take one

    def enter(self, target: Target, now: int, wake: Callable[[], None]) -> Entry:
        """Go to one of a target's servers that are not broken, or get in line, for as long as its head may take."""
        self._give_back(now)
        until = min(self._until, now + int(target.deadlines.head * 1e6))
        servers = [server for server in self._left(target) if self._denial(target, server, now) is None]
        place = self._places.enter(target, servers or self._left(target), now, until, wake)
        if place is None:
            return Full()
        self._place, aimed = place, target.at(place.server)
        if place.is_inside:
            self._permit = let(self._breakers.admit(circuit(aimed), now, last=True))
            return aimed
        self._line = target, wake
        return InLine(aimed, until)

    def placed(self, now: int) -> Entry | None:
        """Go to the server in whose line the call stood, unless it has broken since: then to a better one."""
        place = self._place
        if place is None or self._line is None or not place.is_inside:
            return None
        target, wake = self._line
        aimed = target.at(place.server)
        if self._denial(target, place.server, now) is not None:
            if self._all_denied(target, now) is None:
                return self.enter(target, now, wake)
            if self._has_others():
                return Full()
        self._permit = let(self._breakers.admit(circuit(aimed), now, last=True))
        return aimed

    def over(self, now: int) -> None:
        """Make room for others; a try of which nothing bad was heard has ended well."""
        if self._permit is not None:
            self._breakers.over(self._permit, None, now)
            self._permit = None
        if self._place is not None:
            self._give_back(now)

    def again(self, now: int) -> float | None:
        """Return after how many seconds the first of those may take a call that did not take this one."""
        return min((wait(now) for wait in self._waits), default=None)

    def _note_full(self, target: Target) -> None:
        self._waits += (partial(self._places.room_in, target),)

    def _note_failed(self, kind: ErrorClass, target: Target) -> None:
        if kind in TROUBLE:
            self._note_broken(target)
        elif kind is ErrorClass.LOADING and _until_loaded not in self._waits:  # it is asked a hundred times
            self._waits += (_until_loaded,)

    def _note_broken(self, target: Target) -> None:
        self._waits += (partial(self._broken_for, circuit(target)),)

    def _note_all_broken(self, target: Target) -> None:
        for server in target.servers or [None]:
            self._note_broken(target if server is None else target.at(server))

    def _broken_for(self, one: Circuit, now: int) -> float:
        denied = self._breakers.denied(one, now)
        return 0.0 if denied is None else denied.wait_us / 1e6

    def _has_others(self) -> bool:
        """Whether another target may be asked."""
        raise NotImplementedError

    def _admit(self, target: Target, now: int, *, last: bool) -> Denied | None:
        """Ask a target's breaker; of several servers each has its own, and they are asked again in `enter`."""
        if target.servers:
            return None if last else self._all_denied(target, now)
        admitted = self._breakers.admit(circuit(target), now, last=last)
        if isinstance(admitted, Denied):
            return admitted
        self._permit = admitted
        return None

    def _left(self, target: Target) -> Sequence[Server]:
        """The servers that have not failed; all of them, once all have."""
        return [server for server in target.servers if server.name not in self._tried] or target.servers

    def _all_denied(self, target: Target, now: int) -> Denied | None:
        """Why none of the servers may be asked; None if one may."""
        denied = [self._denial(target, server, now) for server in self._left(target)]
        return None if None in denied else denied[0]

    def _denial(self, target: Target, server: Server, now: int) -> Denied | None:
        return self._breakers.denied(Circuit(target.provider, server.name, key_name(ours=target.our_key)), now)

    def _give_back(self, now: int) -> None:
        place, self._place, self._line = self._place, None, None
        if place is not None:
            self._places.leave(place, now)


def circuit(target: Target) -> Circuit:
    """Return what the breaker of a target's server is about."""
    return Circuit(target.provider, target.server, key_name(ours=target.our_key))


def _until_loaded(_now: int) -> float:
    return LOADING_WAIT


def key_name(*, ours: bool) -> str:
    """Name the key that a server judges, for its breaker."""
    return "ours" if ours else ""


def let(admitted: Permit | Denied) -> Permit | None:
    """Return the permit, None if there is none."""
    return admitted if isinstance(admitted, Permit) else None
