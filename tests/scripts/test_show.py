"""``patchbay show``."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from providers.exchange.account import AttemptAccount, Outcome
from providers.wire.request import MediaPart, OpaquePart, Part, ReasoningPart, RefusalPart, TextPart, ToolResultPart
from scripts.log import command as log
from scripts.show import _part, command
from tests.addons.telemetry.accounts import begun, ended, request
from tests.scripts.recorded import QUESTION, fill, run, store_at


@pytest.fixture(name="path")
def fixture_path(tmp_path: Path) -> Path:
    path = tmp_path / "p.db"
    fill(path)
    return path


def test_a_conversation_reads_from_top_to_bottom(path: Path) -> None:
    result = run(command, path, "aaaa0001")
    assert result.exit_code == 0, result.output
    at = -1
    for text in (
        "smart → anthropic/claude-9",
        "conversation s1",
        "── system",
        "be brief",
        "── user",
        QUESTION,
        "── answer",
        "it will rain",
        "Let me look.",
        "[calls get_weather as call_1]",
        '"city": "Bergen"',
        "── attempts",
        "1. local/tiny  no status  upstream_refused",
        "connection refused",
        "2. anthropic/claude-9  200  ok",
        "1,204 input, 356 output, 1,100 cache read",
        "first token 320 ms, whole 4.20 s",
        "finish reason: tool_calls",
    ):
        assert result.output.find(text, at + 1) > at, text
        at = result.output.find(text, at + 1)


def test_a_call_without_an_answer_says_why(path: Path) -> None:
    output = run(command, path, "last").output
    assert "none: the answer was cut" in output
    assert "tokens: not known" in output


def record(path: Path, *tries: AttemptAccount, names: dict[str, str] | None = None, **numbers: Any) -> str:
    """Record one call whose last try is that of `ended`; what is shown of it."""
    account = begun("cccc0001", **(names or {}))
    account.attempts.extend(tries)
    ended(account, **numbers)
    for name in ("input_tokens", "output_tokens", "cache_read_tokens", "cost", "price_source"):
        if name in numbers:
            setattr(account.attempts[-1], name, numbers[name])
    with store_at(path) as store:
        store.complete(account, request("hello"), None, None, None)
    return run(command, path, "last").output


@pytest.mark.parametrize(
    ("names", "line"),
    [
        ({}, "tiny → local/tiny  (chat)"),
        ({"requested_model": "acme/cut", "provider": "acme", "model": "cut"}, "acme/cut  (chat)"),
        ({"requested_model": "", "dialect": "messages", "operation": "messages"}, "no model → local/tiny  (messages)"),
        ({"dialect": "messages", "operation": "count_tokens"}, "tiny → local/tiny  (messages, count_tokens)"),
    ],
)
def test_the_head_says_nothing_twice(tmp_path: Path, names: dict[str, str], line: str) -> None:
    assert record(tmp_path / "p.db", names=names).splitlines()[1] == line


def test_what_a_call_cost_and_whose_price_that_is(tmp_path: Path) -> None:
    broken = AttemptAccount("acme", "big", 200, Outcome.UPSTREAM_TRUNCATED, "cut", endpoint=2, duration_us=2_000_000)
    broken.input_tokens, broken.output_tokens, broken.cost, broken.price_source = 7, 3, 0.00002, "provider"
    shown = record(
        tmp_path / "p.db",
        broken,
        input_tokens=1204,
        output_tokens=96,
        cache_read_tokens=1000,
        cost=0.0123,
        price_source="genai-prices",
        prompt_us=102_000,
        decode_us=2_000_000,
        overhead_us=830,
        rescued=True,
    )
    assert "  ok, rescued\n" in shown
    assert "1. acme/big, endpoint 2  200  upstream_truncated  2.00 s  7→3 tokens  $0.00002 by provider: cut\n" in shown
    assert "2. local/tiny  200  ok  2 ms  1,204→96 (1,000 cached) tokens  $0.0123 by genai-prices\n" in shown
    assert "   cost: $0.0123 by genai-prices\n" in shown
    assert "   Patchbay's own share: 0.8 ms before the first try\n" in shown
    assert "   llama-server: prompt 102 ms (2,000.0 tokens/s), answer 2.00 s (48.0 tokens/s)\n" in shown


def test_what_nobody_knows_is_a_dash_or_not_said(tmp_path: Path) -> None:
    shown = record(tmp_path / "p.db", decode_us=5000)
    assert "   cost: –\n" in shown
    assert "own share" not in shown
    assert "1. local/tiny  200  ok  2 ms\n" in shown
    assert "   llama-server: prompt –, answer 5 ms\n" in shown


def test_a_record_of_an_older_patchbay(path: Path) -> None:
    """It has no costs yet: the next start of the proxy makes room for them."""
    with closing(sqlite3.connect(path)) as connection:
        for table, name in (
            *(("exchanges", name) for name in ("cost", "price_source", "prompt_us", "decode_us", "overhead_us")),
            *(("exchanges", name) for name in ("rescued", "translation")),
            *(("attempts", name) for name in ("endpoint", "input_tokens", "output_tokens", "cost", "price_source")),
        ):
            connection.execute("DROP VIEW IF EXISTS conversations")
            connection.execute(f"ALTER TABLE {table} DROP COLUMN {name}")
    shown = run(command, path, "aaaa0001").output
    assert "1,204 input" in shown
    assert "cost: –" in shown
    assert "aaaa0001" in run(log, path).output


def test_json(path: Path) -> None:
    shown = json.loads(run(command, path, "aaaa0001", "--json").output)
    assert shown["input_tokens"] == 1204
    assert [attempt["outcome"] for attempt in shown["attempts"]] == ["upstream_refused", "ok"]
    assert [message["role"] for message in shown["messages"]] == ["system", "user"]
    assert shown["answer"]["parts"][2]["name"] == "get_weather"
    assert {"cost", "price_source", "prompt_us", "decode_us", "overhead_us", "rescued"} <= shown.keys()
    assert {"endpoint", "cost", "price_source", "input_tokens", "output_tokens"} <= shown["attempts"][0].keys()


def test_bodies(path: Path) -> None:
    assert run(command, path, "bbbb", "--body", "request").output == '{"messages":[]}'
    assert run(command, path, "bbbb", "--body", "answer").output == "data: {}"
    result = run(command, path, "aaaa0001", "--body", "answer")
    assert result.exit_code == 1
    assert "PATCHBAY_BODIES" in result.output


@pytest.mark.parametrize(
    ("name", "complaint"), [("zzz", "no call has an id that begins with zzz"), ("aaaa", "aaaa0001, aaaa0002")]
)
def test_names_that_name_no_call(path: Path, name: str, complaint: str) -> None:
    result = run(command, path, name)
    assert result.exit_code == 1
    assert complaint in result.output


def test_without_a_file(tmp_path: Path) -> None:
    result = run(command, tmp_path / "none.db", "last")
    assert (result.exit_code, list(tmp_path.iterdir())) == (1, [])
    assert "there is no record at" in result.output


@pytest.mark.parametrize(
    ("part", "shown"),
    [
        (ReasoningPart("", encrypted="x"), "(encrypted)"),
        (RefusalPart("no"), "[refusal] no"),
        (ToolResultPart("c1", (TextPart("rain"),)), "[result of c1]\nrain"),
        (ToolResultPart("c1", (), is_error=True), "[failed result of c1]"),
        (MediaPart("image", "image/png", 1234, "blake2b:00"), "[image image/png, 1,234 bytes: blake2b:00]"),
        (OpaquePart("server_tool", "{}"), "[server_tool] {}"),
    ],
)
def test_parts(part: Part, shown: str) -> None:
    assert shown in _part(part)
