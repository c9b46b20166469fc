"""What a breaker counts, and its numbers: which failures are trouble, how many open it, and for how long.

A provider that answered is alive, whatever it answered: a request of the client's own making is no trouble.
"""

from dataclasses import dataclass
from enum import StrEnum

from providers.pool.error_class import ErrorClass

_SECOND = 1_000_000  # µs
LONGEST_ASKED = 3_600 * _SECOND


class State(StrEnum):
    """Of a breaker."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Trouble(StrEnum):
    """The kinds that are counted apart."""

    REFUSED = "refused"
    RESET = "reset"
    TIMEOUT = "timeout"
    SERVER_ERROR = "server_error"
    OVERLOAD = "overload"
    RATE_LIMIT = "rate_limit"
    SPEND_LIMIT = "spend_limit"
    AUTH = "auth"


class Proof(StrEnum):
    """What an answered health check proves of a trouble."""

    OVER = "over"  # it was the connection that failed, and there is one now
    PERHAPS = "perhaps"  # where the check had failed, too: then one call may find out
    NOTHING = "nothing"


TROUBLE: dict[ErrorClass | None, Trouble] = {
    ErrorClass.REFUSED: Trouble.REFUSED,
    ErrorClass.DNS: Trouble.REFUSED,
    ErrorClass.TLS: Trouble.REFUSED,
    ErrorClass.CONNECT_TIMEOUT: Trouble.TIMEOUT,
    ErrorClass.RESET: Trouble.RESET,
    ErrorClass.CUT: Trouble.RESET,
    ErrorClass.STALL: Trouble.TIMEOUT,
    ErrorClass.SERVER_ERROR: Trouble.SERVER_ERROR,
    ErrorClass.GATEWAY_TIMEOUT: Trouble.TIMEOUT,
    ErrorClass.OVERLOADED: Trouble.OVERLOAD,
    ErrorClass.RATE_LIMIT: Trouble.RATE_LIMIT,
    ErrorClass.SPEND_LIMIT: Trouble.SPEND_LIMIT,
    ErrorClass.AUTH: Trouble.AUTH,
    ErrorClass.MALFORMED: Trouble.SERVER_ERROR,
}
# They tell nothing of the provider: it was not asked to the end, or it is not ready and says so.
SILENT: frozenset[ErrorClass | None] = frozenset((ErrorClass.ENDED, ErrorClass.LOADING))


@dataclass(frozen=True, slots=True)
class Limits:
    """How many in a row open a breaker, for how long at first, and at most (µs).

    ``obeys``: a wait that was asked for opens it at once, for that long. ``proof`` is what a health check is worth.
    """

    threshold: int
    first: int
    cap: int
    obeys: bool = False
    proof: Proof = Proof.NOTHING


# Refused and reset cost nothing and may be over at once; timeouts cost the caller its patience. An overload passes
# soon (specs: faults, F26), and its end is for the provider to say. An empty account and a bad key are mended by
# people; a health check says nothing about them.
LIMITS: dict[Trouble, Limits] = {
    Trouble.REFUSED: Limits(3, 1 * _SECOND, 30 * _SECOND, proof=Proof.OVER),
    Trouble.RESET: Limits(5, 1 * _SECOND, 30 * _SECOND, proof=Proof.PERHAPS),
    Trouble.TIMEOUT: Limits(3, 5 * _SECOND, 60 * _SECOND, proof=Proof.PERHAPS),
    Trouble.SERVER_ERROR: Limits(5, 2 * _SECOND, 60 * _SECOND, proof=Proof.PERHAPS),
    Trouble.OVERLOAD: Limits(3, 1 * _SECOND, 15 * _SECOND, obeys=True),
    Trouble.RATE_LIMIT: Limits(1, 2 * _SECOND, 60 * _SECOND, obeys=True),
    Trouble.SPEND_LIMIT: Limits(1, 60 * _SECOND, 3_600 * _SECOND, obeys=True),
    Trouble.AUTH: Limits(1, 60 * _SECOND, 600 * _SECOND),
}
