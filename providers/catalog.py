"""The merged list of models: asks each provider, keeps what it was told, names each model so that it can be called.

Strategy: one listing per provider, fetched at the same time, each with its own deadline and its own age. A provider
that fails keeps what it said before and is asked again a little later; one that never answered costs its own entries
and nothing else. A listing belongs to one `Provider` value: after a reload that changed the provider it no longer
counts.
"""

import asyncio
import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from providers.client import NO_SUCH_PATH, TIMEOUT, Client
from providers.errors import Rejected, TimedOut, Unreachable, UpstreamError
from providers.exchange.price import Price
from providers.model_entry import (
    ModelEntry,
    anthropic_model,
    anthropic_shape,
    entries_from,
    openai_model,
    openai_shape,
    static_entry,
)
from providers.price_list import listed_price
from providers.provider import LOCAL, Provider, Replica
from providers.registry import Registry

__all__ = ["Catalog", "ModelEntry", "anthropic_model", "anthropic_shape", "openai_model", "openai_shape"]

# Seconds. The local server is near, and which of its models are loaded changes while one looks.
FRESH = 600.0
LOCAL_FRESH = 10.0
RETRY = 15.0
_NEWS = 45.0  # after which a failed question that was not asked again says nothing any more
_MOST_PAGES = 20


@dataclass(slots=True)
class _Listing:
    """What one provider listed; ``due`` is when it is to be asked again (monotonic seconds)."""

    provider: Provider
    models: list[ModelEntry]
    due: float
    error: str = ""
    names: frozenset[str] = frozenset()
    windows: dict[str, int] = field(default_factory=dict)
    prices: dict[str, Price] = field(default_factory=dict)
    unreachable: bool = False

    def __post_init__(self) -> None:
        """Collect the ids, windows and prices once: calls ask for them."""
        self.names = frozenset(_names(self.models))
        for entry in self.models:
            if (price := listed_price(entry.raw)) is not None:
                self.prices[entry.upstream_id] = price
            if entry.context_length is not None:
                self.windows.update(dict.fromkeys(_names([entry]), entry.context_length))


class Catalog:
    """The models of all ready providers. Used from one event loop.

    ``on_unreachable`` is told the name of a provider that no connection could be made to.
    """

    def __init__(
        self,
        registry_getter: Callable[[], Registry],
        client: Client,
        clock: Callable[[], float] = time.monotonic,
        *,
        on_unreachable: Callable[[str], None] | None = None,
    ) -> None:
        self._registry = registry_getter
        self._client = client
        self._clock = clock
        self._on_unreachable = on_unreachable
        self._listings: dict[str, _Listing] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    async def models(self) -> list[ModelEntry]:
        """Return the merged list: the local server's, then each ready provider's, then the aliases."""
        await self.refresh(stale_only=True)
        return self.known()

    async def refresh(self, *, stale_only: bool = False) -> None:
        """Ask the providers again, all at the same time; with ``stale_only`` those whose list has become old."""
        ready = [provider for provider in self._registry().providers.values() if provider.ready]
        asked = [provider for provider in ready if not stale_only or self._is_stale(provider)]
        if tasks := [self._task(provider) for provider in asked]:
            await asyncio.wait(tasks)  # a caller that is cancelled leaves the others their answer
            for task in tasks:
                task.result()

    def local_ids(self) -> frozenset[str]:
        """Return what the local server calls its models, as far as known; asks nobody."""
        listing = self._listing(self._registry().local)
        return listing.names if listing else frozenset()

    def window(self, provider: Provider, model: str) -> int | None:
        """Return how many tokens a provider's model reads, None where it did not say; asks nobody."""
        listing = self._listing(provider)
        return listing.windows.get(model) if listing else None

    def price(self, provider: Provider, model: str) -> Price | None:
        """Return what a provider's own list says that a model costs, None where it does not; asks nobody."""
        listing = self._listing(provider)
        return listing.prices.get(model) if listing else None

    def local_is_unknown(self) -> bool:
        """Whether `local_ids` is old or was never told: `know_local` asks."""
        local = self._registry().local
        return local.ready and self._is_stale(local)

    async def know_local(self, patience: float) -> None:
        """Have `local_ids` current: ask when they are old; wait, for so many seconds, only where nothing is known."""
        local = self._registry().local
        if self.local_is_unknown():
            task = self._task(local)
            if self._listing(local) is None:
                await asyncio.wait([task], timeout=patience)

    def forget(self, name: str) -> None:
        """Let go of what a provider listed: it was changed, and its old key must not be kept with the list."""
        self._listings.pop(name, None)
        self._running.pop(name, None)

    def errors(self) -> dict[str, str]:
        """Return why a provider could not be asked lately, by name."""
        return {name: listing.error for name, listing in self._listings.items() if listing.error}

    def unreachable(self) -> frozenset[str]:
        """Return the names of providers that did not answer when they were asked within the last minute or so."""
        news = self._clock() - _NEWS
        providers = self._registry().providers.values()
        found = ((provider.name, self._listing(provider)) for provider in providers)
        return frozenset(name for name, listing in found if listing and listing.unreachable and listing.due > news)

    def find(self, model: str) -> ModelEntry | None:
        """Return what is known of the model that a client means by ``model``, also as ``provider/id``; asks nobody."""
        listed = self.known()
        return next(
            (entry for entry in listed if entry.id == model),
            next((entry for entry in listed if f"{entry.provider}/{entry.upstream_id}" == model), None),
        )

    def known(self) -> list[ModelEntry]:
        """Return the merged list from what is known; asks nobody."""
        registry = self._registry()
        entries: dict[str, ModelEntry] = {}
        for provider in sorted(registry.providers.values(), key=lambda provider: provider.name != LOCAL):
            if provider.ready:
                for entry in self._callable(registry, self._of(provider)):
                    entries.setdefault(entry.id, entry)
        for entry in self._aliases(registry, entries.values()):
            entries.setdefault(entry.id, entry)
        return list(entries.values())

    def _of(self, provider: Provider) -> list[ModelEntry]:
        """Return a provider's models: those it lists, and those that the registry lists for it."""
        listing = self._listing(provider)
        listed = listing.models if listing else []
        names = {entry.id for entry in listed}
        return [*listed, *(static_entry(provider, name) for name in provider.models if name not in names)]

    def _callable(self, registry: Registry, entries: Iterable[ModelEntry]) -> Iterator[ModelEntry]:
        """Name each model so that it leads to its provider: by its own id where that does, else as ``provider/id``."""
        local = self.local_ids()
        for entry in entries:
            for name in (entry.upstream_id, f"{entry.provider}/{entry.upstream_id}"):
                target = registry.resolve(name, local).targets[0]
                if target.provider.name == entry.provider and (target.model or name) == entry.upstream_id:
                    yield dataclasses.replace(entry, id=name)
                    break

    def _aliases(self, registry: Registry, listed: Iterable[ModelEntry]) -> Iterator[ModelEntry]:
        """List each alias of a ready provider with what is known of the model it leads to."""
        by_target = {(entry.provider, entry.upstream_id): entry for entry in listed}
        for name, rule in registry.resolver.aliases.items():
            target = next((target for target in rule.targets if target.provider.ready), None)
            if target is not None:
                model = target.model or name
                entry = by_target.get((target.provider.name, model)) or static_entry(target.provider, model)
                yield dataclasses.replace(entry, id=name, price=target.price)

    def _listing(self, provider: Provider) -> _Listing | None:
        found = self._listings.get(provider.name)
        return found if found and found.provider == provider else None

    def _is_stale(self, provider: Provider) -> bool:
        listing = self._listing(provider)
        return listing is None or listing.due <= self._clock()

    def _task(self, provider: Provider) -> asyncio.Task[None]:
        """Return the running request to this provider, or begin one."""
        running = self._running.get(provider.name)
        if running is None or running.done():
            running = asyncio.get_running_loop().create_task(self._fetch(provider), name=f"models of {provider.name}")
            self._running[provider.name] = running
        return running

    async def _fetch(self, provider: Provider) -> None:
        before = self._listing(provider)
        fresh, error = FRESH if provider.external else LOCAL_FRESH, ""
        away = False
        try:
            models = await self._ask(provider)
        except UpstreamError as failure:
            models = before.models if before else []
            if not (isinstance(failure, Rejected) and failure.status in NO_SUCH_PATH):  # else it has no list
                fresh, error = RETRY, str(failure)
            away = isinstance(failure, Unreachable | TimedOut)
            if isinstance(failure, Unreachable) and self._on_unreachable is not None:
                self._on_unreachable(provider.name)
        if self._registry().providers.get(provider.name) != provider:
            return  # it was changed meanwhile
        due = self._clock() + fresh
        self._listings[provider.name] = _Listing(provider, models, due, error, unreachable=away)

    async def _ask(self, provider: Provider) -> list[ModelEntry]:
        """Return the list of the first server that has one: they are all the same. Raises what the last one raised."""
        if provider.virtual or not provider.quirks.lists_models:
            return []
        deadline = self._clock() + TIMEOUT
        *others, last = provider.replicas
        for after, server in zip(range(len(others), 0, -1), others, strict=True):
            left = deadline - self._clock()
            with suppress(UpstreamError):  # a silent one must leave the others some of the time
                return await self._list(provider, server, self._clock() + left / (after + 1))
        return await self._list(provider, last, deadline)

    async def _list(self, provider: Provider, server: Replica, deadline: float) -> list[ModelEntry]:
        """Return a server's whole list, page by page where it has pages."""
        found: list[ModelEntry] = []
        query = provider.quirks.models_query
        for _ in range(_MOST_PAGES):
            left = max(deadline - self._clock(), 0.01)
            answer = await self._client.ask(provider, "/models", query, left, server)
            page = entries_from(provider, answer)
            found += page
            if not (page and isinstance(answer, dict) and answer.get("has_more") is True):
                break
            query = "&".join(filter(None, (provider.quirks.models_query, f"after_id={page[-1].upstream_id}")))
        return found


def _names(models: Iterable[ModelEntry]) -> Iterator[str]:
    """Yield the ids, and llama-server's own aliases of them."""
    for entry in models:
        yield entry.upstream_id
        aliases = entry.raw.get("aliases")
        yield from (alias for alias in aliases if isinstance(alias, str)) if isinstance(aliases, list) else ()
