"""What a client is told when an upstream fails: status, code and words by outcome (specs: faults, sections 0 to 3).

The words name the provider and what to do, never an address.
"""

from dataclasses import dataclass

from providers.errors import error_body, status_for
from providers.exchange.account import Outcome
from providers.exchange.passage import Call, Told


@dataclass(frozen=True, slots=True)
class Fault:
    """How one outcome is told: an HTTP status, a stable code, a sentence with the provider's name in it."""

    status: int
    code: str
    text: str


FAULTS: dict[Outcome, Fault] = {
    Outcome.UPSTREAM_REFUSED: Fault(
        503, "upstream_unavailable", "{provider} cannot be reached: connection refused. Is it running?"
    ),
    Outcome.UPSTREAM_DNS: Fault(
        503, "upstream_unavailable", "{provider} cannot be reached: its host name does not resolve."
    ),
    Outcome.UPSTREAM_TLS: Fault(502, "upstream_tls", "No trusted TLS connection to {provider} could be made."),
    Outcome.UPSTREAM_RESET: Fault(502, "upstream_reset", "{provider} closed the connection before it answered."),
    Outcome.UPSTREAM_TIMEOUT_CONNECT: Fault(
        504, "upstream_timeout", "{provider} did not accept the connection in time (deadline `connect`)."
    ),
    Outcome.UPSTREAM_TIMEOUT_FIRST_BYTE: Fault(
        504, "upstream_timeout", "{provider} did not begin to answer in time (deadlines `head`, `first_content`)."
    ),
    Outcome.UPSTREAM_TIMEOUT_IDLE: Fault(
        504, "upstream_timeout", "{provider} stopped in the middle of its answer (deadline `gap`)."
    ),
    Outcome.UPSTREAM_TIMEOUT_TOTAL: Fault(
        504, "upstream_timeout", "The call to {provider} took longer than allowed (deadline `total`)."
    ),
    Outcome.UPSTREAM_HTTP_ERROR: Fault(502, "upstream_error", "{provider} reported an error."),
    Outcome.UPSTREAM_PROTOCOL_ERROR: Fault(
        502, "upstream_protocol_error", "{provider} sent something that is no answer to this call."
    ),
    Outcome.UPSTREAM_TRUNCATED: Fault(502, "upstream_truncated", "{provider} broke off in the middle of its answer."),
    Outcome.SHED: Fault(
        503,
        "overloaded",
        "{provider} has as many calls as it takes at once, and no room for another one. Try again soon.",
    ),
    Outcome.KILLED: Fault(503, "killed", "The call was ended by an operator of Patchbay."),
    Outcome.SHUTDOWN: Fault(503, "gateway_shutdown", "Patchbay is shutting down."),
    Outcome.INTERNAL_ERROR: Fault(
        500, "internal_error", "Patchbay failed while it handled this call; its log says why."
    ),
}
# Two that are told in words of their own.
REDIRECTED = Fault(
    502,
    "upstream_redirect",
    "{provider} sends the call on to another address. No call and no key follow there: correct its base_url.",
)
FORBIDDEN_ADDRESS = Fault(
    502,
    "upstream_forbidden_address",
    "The host name of {provider} leads to this machine instead of the internet, so nothing was sent. Look at what "
    "answers DNS here; for a proxy of your own, set base_url to its address.",
)


def as_told(fault: Fault, outcome: Outcome, call: Call, provider: str, detail: str = "") -> Told:
    """Return a fault as the client of a call hears of it; ``detail`` is for the record."""
    status, message = status_for(call.dialect, fault.status), fault.text.format(provider=provider)
    body = error_body(call.dialect, status, message, code=fault.code, request_id=call.id)
    return Told(status, body, message, outcome, [], fault.code, detail=detail)
