"""Marks: each finished call's flow says what it was: a mark for its provider, a comment, numbers for filters.

Strategy: one line for people (the comment), plain values for filters (``flow.metadata``, which ``~meta`` searches as
``key: value`` lines). What is not known is left out, so no unknown number ever reads as zero. What a person has written
is never touched: a mark or a comment is ours only while it is what we wrote last, which the flow itself remembers, so
that saved flows and replays are told apart as well.

Nothing is written where no flow is shown or saved (`scripts/serve` alone).
"""

from binascii import crc32
from collections.abc import Iterator
from typing import Final

from mitmproxy import ctx, http
from mitmproxy.flow import Flow

from addons.exchanges import Exchanges
from addons.relay.wire_view import CUT, cut_note
from addons.telemetry.metrics import tokens_per_second
from providers.exchange.account import ExchangeAccount, Outcome
from providers.wire.values import whole

MARK: Final = "patchbay.mark"
COMMENT: Final = "patchbay.comment"
# What shows flows or saves them, by the names that mitmproxy gives its addons.
_WATCHERS = ("view", "save", "savehar")

# mitmproxy's names of emoji. Every other provider gets one of the rest by its name, the same in every run.
_MARKS = {
    "local": ":llama:",
    "anthropic": ":orange_circle:",
    "openai": ":green_circle:",
    "openrouter": ":purple_circle:",
}
_OTHER_MARKS = (
    ":large_blue_circle:",
    ":yellow_circle:",
    ":brown_circle:",
    ":white_circle:",
    ":black_circle:",
    ":blue_square:",
    ":green_square:",
    ":yellow_square:",
    ":orange_square:",
    ":purple_square:",
    ":brown_square:",
)
_NUMBERS = ("input_tokens", "output_tokens", "cache_read_tokens", "cost", "ttft_us", "duration_us")
_SECOND = 1_000_000  # µs


class Marks:
    """Tells flows what they were, once the call is in the record."""

    def __init__(self, exchanges: Exchanges) -> None:
        self._exchanges = exchanges
        self._is_watched = True

    def running(self) -> None:
        """See whether anybody looks at flows."""
        self._is_watched = any(ctx.master.addons.get(name) is not None for name in _WATCHERS)

    def response(self, flow: http.HTTPFlow) -> None:
        """A call has ended with an answer."""
        if self._is_watched and (in_hand := self._exchanges.of(flow)) is not None and in_hand.finished is not None:
            tell(flow, in_hand.finished)

    def error(self, flow: http.HTTPFlow) -> None:
        """A call has ended without one."""
        self.response(flow)


def tell(flow: http.HTTPFlow, account: ExchangeAccount) -> None:
    """Let the flow say what the account knows."""
    comment = comment_of(account)
    if cut := cut_note(flow):
        comment = f"{comment} · {cut}"
    if not is_marked_by_a_person(flow):
        flow.marked = flow.metadata[MARK] = mark_of(account.provider) if account.provider else ""
    if not is_commented_by_a_person(flow):
        flow.comment = flow.metadata[COMMENT] = comment
    flow.metadata.update(_facts(account))
    for name in _NUMBERS:
        if (number := getattr(account, name)) is not None:
            flow.metadata[f"patchbay.{name}"] = number
        else:  # a replayed flow still has those of its first time
            flow.metadata.pop(f"patchbay.{name}", None)


def is_marked_by_a_person(flow: Flow) -> bool:
    """Whether somebody has put another mark on it than we did."""
    return flow.marked not in ("", flow.metadata.get(MARK))


def is_commented_by_a_person(flow: Flow) -> bool:
    """Whether somebody has written another comment on it than we did."""
    return flow.comment not in ("", flow.metadata.get(COMMENT), flow.metadata.get(CUT))


def mark_of(provider: str) -> str:
    """Return the mark of a provider, always the same one."""
    return _MARKS.get(provider) or _OTHER_MARKS[crc32(provider.encode("utf-8", "replace")) % len(_OTHER_MARKS)]


def comment_of(account: ExchangeAccount) -> str:
    """Say in one line what a finished call was; what is not known is left out."""
    return " · ".join(_said(account))


def _facts(account: ExchangeAccount) -> dict[str, object]:
    """Return what a filter may look for; what the relay has written of a call that went out is the same."""
    return {
        "patchbay.id": account.id,
        "patchbay.provider": account.provider,
        "patchbay.model": whole(account.model),
        "patchbay.outcome": str(account.outcome or Outcome.INTERNAL_ERROR),
        "patchbay.attempts": tries(account),
        "patchbay.dialect": account.dialect,
        "patchbay.operation": account.operation,
    }


def tries(account: ExchangeAccount) -> int:
    """Count the attempts; one on an idle connection that had been closed was repeated for free and is none."""
    return sum(not attempt.stale for attempt in account.attempts)


def _said(account: ExchangeAccount) -> Iterator[str]:
    if name := "/".join(filter(None, (account.provider, whole(account.model or account.requested_model)))):
        yield name
    if tokens := tokens_said(account):
        yield tokens
    if account.stream and account.ttft_us is not None:
        yield f"TTFT {span_said(account.ttft_us)}"
    elif not account.stream and account.duration_us is not None:
        yield span_said(account.duration_us)
    if (speed := tokens_per_second(account)) is not None:
        yield f"{speed:.0f} tok/s" if speed >= 10 else f"{speed:.1f} tok/s"
    if account.cost is not None:
        yield cost_said(account.cost)
    if (tried := tries(account)) > 1:
        yield f"{tried} attempts"
    if account.rescued:
        yield "rescued"
    yield outcome_said(account)


def tokens_said(account: ExchangeAccount) -> str:
    """``1,204→356 tok (1,100 cached)``, or the half of it that is known, or nothing."""
    read, written, cached = account.input_tokens, account.output_tokens, account.cache_read_tokens
    if read is None and written is None:
        return ""
    if read is None:
        return f"{written:,} tok out"
    tokens = f"{read:,} tok in" if written is None else f"{read:,}→{written:,} tok"
    return f"{tokens} ({cached:,} cached)" if cached else tokens


def span_said(us: int) -> str:
    """Microseconds for people: ``320 ms``, ``1.3 s``."""
    return f"{us / 1000:.0f} ms" if us < _SECOND else f"{us / _SECOND:.1f} s"


def cost_said(dollars: float) -> str:
    """US dollars with as many digits as say something: ``$0.0123``, ``$0.000042``."""
    if not dollars:
        return "$0"
    return f"${dollars:.4f}" if dollars >= 0.01 else f"${dollars:.6f}"


def outcome_said(account: ExchangeAccount) -> str:
    """How it ended; of a failure its status, too."""
    outcome = account.outcome or Outcome.INTERNAL_ERROR
    return outcome if outcome is Outcome.OK or account.status is None else f"{outcome} {account.status}"
