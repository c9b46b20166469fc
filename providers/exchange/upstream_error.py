"""A provider's error answer, retold to the client in the client's dialect.

An error that already has the dialect's shape passes as it is, byte for byte; anything else is rebuilt around what it
says. Key-shaped strings and the provider's address are taken out of both.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from providers.errors import error_body, redact_bytes, status_for
from providers.exchange.account import Outcome
from providers.wire.endpoints import Dialect

_QUOTE_LIMIT = 500  # characters of a text that is no JSON: enough to recognise it
_AUTH = (401, 403)


@dataclass(frozen=True, slots=True)
class RetoldError:
    """What the client gets and what the record says."""

    status: int
    body: bytes
    message: str
    outcome: Outcome


def retell(
    dialect: Dialect,
    status: int,
    body: bytes,
    *,
    provider: str,
    our_key: bool,
    secrets: Sequence[str],
    request_id: str,
) -> RetoldError:
    """Turn a status of 400 and above with its body into the client's error.

    A refused key is never passed on as 401 when the key is ours: the client's own is fine, and it could not mend it.
    """
    if our_key and status in _AUTH:
        message = f"{provider} refused the key that Patchbay holds for it ({status}); check that key."
        made = error_body(dialect, 502, message, code="upstream_auth", request_id=request_id)
        return RetoldError(502, made, message, Outcome.UPSTREAM_HTTP_ERROR)
    clean = redact_bytes(body, secrets)
    value = _parse(clean)
    message = _message(value, clean) or f"{provider} answered with status {status}."
    told = status_for(dialect, status)
    outcome = Outcome.RATE_LIMITED if status == 429 else Outcome.UPSTREAM_HTTP_ERROR
    if told == status and _has_shape(dialect, value):
        return RetoldError(status, clean, message, outcome)
    made = error_body(dialect, told, message, code=_code(value), request_id=request_id)
    return RetoldError(told, made, message, outcome)


def _parse(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _has_shape(dialect: Dialect, value: object) -> bool:
    """Whether a client of the dialect finds its error where it looks for it."""
    match dialect, value:
        case Dialect.MESSAGES, {"type": "error", "error": {"type": str(), "message": str()}}:
            return True
        case ((Dialect.CHAT | Dialect.RESPONSES), {"error": {"message": str()}}):
            return not (isinstance(value, dict) and value.get("type") == "error")  # that one is Anthropic's
    return False


def _message(value: object, body: bytes) -> str:
    """What the provider said, in the shapes that are seen in the wild (specs: translation, section 9)."""
    match value:
        case {"error": {"message": str(text)}} | {"error": str(text)} | {"message": str(text)} | {"detail": str(text)}:
            return text
        case None if not body.lstrip().startswith(b"<"):  # HTML is a proxy's or a CDN's page: nothing for a client
            return body.decode("utf-8", "replace").strip()[:_QUOTE_LIMIT]
        case None:
            return ""
    return json.dumps(value)[:_QUOTE_LIMIT]


def _code(value: object) -> str | None:
    match value:
        case {"error": {"code": str(code)}} | {"code": str(code)}:
            return code
    return None
