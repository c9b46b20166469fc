"""A record of many calls as months of use leave it, written the way the program itself writes.

Strategy: what is random is drawn from a seed, so that two runs make the same file. Conversations grow turn by turn, a
few are long; most calls succeed, some providers and clients are rare, texts are made of words as frequent as in prose.
"""

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from addons.telemetry import runs
from addons.telemetry.backlog import Entry
from addons.telemetry.cleaning import Cleaner
from addons.telemetry.database import open_for_writing
from addons.telemetry.ledger import Ledger
from addons.telemetry.rows import attempt_snapshot, snapshot
from providers.exchange.account import AttemptAccount, EndedBy, ExchangeAccount, Outcome
from providers.wire import events
from providers.wire.answer import Answer

BATCH = 2000
RARE = "zeugma"  # one call in ten thousand says it
COMMON = "measure"
_SPAN = 28 * 86400.0  # seconds over which the calls are spread

# Each with its share. A model is provider, kind and name.
_MODELS = (
    (("local", "llamacpp", "qwen3-8b"), 55.0),
    (("anthropic", "anthropic", "claude-sonnet-5"), 25.0),
    (("openai", "openai", "gpt-6"), 12.0),
    (("openrouter", "openrouter", "deepseek/deepseek-v4"), 7.9),
    (("groq", "compatible", "kimi-k3"), 0.1),
)
_OUTCOMES = (
    (Outcome.OK, 96.0),
    (Outcome.CLIENT_DISCONNECTED, 2.0),
    (Outcome.UPSTREAM_HTTP_ERROR, 1.5),
    (Outcome.RATE_LIMITED, 0.45),
    (Outcome.UPSTREAM_TRUNCATED, 0.05),
)
_CLIENTS = (("claude-cli/2.1", 60.0), ("OpenAI/Python 3.52", 35.0), ("curl/8.14", 4.9), ("rare-client/1", 0.1))
_WORDS = [COMMON, *(f"word{number}" for number in range(1, 8000))]
_WEIGHTS = list(itertools.accumulate(1 / (place + 2) for place in range(len(_WORDS))))


def make_past(path: Path, exchanges: int, until: float, tell: Callable[[int], None], seed: int = 1) -> None:
    """Write so many calls that ended before ``until`` (seconds since the epoch) into a new file.

    Raises OSError and sqlite3.Error.
    """
    chance = random.Random(seed)
    with closing(open_for_writing(path)) as connection:
        run = runs.begin(connection, runs.this_process())
        ledger, cleaner = Ledger(connection, run), Cleaner(())
        entries = _entries(chance, exchanges, until)
        for done in range(0, exchanges, BATCH):
            ledger.land(list(itertools.islice(entries, BATCH)), cleaner, _go_on)
            tell(min(exchanges, done + BATCH))
        runs.finish(connection, run)


def _go_on() -> None:
    """Wait for nobody: nothing is served meanwhile."""


def _entries(chance: random.Random, exchanges: int, until: float) -> Iterator[Entry]:
    turns: list[dict[str, str]] = []
    for number in range(exchanges):
        if not turns or len(turns) > 40 or chance.random() < 0.4:  # a new conversation
            turns = [{"role": "system", "content": "You are a careful assistant."}]
        turns = [*turns, {"role": "user", "content": _text(chance, 25, number)}]
        account = _account(chance, number, until - _SPAN * (1 - number / exchanges))
        said = _text(chance, 40, number)
        answer = Answer()
        for event in (events.Text(said), events.Finish(events.FinishReason.STOP, "stop"), events.Terminal()):
            answer.add(event)
        attempts = tuple(map(attempt_snapshot, account.attempts))
        yield Entry(snapshot(account), True, attempts, {"model": account.model, "messages": turns}, answer)
        turns = [*turns, {"role": "assistant", "content": said}]


def _text(chance: random.Random, words: int, number: int) -> str:
    drawn = chance.choices(_WORDS, cum_weights=_WEIGHTS, k=words)
    return " ".join([*drawn, RARE] if number % 10_000 == 17 else drawn)


def _chosen[T](chance: random.Random, shares: Sequence[tuple[T, float]]) -> T:
    return chance.choices([value for value, _ in shares], [share for _, share in shares])[0]


def _account(chance: random.Random, number: int, started_at: float) -> ExchangeAccount:
    provider, kind, model = _chosen(chance, _MODELS)
    outcome = _chosen(chance, _OUTCOMES)
    account = ExchangeAccount(
        id=f"pb-{number:022d}",
        started_at=started_at,
        provider=provider,
        kind=kind,
        dialect="chat",
        operation="chat",
        requested_model="smart" if number % 50 == 0 else model,
        model=model,
        stream=True,
        client=_chosen(chance, _CLIENTS),
        status=200 if outcome is Outcome.OK else 502,
        outcome=outcome,
        who_ended=EndedBy.UPSTREAM,
        error=None if outcome is Outcome.OK else "broken",
        overhead_us=chance.randrange(200, 900),
    )
    account.ttft_us = int(1000 * chance.lognormvariate(6, 0.8))
    account.duration_us = account.ttft_us + int(1000 * chance.lognormvariate(7.5, 0.7))
    if outcome is Outcome.OK:
        _count(chance, account)
    attempt = AttemptAccount(provider, model, account.status, outcome, account.error, duration_us=account.duration_us)
    account.attempts.append(attempt)
    return account


def _count(chance: random.Random, account: ExchangeAccount) -> None:
    """Fill in what a good answer has used, and its cost where somebody asks for money."""
    account.input_tokens, account.output_tokens = used = chance.randrange(50, 20_000), chance.randrange(10, 900)
    account.cache_read_tokens = used[0] // 2
    if account.provider not in ("local", "groq"):
        account.cost, account.price_source = (3 * used[0] + 15 * used[1]) / 1e6, "registry"
