"""What the client of an exchange gets, and what the addons are told of it.

Relies on these internals of mitmproxy 12.2 (`mitmproxy.proxy.layers.http.HttpStream`): ``client_state`` and
``server_state``, ``check_killed``, ``state_errored``, and those of `addons.relay.forward_stream`.
"""

import logging

from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import DropStream, SendHttp
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
)
from mitmproxy.proxy.layers.http._hooks import HttpErrorHook, HttpResponseHook

from addons import clock
from addons.exchanges import Exchanges
from addons.relay.direct_path import shorten
from addons.relay.feed_stream import FeedStream
from addons.relay.http1 import INTERNAL_ERROR, SHUTTING_DOWN, Commands
from addons.relay.layer import RelayLayer
from addons.relay.wire_view import WireView
from providers.exchange.account import Outcome
from providers.exchange.commands import Command, Data, End, Head, Timer
from providers.exchange.kept import Kept
from providers.exchange.machine import Exchange

logger = logging.getLogger(__name__)


class AnsweringStream(FeedStream):
    """The client's side of one exchange."""

    def __init__(self, context: Context, stream_id: int, layer: RelayLayer, exchanges: Exchanges) -> None:
        super().__init__(context, stream_id, exchanges)
        self._layer = layer
        self._exchange: Exchange | None = None
        self._view: WireView | None = None
        self._due: dict[Timer | str, int] = {}
        self._chunked = False
        self._told = False
        self._finished = False
        self._sent_head: Head | None = None
        self._sent: Kept | None = None

    def _carry_out(self, batch: list[Command]) -> Commands:
        """Do what the exchange asks for."""
        raise NotImplementedError

    def _carry_out_one(self, command: Command) -> Commands:
        """Do one thing that the exchange asks for."""
        raise NotImplementedError

    def _send_head(self, command: Head) -> Commands:
        assert self._view
        response = self._view.client_head(command, length=None)
        self._chunked = "transfer-encoding" in response.headers
        yield SendHttp(ResponseHeaders(self.stream_id, response, False), self.context.client)
        assert self._exchange
        self._sent_head = command
        if not (self._exchange.is_committed and self._exchange.is_untouched):
            self._sent = Kept(self.context.options.patchbay_flow_body_limit)

    def _pipe(self) -> None:
        """Let a committed, untouched answer take the short way from here on."""
        upstream = self._layer.client_of(self.context.server)
        if upstream is not None and upstream.pump is None:
            upstream.pump = self._pump
            shorten(self.context.client, self.context.server, upstream.short_cut)

    def _pump(self, payload: bytes) -> bytes | None:
        """Note a piece of a committed answer and frame it for the client; nothing once the exchange is over.

        None if that failed: the piece then goes the long way, and the failure is told there.
        """
        assert self._exchange
        if not self._exchange.is_committed:
            return b""
        try:
            self._exchange.relay(payload, clock.now_us())
        except Exception:
            logger.exception("The relay failed to note a piece of an answer.")
            return None
        if self._sent is not None:
            self._sent.add(payload)
        return b"%x\r\n%s\r\n" % (len(payload), payload) if self._chunked else payload

    def _answer_whole(self, batch: list[Command]) -> Commands:
        """The whole answer is known before any of it is sent: addons and people may still change it."""
        assert self._view
        head = next(c for c in batch if isinstance(c, Head))
        body = b"".join(c.data for c in batch if isinstance(c, Data))
        for command in batch:
            if not isinstance(command, Head | Data | End):
                yield from self._carry_out_one(command)
        yield from self._tell_addons(head, body)
        if (yield from self.check_killed(False)):
            yield from self._finish()
            return
        head, body = self._view.edited(head, body)
        response, client = self._view.client_head(head, length=len(body)), self.context.client
        yield SendHttp(ResponseHeaders(self.stream_id, response, not body), client)
        if body:
            yield SendHttp(ResponseData(self.stream_id, body), client)
        yield SendHttp(ResponseEndOfMessage(self.stream_id), client)
        yield from self._finish()

    def _tell_addons(self, head: Head | None = None, body: bytes | None = None) -> Commands:
        """Every flow gets a ``response`` or an ``error`` hook, and only one."""
        assert self._view
        self._told = True
        yield HttpResponseHook(self.flow) if self._view.settle(head, body) else HttpErrorHook(self.flow)

    def _finish(self) -> Commands:
        """The exchange has ended, and the client has got what it gets."""
        if self._finished:
            return
        self._finished = True
        self.client_state = self.server_state = self.state_errored
        self._due.clear()
        if (upstream := self._layer.client_of(self.context.server)) is not None:
            upstream.pump = None
        yield DropStream(self.stream_id)
        if not self._told:
            yield from self._tell_addons(self._sent_head, self._sent.content() if self._sent else None)
        self.flow.live = False
        self._exchanges.release(self.flow)

    def _give_up(self, why: Outcome = Outcome.INTERNAL_ERROR) -> Commands:
        """After an exception of ours, or at our end: an error in dialect, or a cut where an answer has begun."""
        asked = self._exchange.abandon(why, clock.now_us()) if self._exchange else []
        if not asked:
            message = SHUTTING_DOWN if why is Outcome.SHUTDOWN else INTERNAL_ERROR
            told = ResponseProtocolError(self.stream_id, message, ErrorCode.GENERIC_SERVER_ERROR)
            yield SendHttp(told, self.context.client)
            self.client_state = self.server_state = self.state_errored
        yield from self._carry_out(asked)
        if self._view is not None:
            yield from self._finish()
