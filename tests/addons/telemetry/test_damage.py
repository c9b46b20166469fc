"""A file that is damaged while we write to it: it stays as it was found, and what is recorded from then on is whole."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from addons.telemetry.database import BrokenDatabaseError, beside, move_aside, open_for_writing, remove, sizes
from addons.telemetry.store import Store
from tests.addons.telemetry.accounts import count, intact, record, request, rows, settled, until

StoreMaker = Callable[..., Store]
Damage = Callable[[Path], None]
BEFORE, DURING = 300, 200


def journal(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def halve(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def shorten(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1000)


def empty_the_journal(path: Path) -> None:
    os.truncate(journal(path), 0)


def delete_the_journal(path: Path) -> None:
    journal(path).unlink()


def delete_the_index(path: Path) -> None:
    path.with_name(path.name + "-shm").unlink()


def some(store: Store, name: str, calls: int) -> None:
    for number in range(calls):
        record(store, request(f"{name} {number} " + "word " * 50), "answer", f"{name}-{number}")


def aside(path: Path) -> list[Path]:
    return sorted(one for one in path.parent.iterdir() if ".corrupt-" in one.name)


# What is done to the file → whether it is moved aside with its journal, and how much of what was there is left at
# least. The pages of 300 calls are some in the file and some in the journal.
IN_USE: dict[Damage, tuple[bool, int]] = {
    halve: (True, 0),
    empty: (True, 0),
    shorten: (False, BEFORE),  # the journal still had the page
    empty_the_journal: (False, 64),
    delete_the_journal: (False, BEFORE),  # we still held it open, and moved what was in it into the file
    delete_the_index: (False, BEFORE),
}


@pytest.mark.parametrize("damage", IN_USE)
def test_damage_in_use(open_store: StoreMaker, path: Path, damage: Damage) -> None:
    moved, kept = IN_USE[damage]
    store = open_store()
    some(store, "before", BEFORE)
    settled(store)
    old_journal = journal(path).read_bytes()
    damage(path)
    found = path.read_bytes()
    some(store, "during", DURING)
    settled(store)
    assert intact(path)
    ids = [row["id"] for row in rows(path, "select id from exchanges")]
    assert sum(one.startswith("during") for one in ids) == DURING
    assert sum(one.startswith("before") for one in ids) >= kept
    assert store.health().dropped == 0
    assert [one.read_bytes() for one in aside(path)] == ([found, old_journal] if moved else [])
    assert store.close(5)


def test_a_file_that_is_moved_keeps_all_that_it_had(open_store: StoreMaker, path: Path) -> None:
    """Also what was in the journal, which nobody moved with it."""
    store = open_store()
    some(store, "before", BEFORE)
    settled(store)
    elsewhere = path.rename(path.with_name("elsewhere.db"))
    some(store, "during", 10)
    settled(store)
    assert sum(row["id"].startswith("before") for row in rows(elsewhere, "select id from exchanges")) == BEFORE
    assert (intact(elsewhere), intact(path), aside(path)) == (True, True, [])
    assert count(path, "exchanges") >= 10


def test_what_another_writer_shortened_is_not_cut(open_store: StoreMaker, path: Path) -> None:
    store = open_store()
    some(store, "before", BEFORE)
    settled(store)
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("DELETE FROM exchanges WHERE seq > 10")
        other.execute("DELETE FROM messages WHERE id > 10")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA incremental_vacuum")
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    some(store, "during", 10)
    settled(store)
    assert store.health().write_errors == 0
    assert count(path, "exchanges") == 20


def test_damage_that_nobody_sees_is_found_at_the_next_start(open_store: StoreMaker, path: Path) -> None:
    """Pages that SQLite has at hand, or in the journal, it does not read again."""
    store = open_store()
    some(store, "before", BEFORE)
    settled(store)
    with path.open("r+b") as file:
        file.write(b"this was never a database\n" * 2000)
    some(store, "during", 10)
    settled(store)
    store.close(5)
    again = open_store()
    some(again, "after", 10)
    settled(again)
    assert intact(path)
    assert count(path, "exchanges") >= 10
    assert len(aside(path)) <= 2


def test_a_journal_without_its_file_is_kept(path: Path) -> None:
    path.touch()
    journal(path).write_bytes(b"all that there is")
    with pytest.raises(BrokenDatabaseError, match="its journal is not"):
        open_for_writing(path)
    assert journal(path).read_bytes() == b"all that there is"
    moved = move_aside(path)
    assert (moved.read_bytes(), journal(moved).read_bytes()) == (b"", b"all that there is")
    assert sizes(moved) == (0, 17)
    remove(moved)
    assert list(path.parent.iterdir()) == []


def test_a_damaged_file_keeps_its_journal(path: Path) -> None:
    """Closing would move the journal into the file otherwise."""
    connection = open_for_writing(path)
    connection.execute("CREATE TABLE t (x)")
    connection.executemany("INSERT INTO t VALUES (?)", [("word " * 500,)] * 200)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    connection.execute("INSERT INTO t VALUES ('in the journal')")
    kept = journal(path).read_bytes()
    raw = bytearray(path.read_bytes())
    connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, True)
    connection.close()
    for at in range(len(raw) // 2 // 4096 * 4096, len(raw), 4096):
        raw[at : at + 64] = bytes(value ^ 0xA5 for value in raw[at : at + 64])
    path.write_bytes(raw)
    with pytest.raises(BrokenDatabaseError):
        open_for_writing(path)
    assert path.read_bytes() == bytes(raw)
    assert journal(path).read_bytes() == kept


def test_names_beside_a_file_are_new(path: Path) -> None:
    one = beside(path, "x")
    one.touch()
    two = beside(path, "x")
    assert one.parent == two.parent == path.parent
    assert one != two
    assert one.name.startswith("patchbay.db.x-2")


def test_a_file_that_is_cut_again_and_again(open_store: StoreMaker, path: Path) -> None:
    store = open_store()
    some(store, "first", 1)
    settled(store)
    until(lambda: path.stat().st_size > 4096)  # the first tidying, which would mend what is cut meanwhile
    for turn in range(3):
        some(store, f"turn{turn}", 100)
        settled(store)
        empty(path)
    some(store, "last", 10)
    until(lambda: len(aside(path)) == 6)
    settled(store)
    assert intact(path)
    assert sum(row["id"].startswith("last") for row in rows(path, "select id from exchanges")) == 10
