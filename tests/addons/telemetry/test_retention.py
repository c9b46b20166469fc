"""What is too old or too much goes, oldest first, with what nothing else needs."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import pytest

from addons.telemetry.database import open_for_writing
from addons.telemetry.deletion import STEP
from addons.telemetry.retention import Retention
from addons.telemetry.store import Store
from tests.addons.telemetry.accounts import begun, count, intact, record, request, rows, settled, until

DAY = 86400.0


@pytest.fixture(name="connection")
def fixture_connection(path: Path) -> Iterator[Connection]:
    with closing(open_for_writing(path)) as connection:
        yield connection


def fill(path: Path, calls: int, **values: Any) -> None:
    store = Store(path, bodies="all")
    store.start()
    for number in range(calls):
        record(store, request(f"{number} " + "word " * 100, system="shared"), "answer", **values)
    assert store.close(20)


def test_days(path: Path, connection: Connection) -> None:
    fill(path, 450, started_at=time.time() - 3 * DAY)
    fill(path, 10)
    keep = Retention(2, 0)
    steps = [count(path, "exchanges")]
    while keep.step(connection):
        steps.append(count(path, "exchanges"))
        assert steps[-2] - steps[-1] <= STEP
    assert steps[:4] == [460, 260, 60, 10]
    assert count(path, "attempts") == 10
    assert {row["role"]: row["n"] for row in rows(path, "select role, count(*) as n from messages group by role")} == {
        "system": 1, "user": 10, "assistant": 10,
    }  # fmt: skip
    assert rows(path, "select count(*) as n from messages_fts where messages_fts match 'word'") == [{"n": 10}]
    assert rows(path, "pragma freelist_count")[0]["freelist_count"] <= 256
    assert intact(path)


def test_bytes(path: Path, connection: Connection) -> None:
    fill(path, 1500)
    size = path.stat().st_size
    keep = Retention(0, size // 2)
    while keep.step(connection):
        pass
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert path.stat().st_size <= size * 0.6
    left = rows(path, "select min(seq) as first, max(seq) as last, count(*) as n from exchanges")[0]
    assert left["last"] == 1500
    assert left["first"] == 1500 - left["n"] + 1
    assert intact(path)


def test_no_limits(path: Path, connection: Connection) -> None:
    fill(path, 5, started_at=0.0)
    assert not Retention(0, 0).step(connection)
    assert count(path, "exchanges") == 5


def test_what_is_open_stays(open_store: Callable[..., Store], path: Path, connection: Connection) -> None:
    store = open_store(retention_days=0)
    store.admit(begun(started_at=0.0))
    settled(store)
    assert not Retention(1, 1).step(connection)
    assert count(path, "exchanges") == 1


def test_a_history_that_is_still_referred_to_stays(path: Path, connection: Connection) -> None:
    store = Store(path)
    store.start()
    old = time.time() - 9 * DAY
    record(store, request("first"), "second", started_at=old)
    record(store, request("first", "second", "third"), "fourth")
    record(store, request("first", "an edited answer", "x"), "y", started_at=old)
    assert store.close(5)
    while Retention(5, 0).step(connection):
        pass
    assert [row["text"] for row in rows(path, "select text from messages order by id")] == [
        "first", "second", "third", "fourth",
    ]  # fmt: skip


def test_the_store_applies_it_while_it_writes(open_store: Callable[..., Store], path: Path) -> None:
    store = open_store(retention_days=1)
    for _ in range(300):
        record(store, request("old"), "x", started_at=time.time() - 2 * DAY)
    settled(store)
    store.close(5)
    store = open_store(retention_days=1)
    record(store, request("new"), "y")
    until(lambda: count(path, "exchanges") == 1)
    assert [row["text"] for row in rows(path, "select text from messages order by id")] == ["new", "y"]
