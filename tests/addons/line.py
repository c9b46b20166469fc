"""One client connection under the relay without a socket: ``>>`` says what happens, ``<<`` what must come of it.

The chain of addons is the real one, and mitmproxy's manager holds it (an exception in a hook is logged, noted here, and
the flow goes on). Time stands still but for ``Later``. What came out is listed in short forms: ``Opens``, ``Sends``,
``Closes``, ``Hook``; an expectation without a ``Hook`` in it leaves the hooks out.
"""

import asyncio
import collections
import logging
from collections.abc import Callable
from typing import Self

from mitmproxy.addons.next_layer import NextLayer as NextLayerAddon
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.connection import Client, Connection, ConnectionState, Server
from mitmproxy.http import HTTPFlow
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layer import NextLayer
from mitmproxy.proxy.layers.http import HttpLayer, HTTPMode
from mitmproxy.proxy.mode_specs import ProxyMode
from mitmproxy.test import taddons

from addons.configuration import Configuration
from addons.exchanges import Exchanges
from addons.finished import Finished
from addons.gate import Gate
from addons.model_list import ModelList
from addons.recorder import Recorder
from addons.relay.layer import Freshen, RelayLayer, ShutDown
from addons.relay.relay import Relay
from addons.router import Router
from providers.exchange.account import ExchangeAccount
from tests.addons.line_words import (
    Answer,
    ClientGone,
    ClientSays,
    Closes,
    Connected,
    Done,
    Hook,
    Later,
    Opens,
    Refused,
    Said,
    Sends,
    StoodStill,
    Stopped,
    UpstreamGone,
    UpstreamSays,
    read_answer,
)


class _Ear:
    """The last addon: notes each hook, and calls a test's own."""

    def __init__(self, line: "Line") -> None:
        self._line = line

    def _hear(self, name: str, flow: HTTPFlow) -> None:
        if flow not in self._line.flows:
            self._line.flows.append(flow)
        self._line.done.append(Hook(name))
        if (extra := self._line.extra.get(name)) is not None:
            extra(flow)

    def requestheaders(self, flow: HTTPFlow) -> None:
        self._hear("requestheaders", flow)

    def request(self, flow: HTTPFlow) -> None:
        self._hear("request", flow)

    def responseheaders(self, flow: HTTPFlow) -> None:
        self._hear("responseheaders", flow)

    def response(self, flow: HTTPFlow) -> None:
        self._hear("response", flow)

    def error(self, flow: HTTPFlow) -> None:
        self._hear("error", flow)


class _Faults(logging.Handler):
    """Notes what mitmproxy logs of hooks that raised."""

    def __init__(self, raised: list[BaseException]) -> None:
        super().__init__()
        self._raised = raised

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            self._raised.append(record.exc_info[1])


class Line:
    """One connection. ``flows`` are those it has had, ``finished`` what was recorded of them.

    ``extra`` hooks run behind the chain's, by name.
    """

    def __init__(self, configuration: Configuration) -> None:
        self.exchanges = Exchanges()
        self.finished: list[ExchangeAccount] = []
        self.recorder = Recorder(self.exchanges, configuration, Finished(self.finished.append))
        self.chain: list[object] = [
            configuration,
            Relay(self.exchanges),
            Gate(self.exchanges, configuration),
            ModelList(self.exchanges, configuration),
            Router(self.exchanges, configuration),
            self.recorder,
        ]
        self.extra: dict[str, Callable[[HTTPFlow], None]] = {}
        self.done: list[Done] = []
        self.flows: list[HTTPFlow] = []
        self.raised: list[BaseException] = []
        self.logged: list[str] = []
        self.to_client = b""
        self.to_upstream: dict[int, bytes] = {}
        self.opening: commands.OpenConnection | None = None
        self.server: Server | None = None
        self._now = 1_000_000_000
        self._ended: list[Connection] = []
        self._queue: collections.deque[events.Event] = collections.deque()
        self._is_busy = False
        self._alarms: list[tuple[int, commands.RequestWakeup]] = []
        self._test = taddons.context()
        self._faults = _Faults(self.raised)
        self._test.master.addons.add(Proxyserver(), NextLayerAddon(), *self.chain, _Ear(self))

    def __enter__(self) -> Self:
        self._test.__enter__()
        logging.getLogger("mitmproxy.addonmanager").addHandler(self._faults)
        self.client = Client(
            peername=("127.0.0.1", 50000),
            sockname=("127.0.0.1", 8088),
            state=ConnectionState.OPEN,
            proxy_mode=ProxyMode.parse("reverse:http://127.0.0.1:9"),
        )
        context = Context(self.client, self._test.options)
        context.server.address = ("127.0.0.1", 9)
        self.layer = self._relayed(context)
        self._feed(events.Start())
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("mitmproxy.addonmanager").removeHandler(self._faults)
        self._test.__exit__(None, None, None)

    def _relayed(self, context: Context) -> RelayLayer:
        """The layer that the relay puts under a connection for which mitmproxy has chosen HTTP."""
        choice = NextLayer(context)
        choice.layer = HttpLayer(context, HTTPMode.transparent)
        relay = self.chain[1]
        assert isinstance(relay, Relay)
        relay.next_layer(choice)
        assert isinstance(choice.layer, RelayLayer)
        return choice.layer

    def now_us(self) -> int:
        """The clock of the relay."""
        return self._now

    @property
    def flow(self) -> HTTPFlow:
        """The last flow."""
        return self.flows[-1]

    # Playing.

    def __rshift__(self, said: Said) -> Self:
        match said:
            case ClientSays():
                self._feed(events.DataReceived(self.client, said.data))
            case UpstreamSays():
                assert self.server
                self._feed(events.DataReceived(self.server, said.data))
            case Connected() | Refused():
                self._opened(None if isinstance(said, Connected) else said.why)
            case ClientGone():
                self._gone(self.client)
            case UpstreamGone():
                assert self.server
                self._gone(self.server)
            case Later():
                self._pass(said.seconds)
            case Stopped():
                self._feed(ShutDown())
            case StoodStill():
                self._now += int(said.seconds * 1e6)
                self._feed(Freshen())
        return self

    def __lshift__(self, expected: list[Done]) -> Self:
        done, self.done = self.done, []
        if not any(isinstance(one, Hook) for one in expected):
            done = [one for one in done if not isinstance(one, Hook)]
        assert done == expected
        return self

    def _opened(self, error: str | None) -> None:
        opening, self.opening = self.opening, None
        assert opening is not None
        if error is None:
            opening.connection.state = ConnectionState.OPEN
            opening.connection.timestamp_tcp_setup = 1.0
            self.server = opening.connection
        else:
            opening.connection.error = error
        self._feed(events.OpenConnectionCompleted(opening, error))

    def _gone(self, connection: Connection) -> None:
        """The peer has closed its side: a connection's end is told once, whoever ends it."""
        connection.state &= ~ConnectionState.CAN_READ
        self._ended.append(connection)
        self._feed(events.ConnectionClosed(connection))

    def _pass(self, seconds: float) -> None:
        end = self._now + int(seconds * 1e6)
        while self._alarms and min(self._alarms, key=lambda alarm: alarm[0])[0] <= end:
            alarm = min(self._alarms, key=lambda alarm: alarm[0])
            self._alarms.remove(alarm)
            self._now = max(self._now, alarm[0])
            self._feed(events.Wakeup(alarm[1]))
        self._now = end

    def _feed(self, event: events.Event) -> None:
        """Hand the layer an event; those that follow from its commands come afterwards, as in mitmproxy's server."""
        self._queue.append(event)
        if self._is_busy:
            return
        self._is_busy = True
        try:
            while self._queue:
                for command in self.layer.handle_event(self._queue.popleft()):
                    self._carry_out(command)
        finally:
            self._is_busy = False

    def _carry_out(self, command: commands.Command) -> None:
        match command:
            case commands.StartHook():
                asyncio.run(self._test.master.addons.handle_lifecycle(command))
                self._feed(events.HookCompleted(command))
            case commands.OpenConnection():
                assert command.connection.address
                self.opening = command
                self.done.append(Opens(command.connection.address[1]))
            case commands.SendData():
                self._sent(command)
            case commands.CloseConnection():
                self._closed(command)
            case commands.RequestWakeup():
                self._alarms.append((self._now + int(command.delay * 1e6), command))
            case commands.Log():
                self.logged.append(command.message)
            case _:
                raise AssertionError(command)

    def _sent(self, command: commands.SendData) -> None:
        port = self._port(command)
        assert command.connection.state & ConnectionState.CAN_WRITE
        self.done.append(Sends(port, command.data))
        if port:
            self.to_upstream[port] = self.to_upstream.get(port, b"") + command.data
        else:
            self.to_client += command.data

    def _closed(self, command: commands.CloseConnection) -> None:
        connection = command.connection
        if connection.state is not ConnectionState.CLOSED or self.opening:
            self.done.append(Closes(self._port(command)))
        connection.state = ConnectionState.CLOSED
        if self.opening is not None and connection is self.opening.connection:
            self._opened("connection cancelled")  # as mitmproxy's server does
        elif connection not in self._ended:
            self._ended.append(connection)
            self._feed(events.ConnectionClosed(connection))

    def _port(self, command: commands.ConnectionCommand) -> int:
        if command.connection is self.client:
            return 0
        assert isinstance(command.connection, Server)
        assert command.connection.address
        return int(command.connection.address[1])

    # Looking.

    def hooks(self) -> list[str]:
        """The hooks that have been called since the last look at what was done."""
        return [one.name for one in self.done if isinstance(one, Hook)]

    def answer(self) -> Answer:
        """What the client has got so far, read by h11."""
        return read_answer(self.to_client)
