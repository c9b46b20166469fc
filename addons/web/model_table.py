"""Models as the page shows them: what can be named, who answers, whether it can be used now, what it costs."""

import asyncio
import time
from collections.abc import Iterator

from addons.web.replies import Json
from providers.catalog import Catalog, ModelEntry
from providers.exchange.price import Price
from providers.model_entry import EXTERNAL, LOADED, static_entry
from providers.pricing import Prices
from providers.provider import Provider
from providers.registry import Registry

# llama-server's own words for its models; any other word of it means that it can load the model when it is asked.
_TURN = 0.005  # seconds
_STATES = {LOADED: "loaded", "loading": "loading"}


async def model_table(registry: Registry, catalog: Catalog, prices: Prices) -> list[Json]:
    """Return every model that can be named, local ones first, then by name; asks nobody.

    A long list of prices is looked up in turns, so that streams go on in between.
    """
    away, rows, began = catalog.unreachable(), [], time.monotonic()
    for entry in (*catalog.known(), *_locked(registry)):
        rows.append(_row(entry, registry, entry.provider in away, prices))
        if time.monotonic() - began > _TURN:
            await asyncio.sleep(0)
            began = time.monotonic()
    return sorted(rows, key=lambda row: (not row["local"], str(row["name"]).lower()))


def _row(entry: ModelEntry, registry: Registry, is_away: bool, prices: Prices) -> Json:
    provider, alias = registry.providers[entry.provider], registry.resolver.aliases.get(entry.id)
    route = next((target for target in alias.targets if target.provider == provider), None) if alias else None
    price = (route.price if route else None) or prices.price_of(provider, entry.upstream_id)
    return {
        "name": entry.id,
        "provider": entry.provider,
        "kind": provider.kind,
        "state": _state(entry, provider, is_away),
        "context": entry.context_length,
        "modalities": list(entry.modalities or ()),
        "price": _shown(price) if price else None,
        "alias_of": f"{entry.provider}/{entry.upstream_id}" if alias else None,
        "local": not provider.external,
    }


def _shown(price: Price) -> Json:
    """Return US dollars for a million tokens; what a long prompt costs beyond that is left to the bill."""
    rates = price.rates
    return {
        "input": rates.input,
        "output": rates.output,
        "cache_read": rates.cache_read,
        "cache_write": rates.cache_write,
        "source": price.source,
    }


def _state(entry: ModelEntry, provider: Provider, is_away: bool) -> str:
    if not provider.ready:
        return "no_key"
    if is_away:
        return "unreachable"
    return "available" if entry.status == EXTERNAL else _STATES.get(entry.status, "available")


def _locked(registry: Registry) -> Iterator[ModelEntry]:
    """Yield what the registry names of providers that have no key: what would be there if they had one."""
    for provider in registry.providers.values():
        if not provider.ready:
            yield from (static_entry(provider, f"{provider.name}/{name}") for name in provider.models)
    for name, rule in registry.resolver.aliases.items():
        if rule.targets and not any(target.provider.ready for target in rule.targets):
            target = rule.targets[0]
            yield ModelEntry(name, target.provider.name, target.model or name)
