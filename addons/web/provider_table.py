"""Providers as the page shows them: how each is, whether it has its key, and what to do where something is missing."""

from collections import Counter
from collections.abc import Iterable, Mapping

from addons.health import Facts
from addons.web.replies import Json
from providers.provider import LOCAL, Provider

_NO_KEY = "no_key"
# state → what to do; {variable} is the one that holds the key.
_HINTS = {
    _NO_KEY: "Set {variable} in .env: it is read while Patchbay runs.",
    "unreachable": "It does not answer. Its calls are refused, or go to the next target of their route, until it does.",
    "loading": "It loads its model. Calls wait for it.",
}
_LOCAL_AWAY = "Start llama-server, or set PATCHBAY_LOCAL_BASE_URL to where it listens."
_UNNAMED = "Name the variable that holds its key under api_key in registry.yaml."


def provider_table(facts: Facts, asked: Iterable[str]) -> list[Json]:
    """Return every provider; ``asked`` names the provider of each call in flight."""
    in_flight = Counter(asked)
    told = facts.shown()["providers"]
    assert isinstance(told, list)
    rows = zip(facts.providers, told, strict=True)
    return [_row(provider, health, in_flight[provider.name]) for provider, health in rows]


def _row(provider: Provider, health: Mapping[str, object], in_flight: int) -> Json:
    state = _NO_KEY if not provider.ready else str(health["state"])
    return {
        "name": provider.name,
        "kind": provider.kind,
        "state": state,
        "key": _key(provider),
        "variable": provider.key_name or None,
        "hint": _hint(provider, state),
        "dialects": sorted(provider.dialects),
        "breakers": health["breakers"],
        "endpoints": health["servers"],
        "in_flight": in_flight,
    }


def _key(provider: Provider) -> str:
    if provider.key is not None:
        return "configured"
    return "not_needed" if provider.ready else "missing"


def _hint(provider: Provider, state: str) -> str:
    if state == "unreachable" and provider.name == LOCAL:
        return _LOCAL_AWAY
    if state == _NO_KEY and not provider.key_name:
        return _UNNAMED
    return _HINTS.get(state, "").format(variable=provider.key_name)
