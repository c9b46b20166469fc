"""Public prices by the package `genai_prices`: its bundled table, never a question to a network.

Strategy: to import the package takes a fifth of a second and some 20 MiB, so that is done on a thread, and only where
somebody may be asked whose prices stand in it. Who needs a price before that is done waits for the rest of it. What is
found is turned into a `Price` of ours once; whoever asks keeps it.
"""

import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from threading import Thread
from typing import TYPE_CHECKING

from providers.exchange.price import Price, Rates, rates

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo, ModelPrice, Provider, TieredPrices

logger = logging.getLogger(__name__)

SOURCE = "genai-prices"
# Our word for the terms of a call (`providers.wire.charges`) → what the table calls them. All others it does not know.
_CONTEXTS: dict[str, dict[str, str]] = {
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "fast": {"service_tier": "fast"},
    "speed=fast": {"speed": "fast"},
    "batch": {"processing": "batch"},
}


class PriceTable:
    """The table, loaded when it is first wanted."""

    def __init__(self) -> None:
        self._thread: Thread | None = None
        self._snapshot: DataSnapshot | None = None

    def prepare(self) -> Thread:
        """Begin to load it, on a thread of its own, which is returned."""
        if self._thread is None:
            self._thread = Thread(target=self._load, name="prices", daemon=True)
            self._thread.start()
        return self._thread

    def _load(self) -> None:
        try:
            from genai_prices.data_snapshot import get_snapshot
        except ImportError as error:
            logger.warning("The public prices cannot be read, so most calls have no known cost: %s", error)
        else:
            self._snapshot = get_snapshot()

    def find(self, place: str, name: str, model: str, terms: str | None, when: float) -> Price | None:
        """Return the price of a model at a time (seconds since the epoch), None where the table has none.

        ``place`` is the base URL of who is asked, ``name`` whose list counts where no list belongs to that ("": none).
        ``terms`` are those of the call, None for the usual ones.
        """
        self.prepare().join()
        if self._snapshot is None or (found := _found(self._snapshot, place, name, model)) is None:
            return None
        provider, info = found
        context = None if terms is None else _context(provider, info, terms, when)
        if terms is not None and context is None:
            return None
        return _price(info.get_prices(_moment(when), context))


def _found(snapshot: "DataSnapshot", place: str, name: str, model: str) -> "tuple[Provider, ModelInfo] | None":
    lists = [{"provider_id": None, "provider_api_url": place}] if place else []
    lists += [{"provider_id": name, "provider_api_url": None}] if name else []
    for asked in lists:
        try:
            provider = snapshot.find_provider(None, **asked)
        except LookupError:
            continue
        info = provider.find_model(model, all_providers=snapshot.providers)
        return None if info is None else (provider, info)
    return None


def _context(provider: "Provider", info: "ModelInfo", terms: str, when: float) -> Mapping[str, str] | None:
    """Return the table's words for the terms, None where it has no price for them."""
    context, now = _CONTEXTS.get(terms), _moment(when)
    if context is None or not any(info is own for own in provider.models):
        return None
    known = any(
        variant.when == context and (variant.constraint is None or variant.constraint.active(now))
        for variant in info.price_variants or ()
    )
    return context if known else None


def _moment(when: float) -> datetime:
    return datetime.fromtimestamp(when, UTC)


def _price(listed: "ModelPrice") -> Price | None:
    if listed.input_mtok is None:  # of speech, pages and the like, which are counted otherwise; or nobody knows
        return None
    sizes = sorted({size for size in _sizes(listed)}, reverse=True)
    return Price(_rates(listed, 0), SOURCE, tuple((size, _rates(listed, size + 1)) for size in sizes))


def _sizes(listed: "ModelPrice") -> Iterator[int]:
    for value in vars(listed).values():
        if value is not None and not isinstance(value, Decimal):
            yield from (tier.start for tier in value.tiers)


def _rates(listed: "ModelPrice", tokens: int) -> Rates:
    """Return the rates for a prompt of so many tokens."""
    return rates(
        _dollars(listed.input_mtok, tokens),
        _dollars(listed.output_mtok, tokens),
        cache_read=_dollars(listed.cache_read_mtok, tokens),
        cache_write=_dollars(listed.cache_write_mtok, tokens),
        cache_write_1h=_dollars(listed.cache_write_1h_mtok, tokens),
        reasoning=_dollars(listed.output_reasoning_mtok, tokens),
        search=_dollars(listed.web_searches_kcount, tokens),
        request=_dollars(listed.requests_kcount, tokens),
    )


def _dollars(value: "Decimal | TieredPrices | None", tokens: int) -> float | None:
    if value is None or isinstance(value, Decimal):
        return None if value is None else float(value)
    return float(next((tier.price for tier in reversed(value.tiers) if tokens > tier.start), value.base))
