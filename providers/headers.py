"""Which headers and query parameters of a client reach which kind of upstream (DESIGN section 3, Secrets).

Strategy: an external provider's headers are rebuilt from an allow-list, so a header nobody thought of stays here. The
local server alone gets what the client sent. What belongs to the connection or to the body's framing is never passed
on: whoever sends the request writes ``host``, ``content-length`` and the credentials.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from urllib.parse import unquote_plus

from providers.wire.endpoints import Dialect
from providers.wire.hop_by_hop import HOP_BY_HOP, named_by_connection

Headers = list[tuple[str, str]]

# What frames the message, and whom it is for: written anew for each connection.
_WRITTEN_ANEW = HOP_BY_HOP | {"expect", "host", "content-length"}
CREDENTIALS = frozenset(("authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie"))
KEY_PARAMETERS = frozenset(
    "key api_key api-key apikey x-api-key access_token auth_token token authorization secret".split()
)

_ANY_DIALECT = frozenset(
    """content-type content-encoding accept user-agent idempotency-key traceparent tracestate
    x-client-request-id""".split()
)
_ALLOWED: dict[Dialect, re.Pattern[str]] = {
    # Organisation and project select who pays: only the configured ones are sent.
    Dialect.CHAT: re.compile(r"openai-(?!organization$|project$).+"),
    Dialect.RESPONSES: re.compile(r"openai-(?!organization$|project$).+"),
    # Unchanged: a dropped beta turns fields of the body into errors, a stale one added is an error too (specs: 12).
    Dialect.MESSAGES: re.compile(r"anthropic-(?:version|beta)"),
}
ANTHROPIC_VERSION = "2023-06-01"
IDENTITY = ("accept-encoding", "identity")
_NOT_THE_SERVERS = _WRITTEN_ANEW | {"accept-encoding"}
_NOT_THE_SERVERS_OR_KEYS = _NOT_THE_SERVERS | CREDENTIALS


def for_external(
    client: Sequence[tuple[str, str]],
    *,
    dialect: Dialect,
    spoken: Collection[Dialect],
    also: Collection[str] = (),
    defaults: Iterable[tuple[str, str]] = (),
) -> Headers:
    """What an external provider is told: allowed headers as the client wrote them, then ``defaults`` it lacks.

    A dialect's own headers go only to a provider that speaks it. ``also`` allows more names (lower case).
    """
    pattern = _ALLOWED[dialect] if dialect in spoken else re.compile(r"(?!)")
    kept = [
        (name, value)
        for name, value in client
        if (low := name.lower()) in _ANY_DIALECT or low in also or pattern.fullmatch(low)
    ]
    if dialect is Dialect.MESSAGES and dialect in spoken:
        defaults = (*defaults, ("anthropic-version", ANTHROPIC_VERSION))
    present = {name.lower() for name, _ in kept}
    return [*kept, *(pair for pair in defaults if pair[0].lower() not in present), IDENTITY]


def for_local(client: Sequence[tuple[str, str]], *, own_key: bool) -> Headers:
    """What the local server is told: all the client said, without credentials where a key of ours replaces them."""
    dropped = (_NOT_THE_SERVERS_OR_KEYS if own_key else _NOT_THE_SERVERS) | named_by_connection(client)
    return [*[(name, value) for name, value in client if name.lower() not in dropped], IDENTITY]


def without_keys(query: str) -> str:
    """``query`` without parameters that carry keys; every other byte stays."""
    pairs = query.split("&")
    return "&".join(
        pair for pair in pairs if unquote_plus(pair.partition("=")[0]).strip().lower() not in KEY_PARAMETERS
    )
