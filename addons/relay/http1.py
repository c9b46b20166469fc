"""HTTP/1 connections under the relay: framing that survives what real servers send, errors in the client's dialect.

Relies on these internals of mitmproxy 12.2 (`mitmproxy.proxy.layers.http._http1`): ``Http1Client`` and ``Http1Server``
with ``read_headers``, ``read_body``, ``send``, ``mark_done``, ``buf``, ``body_reader``, ``state``, ``request``,
``response``, ``stream_id``; ``make_body_reader`` answers h11's ``ChunkedReader`` for a chunked body.

What they do differently: trailers pass (mitmproxy raises NotImplementedError, the client hangs), a chunked body comes
in one piece per read instead of one per chunk, heads are bounded, a 204 may carry ``Transfer-Encoding`` (llama-server
sends it), and an error that mitmproxy would tell in HTML, with addresses in it, is told in the dialect of the path.
"""

import re
from collections.abc import Callable, Generator
from typing import Any

from h11._readers import ChunkedReader
from mitmproxy import http
from mitmproxy.connection import ConnectionState
from mitmproxy.net.http.http1 import assemble_response_head
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.layers.http._base import HttpEvent, ReceiveHttp
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestEndOfMessage,
    RequestProtocolError,
    RequestTrailers,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
    ResponseTrailers,
)
from mitmproxy.proxy.layers.http._http1 import Http1Client, Http1Server

from addons.refusal import Refusal, refusal_for
from addons.relay.chunks import ChunkedBody
from providers.exchange.account import Outcome
from providers.exchange.faults import FAULTS

# The messages of protocol errors that are ours.
INTERNAL_ERROR = "internal error"
SHUTTING_DOWN = "shutting down"
_OURS = {INTERNAL_ERROR: Outcome.INTERNAL_ERROR, SHUTTING_DOWN: Outcome.SHUTDOWN}
HEAD_LIMIT = 64 * 1024  # bytes of a request or response head: far above what any client or provider sends
_INTERIM = re.compile(rb"HTTP/1\.[01] 1(?!01)\d\d[ \r\n]")

Commands = Generator[commands.Command, Any, None]


def _extract_all(buf: Any) -> bytes:  # h11's ReceiveBuffer has no public type
    return bytes(buf.maybe_extract_at_most(len(buf)) or b"")


def _head_too_long(buf: Any, event: events.Event) -> bool:
    if len(buf) <= HEAD_LIMIT or not isinstance(event, events.DataReceived):
        return False
    head = bytes(buf)[:HEAD_LIMIT]
    return b"\r\n\r\n" not in head and b"\n\n" not in head


def _skip_interim(buf: Any) -> None:
    while _INTERIM.match(said := bytes(buf)) and (end := said.find(b"\r\n\r\n")) >= 0:
        buf.maybe_extract_at_most(end + 4)


def _chunk_end(trailers: http.Headers | None) -> bytes:
    lines = b"".join(b"%s: %s\r\n" % pair for pair in trailers.fields) if trailers else b""
    return b"0\r\n%s\r\n" % lines


def _is_chunked(message: http.Message | None) -> bool:
    return message is not None and "chunked" in message.headers.get("transfer-encoding", "").lower()


class RelayClient(Http1Client):
    """The connection to an upstream.

    While ``pump`` is set, the payload of a chunked answer is handed to it, and what it returns is written to the
    client at once: a committed, untouched stream does not pass the layers between.
    """

    pump: Callable[[bytes], bytes | None] | None = None
    _trailers: http.Headers | None = None

    def is_idle(self) -> bool:
        """Whether a new request may be sent on this connection."""
        return self.request is None and self.stream_id is None

    def read_headers(self, event: events.ConnectionEvent) -> Commands:
        """Read a response head, bounded; what is said ahead of the answer is for nobody (RFC 9110, 15.2)."""
        yield from self._until_it_fails(self._read_head(event))

    def _until_it_fails(self, told: Commands) -> Commands:
        """Tell of one failure and then of nothing more: the call's next try may already be under way."""
        for command in told:
            if isinstance(command, ReceiveHttp) and isinstance(command.event, ResponseProtocolError):
                self.pump = None
                self.state = self.done
            yield command

    def _read_head(self, event: events.ConnectionEvent) -> Commands:
        _skip_interim(self.buf)
        if self.request is not None and _head_too_long(self.buf, event) and self.stream_id is not None:
            yield commands.CloseConnection(self.conn)
            message = "response head too long"
            yield ReceiveHttp(ResponseProtocolError(self.stream_id, message, ErrorCode.GENERIC_SERVER_ERROR))
            return
        for command in super().read_headers(event):
            if isinstance(command, ReceiveHttp) and isinstance(command.event, ResponseHeaders):
                _drop_framing_of_nothing(command.event.response)
            yield command

    def read_body(self, event: events.Event) -> Commands:
        """Read a response body; trailers come as an event of their own."""
        if type(self.body_reader) is ChunkedReader:
            self.body_reader = ChunkedBody()  # type: ignore[assignment]  # read by this method alone
        body = self.body_reader
        told = _read_chunked(self, body, event) if isinstance(body, ChunkedBody) else super().read_body(event)
        yield from self._until_it_fails(told)

    def short_cut(self, data: bytes) -> bytes | None:
        """Take one whole chunk of a pumped answer; return what goes to the client.

        None if the layers must see the data: nothing has been taken then.
        """
        body = self.body_reader
        if self.pump is None or self._paused is not None or len(self.buf) or not isinstance(body, ChunkedBody):
            return None
        payload = body.single(data)
        return None if payload is None else self.pump(payload)

    def deliver(self, payload: bytes) -> Commands:
        """Hand on a piece of the body."""
        assert self.stream_id is not None
        framed = None if self.pump is None else self.pump(payload)
        if framed is None:
            yield ReceiveHttp(self.ReceiveData(self.stream_id, payload))
        elif framed:
            yield commands.SendData(self.context.client, framed)

    def trailers_event(self, trailers: http.Headers) -> HttpEvent:
        """What trailers of this side are told as."""
        assert self.stream_id is not None
        return ResponseTrailers(self.stream_id, trailers)

    def send(self, event: HttpEvent) -> Commands:
        """Write a piece of the request; a protocol error means that we hang up and listen no more."""
        if isinstance(event, RequestProtocolError):
            self.pump = None
            self.state = self.done
            yield commands.CloseConnection(self.conn)
        elif isinstance(event, RequestTrailers):
            self._trailers = event.trailers
        elif isinstance(event, RequestEndOfMessage) and _is_chunked(self.request):
            yield commands.SendData(self.conn, _chunk_end(self._trailers))
            self._trailers = None
            yield from self.mark_done(request=True)
        else:
            yield from super().send(event)


class RelayServer(Http1Server):
    """The connection to a client."""

    _trailers: http.Headers | None = None

    def read_headers(self, event: events.ConnectionEvent) -> Commands:
        """Read a request head, bounded; what is no HTTP is refused in the dialect of its path, if it shows one."""
        path = _first_path(self.buf)
        if _head_too_long(self.buf, event):
            yield from self._refuse(refusal_for(path, 431))
            return
        for command in super().read_headers(event):
            if isinstance(command, commands.SendData):  # mitmproxy's own HTML answer to a malformed head
                command = commands.SendData(self.conn, _response(refusal_for(path, 400)))
            yield command

    def _refuse(self, refusal: Refusal) -> Commands:
        yield commands.SendData(self.conn, _response(refusal))
        yield commands.CloseConnection(self.conn)
        self.state = self.done

    def read_body(self, event: events.Event) -> Commands:
        """Read a request body; trailers come as an event of their own."""
        if type(self.body_reader) is ChunkedReader:
            self.body_reader = ChunkedBody()  # type: ignore[assignment]  # read by this method alone
        if not isinstance(self.body_reader, ChunkedBody):
            yield from super().read_body(event)
            return
        yield from _read_chunked(self, self.body_reader, event)

    def deliver(self, payload: bytes) -> Commands:
        """Hand on a piece of the body."""
        yield ReceiveHttp(self.ReceiveData(self.stream_id, payload))

    def trailers_event(self, trailers: http.Headers) -> HttpEvent:
        """What trailers of this side are told as."""
        return RequestTrailers(self.stream_id, trailers)

    def send(self, event: HttpEvent) -> Commands:
        """Write a piece of the response; an error without a response becomes one in the client's dialect."""
        if isinstance(event, ResponseTrailers):
            self._trailers = event.trailers
        elif isinstance(event, ResponseEndOfMessage) and _is_chunked(self.response):
            if self.request is not None and self.request.method.upper() != "HEAD":
                yield commands.SendData(self.conn, _chunk_end(self._trailers))
            self._trailers = None
            yield from self.mark_done(response=True)
        elif isinstance(event, ResponseProtocolError) and not self.response:
            yield from self._tell(event)
        elif isinstance(event, ResponseHeaders) and event.response.status_code == 100:
            yield from super().send(event)
            self.response = None  # go on: the answer is still to come
        else:
            yield from super().send(event)

    def _tell(self, event: ResponseProtocolError) -> Commands:
        if not self.conn.state & ConnectionState.CAN_WRITE:
            return
        path = self.request.path if self.request else ""
        if (ours := _OURS.get(event.message)) is not None:
            fault = FAULTS[ours]
            refusal = refusal_for(path, fault.status, fault.text, code=fault.code)
            yield commands.SendData(self.conn, _response(refusal))
        elif (status := event.code.http_status_code()) is not None:
            yield commands.SendData(self.conn, _response(refusal_for(path, status)))
        yield commands.CloseConnection(self.conn)


def _read_chunked(side: RelayClient | RelayServer, body: ChunkedBody, event: events.Event) -> Commands:
    if not isinstance(event, events.DataReceived):
        yield from _break_off(side, "the connection was closed within a chunked body")
        return
    payload = body.read(_extract_all(side.buf))
    if payload:
        yield from side.deliver(payload)
    if body.flaw:
        yield from _break_off(side, f"HTTP/1 protocol error: {body.flaw}")
    if not body.complete:
        return
    side.buf += body.rest
    if body.trailers:
        yield ReceiveHttp(side.trailers_event(http.Headers(body.trailers)))
    assert side.stream_id is not None
    yield ReceiveHttp(side.ReceiveEndOfMessage(side.stream_id))
    is_request = isinstance(side, RelayServer)
    yield from side.mark_done(request=is_request, response=not is_request)


def _break_off(side: RelayClient | RelayServer, message: str) -> Commands:
    assert side.stream_id is not None
    yield commands.CloseConnection(side.conn)
    yield ReceiveHttp(side.ReceiveProtocolError(side.stream_id, message, code=side.ReceiveProtocolError.code))


def _drop_framing_of_nothing(response: http.Response) -> None:
    """A response that has no body says nothing about one: mitmproxy's own check would refuse it (RFC 9112, 6.1)."""
    if response.status_code < 200 or response.status_code in (204, 304):
        response.headers.pop("transfer-encoding", None)


def _first_path(buf: Any) -> str:  # h11's ReceiveBuffer has no public type
    parts = bytes(buf)[:2048].lstrip(b"\r\n").split(b"\n", 1)[0].split(b" ")
    return parts[1].decode("utf-8", "replace") if len(parts) > 1 else ""


def _response(refusal: Refusal) -> bytes:
    response = http.Response.make(refusal.status, refusal.body, dict([*refusal.headers, ("connection", "close")]))
    head: bytes = assemble_response_head(response)
    return head + refusal.body
