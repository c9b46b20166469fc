"""What waits at the end while the record cannot be written is saved beside it, or counted as lost and told."""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from addons.telemetry import runs, unwritten
from addons.telemetry.store import Store
from tests.addons.telemetry.accounts import begun, count, ended, intact, record, request, rows, settled, traces, until

StoreMaker = Callable[..., Store]
KEY = "sk-ant-api03-a-key-that-must-not-be-stored"


@pytest.fixture(name="lock")
def fixture_lock(open_store: StoreMaker, path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that can hold the write lock; closed, and thereby released, at the end."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as connection:
        yield connection


def saved(path: Path) -> list[Path]:
    return sorted(one for one in path.parent.glob("*.unwritten-*") if not one.name.endswith(("-wal", "-shm")))


def told(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name == "patchbay.record" and r.levelno == level]


def test_a_lock_that_outlasts_us(
    open_store: StoreMaker, path: Path, lock: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store(secrets=lambda: (KEY,), bodies="all")
    early = begun("early")
    store.admit(early)
    record(store, request("first"), "x", "landed")
    settled(store)
    lock.execute("BEGIN EXCLUSIVE")
    store.complete(ended(early), request("early"), b'{"raw": "' + KEY.encode() + b'"}', None, b"answer")
    for number in range(200):
        record(store, request(f"question {number} {KEY}"), "x", f"late-{number}")
    assert not store.close(5)
    (beside,) = saved(path)
    assert intact(beside)
    found = rows(beside, "select id, outcome, run from exchanges order by id")
    assert {row["outcome"] for row in found} == {"ok"}
    assert len(found) == 201
    assert (count(beside, "attempts"), count(beside, "bodies")) == (201, 2)
    assert traces(beside, KEY) == []
    assert rows(beside, "select ended_at is not null as whole from runs") == [{"whole": 1}]
    lock.execute("ROLLBACK")
    assert [row["id"] for row in rows(path, "select id from exchanges order by id")] == ["early", "landed"]
    assert (store.health().queued, store.health().dropped) == (0, 0)
    assert any(f"what waited is in {beside.name}" in text for text in told(caplog, logging.WARNING))
    assert told(caplog, logging.ERROR) == []


def test_one_call_that_cannot_be_written_does_not_hold_up_the_others(
    open_store: StoreMaker, path: Path, lock: sqlite3.Connection
) -> None:
    store = open_store()
    settled(store)
    until(path.exists)
    record(store, None, "x", "landed")
    settled(store)
    lock.execute("BEGIN EXCLUSIVE")
    record(store, None, "x", "good")
    record(store, None, "x", "bad", started_at=object())
    assert not store.close(5)
    (beside,) = saved(path)
    assert [row["id"] for row in rows(beside, "select id from exchanges")] == ["good"]
    assert (store.health().queued, store.health().dropped) == (0, 1)


def test_where_nothing_can_be_written_the_loss_is_told(
    open_store: StoreMaker, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store(path=path.parent / "gone" / "patchbay.db")
    for number in range(3):
        record(store, None, "x", f"lost-{number}")
    until(lambda: store.health().state == "degraded")
    assert not store.close(5)
    assert not store.close(5)
    (text,) = told(caplog, logging.ERROR)
    assert "calls that are lost: 3" in text
    assert (store.health().queued, store.health().dropped) == (3, 3)


def test_no_time_is_no_reason_to_leave_an_empty_file(
    open_store: StoreMaker, path: Path, lock: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store()
    record(store, None, "x", "landed")
    settled(store)
    lock.execute("BEGIN EXCLUSIVE")
    record(store, None, "x", "lost")
    assert not store.close(0)
    until(lambda: not store._writer.is_alive())
    assert saved(path) == []
    assert any("calls that are lost: 1" in text for text in told(caplog, logging.ERROR))


def test_a_file_that_cannot_be_closed_well_is_told(
    open_store: StoreMaker, path: Path, lock: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is lost here: the next start sees that the run ended."""
    store = open_store()
    record(store, None, "x", "landed")
    settled(store)
    lock.execute("BEGIN EXCLUSIVE")
    assert not store.close(3)
    assert any("could not be written to the end" in text for text in told(caplog, logging.WARNING))
    assert saved(path) == []


def test_what_had_been_saved_stays_when_the_rest_fails(path: Path) -> None:
    store = Store(path)
    store.admit(begun("one"))
    batch = store._backlog.take(9, 9)

    def write(ledger: object, entries: object) -> None:
        if not entries:
            raise sqlite3.OperationalError("no more")

    with pytest.raises(sqlite3.OperationalError):
        unwritten.save(path, runs.this_process(), [batch, []], write)
    assert len(saved(path)) == 1
