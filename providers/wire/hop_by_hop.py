"""The headers that belong to one connection and are never passed on, in requests and in answers alike."""

from collections.abc import Iterable

# RFC 9110, section 7.6.1, and the two names that were never standardised.
HOP_BY_HOP = frozenset(
    """connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding
    upgrade""".split()
)


def named_by_connection(headers: Iterable[tuple[str, str]]) -> frozenset[str]:
    """The further headers, in lower case, that a message's ``connection`` header says belong to the connection."""
    tokens = [token for name, value in headers if name.lower() == "connection" for token in value.split(",")]
    return frozenset(token.strip().lower() for token in tokens)
