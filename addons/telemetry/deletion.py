"""Deleting exchanges for good: rows, attempts, bodies, and the messages that nothing refers to any longer.

Strategy: messages form trees that grow from shared beginnings. When an exchange goes, its answer and the end of its
request are looked at; what neither an exchange nor a later message refers to goes too, then the same is asked of its
parent. The full-text index only marks what was deleted; `scrub` rewrites it, so that the words are gone from the file
as well.
"""

import sqlite3
from collections.abc import Sequence

STEP = 200  # exchanges deleted in one transaction: some milliseconds
_CHUNK = 400  # values bound in one statement
_MERGE_PAGES = 500  # of the full-text index rewritten in one transaction

_UNREFERENCED = """
SELECT id, hash, parent, text FROM messages m WHERE hash IN ({places})
  AND NOT EXISTS (SELECT 1 FROM exchanges WHERE prompt_hash = m.hash)
  AND NOT EXISTS (SELECT 1 FROM exchanges WHERE answer_hash = m.hash)
  AND NOT EXISTS (SELECT 1 FROM messages WHERE parent = m.hash)
"""


def delete(connection: sqlite3.Connection, ids: Sequence[str]) -> None:
    """Delete these exchanges and all that is theirs alone, inside the caller's transaction. Raises sqlite3.Error."""
    loose: set[bytes] = set()
    for at in range(0, len(ids), _CHUNK):
        some = ids[at : at + _CHUNK]
        places = ", ".join("?" * len(some))
        for row in connection.execute(f"SELECT prompt_hash, answer_hash FROM exchanges WHERE id IN ({places})", some):
            loose.update(key for key in row if key is not None)
        connection.execute(f"DELETE FROM attempts WHERE exchange_id IN ({places})", some)
        connection.execute(f"DELETE FROM bodies WHERE exchange_id IN ({places})", some)
        connection.execute(f"DELETE FROM exchanges WHERE id IN ({places})", some)
    while loose:
        loose = _delete_loose(connection, list(loose))


def _delete_loose(connection: sqlite3.Connection, hashes: list[bytes]) -> set[bytes]:
    """Delete those of the messages that nothing refers to; the parents that may have become loose by it."""
    parents: set[bytes] = set()
    for at in range(0, len(hashes), _CHUNK):
        some = hashes[at : at + _CHUNK]
        found = connection.execute(_UNREFERENCED.format(places=", ".join("?" * len(some))), some).fetchall()
        connection.executemany(
            "INSERT INTO messages_fts (messages_fts, rowid, text) VALUES ('delete', ?, ?)",
            [(number, text) for number, _, _, text in found if text],
        )
        connection.executemany("DELETE FROM messages WHERE id = ?", [(number,) for number, *_ in found])
        parents.update(parent for _, _, parent, _ in found if parent is not None)
    return parents


def scrub(connection: sqlite3.Connection) -> None:
    """Make what was deleted unreadable in the file and its journal. Raises sqlite3.Error; may be tried again.

    The index is rewritten in small transactions, so that a proxy can write in between.
    """
    pages = -_MERGE_PAGES  # negative: begin by marking everything for the merge
    while _changed(connection, pages):
        pages = _MERGE_PAGES
    vacuum(connection, 0)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def _changed(connection: sqlite3.Connection, pages: int) -> bool:
    before = connection.total_changes
    connection.execute("INSERT INTO messages_fts (messages_fts, rank) VALUES ('merge', ?)", (pages,))
    return connection.total_changes - before >= 2  # SQLite's own sign that there was something to do


def vacuum(connection: sqlite3.Connection, pages: int) -> None:
    """Give up to so many free pages back to the file system, 0 for all. Raises sqlite3.Error."""
    connection.execute(f"PRAGMA incremental_vacuum({pages})").fetchall()
