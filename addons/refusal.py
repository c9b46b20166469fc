"""Our own refusals: an answer in the dialect of the path, never HTML, never an address."""

from dataclasses import dataclass

from mitmproxy import http

from providers.errors import error_body, status_for
from providers.wire.endpoints import dialect_of

_WORDS = {
    400: "The request is not well-formed HTTP.",
    403: "Clients outside this machine are not let in. Set PATCHBAY_ALLOW_REMOTE=1 to allow them.",
    413: "The request body is larger than allowed (PATCHBAY_MAX_BODY_BYTES).",
    431: "The request head is larger than 64 KiB.",
    500: "Patchbay failed while it handled this call; its log says why.",
    502: "The local server cannot be reached or did not answer as HTTP. Is llama-server running?",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A complete answer of ours."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def refusal_for(path: str, status: int, message: str = "", *, code: str | None = None, request_id: str = "") -> Refusal:
    """Say no to a request on ``path``; each status that mitmproxy itself may come up with has a default message."""
    dialect = dialect_of(path)
    told = status_for(dialect, status)
    body = error_body(
        dialect, told, message or _WORDS.get(status, _WORDS[500]), code=code, request_id=request_id or "none"
    )
    headers = [("content-type", "application/json"), ("content-length", str(len(body)))]
    named = [("x-request-id", request_id)] if request_id else []
    return Refusal(told, [*headers, *named], body)


def refuse(
    flow: http.HTTPFlow, status: int, message: str = "", *, code: str | None = None, request_id: str = ""
) -> None:
    """Answer a flow with a refusal of ours; ``request_id`` is its exchange's, where it has one that is recorded."""
    refusal = refusal_for(flow.request.path, status, message, code=code, request_id=request_id or flow.id)
    if request_id:
        # Trying again changes nothing: the official clients would, at some of these statuses.
        refusal.headers.extend([("x-patchbay-id", request_id), ("x-should-retry", "false")])
    flow.response = http.Response.make(refusal.status, refusal.body, dict(refusal.headers))
