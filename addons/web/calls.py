"""A call as the page's live list shows it, while it runs and when it has ended."""

from addons.telemetry.cleaning import Cleaner
from addons.telemetry.metrics import tokens_per_second
from addons.web.replies import Json
from providers.exchange.account import ExchangeAccount
from providers.exchange.machine import Exchange

_FOREIGN = ("model", "requested_model", "client")  # whoever wrote them may have put a key there


def running_call(exchange: Exchange, tokens: int, now: int, cleaner: Cleaner) -> Json:
    """Return a call as it is at ``now`` (monotonic µs); ``tokens`` are those of its text so far, by our estimate."""
    account = exchange.account
    elapsed = max(0, now - exchange.began) if exchange.began else 0
    first = account.ttft_us
    speed = tokens / ((elapsed - first) / 1e6) if first is not None and elapsed > first and tokens > 1 else None
    return {
        **_known(account, cleaner),
        "phase": "streaming" if exchange.is_committed or tokens else "waiting",
        "elapsed_us": elapsed,
        "output_tokens": tokens or None,
        "estimated": True,
        "tokens_per_second": speed,
    }


def ended_call(account: ExchangeAccount, cleaner: Cleaner) -> Json:
    """Return a call that has ended."""
    return {
        **_known(account, cleaner),
        "phase": "ended",
        "elapsed_us": account.duration_us or 0,
        "output_tokens": account.output_tokens,
        "estimated": account.usage_source == "estimated",
        "tokens_per_second": tokens_per_second(account),
    }


def _known(account: ExchangeAccount, cleaner: Cleaner) -> Json:
    tries = sum(not attempt.stale for attempt in account.attempts)
    return {
        "id": account.id,
        "started_at": account.started_at,
        "provider": account.provider,
        **{name: cleaner.text(getattr(account, name)) for name in _FOREIGN},
        "dialect": account.dialect,
        "operation": account.operation,
        "stream": account.stream,
        "attempt": max(1, tries),
        "ttft_us": account.ttft_us,
        "outcome": account.outcome,
        "status": account.status,
        "cost": account.cost,
    }
