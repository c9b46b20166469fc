"""The connections of one client under the relay: which upstream connection a call gets, and when a stream is woken.

Relies on these internals of mitmproxy 12.2 (`mitmproxy.proxy.layers.http`; docs/adr/0001 tells why, a test holds them):
``HttpLayer`` with ``connections`` (a client connection put there before ``Start`` is kept), ``streams``,
``command_sources``, ``waiting_for_establishment``, ``event_to_child``, ``make_stream``, ``get_connection``;
``Layer._paused``; ``HttpClient``; ``RegisterHttpConnection``. `addons.relay.stream` and `addons.relay.http1` list
theirs.

Strategy: like the parent, but a connection is used by one call at a time and only while it is idle, a failed address
is not remembered, connecting does not block the stream (so that a hang-up or a deadline is heard while it lasts), and
one alarm a client connection wakes its streams: most calls end long before a deadline, and a timer each would outlive
them.
"""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass

from mitmproxy.connection import Connection, Server
from mitmproxy.proxy import commands, events, tunnel
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers import tls
from mitmproxy.proxy.layers.http import (
    GetHttpConnection,
    GetHttpConnectionCompleted,
    HttpClient,
    HttpLayer,
    HTTPMode,
    HttpStream,
    RegisterHttpConnection,
)
from mitmproxy.proxy.layers.http._base import HttpCommand
from mitmproxy.proxy.layers.http._events import ErrorCode, ResponseProtocolError

from addons import clock
from addons.relay.http1 import SHUTTING_DOWN, Commands, RelayClient, RelayServer

_FARTHEST = 30_000_000  # µs
_LATE = 250_000  # µs after which an alarm rings for deadlines that nobody could keep
_HEARING = 20_000  # µs: a turn of the event loop, in which what has come is read
BELL = commands.RequestWakeup(0)  # its `Wakeup` wakes all streams of a connection at once (`addons.relay.bell`)


@dataclass(eq=False)
class Connect(GetHttpConnection):
    """Get ``stream`` a connection without blocking it; the answer is an event.

    ``fresh`` forbids an idle connection; ``reused`` tells afterwards whether it was one.
    """

    blocking = False
    stream: HttpStream | None = None
    fresh: bool = False
    reused: bool = False


@dataclass(eq=False)
class Abandon(HttpCommand):
    """Stop connecting: nobody waits for it any more."""

    connect: Connect


@dataclass(eq=False)
class SetAlarm(HttpCommand):
    """Wake the stream at ``due`` (monotonic µs) or before."""

    due: int
    now: int


class ShutDown(events.Event):
    """Whatever is in flight on this connection ends now, with an error, and the connection with it."""


class Freshen(events.Event):
    """Idle connections to upstreams may have died without a word: they are closed."""


class RelayLayer(HttpLayer):
    """mitmproxy's HTTP layer with our connections and streams."""

    def __init__(
        self, context: Context, mode: HTTPMode, new_stream: "Callable[[Context, int, RelayLayer], HttpStream]"
    ) -> None:
        super().__init__(context, mode)
        self._new_stream = new_stream
        self._alarm: commands.RequestWakeup | None = None
        self._alarm_due = 0
        self._has_heard = False
        self._clients: dict[Connection, RelayClient] = {}
        self.connections[context.client] = RelayServer(_fork(context))

    def client_of(self, connection: Connection) -> RelayClient | None:
        """Return our side of an upstream connection, None if there is none (a virtual upstream)."""
        return self._clients.get(connection)

    def is_shaking_hands(self, connect: Connect) -> bool:
        """Whether what is waited for is TLS: the connection itself stands."""
        waiting = self.waiting_for_establishment.items()
        return any(connect in calls and server.connected for server, calls in waiting)

    def make_stream(self, stream_id: int) -> Commands:
        """Make one of our streams."""
        stream = self._new_stream(_fork(self.context), stream_id, self)
        self.streams[stream_id] = stream
        yield from self.event_to_child(stream, events.Start())

    def handle_event(self, event: events.Event) -> Commands:
        """Let an event of a committed stream go to the client at once; everything else goes through the layers."""
        if type(event) is events.DataReceived and (framed := self._short_cut(event)) is not None:
            if framed:
                yield commands.SendData(self.context.client, framed)
        else:
            yield from super().handle_event(event)

    def _short_cut(self, event: events.DataReceived) -> bytes | None:
        client = None if event.connection.tls else self._clients.get(event.connection)
        return None if client is None or client.pump is None else client.short_cut(event.data)

    def _handle_event(self, event: events.Event) -> Commands:
        for command in self._dispatch(event):
            if isinstance(command, SetAlarm):
                yield from self._set_alarm(command)
            elif isinstance(command, Abandon):
                yield from self._abandon(command.connect)
            else:
                yield command

    def _dispatch(self, event: events.Event) -> Commands:
        if isinstance(event, (ShutDown, Freshen)):
            return self._shut_down(event) if isinstance(event, ShutDown) else self._freshen()
        if isinstance(event, events.Wakeup) and event.command not in self.command_sources:
            return self._wake_streams(event)
        if isinstance(event, events.ConnectionClosed) and self._is_upstream(event.connection):
            return self._close(event)
        parents: Commands = super()._handle_event(event)
        return parents

    def _close(self, event: events.ConnectionClosed) -> Commands:
        """Let the connection's layers hear of its end, then let go of it: a client may stay for days."""
        self._clients.pop(event.connection, None)
        yield from super()._handle_event(event)
        del self.connections[event.connection]

    def _is_upstream(self, connection: Connection) -> bool:
        return connection in self.connections and connection is not self.context.client

    def register_connection(self, command: RegisterHttpConnection) -> Commands:
        """Tell who waits how connecting went; of a connection that never stood nothing more will be heard."""
        if command.err and isinstance(command.connection, Server) and command.connection.timestamp_tcp_setup is None:
            self.connections.pop(command.connection, None)
        yield from super().register_connection(command)

    def _wake_streams(self, event: events.Wakeup) -> Commands:
        """Have the deadlines judged that are over.

        After a standstill (SIGSTOP, sleep) the loop rings before it reads: what has come meanwhile is heard first, or a
        provider would be blamed for a silence of ours.
        """
        if event.command is self._alarm:
            self._alarm, now = None, clock.now_us()
            if now - self._alarm_due > _LATE and not self._has_heard:
                self._has_heard = True
                yield from self._set_alarm(SetAlarm(now + _HEARING, now))
                return
            self._has_heard = False
        elif event.command is not BELL:
            return  # an earlier one has taken its place
        for stream in list(self.streams.values()):
            yield from self.event_to_child(stream, event)

    def _shut_down(self, event: ShutDown) -> Commands:
        for stream_id, stream in list(self.streams.items()):
            # Who waits for a hook hears nothing: a person has paused the call, or an addon still asks somebody.
            waits = stream._paused is not None
            yield from self.event_to_child(stream, event)
            if waits:
                told = ResponseProtocolError(stream_id, SHUTTING_DOWN, ErrorCode.GENERIC_SERVER_ERROR)
                yield from self.event_to_child(self.connections[self.context.client], told)
        yield commands.CloseConnection(self.context.client)

    def _freshen(self) -> Commands:
        for connection, client in list(self._clients.items()):
            if connection.connected and client.is_idle():
                yield commands.CloseConnection(connection)

    def _set_alarm(self, wanted: SetAlarm) -> Commands:
        if self._alarm is None or wanted.due < self._alarm_due:
            # Each alarm is a task until it rings: a far one rings early and is set again, if it is still wanted then.
            self._alarm_due = min(wanted.due, wanted.now + _FARTHEST)
            self._alarm = commands.RequestWakeup(max(0.0, (self._alarm_due - wanted.now) / 1e6))
            yield self._alarm

    def _abandon(self, connect: Connect) -> Commands:
        for server, waiting in self.waiting_for_establishment.items():
            if connect in waiting:
                yield commands.CloseConnection(server)

    def get_connection(self, event: GetHttpConnection, *, reuse: bool = True) -> Commands:
        """Find an idle connection to the address or make one."""
        if isinstance(event, Connect):
            assert event.stream is not None
            self.command_sources[event] = event.stream
            reuse = not event.fresh
        idle = self._idle_connection(event) if reuse else None
        if idle is None:
            yield from self._open(event)
            return
        if isinstance(event, Connect):
            event.reused = True
        stream = self.command_sources.pop(event)
        yield from self.event_to_child(stream, GetHttpConnectionCompleted(event, (idle, None)))

    def _idle_connection(self, event: GetHttpConnection) -> Connection | None:
        for connection, client in self._clients.items():
            if connection.connected and client.is_idle() and event.connection_spec_matches(connection):
                return connection
        return None

    def _open(self, event: GetHttpConnection) -> Commands:
        context = _fork(self.context)
        context.server = Server(address=event.address, transport_protocol="tcp")
        stack = tunnel.LayerStack()
        if event.tls:
            context.server.sni = event.address[0]
            stack /= tls.ServerTLSLayer(context)
        stack /= _Dialler(context, self._clients)
        self.connections[context.server] = stack[0]
        self.waiting_for_establishment[context.server].append(event)
        yield from self.event_to_child(stack[0], events.Start())


def _fork(context: Context) -> Context:
    """Fork a context as ``Context.fork`` does, without the server with an id of its own that is thrown away there."""
    forked = copy(context)
    forked.layers = context.layers.copy()
    return forked


class _Dialler(HttpClient):
    """Opens a connection and puts our HTTP/1 side on it."""

    def __init__(self, context: Context, clients: dict[Connection, RelayClient]) -> None:
        super().__init__(context)
        self._clients = clients

    def _handle_event(self, event: events.Event) -> Commands:
        server = self.context.server
        err = None if server.connected else (yield commands.OpenConnection(server))
        if not err:
            client = self._clients[server] = RelayClient(self.context)
            self._handle_event = client.handle_event  # type: ignore[method-assign]  # as the parent does
            yield from client.handle_event(event)
        yield RegisterHttpConnection(server, err)
