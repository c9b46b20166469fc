"""What is known of one exchange when it is admitted and when it has ended: the contract with the recorder.

All spans are integer microseconds of the monotonic clock; ``started_at`` alone is wall time (seconds since the epoch).
None means "not known" and is never written as zero.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from providers.exchange.price import Price
from providers.wire.events import NO_USAGE, Usage


class Outcome(StrEnum):
    """How an exchange or an attempt ended (specs: faults, section 0)."""

    OK = "ok"
    CLIENT_ERROR = "client_error"
    UPSTREAM_REFUSED = "upstream_refused"
    UPSTREAM_DNS = "upstream_dns"
    UPSTREAM_TLS = "upstream_tls"
    UPSTREAM_RESET = "upstream_reset"
    UPSTREAM_TIMEOUT_CONNECT = "upstream_timeout_connect"
    UPSTREAM_TIMEOUT_FIRST_BYTE = "upstream_timeout_first_byte"
    UPSTREAM_TIMEOUT_IDLE = "upstream_timeout_idle"
    UPSTREAM_TIMEOUT_TOTAL = "upstream_timeout_total"
    UPSTREAM_HTTP_ERROR = "upstream_http_error"
    UPSTREAM_PROTOCOL_ERROR = "upstream_protocol_error"
    UPSTREAM_TRUNCATED = "upstream_truncated"
    RATE_LIMITED = "rate_limited"
    SHED = "shed"
    CLIENT_DISCONNECTED = "client_disconnected"
    KILLED = "killed"
    SHUTDOWN = "shutdown"
    INTERNAL_ERROR = "internal_error"
    ABORTED_BY_CRASH = "aborted_by_crash"


class EndedBy(StrEnum):
    """Who ended it."""

    UPSTREAM = "upstream"
    CLIENT = "client"
    GATEWAY = "gateway"


@dataclass(slots=True)
class AttemptAccount:
    """One try at one target. ``stale`` marks a try on a reused connection that had died: it was repeated for free.

    ``endpoint`` counts from 1 where the provider has several servers. Tokens and ``cost`` are what this try used, as
    far as it told: ``used`` has all of it, ``price`` is the registry's price for it (neither is recorded).
    """

    provider: str
    model: str
    status: int | None = None
    outcome: Outcome | None = None
    error: str | None = None
    stale: bool = False
    connect_us: int | None = None
    ttfb_us: int | None = None
    duration_us: int | None = None
    bytes_in: int = 0
    endpoint: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None
    price_source: str = ""
    used: Usage = field(default=NO_USAGE, repr=False)
    price: Price | None = field(default=None, repr=False)


@dataclass(slots=True)
class ExchangeAccount:
    """One client call: what it asked, who answered, how it ended.

    ``kind`` is the provider's kind, ``requested_model`` what the client wrote ("" if nothing), ``model`` what was sent;
    ``translation`` is what could not be carried between dialects ("" if all could, None if none was needed);
    ``bytes_in`` counts the request body as the client sent it, ``bytes_out`` the answer's body as sent to the client.
    ``usage_source`` says who counted the tokens: ``upstream``, ``timings`` (llama-server's measure), ``estimated`` (we,
    by the length of the text: the answer broke off before it was counted), ``none``. ``cost`` is in US dollars,
    None where no price is known; ``price_source`` says whose price it is (``provider``, ``registry``, ``provider
    list``, ``genai-prices``, "" for none). ``prompt_us`` and ``decode_us`` are llama-server's own measure.
    ``overhead_us`` is what Patchbay took from the whole request to the first dial; ``rescued`` that another target went
    on with an answer that broke off.
    ``request_body`` and ``answer`` are the raw material of the stored conversation; ``answer`` may be cut at its limit.
    """

    id: str
    started_at: float
    provider: str
    kind: str
    dialect: str
    operation: str
    requested_model: str
    model: str
    stream: bool
    client: str = ""
    session_id: str | None = None
    bytes_in: int = 0
    # from here on: known only as the call goes on
    status: int | None = None
    outcome: Outcome | None = None
    who_ended: EndedBy | None = None
    error: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    usage_source: str = "none"
    connect_us: int | None = None
    ttfb_us: int | None = None
    ttft_us: int | None = None
    duration_us: int | None = None
    bytes_out: int = 0
    finish_reason: str | None = None
    request_id_upstream: str | None = None
    translation: str | None = None
    cost: float | None = None
    price_source: str = ""
    prompt_us: int | None = None
    decode_us: int | None = None
    overhead_us: int | None = None
    rescued: bool = False
    attempts: list[AttemptAccount] = field(default_factory=list)
