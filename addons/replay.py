"""Replay: a client replay in mitmweb is the client's call made again, and routed anew.

mitmproxy replays ``flow.request``, which is the provider's view: another host and path, and a placeholder where the key
was. So the client's request is put back first and sent to our own address, where it is a call like any other. The guard
of mitmproxy against connecting to oneself is lifted for exactly these connections.
"""

from mitmproxy import ctx, http
from mitmproxy.proxy.server_hooks import ServerConnectionHookData

from addons.wire_view import body_hash, byte_headers
from providers.wire.splice import NotAnObject, read_object


class Replay:
    """Puts the client's request back into a flow that is replayed."""

    def __init__(self) -> None:
        self._expected = 0

    def request(self, flow: http.HTTPFlow) -> None:
        """Restore the client's request and aim it at ourselves."""
        made = flow.metadata.get("patchbay.client_request")
        if flow.is_replay != "request" or not isinstance(made, str):
            return
        method, _, path = made.partition(" ")
        request, (host, port) = flow.request, _own_address()
        body = _body(flow)
        kept = [
            (name, value)
            for name, value in flow.metadata["patchbay.client_request_headers"]
            if name.lower() not in ("host", "content-length", "transfer-encoding", "connection", "content-encoding")
        ]
        request.method, request.path = method, path
        request.scheme, request.host, request.port = "http", host, port
        request.headers.fields = byte_headers(
            [("host", request.host_header or host), *kept, ("content-length", str(len(body)))]
        )
        request.data.content = body
        self._expected += 1

    def server_connect(self, data: ServerConnectionHookData) -> None:
        """Let a replay connect to us."""
        if self._expected and data.server.address == _own_address():
            self._expected -= 1
            data.server.error = None


def _own_address() -> tuple[str, int]:
    host, port = ctx.master.addons.get("proxyserver").listen_addrs()[0][:2]
    return ({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port)


def _body(flow: http.HTTPFlow) -> bytes:
    """The client's body; where somebody has edited the flow, the edited one, sent to the provider that it shows."""
    content = flow.request.raw_content or b""
    if flow.metadata.get("patchbay.wire_body_hash") == body_hash(content):
        said = flow.metadata.get("patchbay.client_request_body")
        return said.encode() if isinstance(said, str) else content
    try:
        edited = read_object(content)
    except NotAnObject:
        return content
    model = edited.value.get("model")
    provider = flow.metadata.get("patchbay.provider")
    return edited.replace({"model": f"{provider}/{model}"}) if isinstance(model, str) and provider else content
