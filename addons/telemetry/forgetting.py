"""Forgetting for good, while a proxy may be writing to the same file."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from addons.telemetry.deletion import STEP, delete, scrub
from addons.telemetry.schema import migrate

PATIENCE = 30.0  # seconds to wait for another process's lock


def forget(path: Path, ids: Sequence[str]) -> Iterator[int]:
    """Delete these exchanges, and make them unreadable in the file; yields how many are gone, step by step.

    Raises sqlite3.Error; what was yielded is deleted then, but may still be readable with tools: call again.
    """
    with closing(_open(path)) as connection:
        for at in range(0, len(ids), STEP):
            connection.execute("BEGIN IMMEDIATE")
            try:
                delete(connection, ids[at : at + STEP])
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            yield min(at + STEP, len(ids))
            time.sleep(0.001)  # a proxy's writer may have its turn
        scrub(connection)


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=PATIENCE, isolation_level=None
    )
    try:
        connection.execute("PRAGMA secure_delete = ON")
        migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection
