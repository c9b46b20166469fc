"""How one provider is, as health tells it: by the breakers of its servers, by probes, by how full they are.

Strategy: what a probe saw a moment ago counts most. Where none did, a provider is away if it could not be asked for its
models lately, or if every server of it refuses connections by its breaker. Servers are told by number, in the
registry's order, never by address.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from providers.places import NO_LIMIT
from providers.pool.breaker import CircuitState
from providers.pool.bulkhead import Load
from providers.pool.trouble import State, Trouble
from providers.probing import FRESH, Found, Seen
from providers.provider import Provider

Json = dict[str, object]

# What an open breaker says of its provider, by what opened it; {seconds} until it is tried again. Whoever may call
# may read it, so the variable of a key is named in the log alone.
_RESTING: MappingProxyType[str, str] = MappingProxyType(
    {
        Trouble.AUTH: "{name} refuses its key; the log says which variable to look at.",
        Trouble.SPEND_LIMIT: "{name} says that the money or the quota behind its key is spent.",
        Trouble.RATE_LIMIT: "{name} limits our rate for {seconds} more seconds.",
    }
)
_FAILED = "{name} has failed of late and is left alone for a while."


def resting(breakers: Iterable[CircuitState]) -> list[str]:
    """Say who is left alone now and why, one sentence for each provider and cause; of several waits the longest."""
    waits: dict[tuple[str, str], int] = {}
    for state in breakers:
        if state.state is State.OPEN:
            key = state.circuit.provider, _RESTING.get(state.cause, _FAILED)
            waits[key] = max(state.wait_us, waits.get(key, 0))
    return [words.format(name=name, seconds=-(-wait // 1_000_000)) for (name, words), wait in sorted(waits.items())]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderHealth:
    """What is known of a provider at ``now`` (monotonic µs).

    ``unlisted``: it could not be reached when it was asked for its models. ``seen`` and ``loads`` are by server, and
    hold those that were probed, and those at which calls are counted.
    """

    provider: Provider
    unlisted: bool
    breakers: Sequence[CircuitState]
    now: int
    seen: Mapping[str, Seen] = field(default_factory=dict)
    loads: Mapping[str, Load] = field(default_factory=dict)

    def state(self) -> str:
        """Why it cannot be used, ``unreachable``, ``loading`` or ``ready``."""
        if not self.provider.ready:
            return self.provider.problem.partition(":")[0]  # the rest names a variable
        return "unreachable" if self.is_away() else "loading" if self._all_are(Found.LOADING) else "ready"

    def reasons(self) -> Iterator[str]:
        """Say what is wrong, one sentence each; what its breakers do is not among them."""
        name, servers = self.provider.name, self._servers()
        away = sum(self._found(server) is Found.AWAY for server in servers)
        if not self.provider.ready:
            return
        if self.is_away():
            yield f"{name} cannot be reached."
        elif self._all_are(Found.LOADING):
            yield f"{name} is loading its model."
        elif self._all_are(Found.AWAY, Found.SILENT, Found.FAILING):
            yield f"{name} does not answer well when it is asked how it is."
        elif away:
            yield f"{away} of {len(servers)} servers of {name} cannot be reached."

    def is_away(self) -> bool:
        """Whether nobody can be reached."""
        servers = self._servers()
        known = [server for server in servers if self._found(server) is not None]
        if any(self._found(server) is not Found.AWAY for server in known):
            return False
        refusing = {state.circuit.endpoint for state in self.breakers if _refuses(state)}
        return self.provider.ready and (self.unlisted or (bool(servers) and refusing.union(known) >= set(servers)))

    def shown(self) -> Json:
        """Everything, as JSON values."""
        servers = self._servers() if self.provider.ready else []
        return {
            "name": self.provider.name,
            "state": self.state(),
            "servers": [{**self._which(server), **self._server(server)} for server in servers],
            "breakers": [{**self._which(state.circuit.endpoint), **_breaker(state)} for state in self.breakers],
        }

    def _servers(self) -> list[str]:
        """Return its servers as breakers call them."""
        return [replica.name for replica in self.provider.replicas]

    def _which(self, server: str) -> Json:
        servers = self._servers()
        return {"server": servers.index(server) + 1} if len(servers) > 1 and server in servers else {}

    def _found(self, server: str) -> Found | None:
        """What a probe found a moment ago."""
        seen = self.seen.get(server)
        return seen.found if seen is not None and self.now - seen.at < FRESH else None

    def _all_are(self, *found: Found) -> bool:
        servers = self._servers()
        return bool(servers) and all(self._found(server) in found for server in servers)

    def _server(self, server: str) -> Json:
        seen, load = self.seen.get(server), self.loads.get(server)
        probe = _probe(seen, self.now) if seen is not None else None
        return {"probe": probe, **({"calls": _calls(load)} if load is not None else {})}


def _refuses(state: CircuitState) -> bool:
    return state.state is State.OPEN and state.cause == Trouble.REFUSED


def _probe(seen: Seen, now: int) -> Json:
    slots = seen.slots
    return {
        "found": seen.found.value,
        "seconds_ago": round((now - seen.at) / 1e6, 1),
        "latency_ms": round(seen.latency_us / 1e3, 1),
        **({"slots": {"total": slots.total, "busy": slots.busy}} if slots is not None else {}),
    }


def _calls(load: Load) -> Json:
    limit = None if load.limit == NO_LIMIT else load.limit
    return {"in_flight": load.in_flight, "limit": limit, "queued": load.queued, "room": load.room}


def _breaker(state: CircuitState) -> Json:
    """Show a breaker: the trouble that opened it last, and when it will let a call through."""
    return {
        "state": state.state.value,
        "cause": state.cause,
        "wait_seconds": round(state.wait_us / 1e6, 1),
        "openings": state.openings,
        "failures": dict(state.counts),
    }
