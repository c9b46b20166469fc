"""Health: answers GET /patchbay/health, and says no to every other path under /patchbay/.

The answer names providers, never addresses, keys or files: whoever may call may read it. What it says of a provider is
what is known by calls and by lists of models that were fetched; only the local server is asked anew.
"""

from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass

from mitmproxy import http

from addons import clock
from addons.configuration import Configuration
from addons.draining import Draining
from addons.exchanges import Exchanges
from addons.own_pages import answer, answer_error, own_page
from addons.recorder import Recorder
from addons.telemetry.store import StoreHealth
from providers.pool.breaker import CircuitState
from providers.pool.trouble import State, Trouble
from providers.provider import Provider
from providers.version import version

Json = dict[str, object]

_PAGE = "health"
_METHODS = ("GET", "HEAD")


class Health:
    """How Patchbay and those behind it are."""

    def __init__(
        self, exchanges: Exchanges, configuration: Configuration, draining: Draining, recorder: Recorder
    ) -> None:
        self._exchanges = exchanges
        self._configuration = configuration
        self._draining = draining
        self._recorder = recorder
        self._version = version()

    def request(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        """Answer what is asked under /patchbay/."""
        page = own_page(flow.request.path)
        if page is None or flow.response is not None or self._exchanges.of(flow) is None:
            return None
        if page != _PAGE:
            answer_error(flow, 404, "There is no such page. GET /patchbay/health says how Patchbay is.")
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
        answer(flow, {"status": facts.status(), **facts.shown()}, 503 if facts.draining else 200)

    def facts(self) -> "Facts":
        """Collect what is known now; asks nobody."""
        configuration, registry = self._configuration, self._configuration.registry
        return Facts(
            version=self._version,
            draining=self._draining.has_begun,
            in_flight=sum(1 for _ in self._exchanges.open()),
            providers=tuple(registry.providers.values()),
            unreachable=configuration.catalog.unreachable(),
            breakers=tuple(configuration.failover.breakers.snapshot(clock.now_us())),
            store=self._recorder.health(),
            generation=registry.generation,
            edit_refused=configuration.edit_refused,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What health is made of. ``store`` is None before the record is opened and after it was closed."""

    version: str
    draining: bool
    in_flight: int
    providers: Sequence[Provider]
    unreachable: frozenset[str]
    breakers: Sequence[CircuitState]
    store: StoreHealth | None
    generation: int
    edit_refused: bool

    def status(self) -> str:
        """``draining``, ``degraded`` (it serves, but `reasons` says what is wrong) or ``ok``."""
        return "draining" if self.draining else "degraded" if self.reasons() else "ok"

    def shown(self) -> Json:
        """Everything but the status, as JSON values."""
        return {
            "reasons": self.reasons(),
            "version": self.version,
            "calls_in_flight": self.in_flight,
            "providers": [self._provider(provider) for provider in self.providers],
            "recorder": _recorder(self.store),
            "configuration": {"generation": self.generation, "last_edit_refused": self.edit_refused},
        }

    def reasons(self) -> list[str]:
        """Say what is wrong, one sentence each."""
        away = [f"{provider.name} cannot be reached." for provider in self.providers if self._is_away(provider)]
        left = {state.circuit.provider for state in self.breakers if state.state is State.OPEN}
        resting = [f"{name} has failed of late and is left alone for a while." for name in sorted(left)]
        refused = ["The last edit of the configuration was refused; the log says why."] if self.edit_refused else []
        store = self.store
        unwritten = store is None or store.state != "ok"
        record = ["Calls cannot be recorded now; the log says why."] if unwritten and not self.draining else []
        return [*away, *resting, *refused, *record]

    def _provider(self, provider: Provider) -> Json:
        mine = [state for state in self.breakers if state.circuit.provider == provider.name]
        return {
            "name": provider.name,
            "state": self._state(provider),
            "breakers": [_breaker(state, _servers(provider)) for state in mine],
        }

    def _state(self, provider: Provider) -> str:
        if not provider.ready:
            return provider.problem.partition(":")[0]  # the rest names a variable
        return "unreachable" if self._is_away(provider) else "ready"

    def _is_away(self, provider: Provider) -> bool:
        """Whether it could not be asked for its models, or every server of it refuses connections."""
        servers = _servers(provider)
        refusing = set(_refusing(provider.name, self.breakers))
        return provider.ready and (provider.name in self.unreachable or (bool(servers) and refusing >= set(servers)))


def _servers(provider: Provider) -> list[str]:
    """Return its servers as breakers call them."""
    return [replica.name for replica in provider.replicas]


def _refusing(name: str, breakers: Iterable[CircuitState]) -> Iterable[str]:
    for state in breakers:
        if state.circuit.provider == name and state.state is State.OPEN and state.cause == Trouble.REFUSED:
            yield state.circuit.endpoint


def _breaker(state: CircuitState, servers: list[str]) -> Json:
    """Show a breaker; of several servers ``server`` counts from 1, in the registry's order."""
    endpoint = state.circuit.endpoint
    which: Json = {"server": servers.index(endpoint) + 1} if len(servers) > 1 and endpoint in servers else {}
    return {
        **which,
        "state": state.state.value,
        "cause": state.cause,
        "wait_seconds": round(state.wait_us / 1e6, 1),
        "openings": state.openings,
        "failures": dict(state.counts),
    }


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
