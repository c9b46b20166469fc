"""What is counted of finished exchanges, as Prometheus metrics: the same accounts that become rows, so totals agree.

Strategy: counting is a few additions to plain dicts (some microseconds a call), made where the call ends; the families
of `prometheus_client` are made only when somebody reads. Labels come from closed sets: names of models are the one
open set, and past `MOST_MODELS` of them the others share the label ``other``.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from providers.exchange.account import AttemptAccount, ExchangeAccount, Outcome
from providers.redaction import redact

MOST_MODELS = 200  # pairs of provider and model with labels of their own
OTHER = "other"
_LONGEST = 120  # characters of a model's name: it is whatever a client wrote

# Upper bounds, in the unit of the measure; what lies above all of them is in the last bucket, +Inf.
_SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 60.0, 120.0, 300.0, 600.0)
_OVERHEAD = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_SPEED = (1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 50.0, 75.0, 100.0, 150.0, 250.0, 500.0, 1000.0)

_BY_CALL = ("provider", "model", "operation", "outcome")
_BY_ATTEMPT = ("provider", "model", "outcome")
_BY_MODEL = ("provider", "model")
_BY_KIND = ("provider", "model", "kind")

_TOKENS = ("input", "output", "cache_read", "cache_write", "reasoning")


class Spread:
    """A histogram by provider."""

    def __init__(self, name: str, text: str, bounds: Sequence[float]) -> None:
        self._name, self._text, self._bounds = name, text, bounds
        self._counts: dict[str, list[int]] = {}
        self._sums: dict[str, float] = defaultdict(float)

    def add(self, provider: str, value: float) -> None:
        """Count one value."""
        counts = self._counts.get(provider)
        if counts is None:
            counts = self._counts[provider] = [0] * (len(self._bounds) + 1)
        counts[bisect_left(self._bounds, value)] += 1
        self._sums[provider] += value

    def family(self) -> Metric:
        """Return it as Prometheus has it: each bucket counts those below it, too."""
        family = HistogramMetricFamily(self._name, self._text, labels=("provider",))
        for provider, counts in sorted(self._counts.items()):
            buckets, below = [], 0
            for bound, count in zip((*map(str, self._bounds), "+Inf"), counts, strict=True):
                below += count
                buckets.append((bound, float(below)))
            family.add_metric((provider,), buckets, self._sums[provider])
        return family


class Tally:
    """A counter by some labels."""

    def __init__(self, name: str, text: str, labels: Sequence[str]) -> None:
        self._name, self._text, self._labels = name, text, labels
        self._counts: dict[tuple[str, ...], float] = defaultdict(float)

    def add(self, labels: tuple[str, ...], amount: float = 1) -> None:
        """Count."""
        self._counts[labels] += amount

    def total(self, last: str) -> float:
        """Return the sum of those whose last label is this one."""
        return sum(count for labels, count in self._counts.items() if labels[-1] == last)

    def family(self) -> Metric:
        """Return it as Prometheus has it."""
        family = CounterMetricFamily(self._name, self._text, labels=self._labels)
        for labels, count in sorted(self._counts.items()):
            family.add_metric(labels, count)
        return family


def _no_secrets() -> Sequence[str]:
    return ()


class Metrics:
    """The numbers of one run. `observe` is told of each exchange once, when it has ended.

    ``secrets`` gives the keys that no label may show: a client may write anything for a model's name.
    """

    def __init__(self, secrets: Callable[[], Sequence[str]] = _no_secrets) -> None:
        self._secrets = secrets
        self._labels: dict[tuple[str, str], tuple[str, str]] = {}
        self._requests = Tally("patchbay_requests", "Calls that have ended, by how they ended.", _BY_CALL)
        self._attempts = Tally("patchbay_attempts", "Tries at providers, by how they ended.", _BY_ATTEMPT)
        self._retries = Tally("patchbay_retries", "Tries after the first one of a call.", _BY_MODEL)
        self._tokens = Tally(
            "patchbay_tokens",
            "Tokens by kind; input holds cache_read and cache_write, output holds reasoning.",
            _BY_KIND,
        )
        self._cost = Tally("patchbay_cost_dollars", "What calls cost, where the price is known.", _BY_MODEL)
        self._unpriced = Tally("patchbay_unpriced_requests", "Calls with tokens whose price is not known.", _BY_MODEL)
        self._first = Spread("patchbay_time_to_first_token_seconds", "From the request to the first content.", _SECONDS)
        self._lasted = Spread("patchbay_duration_seconds", "From the request to the end of the answer.", _SECONDS)
        self._speed = Spread("patchbay_output_tokens_per_second", "Tokens per second after the first one.", _SPEED)
        self._overhead = Spread(
            "patchbay_overhead_seconds",
            "From the whole request to the first dial: what Patchbay itself takes.",
            _OVERHEAD,
        )

    def observe(self, account: ExchangeAccount) -> None:
        """Count a finished exchange."""
        outcome = account.outcome or Outcome.INTERNAL_ERROR  # as the record has it
        provider, model = of = self._label(account.provider, account.model)
        self._requests.add((provider, model, account.operation, outcome))
        for number, attempt in enumerate(account.attempts):
            self._attempt(attempt, is_first=number == 0)
        for kind in _TOKENS:
            if count := getattr(account, f"{kind}_tokens"):
                self._tokens.add((provider, model, kind), count)
        if account.cost is not None:
            self._cost.add(of, account.cost)
        elif account.input_tokens or account.output_tokens:
            self._unpriced.add(of)
        self._times(provider, account)

    def ended(self, outcome: Outcome) -> float:
        """Return how many calls have ended so."""
        return self._requests.total(outcome)

    def families(self) -> Iterator[Metric]:
        """Return everything that was counted."""
        tallies = (self._requests, self._attempts, self._retries, self._tokens, self._cost, self._unpriced)
        spreads = (self._first, self._lasted, self._speed, self._overhead)
        return (each.family() for each in (*tallies, *spreads))

    def _attempt(self, attempt: AttemptAccount, *, is_first: bool) -> None:
        provider, model = of = self._label(attempt.provider, attempt.model)
        self._attempts.add((provider, model, attempt.outcome or Outcome.INTERNAL_ERROR))
        if not is_first:
            self._retries.add(of)

    def _times(self, provider: str, account: ExchangeAccount) -> None:
        first, lasted = account.ttft_us, account.duration_us
        if first is not None:
            self._first.add(provider, first / 1e6)
        if lasted is not None:
            self._lasted.add(provider, lasted / 1e6)
        if account.overhead_us is not None:
            self._overhead.add(provider, account.overhead_us / 1e6)
        if (speed := tokens_per_second(account)) is not None:
            self._speed.add(provider, speed)

    def _label(self, provider: str, model: str) -> tuple[str, str]:
        pair = (provider, model)
        known = self._labels.get(pair)
        if known is not None:
            return known
        if len(self._labels) >= MOST_MODELS:
            return (provider, OTHER)
        labels = self._labels[pair] = (provider, redact(model, self._secrets())[:_LONGEST])
        return labels


def tokens_per_second(account: ExchangeAccount) -> float | None:
    """How fast the answer came: by llama-server's own measure, else what followed the first content; None if unknown.

    An answer that is not streamed comes at once, and says nothing of it; of one that broke off or stalled, what was
    counted by its length says nothing either.
    """
    tokens, decode_us = account.output_tokens, account.decode_us
    if not tokens or account.usage_source == "estimated":
        return None
    if decode_us:
        return tokens / (decode_us / 1e6)
    first, lasted = account.ttft_us, account.duration_us
    if not account.stream or first is None or lasted is None or lasted <= first or tokens < 2:
        return None
    return (tokens - 1) / ((lasted - first) / 1e6)
