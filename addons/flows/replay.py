"""Replay: a client replay in mitmweb is the client's call made again, and routed anew.

mitmproxy replays ``flow.request``, which is the provider's view: another host and path, and a placeholder where the key
was. So the client's request is put back first and sent to our own address, where it is a call like any other. The guard
of mitmproxy against connecting to oneself is lifted for exactly these connections.
"""

import asyncio
from collections.abc import Awaitable, Sequence

from mitmproxy import ctx, http
from mitmproxy.proxy.server_hooks import ServerConnectionHookData

from addons.flows.client_call import ClientCall, client_call
from addons.relay.wire_view import byte_headers

_LOOK, _PATIENCE = 0.02, 10.0  # seconds: between two looks whether we listen, and of all of them


class Replay:
    """Puts the client's request back into a flow that is replayed."""

    def __init__(self) -> None:
        self._expected = 0

    def request(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        """Restore the client's request and aim it at ourselves; one from the command line comes before we listen."""
        call = client_call(flow) if flow.is_replay == "request" else None
        if call is None:
            return None
        if not _addresses():
            return self._restore_once_open(flow, call)
        self._restore(flow, call)
        return None

    async def _restore_once_open(self, flow: http.HTTPFlow, call: ClientCall) -> None:
        for _ in range(int(_PATIENCE / _LOOK)):
            if _addresses():
                break
            await asyncio.sleep(_LOOK)
        self._restore(flow, call)

    def _restore(self, flow: http.HTTPFlow, call: ClientCall) -> None:
        request, (host, port) = flow.request, own_address()
        request.method, request.path = call.method, call.path
        request.scheme, request.host, request.port = "http", host, port
        request.headers.fields = byte_headers(
            [("host", request.host_header or host), *call.headers, ("content-length", str(len(call.body)))]
        )
        request.data.content = call.body
        self._expected += 1

    def server_connect(self, data: ServerConnectionHookData) -> None:
        """Let a replay connect to us."""
        if self._expected and data.server.address == own_address():
            self._expected -= 1
            data.server.error = None


def own_address() -> tuple[str, int]:
    """Return where a program on this machine reaches us."""
    host, port = _addresses()[0][:2]
    return ({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port)


def _addresses() -> Sequence[tuple[str, int]]:
    addresses: Sequence[tuple[str, int]] = ctx.master.addons.get("proxyserver").listen_addrs()
    return addresses
