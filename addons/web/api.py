"""What the page asks for, by path: each answer is made whole, and bounded."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from sqlite3 import Connection
from typing import NamedTuple
from urllib.parse import unquote

from mitmproxy import http

from addons.configuration import Configuration
from addons.exchanges import Exchanges, InHand
from addons.health import Health
from addons.relay.feed import Feed
from addons.telemetry import facets, history
from addons.telemetry.conversation import without_keys
from addons.telemetry.dialects import summary_of
from addons.telemetry.ledger import UNREADABLE
from addons.web.asked import Asked, midnight
from addons.web.clients import clients
from addons.web.exchange_view import bounded, exchange_view, request_again
from addons.web.live import Live
from addons.web.model_table import model_table
from addons.web.numbers_view import BY, numbers_view
from addons.web.provider_table import provider_table
from addons.web.record import Record
from addons.web.replies import EVENTS, Json, ProblemError, reply, reply_json
from addons.web.resend import NotPossibleError
from providers.pricing import Prices
from providers.wire.notes import Rejected
from providers.wire.request import to_json
from providers.wire.values import mapping

_PATIENCE = 2.0  # seconds that providers have to tell their models; what is known is shown then
_UNKNOWN = "There is no such thing to ask for. The page at /patchbay/ asks for all there is."
_LOOKS, _MOMENT = 4, 0.1  # how often, and after how many seconds again, a call is looked for in the record
_NO_CALL = "No call of this id is in the record. It may have been deleted, or the record may be another one now."
_NOT_RUNNING = "This call does not run any more: look for it in the history."
_STOPPING = "Patchbay is being stopped."


class Sources(NamedTuple):
    """Those who know what the page shows."""

    exchanges: Exchanges
    configuration: Configuration
    health: Health
    live: Live
    prices: Prices


Answer = Callable[["Api", Asked, tuple[str, ...]], Awaitable[Json | Feed]]


class Api:
    """Answers; ``record`` is read on other threads."""

    def __init__(self, sources: Sources, record: Record) -> None:
        self._sources = sources
        self._record = record

    async def answer(self, flow: http.HTTPFlow, path: str) -> None:
        """Answer what is asked for at ``path``, which stands below /patchbay/api/. Raises ProblemError."""
        for pattern, answer in _PATHS:
            if found := pattern.fullmatch(path):
                parts = tuple(map(unquote, found.groups()))
                told = await answer(self, Asked.of(flow), parts)
                self._tell(flow, told)
                return
        raise ProblemError(404, _UNKNOWN)

    def _tell(self, flow: http.HTTPFlow, told: Json | Feed) -> None:
        if not isinstance(told, Feed):
            reply_json(flow, told)
            return
        reply(flow, b"", EVENTS, cache_control="no-store", x_accel_buffering="no")
        in_hand = self._sources.exchanges.of(flow)
        assert in_hand is not None  # it is released only when it was answered
        in_hand.feed = told

    async def _models(self, _asked: Asked, _parts: tuple[str, ...]) -> Json:
        configuration = self._sources.configuration
        refreshing = asyncio.ensure_future(configuration.catalog.refresh(stale_only=True))
        await asyncio.wait([refreshing], timeout=_PATIENCE)  # not cancelled: the next one will see what it brings
        return {"models": await model_table(configuration.registry, configuration.catalog, self._sources.prices)}

    async def _providers(self, asked: Asked, _parts: tuple[str, ...]) -> Json:
        in_flight = [in_hand.exchange for _, in_hand in self._sources.exchanges.open()]
        names = [exchange.account.provider for exchange in in_flight if exchange is not None]
        return {"providers": provider_table(self._sources.health.facts(), names), "clients": clients(asked.host)}

    async def _live(self, _asked: Asked, _parts: tuple[str, ...]) -> Feed:
        if self._sources.live.is_closed:
            raise ProblemError(503, _STOPPING)
        return self._sources.live.listen()

    async def _live_call(self, _asked: Asked, parts: tuple[str, ...]) -> Feed:
        live = self._sources.live
        in_hand = live.find(parts[0])
        if in_hand is None or live.is_closed:
            raise ProblemError(404, _NOT_RUNNING)
        return live.watch(in_hand, await asyncio.to_thread(_messages, in_hand, live))

    async def _history(self, asked: Asked, _parts: tuple[str, ...]) -> Json:
        wanted, limit = asked.wanted(), asked.limit()
        rows, following = await self._record.read(lambda connection: history.page(connection, wanted, limit))
        return {"exchanges": rows, "next": following}

    async def _facets(self, _asked: Asked, _parts: tuple[str, ...]) -> Json:
        return {**await self._record.read(facets.facets)}

    async def _exchange(self, _asked: Asked, parts: tuple[str, ...]) -> Json:
        return await self._of_call(parts[0], lambda connection: exchange_view(connection, parts[0]))

    async def _request(self, asked: Asked, parts: tuple[str, ...]) -> Json:
        model = asked.text("model")
        if model is None:
            raise ProblemError(400, "Say which model is to answer: ?model=NAME.")
        try:
            return await self._of_call(parts[0], lambda connection: request_again(connection, parts[0], model))
        except (NotPossibleError, Rejected) as error:
            raise ProblemError(400, str(error)) from error

    async def _of_call(self, identifier: str, question: Callable[[Connection], Json]) -> Json:
        for _ in range(_LOOKS):
            try:
                return await self._record.read(question)
            except KeyError:  # it may have ended just now: the record follows within a moment
                await asyncio.sleep(_MOMENT)
        raise ProblemError(404, _NO_CALL)

    async def _numbers(self, asked: Asked, _parts: tuple[str, ...]) -> Json:
        by = asked.choice("by", BY)
        now = datetime.now()
        since = midnight(now.date() - timedelta(days=asked.days() - 1))
        return await self._record.read(lambda connection: numbers_view(connection, since, now.timestamp(), by))


_ANSWERS: dict[str, Answer] = {
    "models": Api._models,
    "providers": Api._providers,
    "live": Api._live,
    "live/([^/]+)": Api._live_call,
    "history": Api._history,
    "history/facets": Api._facets,
    "exchanges/([^/]+)": Api._exchange,
    "exchanges/([^/]+)/request": Api._request,
    "numbers": Api._numbers,
}
_PATHS = tuple((re.compile(pattern), answer) for pattern, answer in _ANSWERS.items())


def _messages(in_hand: InHand, live: Live) -> list[Json]:
    """Return what was said so far in a running call, without keys; on another thread."""
    exchange, request = in_hand.exchange, in_hand.request
    assert exchange is not None
    if request is None:
        return []
    try:
        said = summary_of(exchange.account.dialect, request).messages
    except UNREADABLE:
        return []
    cleaner = live.cleaner(in_hand)
    return bounded([mapping(without_keys(to_json(message), cleaner)) for message in said], exchange.account.id)
