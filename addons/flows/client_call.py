"""The client's own request, out of a flow that shows what the provider was sent."""

from dataclasses import dataclass

from mitmproxy import http

from addons.relay.wire_view import body_hash
from providers.headers import Headers
from providers.wire.splice import NotAnObject, read_object

# What belongs to the connection, or frames a body that has been unpacked.
_NOT_KEPT = frozenset(
    ("host", "content-length", "transfer-encoding", "connection", "content-encoding", "accept-encoding", "expect")
)


@dataclass(frozen=True, slots=True)
class ClientCall:
    """What a client asked, without its credentials and what belonged to its connection; ``path`` has its query."""

    method: str
    path: str
    headers: Headers
    body: bytes


def client_call(flow: http.HTTPFlow) -> ClientCall | None:
    """Return the call that a flow was made of; None for a flow that was no LLM call.

    Where somebody has edited the flow it is the edited one, sent to the provider that the flow shows.
    """
    made = flow.metadata.get("patchbay.client_request")
    if not isinstance(made, str):
        return None
    method, _, path = made.partition(" ")
    fields: list[list[str]] = flow.metadata["patchbay.client_request_headers"]
    kept = [(name, value) for name, value in fields if name.lower() not in _NOT_KEPT]
    return ClientCall(method, path, kept, _body(flow))


def _body(flow: http.HTTPFlow) -> bytes:
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
