"""Answers of the page and its API, with the headers that keep other sites out of them."""

import json

from mitmproxy import http

Json = dict[str, object]

JSON = "application/json"
EVENTS = "text/event-stream"

_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)
_GUARDED = {
    "content-security-policy": "; ".join(_POLICY),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


class ProblemError(Exception):
    """The answer is no: an HTTP status, and a sentence that says what to do."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def reply(flow: http.HTTPFlow, body: bytes, content_type: str, status: int = 200, **headers: str) -> None:
    """Answer with these bytes; an underscore in a header's name stands for its dash."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    flow.response = http.Response.make(status, body, {"content-type": content_type, **named, **_GUARDED})


def reply_json(flow: http.HTTPFlow, value: object, status: int = 200, **headers: str) -> None:
    """Answer with JSON that nobody keeps."""
    reply(flow, as_json(value).encode("utf-8", "replace"), JSON, status, cache_control="no-store", **headers)


def reply_no(flow: http.HTTPFlow, status: int, sentence: str, **headers: str) -> None:
    """Say no."""
    reply_json(flow, {"error": sentence}, status, **headers)


def as_json(value: object) -> str:
    """Return the text of JSON values."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def event(name: str, value: object) -> bytes:
    """Return one server-sent event; JSON has no line breaks of its own."""
    return f"event: {name}\ndata: {as_json(value)}\n\n".encode("utf-8", "replace")
