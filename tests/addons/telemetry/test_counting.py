"""The sums and spreads are those of the rows, whatever happened to the rows, and stay when these are deleted."""

import sqlite3
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from addons.telemetry import counting, runs
from addons.telemetry.backlog import Entry
from addons.telemetry.cleaning import Cleaner
from addons.telemetry.database import open_for_writing
from addons.telemetry.forgetting import forget
from addons.telemetry.ledger import Ledger
from addons.telemetry.metrics import tokens_per_second
from addons.telemetry.rows import attempt_snapshot, snapshot
from addons.telemetry.schema import migrate, migrations
from addons.telemetry.store import Store
from providers.exchange.account import AttemptAccount, ExchangeAccount, Outcome
from tests.addons.telemetry.accounts import begun, count, ended, record, rows, settled

ME = runs.this_process()
HOUR = 500_000 * 3600.0

RECOUNT = (
    "select cast(started_at / 3600 as int) as hour, provider, model, outcome, count(*) as exchanges,"
    " sum((select count(*) from attempts a where a.exchange_id = exchanges.id)) as attempts,"
    " sum(input_tokens) as input_tokens, sum(output_tokens) as output_tokens,"
    " sum(cache_read_tokens) as cache_read_tokens, sum(cache_write_tokens) as cache_write_tokens,"
    " sum(reasoning_tokens) as reasoning_tokens, sum(cost) as cost,"
    " sum(cost is null and (input_tokens > 0 or output_tokens > 0)) as unpriced,"
    " sum(bytes_in) as bytes_in, sum(bytes_out) as bytes_out"
    " from exchanges where outcome is not null group by 1, 2, 3, 4 order by 1, 2, 3, 4"
)


@pytest.fixture(name="connection")
def fixture_connection(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_for_writing(path)) as connection:
        yield connection


def land(ledger: Ledger, *accounts: ExchangeAccount) -> None:
    entries = [
        Entry(snapshot(one), one.outcome is not None, tuple(map(attempt_snapshot, one.attempts))) for one in accounts
    ]
    ledger.land(entries, Cleaner(()), lambda: None)


def counted_right(path: Path) -> list[dict[str, Any]]:
    """The sums, once they have been compared with the rows; unknown is not zero on either side."""
    sums = rows(path, "select * from usage order by hour, provider, model, outcome")
    recount = rows(path, RECOUNT)
    for row in recount:
        row["unpriced"] = row["unpriced"] or 0
    assert sums == [{**row, "cost": pytest.approx(row["cost"])} for row in recount]
    spread = rows(path, "select measure, sum(count) as n from spreads group by measure")
    values = rows(
        path,
        "select count(ttft_us) as ttft, count(duration_us) as duration, count(overhead_us) as overhead"
        " from exchanges where outcome is not null",
    )[0]
    found = {row["measure"]: row["n"] for row in spread if row["measure"] != "tokens_per_second"}
    assert found == {name: n for name, n in values.items() if n}
    return sums


def call(identifier: str, **values: Any) -> ExchangeAccount:
    return begun(identifier, started_at=HOUR, **values)


def test_calls_are_counted_when_they_end(path: Path, connection: sqlite3.Connection) -> None:
    ledger = Ledger(connection, runs.begin(connection, ME))
    waiting = call("a")
    land(ledger, waiting)
    assert counted_right(path) == []
    land(ledger, ended(waiting, input_tokens=7, output_tokens=5, cost=0.25, overhead_us=300))
    land(ledger, ended(call("b"), input_tokens=1), ended(call("c", model="other"), Outcome.RATE_LIMITED))
    ok, other = counted_right(path)[1], counted_right(path)[0]
    assert (ok["exchanges"], ok["input_tokens"], ok["cost"], ok["unpriced"]) == (2, 8, 0.25, 1)
    assert (other["model"], other["outcome"], other["input_tokens"], other["cost"]) == (
        "other",
        "rate_limited",
        None,
        None,
    )


def test_what_an_attempt_used_is_stored(path: Path, connection: sqlite3.Connection) -> None:
    ledger = Ledger(connection, runs.begin(connection, ME))
    account = ended(call("a"), price_source="registry", rescued=True, prompt_us=5, decode_us=6)
    account.attempts.append(
        AttemptAccount("local", "tiny", input_tokens=3, cost=0.5, price_source="provider", endpoint=2)
    )
    account.attempts.append(AttemptAccount("local", "tiny", output_tokens=2**70))
    land(ledger, account)
    assert counted_right(path)[0]["attempts"] == 3
    found = rows(
        path, "select input_tokens, output_tokens, cost, price_source, endpoint from attempts order by number"
    )[1:]
    assert [tuple(row.values()) for row in found] == [(3, None, 0.5, "provider", 2), (None, None, None, "", None)]
    assert rows(path, "select price_source, rescued, prompt_us, decode_us from exchanges") == [
        {"price_source": "registry", "rescued": 1, "prompt_us": 5, "decode_us": 6}
    ]


def test_a_call_that_ends_twice_counts_once(path: Path, connection: sqlite3.Connection) -> None:
    """A process on another machine was thought to be gone, and then wrote how its call had ended."""
    ledger = Ledger(connection, runs.begin(connection, replace(ME, host="elsewhere")))
    connection.execute("UPDATE runs SET seen_at = 0")
    slow, other = call("a"), call("b")
    land(ledger, slow, other)
    assert runs.mark_crashed(connection, ME) == 2
    assert [row["outcome"] for row in counted_right(path)] == ["aborted_by_crash"]
    land(ledger, ended(slow, input_tokens=9, cost=1.5))
    assert [(row["outcome"], row["exchanges"]) for row in counted_right(path)] == [("aborted_by_crash", 1), ("ok", 1)]
    land(ledger, ended(other, provider="openai"))
    assert [(row["outcome"], row["exchanges"]) for row in counted_right(path)] == [("ok", 1), ("ok", 1)]
    land(ledger, slow)  # the same again, as after a write whose success was not heard
    counted_right(path)


def test_what_is_settled_is_counted(path: Path, connection: sqlite3.Connection) -> None:
    run = runs.begin(connection, ME)
    ledger = Ledger(connection, run)
    land(ledger, call("a"), call("b"), call("c"))
    runs.close_lost(connection, run, {"b", "c"})
    runs.close_lost(connection, run, {"b", "c"})
    runs.finish(connection, run)
    assert [(row["outcome"], row["exchanges"]) for row in counted_right(path)] == [
        ("internal_error", 1),
        ("shutdown", 2),
    ]


def test_a_batch_that_fails_counts_nothing(path: Path, connection: sqlite3.Connection) -> None:
    ledger = Ledger(connection, runs.begin(connection, ME))
    land(ledger, call("a"))
    with pytest.raises(OverflowError):
        land(ledger, ended(call("a")), ended(call("b"), bytes_out=2**70))
    assert counted_right(path) == []


def test_forgetting_keeps_the_sums(open_store: Callable[..., Store], path: Path) -> None:
    store = open_store(retention_days=0)
    for _ in range(3):
        record(store, None, "x")
    settled(store)
    sums = counted_right(path)
    assert list(forget(path, [row["id"] for row in rows(path, "select id from exchanges")])) == [3]
    assert count(path, "exchanges") == 0
    assert rows(path, "select * from usage order by hour") == sums
    assert rows(path, "select exchanges, ok from usage_by_day") == [{"exchanges": 3, "ok": 3}]


def test_an_older_file_is_counted_when_it_is_opened(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        names = [migration.name for migration in migrations.pending(Database(connection))]
        migrations.apply(Database(connection), stop_before=["5 numbers"])
        connection.execute(f"PRAGMA user_version = {names.index('5 numbers')}")
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO exchanges (id, run, conversation, started_at, provider, kind, dialect, operation,"
            " requested_model, model, stream, usage_source, bytes_in, bytes_out, outcome, input_tokens, ttft_us)"
            " VALUES (?, 1, 'c', ?, 'p', 'k', 'chat', 'chat', 'm', 'm', 1, 'none', 10, 20, ?, ?, ?)",
            [
                (f"{at}", HOUR + at * 60, [None, "ok", "upstream_dns"][at % 3], at or None, at * 1000)
                for at in range(200)
            ],
        )
        connection.execute("COMMIT")
        migrate(connection)
        migrate(connection)
    assert sum(row["exchanges"] for row in counted_right(path)) == 133


# A value and the middle of its bucket differ by less than a twentieth of the value.
@given(st.floats(counting.LOWEST, counting.HIGHEST))
def test_a_bucket_stands_for_its_values(value: float) -> None:
    bounds = counting.bounds()
    upto = bounds[bisect_left(bounds, value)]
    assert counting.ERROR < 0.05
    if value > counting.LOWEST:
        assert abs(counting.middle(upto) - value) <= (counting.ERROR + 1e-9) * value


# The database finds the bucket that Python finds, also at the edges and beyond.
def test_the_database_knows_the_same_buckets(path: Path, connection: sqlite3.Connection) -> None:
    ledger = Ledger(connection, runs.begin(connection, ME))
    spans = [0, 1, 2, 999, 10**6, 123_456_789, 10**12, 10**15]
    land(ledger, *(ended(call(f"{span}"), ttft_us=span) for span in spans))
    bounds = counting.bounds()
    found = [row["bucket"] for row in rows(path, "select bucket from spreads where measure = 'ttft' order by bucket")]
    assert found == sorted({bisect_left(bounds, min(span, counting.HIGHEST)) for span in spans})


# However a call went, its speed is that of the metrics.
@given(
    st.builds(
        lambda **values: ended(begun("a", stream=values.pop("stream")), **values),
        stream=st.booleans(),
        output_tokens=st.none() | st.integers(0, 5),
        decode_us=st.none() | st.integers(0, 5000),
        ttft_us=st.none() | st.integers(0, 3000),
        duration_us=st.none() | st.integers(0, 3000),
        usage_source=st.sampled_from(("upstream", "timings", "estimated", "none")),
    )
)
def test_speed_is_that_of_the_metrics(account: ExchangeAccount) -> None:
    names = ("output_tokens", "decode_us", "stream", "duration_us", "ttft_us", "usage_source")
    values = {name: getattr(account, name) for name in names}
    with closing(sqlite3.connect(":memory:")) as connection:
        columns = ", ".join(f":{name} AS {name}" for name in values)
        found = connection.execute(f"SELECT {counting.TOKENS_PER_SECOND} FROM (SELECT {columns})", values).fetchone()[0]
    speed = tokens_per_second(account)
    assert found == (None if speed is None else pytest.approx(speed))
