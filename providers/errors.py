"""What can go wrong, as exceptions, and how it is told to a client in its own dialect.

The exceptions (rules are written on types, so the tree is part of the contract)::

    ConfigurationError            you configured it wrong: str() is the whole message, line by line
    UpstreamError                 the upstream failed
     ├─ Unreachable               no connection: refused, no such name, TLS, reset
     ├─ TimedOut                  a deadline passed
     ├─ Rejected                  it answered with an error status
     │   └─ Unauthorized          … 401 or 403: our key is bad
     └─ Malformed                 it answered something that is not what it should be
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import NamedTuple

from providers.file_signature import Signature
from providers.redaction import REDACTED, redact, redact_bytes, redactor
from providers.wire.endpoints import Dialect

__all__ = [
    "ConfigurationError",
    "Malformed",
    "Problem",
    "Rejected",
    "TimedOut",
    "Unauthorized",
    "Unreachable",
    "UpstreamError",
    "error_body",
    "redact",
    "redact_bytes",
    "status_for",
    "stream_error",
]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is configured wrong.

    ``source`` is a file or ``environment``, ``line`` and ``column`` count from 1 (0: unknown), ``key`` is a dotted path
    or a variable, ``allowed`` what may stand there, ``nearest`` the closest spelling of it ("" if none is close).
    """

    source: str
    line: int
    key: str
    wrong: str
    allowed: str = ""
    nearest: str = ""
    column: int = 0

    def __str__(self) -> str:
        """``file:line:column: key: what is wrong; allowed: …; did you mean …?``."""
        place = ":".join(str(part) for part in (self.source, self.line, self.column) if part)
        head = ": ".join(part for part in (place, self.key, self.wrong) if part)
        allowed = f"; allowed: {self.allowed}" if self.allowed else ""
        nearest = f"; did you mean {self.nearest!r}?" if self.nearest else ""
        return redact(head + allowed + nearest)  # a key may have been put where something else belongs


class ConfigurationError(Exception):
    """You configured it wrong. ``problems`` lists every finding, ``files`` what to watch for a repair, as it was."""

    def __init__(self, problems: Iterable[Problem], files: Mapping[Path, Signature | None] | None = None) -> None:
        self.problems = list(problems)
        self.files = dict(files or {})
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UpstreamError(Exception):
    """The upstream failed. The text is for people and holds neither keys nor what the upstream wrote."""


class Unreachable(UpstreamError):
    """No connection came about, or it broke: refused, no such name, TLS, reset."""


class TimedOut(UpstreamError):
    """The upstream did not answer within its deadline."""


class Rejected(UpstreamError):
    """The upstream answered with an error status."""

    def __init__(self, status: int, message: str = "") -> None:
        self.status = status
        super().__init__(message or f"answered {status}")


class Unauthorized(Rejected):
    """The upstream does not accept our key (401 or 403)."""


class Malformed(UpstreamError):
    """The upstream's answer is not what its kind of server sends."""


class _Words(NamedTuple):
    """How a status is called: OpenAI's ``type`` and ``code``, Anthropic's ``type``."""

    type: str
    code: str | None
    messages_type: str


# specs: translation 9. A status that is not here is called like the last one of its class below it.
_WORDS: dict[int, _Words] = {
    400: _Words("invalid_request_error", None, "invalid_request_error"),
    401: _Words("invalid_request_error", "invalid_api_key", "authentication_error"),
    402: _Words("insufficient_quota", "insufficient_quota", "billing_error"),
    403: _Words("permission_error", None, "permission_error"),
    404: _Words("invalid_request_error", "model_not_found", "not_found_error"),
    408: _Words("timeout", "timeout", "timeout_error"),
    409: _Words("invalid_request_error", None, "invalid_request_error"),
    413: _Words("invalid_request_error", "request_too_large", "invalid_request_error"),
    422: _Words("invalid_request_error", None, "invalid_request_error"),
    429: _Words("rate_limit_exceeded", "rate_limit_exceeded", "rate_limit_error"),
    430: _Words("invalid_request_error", None, "invalid_request_error"),
    500: _Words("server_error", None, "api_error"),
    501: _Words("invalid_request_error", "not_supported", "invalid_request_error"),
    502: _Words("server_error", None, "api_error"),
    503: _Words("server_error", None, "overloaded_error"),
    504: _Words("timeout", "timeout", "timeout_error"),
    505: _Words("server_error", None, "api_error"),
    529: _Words("server_error", None, "overloaded_error"),
}
# OpenAI's clients do not know 529, Anthropic's know nothing better for "try again later".
_STATUS: dict[tuple[Dialect, int], int] = {
    (Dialect.CHAT, 529): 503,
    (Dialect.RESPONSES, 529): 503,
    (Dialect.MESSAGES, 503): 529,
}
# Some clients take these words in any error as "this server lacks tools" and silently drop them from the conversation.
_UNSAYABLE = re.compile("not found", re.IGNORECASE)
# Where OpenAI calls the type of an error as its code, whatever the status.
_TYPE_OF_CODE = {"insufficient_quota": "insufficient_quota"}
_DEEPEST = 32  # levels of what a provider adds to an error; real ones have four at most


def status_for(dialect: Dialect, status: int) -> int:
    """The HTTP status that says ``status`` in this dialect: overload is 503 for OpenAI, 529 for Anthropic."""
    return _STATUS.get((dialect, status), status)


def error_body(
    dialect: Dialect,
    status: int,
    message: str,
    *,
    code: str | None = None,
    type: str | None = None,
    request_id: str,
    detail: Mapping[str, object] | None = None,
    secrets: Iterable[str] = (),
) -> bytes:
    """An error as a JSON body.

    ``code`` is a stable word for programs, ``type`` replaces the word that belongs to ``status``. ``detail`` are a
    provider's further fields, which go where the dialect keeps such: ``error.details`` in messages, ``error.metadata``
    in chat and responses. Message and detail are cut of key-shaped strings and of ``secrets`` (keys, addresses), and
    never say "not found".
    """
    return _dump(_error(dialect, status, (message, code, type), request_id, detail or {}, secrets))


def stream_error(
    dialect: Dialect,
    status: int,
    message: str,
    *,
    code: str | None = None,
    request_id: str,
    sequence_number: int | None = None,
    detail: Mapping[str, object] | None = None,
    secrets: Iterable[str] = (),
) -> bytes:
    """The event that ends a stream which has already begun; nothing may follow it, no ``[DONE]`` either.

    ``sequence_number`` is the next one of a responses stream, where it is known; the rest is as in `error_body`.
    """
    body = _error(dialect, status, (message, code, None), request_id, detail or {}, secrets)
    if dialect is Dialect.CHAT:
        return b"data: " + _dump(body) + b"\n\n"
    if dialect is Dialect.RESPONSES:
        body = _responses_event(body, sequence_number)
    return b"event: error\ndata: " + _dump(body) + b"\n\n"


def _responses_event(body: dict[str, object], sequence_number: int | None) -> dict[str, object]:
    """The documented ``error`` event, with the ``error`` object inside.

    The openai SDK (3.52, 2026-11-20) yields an event that has ``code`` and ``message`` on top only, and the program
    in front of it goes on; it raises where ``error`` is a non-empty value. So the event carries both.
    """
    error = body["error"]
    if not isinstance(error, dict):  # pragma: no cover - built a few lines above
        raise TypeError(error)
    numbered = {} if sequence_number is None else {"sequence_number": sequence_number}
    said = {"code": error["code"], "message": error["message"], "param": None}
    return {"type": "error", **said, **numbered, "error": error}


def _error(
    dialect: Dialect,
    status: int,
    said: tuple[str, str | None, str | None],
    request_id: str,
    detail: Mapping[str, object],
    secrets: Iterable[str],
) -> dict[str, object]:
    """Put together what is ``said``: message, code and type."""
    message, code, type_ = said
    words, clean = _words(status), _cleaner(secrets)
    message, more = clean(message), {clean(name): _clean(value, clean, _DEEPEST) for name, value in detail.items()}
    if dialect is Dialect.MESSAGES:
        error: dict[str, object] = {"type": type_ or words.messages_type, "message": message}
        # The place where Anthropic's own errors carry a stable cause.
        if details := {**more, **({"error_code": code} if code else {})}:
            error["details"] = details
        return {"type": "error", "error": error, "request_id": request_id}
    type_ = type_ or _TYPE_OF_CODE.get(code or "", words.type)
    error = {"message": message, "type": type_, "param": None, "code": code or words.code}
    return {"error": {**error, **({"metadata": more} if more else {})}}


def _cleaner(secrets: Iterable[str]) -> Callable[[str], str]:
    cut = redactor(secrets)
    return lambda text: _UNSAYABLE.sub("unavailable", cut(text))


def _clean(value: object, clean: Callable[[str], str], depth: int) -> object:
    """What may be told of a parsed JSON value; deeper than ``depth`` nothing is looked at, so nothing is told."""
    match value:
        case str():
            return clean(value)
        case float() if not isfinite(value):  # no JSON has it
            return None
        case dict() | list() if not depth:
            return REDACTED
        case dict():
            return {clean(name): _clean(part, clean, depth - 1) for name, part in value.items()}
        case list():
            return [_clean(part, clean, depth - 1) for part in value]
    return value


def _words(status: int) -> _Words:
    """The row of ``status``, or of the nearest lower status; anything below 400 is our own fault."""
    return _WORDS[max((known for known in _WORDS if known <= status), default=500)]


def _dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
