"""Every older file becomes a present one, with what it holds."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from multiprocessing.pool import ThreadPool
from pathlib import Path

import pytest
from sqlite_utils import Database

from addons.telemetry.database import open_for_writing
from addons.telemetry.schema import SchemaError, migrate, migrations, newest_version, version_of
from addons.telemetry.store import Store
from tests.addons.telemetry.accounts import record, request, rows, settled


@pytest.fixture(name="connection")
def fixture_connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield connection


def old(connection: sqlite3.Connection, version: int) -> None:
    """Make a file as the version of that number did."""
    names = [migration.name for migration in migrations.pending(Database(connection))]
    migrations.apply(Database(connection), stop_before=names[version:])
    connection.execute(f"PRAGMA user_version = {version}")


@pytest.mark.parametrize("version", range(newest_version() + 1))
def test_a_file_of_each_version(connection: sqlite3.Connection, version: int) -> None:
    if version:
        old(connection, version)
        connection.execute("INSERT INTO messages (hash, role, json, text) VALUES (x'01', 'user', '{}', 'old words')")
        if version > 1:
            connection.execute("INSERT INTO messages_fts (rowid, text) SELECT id, text FROM messages")
    migrate(connection)
    assert version_of(connection) == newest_version()
    found = connection.execute("SELECT rowid FROM messages_fts WHERE messages_fts MATCH 'words'").fetchall()
    assert len(found) == (1 if version else 0)
    assert connection.execute("SELECT count(*) FROM conversations, usage_by_day").fetchone() == (0,)
    migrate(connection)


def test_a_file_of_the_future_is_left_alone(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA user_version = {newest_version() + 1}")
    with pytest.raises(SchemaError, match="newer"):
        migrate(connection)
    assert not connection.in_transaction
    assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def test_several_may_open_a_new_file_at_once(path: Path) -> None:
    def open_one(_number: int) -> int:
        with closing(open_for_writing(path)) as connection:
            return version_of(connection)

    with ThreadPool(8) as pool:
        assert set(pool.map(open_one, range(16))) == {newest_version()}


def test_the_views(open_store: Callable[..., Store], path: Path) -> None:
    store = open_store(retention_days=0)
    day = 86400 * 20000.5
    first = {"started_at": day, "input_tokens": 10, "output_tokens": 3, "cache_read_tokens": 4}
    record(store, request("what is rain", system="be brief"), "water", "a", session_id="s", **first)
    second = {"started_at": day + 60, "input_tokens": 20, "model": "other"}
    said = request("what is rain", "water", "and snow?", system="be brief")
    record(store, said, "cold water", "b", session_id="s", **second)
    record(store, None, "x", "c", started_at=day + 86400, provider="openai")
    settled(store)
    talks = rows(path, "select * from conversations order by last_at")
    assert len(talks) == 2
    assert talks[0]["first_user_text"] == "what is rain"
    assert (talks[0]["turns"], talks[0]["input_tokens"], talks[0]["output_tokens"]) == (2, 30, 3)
    assert set(talks[0]["models"].split(",")) == {"tiny", "other"}
    assert talks[0]["last"] == "2024-10-04 12:01:00"
    usage = rows(path, "select * from usage_by_day order by day, model")
    assert [(row["day"], row["provider"], row["model"], row["exchanges"], row["input_tokens"]) for row in usage] == [
        ("2024-10-04", "local", "other", 1, 20),
        ("2024-10-04", "local", "tiny", 1, 10),
        ("2024-10-05", "openai", "tiny", 1, None),
    ]
    assert [row["ok"] for row in usage] == [1, 1, 1]


# Every query that a person waits for walks an index.
@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ("1", ""),
        ("provider = 'p'", "exchanges_by_provider"),
        ("model = 'm'", "exchanges_by_model"),
        ("requested_model = 'm' AND requested_model <> model", "exchanges_by_alias"),
        ("outcome = 'ok'", "exchanges_by_outcome"),
        ("outcome IS NULL", "exchanges_by_outcome"),
        ("conversation = 's'", "exchanges_by_conversation"),
    ],
)
def test_newest_first_needs_no_sort(connection: sqlite3.Connection, condition: str, index: str) -> None:
    migrate(connection)
    query = f"EXPLAIN QUERY PLAN SELECT * FROM exchanges WHERE {condition} ORDER BY seq DESC LIMIT 20"
    plan = " ".join(row[3] for row in connection.execute(query))
    assert index in plan
    assert "TEMP B-TREE" not in plan


def test_the_newest_conversations_are_found_without_looking_at_all(connection: sqlite3.Connection) -> None:
    migrate(connection)
    query = "EXPLAIN QUERY PLAN SELECT * FROM conversations ORDER BY last_at DESC LIMIT 20"
    plan = [str(row[3]) for row in connection.execute(query)]
    assert "SCAN newest USING INDEX exchanges_by_start" in plan
    assert not any("ORDER BY" in step and "newest" in step for step in plan)
