"""Health: answers GET /patchbay/health, and says no to every other path under /patchbay/.

The answer names providers, never addresses, keys or files: whoever may call may read it. Why an edit of the
configuration was refused is told in full to programs on this machine alone. What it says of a provider is
what is known by calls, by probes and by lists of models that were fetched (`addons.provider_health`); only the local
server is asked anew.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from mitmproxy import http

from addons import clock
from addons.configuration import Configuration
from addons.exchanges import Exchanges
from addons.own_pages import answer, answer_error, own_page
from addons.process.draining import Draining
from addons.provenance import comes_from_here
from addons.provider_health import ProviderHealth, resting
from addons.recorder import Recorder
from addons.telemetry.store import StoreHealth
from providers.pool.breaker import CircuitState
from providers.pool.bulkhead import Load
from providers.probing import Seen
from providers.provider import Provider
from providers.version import version

Json = dict[str, object]

_PAGE = "health"
_METHODS = ("GET", "HEAD")


class Vital(Protocol):
    """Something of the process itself that health tells, by name."""

    def vitals(self) -> Json:
        """Return its numbers."""
        ...


class Health:
    """How Patchbay and those behind it are."""

    def __init__(
        self,
        exchanges: Exchanges,
        configuration: Configuration,
        draining: Draining,
        recorder: Recorder,
        vital: Sequence[Vital] = (),
    ) -> None:
        self._exchanges = exchanges
        self._configuration = configuration
        self._draining = draining
        self._recorder = recorder
        self._vital = vital
        self._version = version()

    def request(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        """Answer what is asked under /patchbay/."""
        page = own_page(flow.request.path)
        if page is None or flow.response is not None or self._exchanges.of(flow) is None:
            return None
        if page != _PAGE:
            answer_error(
                flow,
                404,
                "There is no such page. People go to /patchbay/, programs to /patchbay/health and /patchbay/metrics.",
            )
        elif flow.request.method not in _METHODS:
            answer_error(flow, 405, "Health is only read: use GET.")
            assert flow.response is not None
            flow.response.headers["allow"] = ", ".join(_METHODS)
        else:
            return self._tell(flow)
        return None

    async def _tell(self, flow: http.HTTPFlow) -> None:
        await self._configuration.catalog.know_local(0)  # for the next time: nobody waits for it
        facts = self.facts()
        if facts.edit_refused and comes_from_here(flow):
            facts = replace(facts, refusal=self._configuration.refusal or "")
        answer(flow, {"status": facts.status(), **facts.shown()}, 503 if facts.draining else 200)

    def facts(self) -> "Facts":
        """Collect what is known now; asks nobody."""
        configuration, registry, now = self._configuration, self._configuration.registry, clock.now_us()
        failover, places = configuration.failover, list(_places(registry.providers.values()))
        return Facts(
            version=self._version,
            draining=self._draining.has_begun,
            in_flight=sum(1 for _ in self._exchanges.open()),
            providers=tuple(registry.providers.values()),
            unreachable=configuration.catalog.unreachable(),
            breakers=tuple(failover.breakers.snapshot(now)),
            store=self._recorder.health(),
            generation=registry.generation,
            edit_refused=configuration.edit_refused,
            now=now,
            seen=_known(places, failover.probing.seen),
            loads=_known(places, failover.places.load),
            process={name: value for vital in self._vital for name, value in vital.vitals().items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What health is made of. ``store`` is None before the record is opened and after it was closed.

    ``refusal`` is why the last edit was refused, where the asker may know: it quotes the files. ``process`` is what the
    program says of itself. ``now`` is in monotonic µs; ``seen`` and ``loads`` are by provider and server.
    """

    version: str
    draining: bool
    in_flight: int
    providers: Sequence[Provider]
    unreachable: frozenset[str]
    breakers: Sequence[CircuitState]
    store: StoreHealth | None
    generation: int
    edit_refused: bool
    refusal: str = ""
    process: Json = field(default_factory=dict)
    now: int = 0
    seen: Mapping[tuple[str, str], Seen] = field(default_factory=dict)
    loads: Mapping[tuple[str, str], Load] = field(default_factory=dict)

    def status(self) -> str:
        """``draining``, ``degraded`` (it serves, but `reasons` says what is wrong) or ``ok``."""
        return "draining" if self.draining else "degraded" if self.reasons() else "ok"

    def shown(self) -> Json:
        """Everything but the status, as JSON values."""
        return {
            "reasons": self.reasons(),
            "version": self.version,
            "calls_in_flight": self.in_flight,
            "providers": [self._of(provider).shown() for provider in self.providers],
            "recorder": _recorder(self.store),
            "configuration": {"generation": self.generation, "last_edit_refused": self.edit_refused},
            "process": self.process,
        }

    def reasons(self) -> list[str]:
        """Say what is wrong, one sentence each."""
        ill = [reason for provider in self.providers for reason in self._of(provider).reasons()]
        said = ": " + "; ".join(self.refusal.splitlines()) if self.refusal else "; the log says why."
        refused = [f"The last edit of the configuration was refused{said}"] if self.edit_refused else []
        store = self.store
        unwritten = store is None or store.state != "ok"
        record = ["Calls cannot be recorded now; the log says why."] if unwritten and not self.draining else []
        return [*ill, *resting(self.breakers), *refused, *record]

    def _of(self, provider: Provider) -> ProviderHealth:
        name = provider.name
        return ProviderHealth(
            provider=provider,
            unlisted=name in self.unreachable,
            breakers=[state for state in self.breakers if state.circuit.provider == name],
            now=self.now,
            seen={server: seen for (of, server), seen in self.seen.items() if of == name},
            loads={server: load for (of, server), load in self.loads.items() if of == name},
        )


def _places(providers: Iterable[Provider]) -> Iterator[tuple[str, str]]:
    """Yield provider and server, as probes and places call them."""
    return ((provider.name, server.name) for provider in providers for server in provider.replicas)


def _known[T](places: Iterable[tuple[str, str]], ask: Callable[[str, str], T | None]) -> dict[tuple[str, str], T]:
    return {place: found for place in places if (found := ask(*place)) is not None}


def _recorder(store: StoreHealth | None) -> Json:
    if store is None:
        return {"state": "closed"}
    return {
        "state": store.state,
        "queued": store.queued,
        "dropped": store.dropped,
        "dropped_bodies": store.dropped_bodies,
        "write_errors": store.write_errors,
    }
