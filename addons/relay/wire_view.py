"""What a flow shows of an exchange: the wire, as the answering provider saw it, and never a key.

``flow.request`` and ``flow.response`` are what was sent and what came; the key stands there as a placeholder and is put
on a copy when the request leaves. What the client sent and saw goes into ``flow.metadata`` under ``patchbay.…`` keys,
as plain JSON values without credentials, so that a saved flow is complete; half a surrogate pair cannot be saved.
"""

import re
from copy import copy
from hashlib import blake2b

from mitmproxy import http
from mitmproxy.flow import Error
from mitmproxy.net.http import status_codes, url

from addons.exchanges import InHand
from providers.addresses import is_led_astray
from providers.exchange.account import Outcome
from providers.exchange.answer_head import Headers
from providers.exchange.commands import Head
from providers.exchange.kept import Kept
from providers.exchange.machine import Exchange
from providers.exchange.plan import Target
from providers.headers import CREDENTIALS, without_keys
from providers.provider import Provider
from providers.redaction import redact_bytes
from providers.wire.values import whole

Fields = tuple[tuple[bytes, bytes], ...]

CUT = "patchbay.body_cut_note"

# What asyncio and OpenSSL say when no connection comes about (mitmproxy hands their text on), and what it means.
_CONNECT_ERRORS: tuple[tuple[re.Pattern[str], Outcome], ...] = (
    (re.compile(r"certificate|tls|ssl", re.IGNORECASE), Outcome.UPSTREAM_TLS),
    (re.compile(r"name or service|nodename|getaddrinfo|name resolution|errno -", re.IGNORECASE), Outcome.UPSTREAM_DNS),
    (re.compile(r"timed out|errno 110|errno 60", re.IGNORECASE), Outcome.UPSTREAM_TIMEOUT_CONNECT),
    # Within the TLS handshake, or as soon as it was accepted: nothing of the request had been sent.
    (re.compile(r"connection closed|reset by peer|errno 104|errno 54", re.IGNORECASE), Outcome.UPSTREAM_RESET),
)


def outcome_of(error: str) -> Outcome:
    """Say what a connect error means; anything unknown is a refusal: nothing was sent."""
    return next((outcome for words, outcome in _CONNECT_ERRORS if words.search(error)), Outcome.UPSTREAM_REFUSED)


def text_headers(fields: Fields) -> Headers:
    """Header fields as text, without loss (mitmproxy's own convention)."""
    return [(k.decode("utf-8", "surrogateescape"), v.decode("utf-8", "surrogateescape")) for k, v in fields]


def byte_headers(headers: Headers) -> Fields:
    """The reverse of `text_headers`."""
    return tuple((k.encode("utf-8", "surrogateescape"), v.encode("utf-8", "surrogateescape")) for k, v in headers)


class WireView:
    """One flow with its exchange."""

    def __init__(self, flow: http.HTTPFlow, in_hand: InHand, exchange: Exchange) -> None:
        self._flow = flow
        self._in_hand = in_hand
        self._exchange = exchange
        self._shown: tuple[int, bytes | None] | None = None
        self.target = exchange.plan.first  # whose request the flow shows

    def show(self, target: Target) -> None:
        """Let the flow show what another target is sent; another server of the same provider is sent the same."""
        if target.body is self.target.body and target.provider == self.target.provider:
            self.target = target
            aim(self._flow.request, target.scheme, target.host, target.port, target.path)
            self._flow.request.host_header = url.hostport(target.scheme, target.host, target.port)
            return
        self.target, self._in_hand.provider = target, self._in_hand.provider_of(target.provider)
        self._flow.metadata["patchbay.wire_body_hash"] = body_hash(target.body)
        show_wire(self._flow, target)

    def begin_attempt(self) -> None:
        """Tell who follows this call, if anybody does, that a target is dialled."""
        if self._in_hand.trace is not None:
            self._in_hand.trace.attempt_begins()

    def is_led_astray(self, peer: str) -> bool:
        """Whether the name of an official provider has led to ``peer``, an address of this machine."""
        provider = self._in_hand.provider
        return provider is not None and is_led_astray(self.target.host, provider.default_base_url, peer)

    def request_with_key(self) -> http.Request:
        """Copy the flow's request as it leaves: with the provider's key, if it still goes to that provider."""
        shown, provider = self._flow.request, self._in_hand.provider
        fields = shown.headers.fields
        if provider is not None and _is_at(provider, shown.scheme, shown.host, shown.port):
            placeholders = byte_headers(provider.placeholder_headers())
            fields = (*(f for f in fields if f not in placeholders), *byte_headers(provider.auth_headers()))
        if self._in_hand.trace is not None:
            fields = self._in_hand.trace.onto(fields)
        sent = copy(shown)  # a new one would have all its fields checked: a twentieth of a small request's time
        sent.data = copy(shown.data)
        sent.data.http_version, sent.data.headers = b"HTTP/1.1", http.Headers(fields)
        return sent

    def clean_head(self, response: http.Response) -> None:
        """Take our keys out of a response head: a provider may echo what it was sent."""
        secrets = self._in_hand.secrets
        fields = response.headers.fields
        if any(secret.encode() in value for secret in secrets for _, value in fields):
            response.headers.fields = tuple((name, redact_bytes(value, secrets)) for name, value in fields)

    def client_head(self, head: Head, *, length: int | None) -> http.Response:
        """Build the head that the client gets; ``length`` is the body's, None while it is not known."""
        headers = head.headers
        if length is not None:
            headers = [*(p for p in headers if p[0].lower() != "content-length"), ("content-length", str(length))]
        elif not any(name.lower() == "content-length" for name, _ in headers):
            # To a client of HTTP/1.0 the end of the connection is the end of the body.
            headers = [*headers, *([] if self._flow.request.data.http_version == b"HTTP/1.0" else [_CHUNKED])]
        if self._in_hand.client_closes:
            headers = [*headers, ("connection", "close")]
        wire = self._flow.response
        reason = wire.data.reason if wire is not None and wire.status_code == head.status else _reason(head.status)
        response = copy(_BLANK)
        response.data = copy(_BLANK.data)
        response.data.status_code, response.data.reason = head.status, reason
        response.data.headers = http.Headers(byte_headers(headers))
        return response

    def settle(self, sent: Head | None, body: bytes | None) -> bool:
        """Let the flow show how it ended; True if it has a whole answer, False if it has an error.

        ``sent`` and ``body`` are what the client was sent, where that is not what the provider sent.
        """
        flow, account, heard = self._flow, self._exchange.account, self._exchange.heard
        if flow.response is not None:
            flow.response.data.content = _clean(heard.kept.content(), self._in_hand.secrets)
        answered = account.outcome is Outcome.OK or (flow.response is not None and account.outcome in _TOLD)
        if not answered:
            flow.error = Error(f"{account.outcome}: {account.error or ''}".rstrip(": "))
        flow.metadata.update(self._story(sent, body))
        if flow.response is not None and answered:
            self._shown = (flow.response.status_code, flow.response.raw_content)
        return answered

    def edited(self, head: Head, body: bytes) -> tuple[Head, bytes]:
        """What the client gets after the ``response`` hook: the answer as it is, or as an addon or a person made it."""
        response = self._flow.response
        if response is None or self._shown is None or self._shown == (response.status_code, response.raw_content):
            return head, body
        return Head(response.status_code, head.headers), self._exchange.rewritten(response.raw_content or b"")

    def _story(self, sent: Head | None, body: bytes | None) -> dict[str, object]:
        account = self._exchange.account
        story: dict[str, object] = {
            "patchbay.id": account.id,
            "patchbay.provider": account.provider,
            "patchbay.model": whole(account.model),
            "patchbay.requested_model": whole(account.requested_model),
            "patchbay.outcome": str(account.outcome),
            "patchbay.reason": self._exchange.plan.reason,
        }
        mark_cut(self._flow, self._exchange.heard.kept)
        if pace := self._exchange.heard.pace.told():
            story["patchbay.pace"] = pace
        if account.translation is not None:
            story["patchbay.translation"] = whole(account.translation)
        if sent is not None:
            story["patchbay.client_status"] = sent.status
            story["patchbay.client_headers"] = [[whole(name), whole(value)] for name, value in sent.headers]
        if body is not None and (self._flow.response is None or body != self._flow.response.raw_content):
            story["patchbay.client_body"] = body.decode("utf-8", "replace")
        return story


def _is_at(provider: Provider, scheme: str, host: str, port: int) -> bool:
    """Whether an address is one of the provider's own: only there its key may go."""
    for server in provider.replicas:
        at = server.url
        if at.host == host and at.port == port and at.scheme == scheme:
            return True
    return False


def body_hash(body: bytes) -> str:
    """Tell bodies apart: whether a flow's was edited since it was made."""
    return blake2b(body, digest_size=16).hexdigest()


def _without_keys(path: str) -> str:
    bare, mark, query = path.partition("?")
    return bare + mark + without_keys(query)


def mark_cut(flow: http.HTTPFlow, kept: Kept) -> None:
    """Let a flow say that it shows only the beginning of its answer's body; a person's comment stays."""
    if kept.whole:
        return
    note = f"the answer's body is cut here after {len(kept.content()):,} bytes"
    flow.metadata["patchbay.body_cut"] = True
    flow.metadata[CUT] = note
    flow.comment = flow.comment or note


def cut_note(flow: http.HTTPFlow) -> str:
    """Return what `mark_cut` has said of a flow, "" if it shows all there was."""
    note = flow.metadata.get(CUT)
    return note if isinstance(note, str) else ""


def _clean(body: bytes, secrets: tuple[str, ...]) -> bytes:
    """Take our keys out of what a provider sent: some echo them. Nothing else is touched, the flow shows the wire."""
    return redact_bytes(body, secrets) if any(secret.encode() in body for secret in secrets) else body


def client_request(request: http.Request, wire_body: bytes) -> dict[str, object]:
    """What the client sent, without credentials; its body only where the wire's is another."""
    body = request.raw_content or b""
    story: dict[str, object] = {
        "patchbay.wire_body_hash": body_hash(wire_body),
        "patchbay.client_request": whole(f"{request.method} {_without_keys(request.path)}"),
        "patchbay.client_request_headers": [
            [whole(name), whole(value)]
            for name, value in text_headers(request.headers.fields)
            if name.lower() not in CREDENTIALS
        ],
    }
    if body != wire_body:
        story["patchbay.client_request_body"] = body.decode("utf-8", "replace")
    return story


def show_wire(flow: http.HTTPFlow, target: Target) -> None:
    """Make the flow's request the one that the provider will be sent, with a placeholder for its key."""
    aim(flow.request, target.scheme, target.host, target.port, target.path)
    host = ("host", url.hostport(target.scheme, target.host, target.port))
    length = ("content-length", str(len(target.body)))
    flow.request.headers.fields = byte_headers([host, *target.headers, length])
    flow.request.data.content = target.body


def aim(request: http.Request, scheme: str, host: str, port: int, path: str) -> None:
    """Let a request go somewhere else."""
    request.data.scheme = scheme.encode()
    request.data.host, request.data.port = host, port
    request.data.path = path.encode("utf-8", "surrogateescape")


_BLANK = http.Response.make(200, b"")
_CHUNKED = ("transfer-encoding", "chunked")
# Outcomes with a complete answer of the provider's own, though not a good one.
_TOLD = frozenset((Outcome.UPSTREAM_HTTP_ERROR, Outcome.RATE_LIMITED))


def _reason(status: int) -> bytes:
    reason: str = status_codes.RESPONSES.get(status, "")
    return reason.encode()
