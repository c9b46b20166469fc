"""The file: how it is made, opened for writing and for reading, checked, and moved aside when it is broken."""

import os
import sqlite3
import time
from pathlib import Path

from addons.telemetry.schema import migrate

BUSY_SECONDS = 1.0  # how long one try waits for another process's lock
_CHECK_LIMIT = 64 << 20  # bytes up to which a file is checked whole at every start: well below a second
_SIDES = ("", "-wal", "-shm")

_BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_WAITING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}

# secure_delete: what is forgotten is overwritten. The cache and the journal are bounded because nothing here reads
# much.
_PRAGMAS = (
    "PRAGMA synchronous = NORMAL",
    "PRAGMA secure_delete = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -16384",
    "PRAGMA wal_autocheckpoint = 4000",
    f"PRAGMA journal_size_limit = {64 << 20}",
)


class BrokenDatabaseError(Exception):
    """The file is no database, or one that is damaged."""


def is_broken(error: BaseException) -> bool:
    """Say whether an error means that the file itself is damaged."""
    return isinstance(error, sqlite3.Error) and _code(error) in _BROKEN


def is_waiting(error: BaseException) -> bool:
    """Say whether an error means that another process holds the file, which passes."""
    return isinstance(error, sqlite3.Error) and _code(error) in _WAITING


def _code(error: sqlite3.Error) -> int:
    try:
        return error.sqlite_errorcode & 0xFF  # the lower byte is the kind, the rest tells the occasion
    except AttributeError:  # raised by the module itself, not by SQLite
        return sqlite3.SQLITE_MISUSE


def open_for_writing(path: Path, *, suspect: bool = False) -> sqlite3.Connection:
    """Open the file, making it (mode 0600) if there is none, and bring it to the present schema.

    A ``suspect`` file is read whole and checked, a small one always is. Raises BrokenDatabaseError, SchemaError,
    sqlite3.Error or OSError; the file is left as it was.
    """
    _make(path)
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        _keep_journal(connection)
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        if suspect or path.stat().st_size <= _CHECK_LIMIT:
            _check(connection)
        migrate(connection)
    except BaseException as error:
        connection.close()
        if is_broken(error):
            raise BrokenDatabaseError(str(error)) from error
        raise
    return connection


def _make(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return


def _keep_journal(connection: sqlite3.Connection) -> None:
    """Change to write-ahead logging; SQLite doesn't wait by itself while somebody else does the same."""
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # counts only before the first page is written
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
            return
        except sqlite3.OperationalError as error:
            if not is_waiting(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def _check(connection: sqlite3.Connection) -> None:
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise BrokenDatabaseError(str(found))


def move_aside(path: Path) -> Path:
    """Rename a broken file and its journal, so that nothing of it is overwritten; where it is now. Raises OSError."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    aside = path.with_name(f"{path.name}.corrupt-{stamp}")
    while aside.exists():
        aside = aside.with_name(aside.name + "+")
    for side in reversed(_SIDES):  # the journal first: left alone it would be taken for the next file's
        old = path.with_name(path.name + side)
        if old.exists():
            old.rename(aside.with_name(aside.name + side))
    return aside


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open the file for reading only, beside a writer or alone. Raises FileNotFoundError or sqlite3.Error."""
    if not path.exists():
        raise FileNotFoundError(path)
    where = path.absolute().as_uri()
    connection = sqlite3.connect(f"{where}?mode=ro", uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        connection.close()
        journal = path.with_name(path.name + "-wal")
        if _code(error) != sqlite3.SQLITE_CANTOPEN or (journal.exists() and journal.stat().st_size):
            raise
        # A folder that cannot be written has no room for the files that SQLite shares with a writer; there is none.
        connection = sqlite3.connect(f"{where}?immutable=1", uri=True, isolation_level=None)
    return connection
