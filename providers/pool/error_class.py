"""What kind of failure an attempt met: the words that retries, breakers and ``fallback_on`` are written in.

Strategy: what happened to the connection is known by the exchange's outcome, what the provider said by the status and
the error's own words. The words win over the status, because one status says many things: a 429 may be a full minute
or an empty account, a 403 a bad key or a prompt that was flagged, a 503 an overload or a model that is being loaded.
A refusal *inside* an answer (a finish reason) is an answer, and never comes here.
"""

import re
from enum import StrEnum

from providers.exchange.account import Outcome
from providers.wire.events import Failure
from providers.wire.retold import is_too_long, status_of


class ErrorClass(StrEnum):
    """Why an attempt failed (specs: faults, sections 0 to 2)."""

    REFUSED = "refused"
    DNS = "dns"
    TLS = "tls"
    CONNECT_TIMEOUT = "connect_timeout"
    RESET = "reset"  # before the provider had taken any of the request
    CUT = "cut"  # after it: the model may have been at work
    STALL = "stall"  # no answer, or no more of it, in time
    SERVER_ERROR = "server_error"
    GATEWAY_TIMEOUT = "gateway_timeout"
    OVERLOADED = "overloaded"
    LOADING = "loading"  # llama-server is reading its model
    RATE_LIMIT = "rate_limit"
    SPEND_LIMIT = "spend_limit"  # no money left: waiting does not help
    AUTH = "auth"  # our key is bad
    CONTEXT_LENGTH = "context_length"
    CONTENT_FILTER = "content_filter"
    MALFORMED = "malformed"  # it answered something that is no answer
    UNSUPPORTED = "unsupported"  # this server cannot do that at all
    REQUEST = "request"  # of the client's own making
    ENDED = "ended"  # by us, by the client or by the total deadline


_BY_OUTCOME: dict[Outcome, ErrorClass] = {
    Outcome.CLIENT_ERROR: ErrorClass.REQUEST,
    Outcome.UPSTREAM_REFUSED: ErrorClass.REFUSED,
    Outcome.UPSTREAM_DNS: ErrorClass.DNS,
    Outcome.UPSTREAM_TLS: ErrorClass.TLS,
    Outcome.UPSTREAM_TIMEOUT_CONNECT: ErrorClass.CONNECT_TIMEOUT,
    Outcome.UPSTREAM_TIMEOUT_FIRST_BYTE: ErrorClass.STALL,
    Outcome.UPSTREAM_TIMEOUT_IDLE: ErrorClass.STALL,
    Outcome.UPSTREAM_TIMEOUT_TOTAL: ErrorClass.ENDED,
    Outcome.UPSTREAM_PROTOCOL_ERROR: ErrorClass.MALFORMED,
    Outcome.UPSTREAM_TRUNCATED: ErrorClass.CUT,
    Outcome.SHED: ErrorClass.OVERLOADED,
    Outcome.CLIENT_DISCONNECTED: ErrorClass.ENDED,
    Outcome.KILLED: ErrorClass.ENDED,
    Outcome.SHUTDOWN: ErrorClass.ENDED,
    Outcome.INTERNAL_ERROR: ErrorClass.ENDED,
    Outcome.ABORTED_BY_CRASH: ErrorClass.ENDED,
}
# What is about one server: another one of the same provider may do better. The key and the call are the same there.
OF_ONE_SERVER = frozenset(
    (
        ErrorClass.REFUSED,
        ErrorClass.DNS,
        ErrorClass.TLS,
        ErrorClass.CONNECT_TIMEOUT,
        ErrorClass.RESET,
        ErrorClass.CUT,
        ErrorClass.STALL,
        ErrorClass.SERVER_ERROR,
        ErrorClass.GATEWAY_TIMEOUT,
        ErrorClass.OVERLOADED,
        ErrorClass.LOADING,
        ErrorClass.RATE_LIMIT,
        ErrorClass.MALFORMED,
    )
)
# The outcomes whose status and words say more.
_SAID = frozenset((Outcome.UPSTREAM_HTTP_ERROR, Outcome.RATE_LIMITED))

# 408 and 425 ask for a repetition. 524 is a CDN's 504: the model may have been at work. Any other 5xx is a
# server_error, any other 4xx the client's.
_BY_STATUS: dict[int, ErrorClass] = {
    401: ErrorClass.AUTH,
    402: ErrorClass.SPEND_LIMIT,
    403: ErrorClass.AUTH,
    408: ErrorClass.SERVER_ERROR,
    425: ErrorClass.SERVER_ERROR,
    429: ErrorClass.RATE_LIMIT,
    501: ErrorClass.UNSUPPORTED,
    503: ErrorClass.OVERLOADED,
    504: ErrorClass.GATEWAY_TIMEOUT,
    524: ErrorClass.GATEWAY_TIMEOUT,
    529: ErrorClass.OVERLOADED,
}
_BY_WORD: dict[str, ErrorClass] = {
    "insufficient_quota": ErrorClass.SPEND_LIMIT,
    "billing_error": ErrorClass.SPEND_LIMIT,
    "billing_hard_limit_reached": ErrorClass.SPEND_LIMIT,
    "content_filter": ErrorClass.CONTENT_FILTER,
    "content_policy_violation": ErrorClass.CONTENT_FILTER,
    "moderation_blocked": ErrorClass.CONTENT_FILTER,
    "overloaded_error": ErrorClass.OVERLOADED,
    "server_overloaded": ErrorClass.OVERLOADED,
    "engine_overloaded_error": ErrorClass.OVERLOADED,
}
# llama-server: 503 "Loading model". The other form is that of servers which load on demand.
_LOADING_WORDS = re.compile(r"\bloading model\b|\bmodel\b.*\bis (?:still |currently )?loading\b", re.IGNORECASE)
_FILTER_STATUSES = frozenset((400, 403, 422))
# Anthropic: 400 "Output blocked by content filtering policy". OpenRouter: 403 with the field `flagged_input`.
_FILTER_WORDS = re.compile(
    r"content[ _-](?:filter|polic|management polic|moderation)|input was flagged|requires moderation", re.IGNORECASE
)
_FLAGGED = '"flagged_input"'
# With a key of the client's own these are its own affair: no other target is asked in its name.
_ABOUT_THE_KEY = frozenset((ErrorClass.AUTH, ErrorClass.SPEND_LIMIT))
_NOTHING_SAID = Failure("")


def classify(
    outcome: Outcome,
    status: int | None = None,
    said: Failure | None = None,
    *,
    sent: bool = True,
    our_key: bool = True,
) -> ErrorClass:
    """Say what kind of failure ended an attempt.

    ``status`` is that of the answer's head; None or below 400 where a 200 turned out to hold an error: then ``said``
    counts, the error in the provider's own words. ``sent``: some of the request had been written. ``our_key``: the
    provider judged a key of ours. Raises ValueError for an outcome that is no failure.
    """
    if outcome in _SAID:
        found = _as_told(status, said or _NOTHING_SAID, limited=outcome is Outcome.RATE_LIMITED)
        return ErrorClass.REQUEST if found in _ABOUT_THE_KEY and not our_key else found
    if outcome is Outcome.UPSTREAM_RESET:
        return ErrorClass.CUT if sent else ErrorClass.RESET
    if outcome not in _BY_OUTCOME:
        raise ValueError(f"{outcome} is no failure")
    return _BY_OUTCOME[outcome]


def _as_told(status: int | None, said: Failure, *, limited: bool) -> ErrorClass:
    if status is None or status < 400:
        status = 429 if limited else status_of(said)
    if is_too_long(status, said):
        return ErrorClass.CONTEXT_LENGTH
    if _is_filtered(status, said):
        return ErrorClass.CONTENT_FILTER
    if status == 503 and _LOADING_WORDS.search(said.message):
        return ErrorClass.LOADING
    by_word = _BY_WORD.get(said.code) or _BY_WORD.get(said.type)
    by_class = ErrorClass.SERVER_ERROR if status >= 500 else ErrorClass.REQUEST
    return by_word or _BY_STATUS.get(status, by_class)


def _is_filtered(status: int, said: Failure) -> bool:
    """Whether the words of a refusal speak of what was asked, not of who asked."""
    if status not in _FILTER_STATUSES:
        return False
    return _FLAGGED in said.raw or _FILTER_WORDS.search(said.message) is not None
