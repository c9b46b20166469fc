"""Whatever befalls the file, serving goes on, nothing is overwritten, and recording comes back by itself."""

import ctypes
import logging
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from addons.telemetry import runs
from addons.telemetry.backlog import Entry
from addons.telemetry.cleaning import Cleaner
from addons.telemetry.database import open_for_writing
from addons.telemetry.ledger import Ledger
from addons.telemetry.rows import snapshot
from addons.telemetry.store import Store
from providers.exchange.account import Outcome
from tests.addons.telemetry.accounts import (
    answered,
    begun,
    count,
    ended,
    intact,
    record,
    request,
    rows,
    settled,
    until,
)

StoreMaker = Callable[..., Store]
ROOT = Path(__file__).parents[3]

_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=10)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process holds the file's write lock."""
    command = [sys.executable, "-c", _LOCK, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"locked\n"
        try:
            yield
        finally:
            process.communicate()


def messages(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name == "patchbay.record" and r.levelno == level]


@pytest.mark.slow
def test_a_lock_of_five_seconds(open_store: StoreMaker, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "patchbay.record")
    store = open_store()
    record(store, request("before"), "x")
    settled(store)
    slowest = 0.0
    with locked(path):
        end = time.monotonic() + 5
        while time.monotonic() < end:
            began = time.perf_counter()
            record(store, request("during"), "x")
            slowest = max(slowest, time.perf_counter() - began)
            time.sleep(0.01)
        health = store.health()
        assert health.state == "degraded"
        assert "locked" in health.message
        assert health.queued > 300
    until(lambda: store.health().queued == 0)
    assert count(path, "exchanges") == 1 + health.queued
    assert store.health().dropped == 0
    assert store.health().write_errors > 0
    assert slowest < 0.1
    until(lambda: store.health().state == "ok")
    assert len(messages(caplog, logging.WARNING)) == 1
    assert len(messages(caplog, logging.INFO)) == 1


def test_closing_does_not_wait_for_a_lock_for_ever(open_store: StoreMaker, path: Path) -> None:
    store = open_store()
    record(store, None, "x", "landed")
    settled(store)
    with locked(path):
        record(store, None, "lost")
        began = time.monotonic()
        assert not store.close(0.3)
        assert time.monotonic() - began < 1.5
    until(lambda: not store._writer.is_alive())
    assert _has_ids(path, "landed")


def test_a_queue_that_overflows_counts_what_it_drops(open_store: StoreMaker, path: Path) -> None:
    store = open_store(queue_limit=200)
    settled(store)
    until(path.exists)
    early = begun("early")
    store.admit(early)
    until(lambda: _has(path, "exchanges") and count(path, "exchanges"))
    with locked(path):
        store.complete(ended(early), None, None, None, None)
        for number in range(400):
            record(store, None, "x", f"n{number:03d}")
        assert store.health().queued == 200
        assert store.health().dropped >= 73  # up to a batch of 128 is in the writer's hand
    settled(store)
    health = store.health()
    early_lost = _outcome(path, "early") != "ok"
    assert health.dropped == 401 - count(path, "exchanges") + early_lost
    assert _has_ids(path, "n399")
    until(lambda: _outcome(path, "early") in ("ok", "internal_error"))


def _has(path: Path, table: str) -> bool:
    return path.exists() and bool(rows(path, "select 1 from sqlite_master where name = ?", (table,)))


def _has_ids(path: Path, identifier: str) -> bool:
    return bool(rows(path, "select 1 from exchanges where id = ?", (identifier,)))


def _outcome(path: Path, identifier: str) -> str | None:
    found = rows(path, "select outcome from exchanges where id = ?", (identifier,))
    return str(found[0]["outcome"]) if found and found[0]["outcome"] else None


def test_an_end_that_was_dropped_does_not_leave_the_row_open(open_store: StoreMaker, path: Path) -> None:
    store = open_store(queue_limit=10)
    early, still_open = begun("early"), begun("open")
    store.admit(early)
    store.admit(still_open)
    until(lambda: _has(path, "exchanges") and count(path, "exchanges") == 2)
    with locked(path):
        for number in range(64):  # what the writer takes in hand
            record(store, None, "x", f"h{number}")
        time.sleep(0.2)
        store.complete(ended(early), None, None, None, None)
        for number in range(20):
            record(store, None, "x", f"n{number}")
    settled(store)
    until(lambda: _outcome(path, "early"))
    assert _outcome(path, "early") == "internal_error"
    assert _outcome(path, "open") is None


# --- damage ---


def filled(path: Path, calls: int = 300) -> None:
    """A file of some hundred pages."""
    store = Store(path)
    store.start()
    for number in range(calls):
        record(store, request(f"question {number} " + "word " * 50), "answer")
    assert store.close(10)


def flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    for at in range(4096, len(raw), 4096):
        raw[at : at + 64] = bytes(value ^ 0xA5 for value in raw[at : at + 64])
    with path.open("r+b") as file:  # in place: a file that is in use must not be seen empty meanwhile
        file.write(raw)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)


def not_a_database(path: Path) -> None:
    path.write_bytes(b"this was never a database\n" * 1000)


@pytest.mark.parametrize("damage", [flip, truncate, not_a_database])
def test_a_damaged_file_is_moved_aside(
    open_store: StoreMaker, path: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    filled(path)
    damage(path)
    broken = path.read_bytes()
    store = open_store()
    record(store, request("after"), "x", "after")
    settled(store)
    aside = [side for side in path.parent.iterdir() if ".corrupt-" in side.name]
    assert [side.read_bytes() for side in aside] == [broken]
    assert [row["id"] for row in rows(path, "select id from exchanges")] == ["after"]
    assert intact(path)
    assert aside[0].name in messages(caplog, logging.WARNING)[0]
    assert messages(caplog, logging.ERROR) == []  # mitmproxy would not start


def test_a_journal_of_no_length_is_no_damage(open_store: StoreMaker, path: Path) -> None:
    filled(path, 10)
    path.with_name(path.name + "-wal").write_bytes(b"")
    store = open_store()
    record(store, None, "x")
    settled(store)
    assert count(path, "exchanges") == 11
    assert not list(path.parent.glob("*.corrupt-*"))


def test_a_file_of_no_length_is_a_new_one(open_store: StoreMaker, path: Path) -> None:
    path.touch()
    store = open_store()
    record(store, None, "x")
    settled(store)
    assert count(path, "exchanges") == 1


def test_damage_while_running(open_store: StoreMaker, path: Path) -> None:
    filled(path)
    store = open_store()
    record(store, request("before"), "x")
    settled(store)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    flip(path)
    for number in range(50):
        record(store, request(f"during {number}"), "x", f"during{number}")
    until(lambda: store.health().queued == 0 and list(path.parent.glob("*.corrupt-*")), 20)
    settled(store)
    assert intact(path)
    assert count(path, "exchanges") + store.health().dropped >= 50


def test_a_file_of_a_newer_version_is_left_alone(open_store: StoreMaker, path: Path) -> None:
    filled(path, 1)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 999")
    store = open_store()
    record(store, None, "x")
    until(lambda: store.health().state == "degraded")
    assert "newer" in store.health().message
    assert count(path, "exchanges") == 1
    assert not list(path.parent.glob("*.corrupt-*"))


# --- a file that goes away ---


@pytest.mark.parametrize("way", ["deleted", "moved", "replaced"])
def test_a_file_that_was(open_store: StoreMaker, path: Path, way: str, caplog: pytest.LogCaptureFixture) -> None:
    store = open_store()
    record(store, request("the same"), "x", "before")
    settled(store)
    if way == "deleted":
        for side in path.parent.glob("patchbay.db*"):
            side.unlink()
    else:
        path.rename(path.with_name("elsewhere"))
    if way == "replaced":
        path.touch()
    record(store, request("the same"), "x", "after")
    until(lambda: _has(path, "exchanges") and _has_ids(path, "after"))
    settled(store)
    assert [row["text"] for row in rows(path, "select text from messages order by id")] == ["the same", "x"]
    assert len(messages(caplog, logging.WARNING)) == 1


def test_a_folder_that_is_not_there_yet(open_store: StoreMaker, tmp_path: Path) -> None:
    path = tmp_path / "later" / "patchbay.db"
    store = open_store(path=path)
    record(store, None, "x")
    until(lambda: store.health().state == "degraded")
    path.parent.mkdir()
    settled(store)
    assert count(path, "exchanges") == 1


# --- a disk that refuses ---


@pytest.fixture(name="disk")
def fixture_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MiB, where we may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform != "linux" or libc.mount(b"none", bytes(folder), b"tmpfs", 0, b"size=2m"):
        pytest.skip("no right to mount a small disk")
    yield folder
    libc.umount2(bytes(folder), 2)


def test_a_full_disk(open_store: StoreMaker, disk: Path) -> None:
    path = disk / "patchbay.db"
    store = open_store(path=path)
    record(store, None, "x")
    settled(store)
    ballast = disk / "ballast"
    with pytest.raises(OSError, match="No space"):
        ballast.write_bytes(bytes(4 << 20))
    number = 0
    while store.health().state == "ok":
        record(store, request(f"{number} " + "word " * 500), "x")
        number += 1
        time.sleep(0.01)
        assert number < 1000
    assert "full" in store.health().message
    ballast.unlink()
    settled(store)
    assert count(path, "exchanges") == number + 1
    assert intact(path)
    assert store.health().dropped == 0
    assert store.close(5)


def test_a_disk_that_becomes_read_only(open_store: StoreMaker, disk: Path) -> None:
    path = disk / "patchbay.db"
    libc = ctypes.CDLL(None, use_errno=True)
    remount, read_only = 32, 1
    assert open_store(path=path).close(5)
    assert libc.mount(b"none", bytes(disk), b"tmpfs", remount | read_only, b"size=2m") == 0
    store = open_store(path=path)
    record(store, None, "x")
    until(lambda: store.health().state == "degraded")
    assert libc.mount(b"none", bytes(disk), b"tmpfs", remount, b"size=2m") == 0
    settled(store)
    assert count(path, "exchanges") == 1
    assert store.close(5)


def test_a_file_without_room_has_no_partial_rows(path: Path) -> None:
    """The same by SQLite's own limit, where no disk can be mounted: a batch lands whole or not at all."""
    with closing(open_for_writing(path)) as connection:
        ledger = Ledger(connection, runs.begin(connection, runs.this_process()))
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 4}")
        batch = [
            Entry(snapshot(ended(begun())), ended=True, request=request(f"{number} " * 900), answer=answered("x"))
            for number in range(20)
        ]
        with pytest.raises(sqlite3.OperationalError, match="full"):
            ledger.land(batch, Cleaner(()), lambda: None)
        assert count(path, "exchanges") == count(path, "messages") == 0
        connection.execute("PRAGMA max_page_count = 100000")
        ledger.land(batch, Cleaner(()), lambda: None)
    assert (count(path, "exchanges"), count(path, "messages")) == (20, 40)


# --- crashes ---

_CRASH = """
import os, sys, time
from pathlib import Path
from addons.telemetry.store import Store
from tests.addons.telemetry.accounts import begun, record, request, settled
store = Store(Path(sys.argv[1]))
store.start()
open_ones = [begun(f"open{n}") for n in range(20)]
for account in open_ones:
    store.admit(account)
for n in range(200):
    record(store, request(f"said {n}"), "x", f"done{n}")
settled(store)
print("ready", flush=True)
n = 0
while True:
    record(store, request(f"unsettled {n}"), "x")
    n += 1
    time.sleep(0.0005)
"""


@contextmanager
def writing(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that records without end; 20 calls are open and 200 have landed."""
    with subprocess.Popen([sys.executable, "-c", _CRASH, str(path)], stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == b"ready\n"
            yield process
        finally:
            process.kill()


def test_a_crash_loses_nothing_that_had_landed(open_store: StoreMaker, path: Path) -> None:
    with writing(path) as process:
        time.sleep(0.2)
        process.send_signal(signal.SIGKILL)
        process.wait()
    store = open_store()
    record(store, None, "x", "afterwards")
    settled(store)
    assert intact(path)
    found = {row["id"]: row["outcome"] for row in rows(path, "select id, outcome from exchanges")}
    assert {found[f"open{number}"] for number in range(20)} == {Outcome.ABORTED_BY_CRASH}
    assert {found[f"done{number}"] for number in range(200)} == {Outcome.OK}
    assert None not in found.values()
    assert count(path, "exchanges") == len(found)


def test_a_process_that_lives_is_not_taken_for_a_crashed_one(open_store: StoreMaker, path: Path) -> None:
    with writing(path):
        store = open_store()
        record(store, None, "x", "beside")
        until(lambda: _has_ids(path, "beside"))
        assert store.close(10)
        found = rows(path, "select outcome from exchanges where id like 'open%'")
        assert [row["outcome"] for row in found] == [None] * 20
    assert intact(path)
