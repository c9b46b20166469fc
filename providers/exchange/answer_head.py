"""Which of a provider's response headers a client sees."""

import string
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote

from providers.pool.waits import told_wait
from providers.wire.hop_by_hop import HOP_BY_HOP, named_by_connection

Headers = list[tuple[str, str]]

# What clients read of an external provider's answer; the rest (cookies, caches, server banners) is between it and us.
_EXTERNAL = frozenset(
    "content-type content-length content-encoding content-disposition date cache-control request-id x-request-id "
    "retry-after retry-after-ms x-should-retry x-accel-buffering traceresponse".split()
)
_UNAVAILABLE = frozenset((503, 529))
_EXTERNAL_PREFIXES = ("x-ratelimit-", "anthropic-", "openai-", "x-generation-", "x-openrouter-")


def client_headers(headers: Iterable[tuple[str, str]], *, external: bool) -> Headers:
    """Filter an upstream's headers for the client; the local server's pass but for the hop-by-hop ones."""
    headers = list(headers)
    named = named_by_connection(headers)  # framing is the driver's: it knows how the body leaves
    return [
        (name, value)
        for name, value in headers
        if (key := name.lower()) not in HOP_BY_HOP
        and key not in named
        and (not external or key in _EXTERNAL or key.startswith(_EXTERNAL_PREFIXES))
    ]


def value_of(headers: Iterable[tuple[str, str]], name: str) -> str:
    """The first value of a header, "" if there is none; ``name`` in lower case."""
    return next((value for key, value in headers if key.lower() == name), "")


def without(headers: Headers, *names: str) -> Headers:
    """The headers without those of these lower-case names."""
    return [pair for pair in headers if pair[0].lower() not in names]


def with_wait(headers: Headers, status: int, seconds: float | None) -> Headers:
    """Say when to come back to a client that nobody took on (503, 529), unless the provider has said so itself."""
    if seconds is None or status not in _UNAVAILABLE or value_of(headers, "retry-after"):
        return headers
    return [*headers, told_wait(max(seconds, 1))]


@lru_cache(1024)
def in_a_header(text: str) -> str:
    """A client's text as a header's value: percent-encoded but for visible ASCII, and cut if very long."""
    return quote(text[:200], safe=string.punctuation + " ", errors="replace")


def is_packed(headers: Headers) -> bool:
    """Whether the body is compressed although identity was asked for: nothing here could read it."""
    return value_of(headers, "content-encoding").strip().lower() not in ("", "identity")
