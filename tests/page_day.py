"""A day of a developer, for the pictures of the page: what was asked, who answered, how it ended."""

from typing import Any

from tests.page_samples import NOW, Json, call, ended, row

# What a day of a developer looks like: (said, provider, model, outcome, tokens in, out, cached, cost, µs to first, µs).
_DAY: tuple[tuple[Any, ...], ...] = (
    ("Why does the retry loop in fetch.py give up after the first 429?", "anthropic", "claude-sonnet-5", "ok",
     18_204, 356, 17_100, 0.0123, 412_000, 7_612_000),
    ("Write a test for the case that the server closes an idle connection", "anthropic", "claude-sonnet-5", "ok",
     19_880, 1_204, 18_190, 0.0288, 390_000, 23_104_000),
    ("Summarise the changes since yesterday in one paragraph", "local", "qwen3-8b", "ok",
     6_120, 148, 5_900, 0.0, 96_000, 3_212_000),
    ("Is there a race between close() and the reader thread?", "openrouter", "deepseek/deepseek-v4", "ok",
     9_400, 812, 0, 0.002973, 911_000, 14_420_000),
    ("Translate the error messages of the installer into German", "openai", "gpt-5.4", "upstream_http_error",
     None, None, None, None, None, 312_000),
    ("Name this function better: def do_it(x, y, flag=False)", "local", "qwen3-8b", "ok",
     410, 62, 0, 0.0, 41_000, 1_402_000),
    ("Which of these three indexes does the query planner use, and why?", "anthropic", "claude-opus-5", "ok",
     31_400, 2_310, 29_000, 0.0842, 1_204_000, 51_300_000),
    ("Explain the failing assertion in test_relay_stream.py", "anthropic", "claude-sonnet-5", "client_disconnected",
     22_010, 95, 20_400, None, 401_000, 2_900_000),
    ("Fill in the missing docstrings in this file", "groq", "some-model", "upstream_timeout_first_byte",
     None, None, None, None, None, 60_002_000),
    ("What does this regular expression match? ^(?:[^:]*)(?:: ?)?(.*)$", "local", "gpt-oss-20b", "ok",
     530, 402, 0, 0.0, 121_000, 8_800_000),
)  # fmt: skip


def day_of_calls(many: int = 24) -> list[Json]:
    """Rows of the history as a day's work leaves them, newest first."""
    rows = []
    for number in range(many):
        said, name, model, outcome, given, made, cached, cost, first, whole = _DAY[number % len(_DAY)]
        tokens = {"input_tokens": given, "output_tokens": made, "cache_read_tokens": cached, "cost": cost}
        spans = {"ttft_us": first, "duration_us": whole, "started_at": NOW - 97 - 1_640 * number}
        names = {"provider": name, "model": model, "requested_model": model, "outcome": outcome, "snippet": said}
        rows.append(row(number, **tokens, **spans, **names))
    return rows


def calls_now() -> list[Json]:
    """Two that run, one that waits behind a busy server, and those that ended of late."""
    running = [
        call(2, elapsed_us=8_240_000, output_tokens=371, tokens_per_second=47.6),
        call(5, provider="local", model="qwen3-8b", requested_model="fast", client="aider/0.90", attempt=2,
             elapsed_us=1_120_000, ttft_us=88_000, output_tokens=54, tokens_per_second=52.3),
        call(6, provider="openrouter", model="deepseek/deepseek-v4", requested_model="deepseek/deepseek-v4",
             client="llm/0.27", phase="waiting", ttft_us=None, output_tokens=None, tokens_per_second=None),
    ]  # fmt: skip
    over = []
    for number, line in enumerate(day_of_calls(9)):
        known = ("provider", "model", "requested_model", "outcome", "output_tokens", "ttft_us", "cost")
        said = {name: line[name] for name in known}
        pace = line["output_tokens"] and 1e6 * line["output_tokens"] / (line["duration_us"] - line["ttft_us"])
        over.append(ended(40 + 97 * number, **said, elapsed_us=line["duration_us"], tokens_per_second=pace))
    return running + over
