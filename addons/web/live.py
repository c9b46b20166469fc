"""Live: tells listeners of calls as they run.

Strategy: asleep while nobody listens; a call that ends then costs one look at an empty list. While somebody does, the
calls in flight are looked at four times a second, and told of at most twice. What was collected of an answer is read
for that, which would be read anyway; a look that takes long lets the streams go on in between. Whoever has fallen
behind is let go of by his feed, comes again, and is told everything anew.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence

from addons import clock
from addons.exchanges import Exchanges, InHand
from addons.relay.feed import Feed
from addons.telemetry.cleaning import Cleaner
from addons.web.calls import ended_call, running_call
from addons.web.growth import Growth
from addons.web.replies import Json, event
from addons.web.watch import Watch
from providers.exchange.account import ExchangeAccount
from providers.exchange.machine import Exchange

TICK = 0.25  # seconds
_TOLD = 2  # ticks between two reports of a call
_ALIVE = 15.0  # seconds
_TURN = 0.002  # seconds of looking after which others get their turn
_MOST = 16 << 20  # bytes that wait for a listener of one call: its conversation comes at once
KEEP_ALIVE = b": keep-alive\n\n"


class Live:
    """Who listens, and what they have been told. ``secrets`` gives the keys that nobody is shown."""

    def __init__(self, exchanges: Exchanges, secrets: Callable[[], Sequence[str]]) -> None:
        self.is_closed = False
        self._exchanges = exchanges
        self._secrets = secrets
        self._feeds: list[Feed] = []
        self._watches: dict[Feed, Watch] = {}
        self._ended: list[ExchangeAccount] = []
        self._growths: dict[str, Growth] = {}
        self._told: dict[str, tuple[object, ...]] = {}
        self._cleaner = Cleaner(())
        self._task: asyncio.Task[None] | None = None

    def ended(self, account: ExchangeAccount) -> None:
        """Take note of the end of a call, if somebody listens."""
        if self._task is not None:
            self._ended.append(account)

    def listen(self) -> Feed:
        """Return a feed of all calls, which begins with those that run now."""
        feed = Feed(lambda: self._feeds.remove(feed))
        self._feeds.append(feed)
        self._wake()
        now = clock.now_us()
        feed.tell(event("calls", {"calls": [self._look(in_hand, exchange, now) for in_hand, exchange in self._open()]}))
        return feed

    def find(self, identifier: str) -> InHand | None:
        """Return a call that runs."""
        return next((in_hand for in_hand, exchange in self._open() if exchange.account.id == identifier), None)

    def watch(self, in_hand: InHand, messages: Sequence[Json]) -> Feed:
        """Return a feed of one running call, whose conversation is ``messages`` so far."""
        exchange = in_hand.exchange
        assert exchange is not None
        cleaner = self.cleaner(in_hand)
        feed = Feed(lambda: self._watches.__delitem__(feed), most=_MOST)
        watch = self._watches[feed] = Watch(feed, exchange, messages, cleaner)
        self._wake()
        watch.look()
        if exchange.account.outcome is not None:  # it has ended while its conversation was read
            watch.end(ended_call(exchange.account, cleaner))
        elif self.is_closed:
            feed.end()
        return feed

    def cleaner(self, in_hand: InHand | None = None) -> Cleaner:
        """Return what takes the keys out that are in force, and those a call began with."""
        secrets = tuple(dict.fromkeys((*self._secrets(), *(in_hand.secrets if in_hand is not None else ()))))
        if secrets != self._cleaner.secrets:
            self._cleaner = Cleaner(secrets)
        return self._cleaner

    def close(self) -> None:
        """End all feeds, and begin none any more: they would hold up the end of Patchbay."""
        self.is_closed = True
        for feed in (*self._feeds, *self._watches):
            feed.end()

    # While somebody listens.

    def _wake(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._tell(), name="patchbay live")

    async def _tell(self) -> None:
        try:
            ticks, alive = 0, time.monotonic()
            while self._feeds or self._watches:
                await asyncio.sleep(TICK)
                ticks += 1
                self._tell_ends()
                await self._tell_watches()
                if ticks % _TOLD == 0 and self._feeds:
                    await self._tell_moves()
                if time.monotonic() - alive > _ALIVE:
                    alive = time.monotonic()
                    self._tell_all(KEEP_ALIVE)
        finally:  # should one of us fail, the listeners come again and are told anew
            self._task = None
            self._growths.clear()
            self._told.clear()
            self._ended.clear()
            for feed in (*self._feeds, *self._watches):
                feed.end()

    def _tell_all(self, data: bytes) -> None:
        for feed in (*self._feeds, *self._watches):
            feed.tell(data)

    def _tell_of(self, call: Json) -> None:
        told = event("call", call)
        for feed in list(self._feeds):
            feed.tell(told)

    def _tell_ends(self) -> None:
        ended, self._ended = self._ended, []
        cleaner = self.cleaner()
        for account in ended:
            self._growths.pop(account.id, None)
            self._told.pop(account.id, None)
            call = ended_call(account, cleaner)
            self._tell_of(call)
            for watch in list(self._watches.values()):
                if watch.exchange.account is account:
                    watch.end(call)

    async def _tell_watches(self) -> None:
        for watch in list(self._watches.values()):
            watch.look()
            await asyncio.sleep(0)

    async def _tell_moves(self) -> None:
        now = began = clock.now_us()
        for in_hand, exchange in self._open():
            identifier = exchange.account.id
            call = self._look(in_hand, exchange, now)
            moved = tuple(call[name] for name in ("provider", "model", "attempt", "phase", "output_tokens", "ttft_us"))
            if self._told.get(identifier) != moved:
                self._told[identifier] = moved
                self._tell_of(call)
            if clock.now_us() - began > _TURN * 1e6:
                await asyncio.sleep(0)
                began = clock.now_us()

    def _open(self) -> Iterator[tuple[InHand, Exchange]]:
        for _, in_hand in self._exchanges.open():
            if in_hand.exchange is not None and in_hand.exchange.account.outcome is None:
                yield in_hand, in_hand.exchange

    def _look(self, in_hand: InHand, exchange: Exchange, now: int) -> Json:
        exchange.heard.read()
        growth = self._growths.setdefault(exchange.account.id, Growth())
        growth.news(exchange.answer)
        return running_call(exchange, growth.tokens, now, self.cleaner(in_hand))
