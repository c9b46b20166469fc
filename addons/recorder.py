"""Recorder: every exchange becomes a row when it is admitted, and is completed however it ends."""

import time

from mitmproxy import http
from mitmproxy.flow import Error

from addons import clock
from addons.configuration import Configuration
from addons.exchanges import Exchanges, InHand
from addons.telemetry.store import Store, StoreHealth
from providers.exchange.account import Outcome

_CLOSE = 5.0  # seconds that a shutdown waits for the record


class Recorder:
    """Hands accounts to the store, which writes them on its own thread."""

    def __init__(self, exchanges: Exchanges, configuration: Configuration) -> None:
        self._exchanges = exchanges
        self._configuration = configuration
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
        if self._store is None or account is None:
            return
        in_hand.account = None  # written once, whatever hooks follow
        if exchange is None:
            self._store.complete(account, None, in_hand.client_body, None, None)
            return
        body = exchange.heard.kept.content()
        self._store.complete(account, in_hand.request, in_hand.client_body, exchange.answer, body)

    def done(self) -> None:
        """Record what is still open as ended by the shutdown, and close the file."""
        now = clock.now_us()
        for _, in_hand in self._exchanges.open():
            if in_hand.exchange is not None:
                in_hand.exchange.abandon(Outcome.SHUTDOWN, now)
            self._write(in_hand)
        if self._store is not None:
            self._store.close(_CLOSE)
            self._store = None
