"""A provider's error answer, retold to the client in the client's dialect.

An error that already has the dialect's shape passes as it is, byte for byte; anything else is rebuilt around what it
says. Key-shaped strings and the provider's address are taken out of both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from providers.errors import error_body, redact, redact_bytes, status_for
from providers.exchange.account import Outcome
from providers.wire.endpoints import Dialect
from providers.wire.retold import retell_body
from providers.wire.values import parse

_AUTH = (401, 403)


@dataclass(frozen=True, slots=True)
class RetoldError:
    """What the client gets and what the record says."""

    status: int
    body: bytes
    message: str
    outcome: Outcome
    code: str | None = None


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
        return RetoldError(502, made, message, Outcome.UPSTREAM_HTTP_ERROR, "upstream_auth")
    clean = redact_bytes(body, secrets)
    retold = retell_body(dialect, status, clean, provider)
    message = redact(retold.message, secrets)
    told = status_for(dialect, retold.status)
    outcome = Outcome.RATE_LIMITED if status == 429 else Outcome.UPSTREAM_HTTP_ERROR
    if told == status and _has_shape(dialect, _parse(clean)):
        return RetoldError(status, clean, message, outcome, retold.code)
    made = error_body(
        dialect, told, message, code=retold.code, request_id=request_id, detail=retold.detail, secrets=secrets
    )
    return RetoldError(told, made, message, outcome, retold.code)


def _parse(body: bytes) -> object:
    try:
        return parse(body.decode("utf-8", "replace"))
    except ValueError:
        return None


def _has_shape(dialect: Dialect, value: object) -> bool:
    """Whether a client of the dialect finds its error where it looks for it."""
    match dialect, value:
        case Dialect.MESSAGES, {"type": "error", "error": {"type": str(), "message": str()}}:
            return True
        case ((Dialect.CHAT | Dialect.RESPONSES), {"error": {"message": str()}}):
            return not (isinstance(value, dict) and value.get("type") == "error")  # that one is Anthropic's
    return False
