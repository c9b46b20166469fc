"""A request until it is decided, and what is no LLM call: to the local server, as it is.

Relies on these internals of mitmproxy 12.2 (`mitmproxy.proxy.layers.http.HttpStream`): ``client_state`` and
``server_state`` as bound methods, ``state_consume_request_body``, ``state_wait_for_response_headers``,
``state_stream_response_body``, ``start_response_stream``, ``check_killed``, ``handle_protocol_error``,
``send_response``; ``Layer.handle_event`` queues events while a blocking command is open.
"""

import time

from mitmproxy import http
from mitmproxy.proxy import events
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import HttpStream, SendHttp
from mitmproxy.proxy.layers.http._base import HttpEvent
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestData,
    RequestEndOfMessage,
    RequestHeaders,
    RequestTrailers,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
)
from mitmproxy.proxy.layers.http._hooks import HttpRequestHook, HttpResponseHeadersHook

from addons import clock
from addons.exchanges import Exchanges, InHand, Verdict
from addons.refusal import refuse
from addons.relay.http1 import INTERNAL_ERROR, Commands
from addons.relay.layer import Connect
from addons.relay.wire_view import mark_cut
from providers.exchange.account import Outcome
from providers.exchange.attempt import STALE_WITHIN
from providers.exchange.kept import Kept
from providers.exchange.machine import Exchange


class ForwardStream(HttpStream):
    """One request of a client, up to the verdict and beyond it where that is to forward."""

    def __init__(self, context: Context, stream_id: int, exchanges: Exchanges) -> None:
        super().__init__(context, stream_id)
        self._exchanges = exchanges
        self._redial_until = 0  # µs
        self._whole_at = 0  # when the request was whole, µs
        self._kept: Kept | None = None

    def _begin(self, in_hand: InHand, exchange: Exchange) -> Commands:
        """Have the exchange answer the call."""
        raise NotImplementedError

    def _handle_event(self, event: events.Event) -> Commands:
        if self._is_stale(event):
            yield from self._forward(fresh=True)
        else:
            yield from super()._handle_event(event)

    def state_consume_request_body(self, event: events.Event) -> Commands:
        """Collect the request; when it is whole, let the addons see it and do what they decided."""
        if not isinstance(event, RequestEndOfMessage):
            yield from super().state_consume_request_body(event)
            return
        self.flow.request.timestamp_end = time.time()
        self.flow.request.data.content = bytes(self.request_body_buf)
        self.request_body_buf.clear()
        self.client_state = self.state_done
        self._whole_at = clock.now_us()
        yield HttpRequestHook(self.flow)
        if not (yield from self.check_killed(True)):
            yield from self._do_as_decided(self._exchanges.of(self.flow))

    def _do_as_decided(self, in_hand: InHand | None) -> Commands:
        if in_hand is not None and in_hand.exchange is not None:
            yield from self._begin(in_hand, in_hand.exchange)
        elif self.flow.response is not None:
            yield from self._answer_ours()
        elif self._is_sound and in_hand is not None and in_hand.verdict is Verdict.FORWARD:
            yield from self._forward()
        else:  # a hook failed, perhaps before it could decide, and it is in the log: nothing goes upstream
            refuse(self.flow, 500, code=Outcome.INTERNAL_ERROR)
            yield from self._answer_ours()

    @property
    def _is_sound(self) -> bool:
        """Whether every hook has done what it was to do with this flow."""
        return not self._exchanges.has_failed(self.flow)

    def _answer_ours(self) -> Commands:
        response = self.flow.response
        assert response
        response.timestamp_start = time.time()
        yield HttpResponseHeadersHook(self.flow)
        if (yield from self.check_killed(True)):
            return
        if not self._is_sound and response.status_code < 400:
            response = self._take_back()
        if self.flow.request.method == "HEAD":
            response.data.content = b""  # its length stays in the head
        yield from self.send_response()

    def _take_back(self) -> http.Response:
        """Refuse a request that had been answered by us already: a hook has failed."""
        in_hand = self._exchanges.of(self.flow)
        account = in_hand.account if in_hand is not None else None
        if account is not None:
            account.status, account.outcome, account.error = 500, Outcome.INTERNAL_ERROR, "a hook failed"
        refuse(self.flow, 500, code=Outcome.INTERNAL_ERROR, request_id=account.id if account is not None else "")
        assert self.flow.response
        return self.flow.response

    # A request that is no LLM call goes to the local server as it is.

    def _forward(self, *, fresh: bool = False) -> Commands:
        """Send the request on as mitmproxy does."""
        request = self.flow.request
        connect = Connect(
            (request.host, request.port), request.scheme == "https", None, "tcp", stream=self, fresh=fresh
        )
        connect.blocking = True
        connection, err = yield connect
        if err:
            told = ResponseProtocolError(self.stream_id, err, ErrorCode.CONNECT_FAILED)
            yield from self.handle_protocol_error(told)
            return
        self.context.server = self.flow.server_conn = connection
        self._redial_until = clock.now_us() + STALE_WITHIN if connect.reused else 0
        content = request.raw_content
        yield SendHttp(RequestHeaders(self.stream_id, request, not (content or request.trailers)), connection)
        if content:
            yield SendHttp(RequestData(self.stream_id, content), connection)
        if request.trailers:
            yield SendHttp(RequestTrailers(self.stream_id, request.trailers), connection)
        yield SendHttp(RequestEndOfMessage(self.stream_id), connection)

    def _is_stale(self, event: events.Event) -> bool:
        """Whether an idle connection died before it said a byte: the server had closed it and never saw the request."""
        waiting = self.server_state == self.state_wait_for_response_headers
        return waiting and isinstance(event, ResponseProtocolError) and clock.now_us() < self._redial_until

    def state_wait_for_response_headers(self, event: HttpEvent) -> Commands:
        """Let every response of the local server through as it comes."""
        if isinstance(event, ResponseHeaders):
            event.response.stream = True
        yield from super().state_wait_for_response_headers(event)

    def start_response_stream(self) -> Commands:
        """Let the answer pass, unless a hook has failed that had a say in it."""
        if self._is_sound:
            yield from super().start_response_stream()
            return
        told = ResponseProtocolError(self.stream_id, INTERNAL_ERROR, ErrorCode.GENERIC_SERVER_ERROR)
        yield from self.handle_protocol_error(told)

    def state_stream_response_body(self, event: events.Event) -> Commands:
        """Keep what passes, as far as there is room, so that the flow shows it."""
        assert self.flow.response
        if self._kept is None:
            self._kept = Kept(self.context.options.patchbay_flow_body_limit)
        if isinstance(event, ResponseData):
            self._kept.add(event.data)
        elif isinstance(event, ResponseEndOfMessage):
            self.flow.response.data.content = self._kept.content()
            mark_cut(self.flow, self._kept)
        yield from super().state_stream_response_body(event)
