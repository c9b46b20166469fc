"""One request of a client with its answer, inside mitmproxy's HTTP stream.

Relies on these internals of mitmproxy 12.2 (`mitmproxy.proxy.layers.http.HttpStream`): ``client_state`` and
``server_state``, ``check_killed``, and those of `addons.relay.forward_stream`.

Strategy: a request that is no LLM call goes through the parent's states. An LLM call goes to its `Exchange`: every
event becomes one of its inputs, every command of it becomes mitmproxy commands. A committed, untouched answer is
pumped: its payload goes from the upstream connection to the client without passing here.
"""

import logging
from collections.abc import Callable, Iterator

from mitmproxy import http
from mitmproxy.connection import Server
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.commands import StartHook
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import GetHttpConnectionCompleted, SendHttp
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestData,
    RequestEndOfMessage,
    RequestHeaders,
    RequestProtocolError,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
)
from mitmproxy.proxy.layers.http._hooks import (
    HttpResponseHeadersHook,
)

from addons import clock
from addons.exchanges import Exchanges, InHand
from addons.relay.answering_stream import AnsweringStream
from addons.relay.bell import ring
from addons.relay.http1 import Commands
from addons.relay.layer import Abandon, Connect, RelayLayer, SetAlarm, ShutDown
from addons.relay.patience import REST_US, is_behind
from addons.relay.wire_view import WireView, outcome_of, text_headers
from providers import demo
from providers.exchange.account import Outcome
from providers.exchange.commands import Command, Cut, Data, Dial, End, Hangup, Head, Send, SetTimer, Timer
from providers.exchange.machine import Exchange

logger = logging.getLogger(__name__)

# Calls a hook's listeners at once; gives back what must be awaited, if anything (`addons.relay.hook_dispatch`).
CallNow = Callable[[StartHook], StartHook | None]

_DEMO = "demo"
_HALF_A_HEAD = "unexpected server response"  # what had come of it is quoted behind that


class RelayStream(AnsweringStream):
    """One request of a client with its answer."""

    def __init__(
        self, context: Context, stream_id: int, layer: RelayLayer, exchanges: Exchanges, call_now: CallNow | None
    ) -> None:
        super().__init__(context, stream_id, layer, exchanges)
        self._call_now = call_now
        self._connecting: Connect | None = None
        self._demo: Iterator[tuple[float, bytes]] | None = None
        self._demo_next = b""

    def _handle_event(self, event: events.Event) -> Commands:
        """Hear an event; hooks that can be called at once never leave here as commands."""
        inner, reply = self._guarded(event), None
        while True:
            try:
                command = inner.send(reply)
            except StopIteration:
                return
            left: commands.Command | None = command
            # A hook that a child layer already waits for must be answered as an event.
            if self._call_now is not None and isinstance(command, StartHook) and command.blocking is True:
                left = self._call_now(command)
            reply = None if left is None else (yield left)

    def _guarded(self, event: events.Event) -> Commands:
        try:
            if self._feed is not None:
                yield from self._hear_feed(self._feed, event)
            elif isinstance(event, events.Wakeup):
                yield from self._wake()
            elif isinstance(event, ShutDown):
                yield from self._give_up(Outcome.SHUTDOWN)
            elif self._exchange is not None:
                yield from self._hear(self._exchange, event)
            else:
                yield from super()._handle_event(event)
        except Exception:
            logger.exception("The relay failed; this call is ended with an error.")
            yield from self._give_up()

    # The exchange: events in.

    def _begin(self, in_hand: InHand, exchange: Exchange) -> Commands:
        self._exchange = exchange
        self._view = WireView(self.flow, in_hand, exchange)
        if not self._is_sound:
            yield from self._give_up()
            return
        given, now = self.flow.response, clock.now_us()
        exchange.account.overhead_us = now - self._whole_at
        began = exchange.begin(now, self._call_up, once=given is not None)
        if given is None:
            yield from self._carry_out(began)
            return
        # An addon has answered in the provider's place (mitmproxy's server replay): that is the provider's answer.
        exchange.opened(clock.now_us())
        yield from self._carry_out(exchange.head(given.status_code, text_headers(given.headers.fields), clock.now_us()))
        if given.raw_content:
            yield from self._carry_out(exchange.data(given.raw_content, clock.now_us()))
        yield from self._carry_out(exchange.ended(clock.now_us()))

    def _hear(self, exchange: Exchange, event: events.Event) -> Commands:
        now = clock.now_us()
        match event:
            case ResponseData():
                yield from self._carry_out(exchange.data(event.data, now))
            case GetHttpConnectionCompleted():
                yield from self._connected(exchange, event, now)
            case ResponseHeaders():
                yield from self._response_head(exchange, event.response, now)
            case ResponseEndOfMessage():
                yield from self._carry_out(exchange.ended(now))
            case ResponseProtocolError():
                yield from self._carry_out(exchange.failed(_broken(event.message), now, event.message))
            case RequestProtocolError():
                yield from self._carry_out(exchange.client_gone(now))
                yield from self._finish()
            case _:
                pass  # trailers of an answer: a stream has said everything in its events

    def _connected(self, exchange: Exchange, event: GetHttpConnectionCompleted, now: int) -> Commands:
        if event.command is not self._connecting:
            return
        connect, self._connecting = self._connecting, None
        connection, err = event.reply
        if connection is None:
            yield from self._carry_out(exchange.failed(outcome_of(err or ""), now, err or ""))
            return
        assert isinstance(connection, Server)
        self.context.server = self.flow.server_conn = connection
        assert self._view
        if connection.peername and self._view.is_led_astray(connection.peername[0]):
            yield commands.CloseConnection(connection)
            yield from self._carry_out(exchange.forbidden(connection.peername[0], now))
            return
        yield from self._carry_out(exchange.opened(now, reused=connect.reused))

    def _response_head(self, exchange: Exchange, response: http.Response, now: int) -> Commands:
        assert self._view
        self._view.clean_head(response)
        self.flow.response = response
        yield HttpResponseHeadersHook(self.flow)
        if (yield from self.check_killed(True)):
            self._told = True
            yield from self._carry_out(exchange.client_gone(now))
            yield from self._finish()
        elif not self._is_sound:
            yield from self._give_up()
        else:
            yield from self._carry_out(exchange.head(response.status_code, text_headers(response.headers.fields), now))

    def _wake(self) -> Commands:
        now = clock.now_us()
        for name in [name for name, due in self._due.items() if due <= now]:
            if self._due.pop(name, now + 1) > now or self._exchange is None:
                continue
            if self._rests(name, self._exchange):
                self._due[name] = now + REST_US
                continue
            if name is Timer.PHASE and self._connecting is not None and self._layer.is_shaking_hands(self._connecting):
                failed = self._exchange.failed(Outcome.UPSTREAM_TLS, now, "the handshake did not end in time")
                yield from self._carry_out([Hangup(), *failed])
            elif isinstance(name, Timer):
                yield from self._carry_out(self._exchange.timer(name, now))
            else:
                yield from self._play_on(self._exchange)
        if self._due:
            yield SetAlarm(min(self._due.values()), clock.now_us())

    def _rests(self, name: Timer | str, exchange: Exchange) -> bool:
        """Whether a deadline is for later: while the client is behind the provider is not read.

        So its silence says nothing; and for whom something waits a sign of life is one byte more that is not taken.
        """
        about_silence = name is Timer.HOLD or (name is Timer.PHASE and exchange.is_committed)
        return about_silence and is_behind(self.context.client)

    def _call_up(self) -> None:
        """Note that there is a place for this call; it goes on as soon as the other one's affairs are settled."""
        self._due[Timer.PLACE] = clock.now_us()
        ring(self.context.client)

    # The exchange: commands out.

    def _carry_out(self, batch: list[Command]) -> Commands:
        if batch and type(batch[-1]) is End and any(type(command) is Head for command in batch):
            yield from self._answer_whole(batch)
            return
        for command in batch:
            yield from self._carry_out_one(command)
        if self._exchange is not None and self._exchange.is_committed and self._exchange.is_untouched:
            self._pipe()

    def _carry_out_one(self, command: Command) -> Commands:
        client = self.context.client
        match command:
            case Data():
                if self._sent is not None:
                    self._sent.add(command.data)
                yield SendHttp(ResponseData(self.stream_id, command.data), client)
            case SetTimer():
                yield from self._set_timer(command.name, command.seconds)
            case Dial():
                yield from self._dial(command)
            case Send():
                yield from self._send(command)
            case Head():
                yield from self._send_head(command)
            case Hangup():
                yield from self._hang_up()
            case End():
                yield SendHttp(ResponseEndOfMessage(self.stream_id), client)
                yield from self._finish()
            case Cut():
                yield SendHttp(ResponseProtocolError(self.stream_id, "cut", ErrorCode.PASSTHROUGH_CLOSE), client)
                yield from self._finish()

    def _set_timer(self, name: Timer | str, seconds: float) -> Commands:
        now = clock.now_us()
        due = self._due[name] = now + int(seconds * 1e6)
        yield SetAlarm(due, now)

    def _dial(self, command: Dial) -> Commands:
        assert self._exchange
        assert self._view
        self._view.begin_attempt()
        self.flow.response = None
        if command.target is not self._view.target:
            self._view.show(command.target)
        if command.target.virtual:
            yield from self._carry_out(self._exchange.opened(clock.now_us()))
            return
        to = self.flow.request
        self._connecting = Connect(
            (to.host, to.port), to.scheme == "https", None, "tcp", stream=self, fresh=command.fresh
        )
        yield self._connecting

    def _send(self, command: Send) -> Commands:
        assert self._view is not None
        assert self._exchange is not None
        if command.target.virtual:
            self._demo = demo.answer(self._exchange.account, self.flow.request.raw_content or b"")
            yield from self._play_on(self._exchange)
            return
        request, server = self._view.request_with_key(), self.context.server
        content = request.raw_content
        yield SendHttp(RequestHeaders(self.stream_id, request, not content), server)
        if content:
            yield SendHttp(RequestData(self.stream_id, content), server)
        yield SendHttp(RequestEndOfMessage(self.stream_id), server)

    def _play_on(self, exchange: Exchange) -> Commands:
        """Let a virtual upstream say what is due, and wait for what follows."""
        assert self._demo is not None
        if self.flow.response is None:
            head = demo.head(exchange.account)
            self.flow.response = http.Response.make(200, b"", dict(head))
            yield from self._carry_out(exchange.head(200, head, clock.now_us()))
        if self._demo_next:
            yield from self._carry_out(exchange.data(self._demo_next, clock.now_us()))
        following = next(self._demo, None)
        if following is None:
            yield from self._carry_out(exchange.ended(clock.now_us()))
            return
        pause, self._demo_next = following
        yield from self._set_timer(_DEMO, pause)

    def _hang_up(self) -> Commands:
        self._due.pop(_DEMO, None)
        if self._connecting is not None:
            yield Abandon(self._connecting)
            self._connecting = None
        elif (upstream := self._layer.client_of(self.context.server)) is not None and not upstream.is_idle():
            yield SendHttp(RequestProtocolError(self.stream_id, "", ErrorCode.KILL), self.context.server)


def _broken(message: str) -> Outcome:
    """Tell a connection that was closed from one on which no HTTP was spoken (words of mitmproxy's HTTP/1 client)."""
    closed = not message or ("closed" in message and not message.startswith(_HALF_A_HEAD))
    return Outcome.UPSTREAM_RESET if closed else Outcome.UPSTREAM_PROTOCOL_ERROR
