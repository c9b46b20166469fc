"""Whether the servers behind us are well: which of them is probed when, and what follows from the answer.

Strategy: a provider is in use for a while after a call was made to it (setting ``probe_for``). All its servers are
probed until then; nobody else's, and nobody's once nobody calls. A probe is a GET that costs nothing: ``/health`` of a
llama-server, the list of models or what else is free elsewhere. It is no call: no record, no place, no permit. When:

    seen last                      the next one comes after (each a tenth more or less, at random)
    nothing yet                    `Pace.well`: until then its calls tell more
    well                           ``well``, and twice as long each time, up to ``longest``
    loading, or failed             ``ill``, and twice as long each time, up to ``worst``
    anything, but its breaker has  ``ill``
      opened since
    away or loading, but a call    ``ill`` after the last one: what was seen is forgotten
      has been answered since

What an answer does to breakers stands with them (`providers.pool.breaker`). A server that loads is asked after those
that do not, whatever its breaker says.

A llama-server that is well is also asked for its slots: other programs may call it, too. It counts that as work, which
keeps it from going to sleep (``--sleep-idle-seconds``), so it is asked only right after calls; and where it says no,
never again. Times in monotonic µs.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from pydantic import JsonValue

from providers.balancing import judges_our_key
from providers.entrance import key_name
from providers.pool.breaker import Breakers, Circuit
from providers.provider import Provider, Replica

_SECOND = 1_000_000
FRESH = 20 * _SECOND  # for so long calls are steered by what was seen
SLOTS_AFTER = 30 * _SECOND  # a call
_LOADING = 503
_NO_LIST = 501
_MOST_DOUBLINGS = 16


class Found(StrEnum):
    """How a server was found: ``failing`` answers with an error, ``silent`` not in time, ``away`` has no connection."""

    WELL = "well"
    LOADING = "loading"
    FAILING = "failing"
    SILENT = "silent"
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class Pace:
    """The waits between probes of a server."""

    well: int
    longest: int
    ill: int
    worst: int


# A health page costs its server nothing; a list of models is built, and goes through somebody's rate limits.
NEAR = Pace(5 * _SECOND, 15 * _SECOND, _SECOND // 2, 5 * _SECOND)
FAR = Pace(30 * _SECOND, 120 * _SECOND, 2 * _SECOND, 30 * _SECOND)


@dataclass(frozen=True, slots=True)
class Slots:
    """How many calls a llama-server works on at once, and on how many now, whoever made them."""

    total: int
    busy: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What the last probe found, and when it did; ``others``: slots that calls of other programs had."""

    found: Found
    at: int
    latency_us: int
    slots: Slots | None = None
    others: int = 0


@dataclass(slots=True, eq=False)
class _Turn:
    """When a server is due; ``last`` and ``mark`` tell when it was asked last, by the clock and by the breakers.

    ``ill`` is the shortest wait after that; ``same`` counts the answers of one kind, well or ill, in a row.
    """

    due: int
    last: int
    ill: int
    mark: int = -1
    same: int = 0
    is_out: bool = False


_CALLS_FAIL = frozenset((Found.AWAY, Found.LOADING))  # they find the same


class Probe(NamedTuple):
    """Ask this server now, for its slots too if ``slots``; `Probing.over` wants it back."""

    provider: Provider
    server: Replica
    slots: bool
    turn: _Turn


def _nobody() -> None:
    """Wake nobody: no driver probes."""


class Probing:
    """What is known by probes. Used from one event loop; ``chance`` gives numbers from 0 to below 1.

    ``wake`` is called when a provider comes into use while none was.
    """

    def __init__(self, breakers: Breakers, chance: Callable[[], float]) -> None:
        self.wake: Callable[[], None] = _nobody
        self._is_awake = False
        self._breakers = breakers
        self._chance = chance
        self._used: dict[str, int] = {}
        self._turns: dict[tuple[str, str], _Turn] = {}
        self._seen: dict[tuple[str, str], Seen] = {}
        self._tells_no_slots: set[tuple[str, str]] = set()

    def used(self, provider: str, now: int) -> None:
        """A call is made to a provider."""
        self._used[provider] = now
        if not self._is_awake:
            self._is_awake = True
            self.wake()

    def due(self, providers: Iterable[Provider], window: int, now: int) -> list[Probe] | None:
        """Return the probes to make now; None: nobody is in use, nothing is due until `wake` is called.

        ``window`` is how long after its last call a provider is in use.
        """
        self._used = {name: last for name, last in self._used.items() if now - last < window}
        watched = {
            (provider.name, server.name): (provider, server)
            for provider in providers
            if provider.name in self._used and provider.ready
            for server in provider.replicas
        }
        for place in self._turns.keys() - watched.keys():
            del self._turns[place]
        if not watched:
            self._is_awake = False
            return None
        return [self._begin(*found, now) for place, found in watched.items() if self._is_due(place, found[0], now)]

    def over(
        self, probe: Probe, found: Found, latency_us: int, now: int, slots: Slots | None = None, own: int = 0
    ) -> bool:
        """Take a probe's answer; ``own``: so many calls of ours were at the server. Say whether it has just gone."""
        place = probe.provider.name, probe.server.name
        if self._turns.get(place) is not probe.turn:
            return False  # it is out of use, or was changed meanwhile
        before = self._seen.get(place)
        others = max(0, slots.busy - own) if slots is not None else 0
        self._seen[place] = Seen(found, now, latency_us, slots, others)
        was_well = None if before is None else before.found is Found.WELL
        self._plan(probe, found is Found.WELL, was_well, now)
        if found is Found.WELL:
            self._breakers.well(*place, now, mark=probe.turn.mark, was_ill=was_well is False)
        elif found is Found.AWAY:
            self._breakers.refused(_circuit(*place, probe.provider), now)
        return found is Found.AWAY and (before is None or before.found is not Found.AWAY)

    def answered(self, provider: str, server: str, now: int) -> None:
        """A call was answered: a server that was found to be away or loading is so no more, and is looked at anew."""
        place = provider, server
        seen = self._seen.get(place)
        if seen is None or seen.found not in _CALLS_FAIL:
            return
        del self._seen[place]
        if (turn := self._turns.get(place)) is not None:
            turn.due = min(turn.due, max(now, turn.last + turn.ill))

    def no_slots(self, probe: Probe) -> None:
        """The server does not tell its slots: it is not asked for them again."""
        self._tells_no_slots.add((probe.provider.name, probe.server.name))

    def seen(self, provider: str, server: str) -> Seen | None:
        """Return what the last probe of a server found, None if there was none."""
        return self._seen.get((provider, server))

    def others(self, provider: str, server: str, now: int) -> int:
        """Count the calls of other programs that a server works on, as far as that is known."""
        seen = self._fresh(provider, server, now)
        return seen.others if seen is not None else 0

    def is_loading(self, provider: str, server: str, now: int) -> bool:
        """Whether a server was found to be loading its model, a moment ago."""
        seen = self._fresh(provider, server, now)
        return seen is not None and seen.found is Found.LOADING

    def forget(self, provider: str) -> None:
        """Forget what was seen of a provider: its key or its address was changed."""
        for known in (self._turns, self._seen):
            for place in [place for place in known if place[0] == provider]:
                del known[place]
        self._tells_no_slots = {place for place in self._tells_no_slots if place[0] != provider}

    def _fresh(self, provider: str, server: str, now: int) -> Seen | None:
        seen = self._seen.get((provider, server))
        return seen if seen is not None and now - seen.at < FRESH else None

    def _is_due(self, place: tuple[str, str], provider: Provider, now: int) -> bool:
        turn = self._turns.get(place)
        if turn is None:
            pace = _pace(provider)
            turn = self._turns[place] = _Turn(now + self._about(pace.well), now, pace.ill)
        if turn.is_out:
            return False
        if turn.due > now and self._breakers.ails(_circuit(*place, provider), turn.mark):
            return turn.last + turn.ill <= now
        return turn.due <= now

    def _begin(self, provider: Provider, server: Replica, now: int) -> Probe:
        place = provider.name, server.name
        turn, quirks = self._turns[place], provider.quirks
        turn.is_out, turn.last, turn.mark = True, now, self._breakers.mark
        called = now - self._used[provider.name] < SLOTS_AFTER
        slots = bool(quirks.slots_path) and called and place not in self._tells_no_slots
        return Probe(provider, server, slots, turn)

    def _plan(self, probe: Probe, is_well: bool, was_well: bool | None, now: int) -> None:
        turn, pace = probe.turn, _pace(probe.provider)
        turn.is_out = False
        turn.same = turn.same + 1 if is_well is was_well else 0
        first, most = (pace.well, pace.longest) if is_well else (pace.ill, pace.worst)
        turn.due = now + self._about(_doubled(first, turn.same, most))

    def _about(self, wait: int) -> int:
        return int(wait * (0.9 + 0.2 * self._chance()))


def found_by(status: int, provider: Provider) -> Found:
    """Say how a server is that answers a probe with ``status``.

    Who refuses the key, has no such page or is asked too often is there. A page elsewhere (3xx) is somebody else's.
    """
    if provider.quirks.health_path and status == _LOADING:
        return Found.LOADING
    return Found.WELL if 200 <= status < 300 or 400 <= status < 500 or status == _NO_LIST else Found.FAILING


def slots_in(told: JsonValue) -> Slots | None:
    """Read what a llama-server says of its slots, None if it cannot be read (``state`` is that of 2024)."""
    slots = [slot for slot in told if isinstance(slot, dict)] if isinstance(told, list) else []
    if not slots:
        return None
    return Slots(len(slots), sum(bool(slot.get("is_processing", slot.get("state"))) for slot in slots))


def _pace(provider: Provider) -> Pace:
    return NEAR if provider.quirks.health_path else FAR


def _circuit(provider: str, server: str, of: Provider) -> Circuit:
    return Circuit(provider, server, key_name(ours=judges_our_key(of)))


def _doubled(first: int, times: int, most: int) -> int:
    return min(first << min(times, _MOST_DOUBLINGS), most)
