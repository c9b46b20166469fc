"""The file: how it is made, opened for writing and for reading, checked, and moved aside when it is broken."""

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

from addons.telemetry.schema import migrate

BUSY_SECONDS = 1.0  # how long one try waits for another process's lock
_CHECK_LIMIT = 64 << 20  # bytes up to which a file is checked whole at every start: well below a second
_SIDES = ("", "-wal", "-shm")
ABSENT = -1

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
    if sizes(path)[1] > 0 and not sizes(path)[0]:
        raise BrokenDatabaseError("it is empty, but its journal is not")  # which SQLite would delete
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        if not path.stat().st_size:  # counts only before the first page is written; later it would write for nothing
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        _keep_journal(connection)
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        if suspect or path.stat().st_size <= _CHECK_LIMIT:
            _check(connection)
        migrate(connection)
    except BaseException as error:
        close_untouched(connection) if _is_damage(error) else connection.close()
        if is_broken(error):
            raise BrokenDatabaseError(str(error)) from error
        raise
    return connection


def _is_damage(error: BaseException) -> bool:
    return is_broken(error) or isinstance(error, BrokenDatabaseError)


def close_untouched(connection: sqlite3.Connection) -> None:
    """Close without moving the journal into the file, as closing does else: a damaged file stays as it was found."""
    connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, True)
    connection.close()


def close_whole(connection: sqlite3.Connection) -> None:
    """Close after the journal was moved into the file, also where the file has another name now or none.

    SQLite does it while closing only where the file is still in its place.
    """
    with suppress(sqlite3.Error):  # it stays in the journal then
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    connection.close()


def _make(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return


def _keep_journal(connection: sqlite3.Connection) -> None:
    """Change to write-ahead logging; SQLite doesn't wait by itself while somebody else does the same."""
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
    aside = beside(path, "corrupt")
    path.with_name(path.name + "-shm").unlink(missing_ok=True)  # an index of the journal; SQLite makes it anew
    journal = path.with_name(path.name + "-wal")  # first: left alone it would be taken for the next file's
    if sizes(path)[1] > 0:
        journal.rename(aside.with_name(aside.name + "-wal"))
    journal.unlink(missing_ok=True)
    return path.rename(aside)


def remove(path: Path) -> None:
    """Delete a file with its journal, where they are there. Raises OSError."""
    for side in _SIDES:
        path.with_name(path.name + side).unlink(missing_ok=True)


def beside(path: Path, why: str) -> Path:
    """Name a file that does not exist, in the same folder: NAME.WHY-TIME (in UTC)."""
    name = f"{path.name}.{why}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    while path.with_name(name).exists():
        name += "+"
    return path.with_name(name)


def sizes(path: Path) -> tuple[int, int]:
    """Bytes of the file and of its journal (ABSENT: there is none). Raises OSError when there is no file."""
    try:
        journal = path.with_name(path.name + "-wal").stat().st_size
    except FileNotFoundError:
        journal = ABSENT
    return path.stat().st_size, journal


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
