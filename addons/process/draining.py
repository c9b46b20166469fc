"""Draining: when Patchbay is stopped, nobody new comes in, and what is in flight gets time to end.

Strategy: all of it happens in the ``done`` hook, before the record is closed, so it is the same under `scripts/serve`,
mitmdump and mitmweb: mitmproxy waits for the hook, and connections live on meanwhile. The sockets are closed at once.
Calls then have the grace (setting ``shutdown_grace``) to end in; those that have not are ended with an error in their
dialect, within the stream where one has begun. Connections on which nothing is asked are not waited for. A second
signal ends the grace.
"""

import asyncio
import logging
import signal
import time
from collections.abc import Awaitable
from contextlib import suppress

from mitmproxy import ctx, http

from addons.configuration import Configuration
from addons.own_pages import is_own_page
from addons.process.listener import Listener
from addons.refusal import refuse
from providers.exchange.account import Outcome
from providers.exchange.faults import FAULTS

logger = logging.getLogger(__name__)

_LOOK = 0.05  # seconds between two looks at what is still in flight
_LAST_WORDS = 1.0  # seconds that a slow client has for the error that ends its answer


class Draining:
    """Sees calls to their end when Patchbay is stopped."""

    def __init__(self, configuration: Configuration, listener: Listener) -> None:
        self._configuration = configuration
        self._listener = listener
        self._at_once = asyncio.Event()
        self.has_begun = False

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Refuse what still comes in on a connection that stands; our own pages go on."""
        if not self.has_begun or flow.response is not None or is_own_page(flow.request.path):
            return
        fault = FAULTS[Outcome.SHUTDOWN]
        refuse(flow, fault.status, fault.text, code=fault.code)
        assert flow.response is not None
        flow.response.headers["connection"] = "close"

    def done(self) -> Awaitable[None] | None:
        """Let the calls end. A script that is loaded again is ``done`` as well, but then nothing stops."""
        return self._drain() if ctx.master.should_exit.is_set() else None

    async def _drain(self) -> None:
        self.has_begun = True
        self._hear_signals()
        grace = self._configuration.registry.settings.shutdown_grace
        await self._listener.stop_accepting()
        if waiting := self._listener.in_flight():
            logger.info(
                "Stopping: calls in flight (%d) have %g s to end. A second signal ends them now.", waiting, grace
            )
        await self._wait(time.monotonic() + grace)
        if waiting := self._listener.in_flight():
            logger.warning("Stopping: calls that have not ended (%d) are ended with an error.", waiting)
        await self._listener.end_connections(_LAST_WORDS)

    def _hear_signals(self) -> None:
        """From now on a signal means: at once. mitmproxy's own handlers would only ask again for what is under way."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError, ValueError, RuntimeError):  # Windows; outside the main thread
                loop.add_signal_handler(name, self._at_once.set)

    async def _wait(self, until: float) -> None:
        while self._listener.in_flight() and (left := until - time.monotonic()) > 0 and not self._at_once.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._at_once.wait(), min(left, _LOOK))
