"""Reading sums and spreads: days are the machine's, percentiles are off by less than 5 %."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from addons.telemetry import counting, figures, runs
from addons.telemetry.backlog import Entry
from addons.telemetry.cleaning import Cleaner
from addons.telemetry.ledger import Ledger
from addons.telemetry.rows import snapshot
from addons.telemetry.schema import migrate
from providers.exchange.account import ExchangeAccount, Outcome
from tests.addons.telemetry.accounts import begun, ended

HOUR = 3600.0
NOON = 20_000 * 86400 + 12 * HOUR  # 2024-10-04, UTC


@pytest.fixture(name="connection")
def fixture_connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection)
        yield connection


@pytest.fixture(name="in_india")
def fixture_in_india(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Five and a half hours east."""
    monkeypatch.setenv("TZ", "IST-05:30")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def land(connection: sqlite3.Connection, *accounts: ExchangeAccount) -> None:
    ledger = Ledger(connection, runs.begin(connection, runs.this_process()))
    ledger.land([Entry(snapshot(one), True) for one in accounts], Cleaner(()), lambda: None)


def at(started_at: float, outcome: Outcome = Outcome.OK, **values: Any) -> ExchangeAccount:
    given = {name: values.pop(name) for name in ("provider", "model") if name in values}
    return ended(begun(started_at=started_at, **given), outcome, **values)


def test_sums(connection: sqlite3.Connection) -> None:
    land(
        connection,
        at(NOON, input_tokens=5, cost=0.5),
        at(NOON + 10, Outcome.UPSTREAM_DNS),
        at(NOON + 20, Outcome.CLIENT_DISCONNECTED, output_tokens=2),
        at(NOON + HOUR, provider="openai", model="gpt"),
        at(NOON + 30 * HOUR, provider="openai", model="gpt", output_tokens=3),
    )
    [total] = figures.usage(connection, NOON, NOON + 31 * HOUR, ())
    counts = ("exchanges", "ok", "failed", "input_tokens", "output_tokens", "cost", "unpriced")
    assert [total[name] for name in counts] == [5, 3, 1, 5, 5, 0.5, 2]
    by = figures.usage(connection, 0, NOON + 2 * HOUR, ("provider", "model"))
    assert [(row["provider"], row["model"], row["exchanges"], row["cost"]) for row in by] == [
        ("local", "tiny", 3, 0.5),
        ("openai", "gpt", 1, None),
    ]
    assert [row["outcome"] for row in figures.usage(connection, NOON, NOON + 1, ["outcome"])] == [
        "client_disconnected",
        "ok",
        "upstream_dns",
    ]


@pytest.mark.usefixtures("in_india")
def test_days_are_local(connection: sqlite3.Connection) -> None:
    land(connection, at(NOON), at(NOON + 6 * HOUR), at(NOON + 7 * HOUR))
    days = figures.usage(connection, NOON - 86400, NOON + 2 * 86400, ("day", "provider"))
    assert [(row["day"], row["provider"], row["exchanges"]) for row in days] == [
        ("2024-10-04", "local", 2),
        ("2024-10-05", "local", 1),
    ]


def test_nothing_is_no_row(connection: sqlite3.Connection) -> None:
    assert figures.usage(connection, 0, 9e9, ("day",)) == []
    assert figures.spread(connection, 0, 9e9, "ttft") == {}
    land(connection, at(NOON))
    assert figures.usage(connection, 0, NOON - HOUR, ()) == []
    assert figures.usage(connection, NOON + 2 * HOUR, 9e9, ()) == []


def test_spreads_by_provider_and_day(connection: sqlite3.Connection) -> None:
    land(connection, at(NOON), at(NOON, provider="openai", ttft_us=5_000_000), at(NOON + 86400, duration_us=None))
    by = figures.spread(connection, NOON, NOON + 2 * 86400, "ttft", "provider")
    assert {key: found["count"] for key, found in by.items()} == {"local": 2, "openai": 1}
    assert by["openai"]["p50"] == pytest.approx(5_000_000, rel=counting.ERROR)
    days = figures.spread(connection, NOON, NOON + 2 * 86400, "duration", "day")
    assert {key: found["count"] for key, found in days.items()} == {"2024-10-04": 2}
    assert figures.spread(connection, NOON, NOON + 86400, "duration")[""]["count"] == 2


@pytest.mark.parametrize(("measure", "by"), [("speed", ""), ("ttft", "model")])
def test_what_is_not_counted(connection: sqlite3.Connection, measure: str, by: str) -> None:
    with pytest.raises(ValueError, match=measure if measure == "speed" else by):
        figures.spread(connection, 0, 1, measure, by)
    with pytest.raises(ValueError, match="not by colour"):
        figures.usage(connection, 0, 1, ("colour",))


# Whatever the values are, each percentile read from the buckets is within 5 % of the exact one.
@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=300))
def test_percentiles_keep_their_bound(values: list[int]) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        counting.create(_bare(connection))
        connection.executemany(
            "INSERT INTO spreads VALUES (0, 'p', 'ttft', (SELECT min(bucket) FROM buckets WHERE upto >= ?), 1)"
            " ON CONFLICT DO UPDATE SET count = count + 1",
            [(value,) for value in values],
        )
        found = figures.spread(connection, 0, 86400, "ttft", "provider")["p"]
    assert found["count"] == len(values)
    exact = numpy.percentile(values, (50, 95, 99), method="inverted_cdf")  # the nearest rank
    assert [found["p50"], found["p95"], found["p99"]] == pytest.approx(exact.tolist(), rel=counting.ERROR + 1e-9)


def _bare(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Tables to count from, without the rest of the schema: an example takes no longer than it must."""
    columns = "id, outcome, started_at, provider, model, stream, input_tokens, output_tokens, cache_read_tokens"
    more = "cache_write_tokens, reasoning_tokens, cost, bytes_in, bytes_out, ttft_us, duration_us, overhead_us"
    connection.execute(f"CREATE TABLE exchanges ({columns}, {more}, decode_us, usage_source)")
    connection.execute("CREATE TABLE attempts (exchange_id)")
    return connection
