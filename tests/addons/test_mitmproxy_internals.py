"""The internals of mitmproxy that we rely on, held by name and signature, so that an upgrade fails here and says why.

What they do is held by the tests of the relay. Whoever moves mitmproxy: run all of tests/addons, compare the functions
that failed here between both versions, then move the pin in pyproject.toml and here together (docs/adr/0001).
"""

import ast
import asyncio
import importlib.metadata
import inspect
import re
import tomllib
from contextlib import closing
from pathlib import Path

import h11._readers
import h11._receivebuffer
import mitmproxy.addonmanager
import mitmproxy.addons.next_layer
import mitmproxy.addons.proxyserver
import mitmproxy.http
import mitmproxy.proxy.layer
import mitmproxy.proxy.layers.http as http
import mitmproxy.proxy.layers.http._events as http_events
import mitmproxy.proxy.layers.http._http1 as http1
import mitmproxy.proxy.mode_servers
import mitmproxy.proxy.server
import mitmproxy.proxy.tunnel
import pytest
from mitmproxy.connection import Client, ConnectionState
from mitmproxy.options import Options
from mitmproxy.proxy import commands
from mitmproxy.proxy import events as proxy_events
from mitmproxy.proxy.context import Context
from mitmproxy.test import taddons

ROOT = Path(__file__).resolve().parents[2]
ADVICE = (
    "mitmproxy {version} has another {name} than the relay relies on. Read docs/adr/0001 and the docstrings of "
    "addons/relay_*.py before this pin is moved."
)

# What stands in the code → its parameters, with defaults.
SIGNATURES: dict[object, str] = {
    http.HttpLayer.__init__: "self, context, mode",
    http.HttpLayer._handle_event: "self, event",
    http.HttpLayer.event_to_child: "self, child, event",
    http.HttpLayer.make_stream: "self, stream_id",
    http.HttpLayer.get_connection: "self, event, *, reuse=True",
    http.HttpLayer.register_connection: "self, command",
    http.HttpStream.__init__: "self, context, stream_id",
    http.HttpStream._handle_event: "self, event",
    http.HttpStream.state_consume_request_body: "self, event",
    http.HttpStream.state_wait_for_response_headers: "self, event",
    http.HttpStream.state_stream_response_body: "self, event",
    http.HttpStream.start_response_stream: "self",
    http.HttpStream.state_done: "self, _",
    http.HttpStream.state_errored: "self, _",
    http.HttpStream.check_killed: "self, emit_error_hook",
    http.HttpStream.handle_protocol_error: "self, event",
    http.HttpStream.send_response: "self, already_streamed=False",
    http.HttpClient._handle_event: "self, event",
    http.GetHttpConnection.__init__: "self, address, tls, via, transport_protocol='tcp'",
    http.GetHttpConnection.connection_spec_matches: "self, connection",
    http.GetHttpConnectionCompleted.__init__: "self, command, reply",
    http.RegisterHttpConnection.__init__: "self, connection, err",
    http.SendHttp.__init__: "self, event, connection",
    http.DropStream.__init__: "self, stream_id",
    http1.Http1Connection.read_body: "self, event",
    http1.Http1Connection.mark_done: "self, *, request=False, response=False",
    http1.Http1Connection.done: "self, event",
    http1.Http1Client.read_headers: "self, event",
    http1.Http1Client.send: "self, event",
    http1.Http1Server.read_headers: "self, event",
    http1.Http1Server.send: "self, event",
    http1.make_body_reader: "expected_size",
    http_events.RequestHeaders.__init__: "self, stream_id, request, end_stream, replay_flow=None",
    http_events.ResponseHeaders.__init__: "self, stream_id, response, end_stream=False",
    http_events.ResponseData.__init__: "self, stream_id, data",
    http_events.ResponseTrailers.__init__: "self, stream_id, trailers",
    http_events.ResponseProtocolError.__init__: "self, stream_id, message, code",
    http_events.ErrorCode.http_status_code: "self",
    mitmproxy.proxy.layer.Layer.handle_event: "self, event",
    mitmproxy.proxy.mode_servers.AsyncioServerInstance.handle_stream: "self, reader, writer=None",
    mitmproxy.proxy.mode_servers.AsyncioServerInstance.stop: "self",
    mitmproxy.proxy.server.ConnectionHandler.server_event: "self, event",
    mitmproxy.addons.proxyserver.Proxyserver.setup_servers: "self",
    mitmproxy.addons.proxyserver.Proxyserver.listen_addrs: "self",
    mitmproxy.addons.next_layer.NextLayer.next_layer: "self, nextlayer",
    mitmproxy.addonmanager.AddonManager.handle_lifecycle: "self, event",
    mitmproxy.addonmanager.traverse: "chain",
    mitmproxy.addonmanager.safecall: "",
    mitmproxy.proxy.server.TimeoutWatchdog.register_activity: "self",
    asyncio.StreamReader.feed_data: "self, data",
    h11._receivebuffer.ReceiveBuffer.maybe_extract_at_most: "self, count",
    h11._receivebuffer.ReceiveBuffer.maybe_extract_lines: "self",
}
# Attributes that instances have, beside methods.
ATTRIBUTES: dict[type, str] = {
    http.HttpLayer: "connections streams command_sources waiting_for_establishment mode context",
    http.HttpStream: "client_state server_state request_body_buf flow context _paused _paused_event_queue",
    http1.Http1Client: "stream_id request response body_reader state buf conn",
    http1.Http1Server: "stream_id request response body_reader state buf conn",
    mitmproxy.proxy.mode_servers.AsyncioServerInstance: "_servers listen_addrs is_running",
    mitmproxy.addons.proxyserver.Proxyserver: "servers connections",
    mitmproxy.proxy.server.ConnectionHandler: "transports timeout_watchdog client layer",
    mitmproxy.proxy.tunnel.TunnelLayer: "child_layer",
    mitmproxy.proxy.layer.NextLayer: "layer",
    mitmproxy.addonmanager.AddonManager: "chain lookup",
    asyncio.StreamReader: "_waiter _buffer",
    mitmproxy.http.MessageData: "__post_init__",
}
# Words in the docstrings that are classes, events or options, held by being imported above.
NAMED = {"HttpLayer", "HttpClient", "Http1Client", "Http1Server", "RegisterHttpConnection", "ChunkedReader", "Start"}
NAMED |= {"AddonManager", "StreamReader", "update"}


def shown(function: object) -> str:
    assert callable(function)
    parameters = inspect.signature(function).parameters.values()
    bare = [one.replace(annotation=inspect.Parameter.empty) for one in parameters]
    return str(inspect.Signature(bare))[1:-1]


def name_of(function: object) -> str:
    return str(getattr(function, "__qualname__", function))


def advice(name: str) -> str:
    return ADVICE.format(version=importlib.metadata.version("mitmproxy"), name=name)


@pytest.mark.parametrize("function", SIGNATURES, ids=name_of)
def test_a_signature_is_as_we_know_it(function: object) -> None:
    assert shown(function) == SIGNATURES[function], advice(name_of(function))


def instances() -> dict[type, object]:
    """One of each that can be made without a socket."""
    client = Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2), state=ConnectionState.OPEN)
    options = Options()
    mitmproxy.addons.proxyserver.Proxyserver().load(options)
    context = Context(client, options)
    with taddons.context() as running:
        manager = running.master.addons
    with closing(asyncio.new_event_loop()) as loop:
        reader = asyncio.StreamReader(loop=loop)
    return {
        http.HttpLayer: http.HttpLayer(context, http.HTTPMode.transparent),
        http.HttpStream: http.HttpStream(context.fork(), 1),
        http1.Http1Client: http1.Http1Client(context.fork()),
        http1.Http1Server: http1.Http1Server(context.fork()),
        mitmproxy.addons.proxyserver.Proxyserver: mitmproxy.addons.proxyserver.Proxyserver(),
        mitmproxy.proxy.layer.NextLayer: mitmproxy.proxy.layer.NextLayer(context.fork()),
        mitmproxy.addonmanager.AddonManager: manager,
        asyncio.StreamReader: reader,
    }


@pytest.mark.parametrize("owner", ATTRIBUTES, ids=lambda owner: owner.__name__)
def test_an_attribute_is_there(owner: type) -> None:
    annotated = {name for one in owner.__mro__ for name in inspect.get_annotations(one)}
    there = annotated | set(dir(instances().get(owner, owner)))
    missing = set(ATTRIBUTES[owner].split()) - there
    assert not missing, advice(f"{owner.__name__} (without {', '.join(sorted(missing))})")


def test_the_states_of_a_stream_are_bound_methods_that_compare() -> None:
    stream = instances()[http.HttpStream]
    assert isinstance(stream, http.HttpStream)
    assert stream.client_state == stream.state_uninitialized, advice("HttpStream.client_state")
    assert stream.server_state == stream.state_uninitialized, advice("HttpStream.server_state")


@pytest.mark.parametrize(
    ("size", "reader"),
    [(None, h11._readers.ChunkedReader), (-1, h11._readers.Http10Reader), (5, h11._readers.ContentLengthReader)],
    ids=str,
)
def test_a_chunked_body_is_read_by_h11(size: int | None, reader: type) -> None:
    assert type(http1.make_body_reader(size)) is reader, advice("make_body_reader")


def test_which_commands_block() -> None:
    assert commands.StartHook.blocking is True, advice("StartHook.blocking")
    assert commands.OpenConnection.blocking is True, advice("OpenConnection.blocking")
    assert commands.RequestWakeup.blocking is False, advice("RequestWakeup.blocking")
    assert http.GetHttpConnection.blocking is True, advice("GetHttpConnection.blocking")
    assert issubclass(proxy_events.Wakeup, proxy_events.CommandCompleted), advice("Wakeup")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (http_events.ErrorCode.GENERIC_SERVER_ERROR, 502),
        (http_events.ErrorCode.CONNECT_FAILED, 502),
        (http_events.ErrorCode.REQUEST_TOO_LARGE, 413),
        (http_events.ErrorCode.REQUEST_VALIDATION_FAILED, 400),
        (http_events.ErrorCode.PASSTHROUGH_CLOSE, None),
        (http_events.ErrorCode.KILL, None),
    ],
    ids=str,
)
def test_which_errors_are_told_with_which_status(code: http_events.ErrorCode, status: int | None) -> None:
    assert code.http_status_code() == status, advice(str(code))


def test_the_version_that_is_pinned_is_the_one_that_is_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = [one for one in project["dependencies"] if one.startswith("mitmproxy")]
    assert pins == [f"mitmproxy=={importlib.metadata.version('mitmproxy')}"]


def relied_on() -> dict[str, set[str]]:
    """The names that the modules' docstrings say they rely on."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "addons").glob("**/*.py")):
        docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
        for paragraph in docstring.split("\n\n"):
            if re.search(r"\b[Rr]elies on\b", paragraph):
                names = re.findall(r"``([\w.]+)``", paragraph)
                found.setdefault(path.relative_to(ROOT / "addons").as_posix(), set()).update(
                    name.rpartition(".")[2] for name in names
                )
    return found


def test_what_the_docstrings_list_is_held_here() -> None:
    held = {name_of(function).rpartition(".")[2] for function in SIGNATURES} | NAMED
    held |= {name for names in ATTRIBUTES.values() for name in names.split()}
    listed = relied_on()
    assert {"relay/layer.py", "relay/stream.py", "relay/http1.py", "process/listener.py"} <= set(listed)
    for file, names in listed.items():
        assert not names - held, f"addons/{file} relies on {sorted(names - held)}: hold them here, too"
