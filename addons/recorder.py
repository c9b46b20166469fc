"""Recorder: every exchange becomes a row when it is admitted, and is completed however it ends."""

import asyncio
import time
from collections.abc import Awaitable

from mitmproxy import ctx, http
from mitmproxy.flow import Error

from addons import clock
from addons.configuration import Configuration
from addons.exchanges import Exchanges, InHand
from addons.finished import Finished
from addons.refusal import refuse
from addons.telemetry.store import Store, StoreHealth
from providers.exchange.account import Outcome
from providers.wire.endpoints import Operation, endpoint_of

_CLOSE = 5.0  # seconds that a shutdown waits for the record
_UNRECORDED = "Calls cannot be recorded now, and Patchbay is set to serve none then (PATCHBAY_RECORD=required)."


class Recorder:
    """Hands accounts to the store, which writes them on its own thread; ``finished`` hears of each one first."""

    def __init__(self, exchanges: Exchanges, configuration: Configuration, finished: Finished | None = None) -> None:
        self._exchanges = exchanges
        self._configuration = configuration
        self._finished = finished or Finished()
        self._store: Store | None = None

    def running(self) -> None:
        """Open the record."""
        registry = self._configuration.registry
        settings = registry.settings
        self._store = Store(
            registry.database,
            bodies=settings.bodies,
            retention_days=settings.retention_days,
            retention_bytes=settings.retention_bytes,
            secrets=lambda: self._configuration.registry.secrets(),
        )
        self._store.start()

    def health(self) -> StoreHealth | None:
        """Say how recording goes; None while nothing is recorded, before the start and after the end."""
        return None if self._store is None else self._store.health()

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Refuse a call that could not be recorded now, where the operator wants it so (setting ``record``)."""
        if self._configuration.registry.settings.record == "optional" or flow.response is not None:
            return
        health = self.health()
        endpoint = endpoint_of(flow.request.method, flow.request.path)
        if endpoint is None or endpoint.operation is Operation.MODELS or (health is not None and health.state == "ok"):
            return
        refuse(flow, 503, _UNRECORDED, code="record_unavailable")

    def request(self, flow: http.HTTPFlow) -> None:
        """A call has been admitted."""
        in_hand = self._exchanges.of(flow)
        if self._store is not None and in_hand is not None and in_hand.account is not None:
            self._store.admit(in_hand.account)

    def response(self, flow: http.HTTPFlow) -> None:
        """A call has ended with an answer."""
        self._complete(flow)

    def error(self, flow: http.HTTPFlow) -> None:
        """A call has ended without one."""
        in_hand = self._exchanges.of(flow)
        if in_hand is not None and in_hand.exchange is not None and in_hand.exchange.account.outcome is None:
            killed = flow.error is not None and flow.error.msg == Error.KILLED_MESSAGE
            now = clock.now_us()
            in_hand.exchange.abandon(Outcome.KILLED, now) if killed else in_hand.exchange.client_gone(now)
        self._complete(flow)

    def _complete(self, flow: http.HTTPFlow) -> None:
        in_hand = self._exchanges.of(flow)
        if in_hand is not None:
            self._write(in_hand)
            self._remember(in_hand)

    def _remember(self, in_hand: InHand) -> None:
        """Keep at hand what a translated answer held beside the words of the client's dialect."""
        exchange = in_hand.exchange
        if exchange is None or (translation := exchange.attempt.target.translation) is None:
            return
        if exchange.account.outcome is Outcome.OK:
            target, now = exchange.attempt.target, time.time()
            self._exchanges.recollection.remember(target.provider, target.model, translation, exchange.answer, now)

    def _write(self, in_hand: InHand) -> None:
        account, exchange = in_hand.account, in_hand.exchange
        if account is None:
            return
        in_hand.account = None  # written once, whatever hooks follow
        in_hand.finished = account
        self._finished.tell(account)
        if self._store is None:
            return
        if exchange is None:
            self._store.complete(account, None, in_hand.client_body, None, None)
            return
        body = exchange.heard.kept.content()
        self._store.complete(
            account, in_hand.request, in_hand.client_body, exchange.answer, body, secrets=in_hand.secrets
        )

    def done(self) -> Awaitable[object] | None:
        """Record what is still open as ended by the shutdown, and close the file, which may have to be waited for."""
        now = clock.now_us()
        for _, in_hand in self._exchanges.open():
            if in_hand.exchange is not None:
                in_hand.exchange.abandon(Outcome.SHUTDOWN, now)
            self._write(in_hand)
        store, self._store = self._store, None
        if store is None:
            return None
        if _is_stopping():  # mitmproxy waits for the hook, and nobody else need be held up
            return asyncio.to_thread(store.close, _CLOSE)
        store.close(_CLOSE)
        return None


def _is_stopping() -> bool:
    """Whether the program ends; a script that is loaded again is ``done`` as well, and then nobody can wait."""
    return "master" in vars(ctx) and ctx.master.should_exit.is_set()
