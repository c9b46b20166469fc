"""The record's file is locked, full, damaged, cut short: serving never notices, and recording comes back by itself."""

import contextlib
import os
import resource
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.rig_client import exchange, query
from tests.rig_gateway import DIALECTS, Behind, Gateway, ask, assert_told_in_dialect, run_gateway

WORDS = "word " * 10_000  # 50 kB


@pytest.fixture(name="own", scope="module")
def fixture_own(all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One program for all faults of a running one: each must be over without a trace when the next one comes."""
    env = {"PATCHBAY_BODIES": "all"}
    with run_gateway("serve", all_upstreams, tmp_path_factory.mktemp("record"), env=env) as gateway:
        yield gateway
        assert "Traceback" not in gateway.program.output


@pytest.fixture(name="gateway")
def fixture_gateway(own: Gateway, upstreams: Behind) -> Gateway:
    """That program, well, with something on record."""
    assert own.behind is upstreams
    answered(own)
    wait_for(own, state="ok", queued=0)
    return own


def answered(gateway: Gateway, words: str = "Say hello") -> str:
    """Ask once; the call's id."""
    path, body = ask("chat", "gpt-9")
    answer = gateway.post(path, {**body, "messages": [{"role": "user", "content": words}]})
    assert answer.status == 200, answer.body
    return answer.get("x-patchbay-id") or ""


def health(gateway: Gateway) -> Any:
    return gateway.get("/patchbay/health").json()


def wait_for(gateway: Gateway, seconds: float = 15.0, **expected: object) -> Any:
    """Wait until the recorder is so; what health then told as a whole."""
    deadline = time.monotonic() + seconds
    while True:
        told = health(gateway)
        if all(told["recorder"][name] == value for name, value in expected.items()):
            return told
        assert time.monotonic() < deadline, told
        time.sleep(0.05)


@contextlib.contextmanager
def locked(database: Path) -> Iterator[None]:
    """Hold the file's write lock, as another process."""
    with contextlib.closing(sqlite3.connect(database, isolation_level=None, timeout=10)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


def recorded(gateway: Gateway, ids: list[str]) -> list[str]:
    """Those of the calls that have a row with an end."""
    known = {row["id"] for row in query(gateway.database, "select id from exchanges where outcome = 'ok'")}
    return [one for one in ids if one in known]


def intact(database: Path) -> bool:
    return query(database, "pragma integrity_check") == [{"integrity_check": "ok"}]


def aside(folder: Path) -> list[Path]:
    return sorted(one for one in folder.iterdir() if ".corrupt-" in one.name)


def lines(gateway: Gateway, text: str) -> int:
    return gateway.program.output.count(text)


# --- locked ---


def test_a_lock(gateway: Gateway) -> None:
    """Everything that was asked meanwhile is on record afterwards."""
    before, warned = health(gateway)["recorder"], lines(gateway, "does not work now")
    ids: list[str] = []
    slowest = 0.0
    with locked(gateway.database):
        while health(gateway)["recorder"]["state"] == "ok" or len(ids) < 100:
            began = time.monotonic()
            ids.append(answered(gateway))
            slowest = max(slowest, time.monotonic() - began)
        told = health(gateway)
        assert told["status"] == "degraded"
        assert "Calls cannot be recorded now; the log says why." in told["reasons"]
        assert told["recorder"]["queued"] >= len(ids) - 1
        assert recorded(gateway, ids) == []  # who reads is not held up
    told = wait_for(gateway, state="ok", queued=0)["recorder"]
    assert recorded(gateway, ids) == ids
    assert told["write_errors"] > before["write_errors"]
    assert (told["dropped"], told["dropped_bodies"]) == (before["dropped"], before["dropped_bodies"])
    assert slowest < 1.0  # one try at the lock takes a second
    assert lines(gateway, "does not work now") == warned + 1


def test_a_lock_under_more_than_can_wait(gateway: Gateway) -> None:
    """The oldest bodies go first, and no call goes with them."""
    before = health(gateway)["recorder"]
    with locked(gateway.database):
        ids = [answered(gateway, f"{number} " + WORDS * 18) for number in range(50)]
        told = health(gateway)["recorder"]
        assert told["dropped"] == before["dropped"]
        assert 1 <= told["dropped_bodies"] - before["dropped_bodies"] < 50
    wait_for(gateway, state="ok", queued=0)
    assert recorded(gateway, ids) == ids
    kept = {row["exchange_id"] for row in query(gateway.database, "select exchange_id from bodies")}
    assert ids[-1] in kept
    missing = [place for place, one in enumerate(ids) if one not in kept]
    assert missing == list(range(missing[0], missing[-1] + 1))
    assert missing[0] <= 4  # what the writer had in hand already, 4 MiB of it, waits no more


def test_a_lock_that_is_there_before_us(upstreams: Behind, tmp_path: Path) -> None:
    """Starting is not held up; what was asked meanwhile lands when the lock is gone."""
    with run_gateway("serve", upstreams, tmp_path) as gateway:
        exchange(gateway.database, answered(gateway))
        assert gateway.program.stop() == 0
    lock = contextlib.ExitStack()
    lock.enter_context(locked(tmp_path / "patchbay.db"))
    with lock, run_gateway("serve", upstreams, tmp_path) as gateway:
        ids = [answered(gateway) for _ in range(10)]
        wait_for(gateway, state="degraded", queued=10)
        lock.close()
        wait_for(gateway, state="ok", queued=0)
        assert recorded(gateway, ids) == ids


def test_a_lock_that_outlasts_us(upstreams: Behind, tmp_path: Path) -> None:
    """The end is not held up, and what could not be written is saved beside the file and told."""
    with run_gateway("serve", upstreams, tmp_path) as gateway:
        landed = answered(gateway)
        exchange(gateway.database, landed)
        with locked(gateway.database):
            ids = [answered(gateway) for _ in range(20)]
            began = time.monotonic()
            assert gateway.program.stop(10) == 0, gateway.program.output
            assert time.monotonic() - began < 8
        (beside,) = (one for one in tmp_path.glob("*.unwritten-*") if not one.name.endswith(("-wal", "-shm")))
        assert f"what waited is in {beside.name}" in gateway.program.output
        assert {row["id"] for row in query(beside, "select id from exchanges where outcome = 'ok'")} == set(ids)
        assert recorded(gateway, [landed, *ids]) == [landed]
    with run_gateway("serve", upstreams, tmp_path) as again:
        exchange(again.database, answered(again))
        assert intact(again.database)
        assert query(again.database, "select count(*) as n from exchanges where outcome is null") == [{"n": 0}]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_where_the_record_is_required(upstreams: Behind, tmp_path: Path, dialect: str) -> None:
    """No call is served that is not recorded; all else is, and everything again when the file can be written."""
    database = tmp_path / "later" / "patchbay.db"
    env = {"PATCHBAY_RECORD": "required", "PATCHBAY_DB": str(database)}
    with run_gateway("mitmdump", upstreams, tmp_path, env=env) as gateway:
        wait_for(gateway, state="degraded")
        refused = gateway.post(*ask(dialect, "gpt-9", stream=True))
        assert_told_in_dialect(refused, dialect, upstreams, 529 if dialect == "messages" else 503)
        assert b"PATCHBAY_RECORD" in refused.body
        assert gateway.get("/v1/models").status == 200
        assert upstreams.posts() == []
        database.parent.mkdir()
        wait_for(gateway, state="ok")
        exchange(database, answered(gateway))


# --- no room ---


@pytest.mark.skipif(sys.platform != "linux", reason="another process's limits can be set on Linux alone")
def test_no_room(gateway: Gateway) -> None:
    """As a full disk or a quota has it: nothing can grow any more, until it can."""
    warned = lines(gateway, "does not work now")
    before = health(gateway)["recorder"]
    ids: list[str] = []
    database, pid = gateway.database, gateway.program.process.pid
    with contextlib.closing(sqlite3.connect(database, timeout=10)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()  # so that it must grow again
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        while health(gateway)["recorder"]["state"] == "ok":
            ids.append(answered(gateway, f"{len(ids)} {os.urandom(40_000).hex()}"))
            assert len(ids) < 200
        ids += [answered(gateway) for _ in range(20)]
        told = health(gateway)
        assert told["status"] == "degraded"
        assert told["recorder"]["write_errors"] > before["write_errors"]
        assert intact(database)
        torn = (
            "select count(*) as n from exchanges where outcome = 'ok' and id not in (select exchange_id from attempts)"
        )
        assert query(database, torn) == [{"n": 0}]
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
    told = wait_for(gateway, state="ok", queued=0)["recorder"]
    assert recorded(gateway, ids) == ids
    assert told["dropped"] == before["dropped"]
    assert intact(database)
    assert lines(gateway, "does not work now") == warned + 1


# --- damaged ---


def halve(database: Path) -> None:
    os.truncate(database, database.stat().st_size // 2 // 4096 * 4096)


def flip(database: Path) -> None:
    raw = bytearray(database.read_bytes())
    for at in range(4096, len(raw), 4096):
        raw[at : at + 64] = bytes(value ^ 0xA5 for value in raw[at : at + 64])
    with database.open("r+b") as file:
        file.write(raw)


def not_a_database(database: Path) -> None:
    database.write_bytes(b"this was never a database\n" * 1000)


def empty_beside_a_journal(database: Path) -> None:
    os.truncate(database, 0)
    database.with_name("patchbay.db-wal").write_bytes(b"something" * 1000)


DAMAGES = (halve, flip, not_a_database, empty_beside_a_journal)


def test_a_file_that_is_cut_in_use(gateway: Gateway) -> None:
    """A new file is begun, and not one call is missing in it."""
    halve(gateway.database)
    ids = [answered(gateway) for _ in range(20)]
    wait_for(gateway, state="ok", queued=0)
    assert recorded(gateway, ids) == ids
    assert intact(gateway.database)
    assert [one for one in aside(gateway.folder) if not one.name.endswith("-wal")]
    assert "is damaged" in gateway.program.output
    assert "was moved to patchbay.db.corrupt-" in gateway.program.output


def test_a_file_that_goes_away_in_use(gateway: Gateway) -> None:
    gateway.database.rename(gateway.folder / "taken-away.db")
    ids = [answered(gateway) for _ in range(20)]
    wait_for(gateway, state="ok", queued=0)
    assert recorded(gateway, ids) == ids
    assert intact(gateway.database)


@pytest.fixture(name="filled", scope="module")
def fixture_filled(all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A good file with some calls."""
    with run_gateway("serve", all_upstreams, tmp_path_factory.mktemp("filled")) as gateway:
        for number in range(30):
            answered(gateway, f"{number} {WORDS}")
        assert gateway.program.stop() == 0
        return gateway.database.read_bytes()


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_file_that_is_damaged_before_us(
    upstreams: Behind, tmp_path: Path, filled: bytes, damage: Callable[[Path], None]
) -> None:
    database = tmp_path / "patchbay.db"
    database.write_bytes(filled)
    damage(database)
    found = {one.name.removeprefix("patchbay.db"): one.read_bytes() for one in tmp_path.glob("patchbay.db*")}
    with run_gateway("serve", upstreams, tmp_path) as gateway:
        first = answered(gateway)
        exchange(gateway.database, first)
        told = gateway.program.wait_for_output("is damaged")
        assert health(gateway)["recorder"]["state"] == "ok"
    moved = aside(tmp_path)
    assert moved[0].name in told
    assert {one.name.removeprefix(moved[0].name): one.read_bytes() for one in moved} == found
    with run_gateway("serve", upstreams, tmp_path) as again:  # once is enough
        exchange(again.database, answered(again))
        assert recorded(again, [first]) == [first]
        assert "is damaged" not in again.program.output.partition("Stopping")[2]
    assert aside(tmp_path) == moved


def test_a_journal_of_no_length(upstreams: Behind, tmp_path: Path, filled: bytes) -> None:
    (tmp_path / "patchbay.db").write_bytes(filled)
    (tmp_path / "patchbay.db-wal").touch()
    with run_gateway("serve", upstreams, tmp_path) as gateway:
        exchange(gateway.database, answered(gateway))
        assert query(gateway.database, "select count(*) as n from exchanges") == [{"n": 31}]
    assert aside(tmp_path) == []


def test_a_place_where_no_file_can_be(upstreams: Behind, tmp_path: Path) -> None:
    """Serving goes on without a record for as long as it takes, and health says so."""
    database = tmp_path / "later" / "patchbay.db"
    with run_gateway("mitmdump", upstreams, tmp_path, env={"PATCHBAY_DB": str(database)}) as gateway:
        ids = [answered(gateway) for _ in range(5)]
        told = wait_for(gateway, state="degraded", queued=5)
        assert told["status"] == "degraded"
        database.parent.mkdir()
        wait_for(gateway, state="ok", queued=0)
        assert {row["id"] for row in query(database, "select id from exchanges where outcome = 'ok'")} == set(ids)
