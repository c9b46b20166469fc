"""What calls cost: whose price counts, and the sum of all attempts.

Strategy: of four words the first that is there counts: the provider's own figure for the call; the registry's price
(of the route, else of the provider); the price in the provider's own list of models, where that was fetched; the public
price by `genai_prices`. Nobody's word: the cost is unknown, which is None and never 0. A price is looked up once for
each model and kept for a quarter of an hour, since some change with the time of day.

Terms that change a price (a service tier, tokens of audio) are known to the public table or make the cost unknown.
"""

import time
from collections.abc import Callable

from providers.catalog import Catalog
from providers.exchange.account import AttemptAccount, ExchangeAccount
from providers.exchange.price import Price
from providers.price_table import PriceTable
from providers.provider import Provider
from providers.registry import Registry
from providers.wire.counts import COUNTING

PROVIDER = "provider"
"""The source of a figure that the provider sent with its answer."""

_SURE = (PROVIDER, "registry", "provider list", "genai-prices")  # the surest word first
_KEPT = 900.0  # seconds; prices that change within a day do so at the half hour
_MOST_KEPT = 5000  # clients may write what they like


class Prices:
    """The prices of all models. Used from one event loop; ``clock`` gives seconds since the epoch."""

    def __init__(
        self,
        registry_getter: Callable[[], Registry],
        catalog: Catalog,
        table: PriceTable | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._registry_getter = registry_getter
        self._catalog = catalog
        self._table = table or PriceTable()
        self._clock = clock
        self._registry: Registry | None = None
        self._kept: dict[tuple[str, str, str | None, float], Price | None] = {}

    def prepare(self) -> None:
        """Have the public prices loaded where somebody can be asked who has some; returns at once."""
        self._registry = registry = self._registry_getter()
        self._kept.clear()
        if any(provider.ready and _is_public(provider) for provider in registry.providers.values()):
            self._table.prepare()

    def price_of(self, provider: Provider, model: str) -> Price | None:
        """Return what a provider's model costs now; None: nobody knows.

        A route may have a price of its own (`providers.resolve.Target.price`), which wins.
        """
        return provider.price or self._public(provider, model, None, self._clock())

    def settle_cost(self, account: ExchangeAccount) -> None:
        """Set cost and source of each attempt that told what it used, and of the exchange: their sum.

        One attempt whose tokens nobody can price makes the sum unknown. The sum's source is the least sure one. To
        count a prompt uses nothing: providers do it for free.
        """
        if self._registry is not self._registry_getter():
            self.prepare()
        told = [attempt for attempt in account.attempts if attempt.used.counts or attempt.used.cost is not None]
        if not told or account.operation in COUNTING:
            return
        costs = [self._settle(attempt, account.started_at) for attempt in told]
        known = [cost for cost in costs if cost is not None]
        if len(known) == len(costs):
            account.cost = sum(known)
            account.price_source = max((attempt.price_source for attempt in told), key=_SURE.index)

    def _settle(self, attempt: AttemptAccount, when: float) -> float | None:
        used = attempt.used
        if used.cost is not None:
            attempt.cost, attempt.price_source = used.cost, PROVIDER
            return used.cost
        price = attempt.price or self._looked_up(attempt, when)
        if price is not None and (cost := price.cost(used)) is not None:
            attempt.cost, attempt.price_source = cost, price.source
        return attempt.cost

    def _looked_up(self, attempt: AttemptAccount, when: float) -> Price | None:
        provider = self._registry_getter().providers.get(attempt.provider)
        return None if provider is None else self._public(provider, attempt.model, attempt.used.terms, when)

    def _public(self, provider: Provider, model: str, terms: str | None, when: float) -> Price | None:
        if not _is_public(provider):
            return None
        if terms is None and (listed := self._catalog.price(provider, model)) is not None:
            return listed
        key = (provider.name, model, terms, when // _KEPT)
        if key not in self._kept:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[key] = self._table.find(provider.base_url, provider.price_list or "", model, terms, when)
        return self._kept[key]


def _is_public(provider: Provider) -> bool:
    """Whether it may have public prices: what runs at home (a llama-server, what has no name to trust) has none."""
    return bool(provider.price_list) or (provider.price_list == "" and provider.base_url.startswith("https:"))
