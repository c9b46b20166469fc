"""The thread that writes: takes what waits, writes it in batches, and holds out when the file cannot be written.

Strategy: the interpreter's lock is shared with the event loop, so the thread works in stretches of a fraction of a
millisecond and truly sleeps in between (giving the lock up for no time at all would not wake the loop). While the file
cannot be written, the batch stays in hand and is tried again with growing pauses; everything else is the backlog's
matter. What cannot be written at the end goes into a file of its own, which is read like any other.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from addons.telemetry import runs, unwritten
from addons.telemetry.backlog import Backlog, Entry
from addons.telemetry.cleaning import Cleaner
from addons.telemetry.database import (
    ABSENT,
    BrokenDatabaseError,
    close_untouched,
    close_whole,
    is_broken,
    is_waiting,
    move_aside,
    open_for_writing,
    sizes,
)
from addons.telemetry.ledger import Ledger
from addons.telemetry.retention import Retention
from addons.telemetry.schema import SchemaError

_log = logging.getLogger("patchbay.record")

BATCH = 128  # exchanges in one transaction
_BATCH_BYTES = 4 << 20
_WINDOW = (0.010, 0.050)  # seconds for which a batch gathers: from a lone call to a crowd
_STRETCH = 0.0002  # seconds of work without a pause
_NAP = 0.00005
_IDLE = 1.0  # seconds between two looks at what there is to tidy
_TIDY = 60.0  # seconds between two tidyings when the last one left nothing to do
_RETRY = (0.1, 5.0)  # seconds between two tries at a file that cannot be written: first, last
_LAST_RETRY = 0.05  # the same while closing
_LAST_TRIES = 1.0  # seconds of closing after which a file that cannot be written is given up

# One entry of the batch is at fault, not the file.
_POISON = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    OverflowError,
    UnicodeError,
)
_TROUBLE = (sqlite3.Error, OSError, SchemaError, BrokenDatabaseError)


class FileMovedError(OSError):
    """The file under our name is not the one that is open."""


class FileCutError(OSError):
    """The file or its journal became shorter although we did not write: what is in there must be looked at."""


class Writer(threading.Thread):
    """Owns the one writing connection. ``secrets`` and ``still_open`` are called on this thread."""

    def __init__(
        self,
        path: Path,
        backlog: Backlog,
        retention: Retention,
        secrets: Callable[[], Sequence[str]],
        still_open: Callable[[], set[str]],
    ) -> None:
        super().__init__(name="patchbay-record", daemon=True)
        self.trouble = ""  # what keeps the file from being written; "" when it can be
        self.errors = 0
        self.unreadable = 0  # conversations that could not be made out
        self.finished = False  # everything has landed and the file is closed
        self._path = path
        self._backlog = backlog
        self._retention = retention
        self._secrets = secrets
        self._still_open = still_open
        self._cleaner = Cleaner(())
        self._ledger: Ledger | None = None
        self._file = self._sizes = (0, 0)  # which it is; it and its journal in bytes, as our last write has left them
        self._broken = 0  # times in a row that the file was found to be damaged
        self._batch: list[Entry] = []
        self._window = _WINDOW[0]
        self._retry = _RETRY[0]
        self._closing = threading.Event()
        self._deadline = self._closed_at = 0.0
        self._stretch = self._tidy_at = 0.0
        self._dropped = 0
        self._me = runs.this_process()

    # --- called by others ---

    def close(self, timeout: float) -> None:
        """Ask the thread to write what waits within ``timeout`` seconds and to end."""
        self._closed_at = time.monotonic()
        self._deadline = self._closed_at + timeout
        self._closing.set()
        self._backlog.close()

    # --- the thread ---

    def run(self) -> None:
        """Write until closed."""
        while not self._over():
            if not self._guarded(self._step) and self._closing.wait(self._retry):
                time.sleep(_LAST_RETRY)
        self.finished = self._guarded(self._finish)

    def _over(self) -> bool:
        if not self._closing.is_set():
            return False
        now = time.monotonic()
        given_up = bool(self.trouble) and now > self._closed_at + _LAST_TRIES
        return given_up or now > self._deadline or not (len(self._backlog) or self._ledger is None)

    def _step(self) -> None:
        if self._ledger is None:
            self._open()
        if not self._batch and not self._backlog.wait(_IDLE):
            self._tidy()
            return
        if not self._batch:
            self._closing.wait(self._window)  # more will come
            self._batch = self._backlog.take(BATCH, _BATCH_BYTES)
        self._window = min(max(_WINDOW[0], len(self._batch) * 0.001), _WINDOW[1]) if len(self._batch) < BATCH else 0.0
        self._land(self._batch)
        self._backlog.done(len(self._batch))
        self._batch, self._broken = [], 0
        self._tidy()

    def _open(self) -> None:
        try:
            if self._broken > 1:  # the check saw nothing, and still it could not be written
                raise BrokenDatabaseError(self.trouble)
            connection = open_for_writing(self._path, suspect=self._broken > 0)
        except BrokenDatabaseError as error:
            aside = move_aside(self._path)
            # No error: mitmproxy ends where one is logged while it starts.
            _log.warning("%s is damaged (%s): it was moved to %s and a new file begun", self._path, error, aside.name)
            self._broken = 0
            connection = open_for_writing(self._path)
        status = self._path.stat()
        self._file = (status.st_dev, status.st_ino)
        self._sizes = sizes(self._path)
        try:
            crashed = runs.mark_crashed(connection, self._me)
            self._ledger = Ledger(connection, runs.begin(connection, self._me))
        finally:
            if self._ledger is None:
                connection.close()
        if crashed:
            _log.warning("%d calls were open when an earlier run ended: marked aborted_by_crash", crashed)

    def _land(self, batch: Sequence[Entry]) -> None:
        self._write(self._present(), batch)
        self._sizes = sizes(self._path)

    def _write(self, ledger: Ledger, batch: Sequence[Entry]) -> None:
        secrets = tuple(dict.fromkeys((*self._secrets(), *(secret for entry in batch for secret in entry.secrets))))
        if secrets != self._cleaner.secrets:
            self._cleaner = Cleaner(secrets)
            ledger.forget_all()
        self._stretch = time.perf_counter()
        try:
            ledger.land(batch, self._cleaner, self._pause)
            self.unreadable, ledger.unreadable = self.unreadable + ledger.unreadable, 0
        except _POISON as error:
            if len(batch) > 1:
                for entry in batch:
                    self._write(ledger, [entry])
                return
            self.errors += 1
            self._backlog.lost()
            _log.warning("one call could not be recorded: %s", error)

    def _present(self) -> Ledger:
        """Return the ledger, if the file is still where it was. Raises FileMovedError and OSError."""
        if self._ledger is None:
            raise FileMovedError(f"{self._path} is not open")
        try:
            status = self._path.stat()
        except FileNotFoundError:
            raise FileMovedError(f"{self._path} was moved or deleted") from None
        if self._file != (status.st_dev, status.st_ino):
            raise FileMovedError(f"{self._path} was replaced by another file")
        self._look_for_cuts(self._ledger)
        return self._ledger

    def _look_for_cuts(self, ledger: Ledger) -> None:
        """Compare with what our last write has left; those who write beside us may shorten the file, nobody else."""
        now, before = sizes(self._path), self._sizes
        if now[1] == ABSENT != before[1]:  # what is in it is still ours: closing moves it into the file
            raise FileMovedError(f"the journal of {self._path} was moved or deleted")
        if (now[0] < before[0] or now[1] < before[1]) and not ledger.others_wrote():
            raise FileCutError(f"{self._path} or its journal was cut short by another program")

    def _pause(self) -> None:
        """Sleep a moment if this thread has worked for a while."""
        if time.perf_counter() - self._stretch > _STRETCH:
            time.sleep(_NAP)
            self._stretch = time.perf_counter()

    def _tidy(self) -> None:
        """Do one small step of what keeps the file in order, if there is any."""
        now = time.monotonic()
        lost = self._backlog.dropped != self._dropped and not len(self._backlog)
        if self._closing.is_set() or (now < self._tidy_at and not lost):
            return
        ledger = self._present()
        more = self._retention.step(ledger.connection)
        if more:
            ledger.forget_all()
        self._tidy_at = now + (0.05 if more else _TIDY)
        still_open = self._still_open()
        if still_open:
            runs.beat(ledger.connection, ledger.run)
        if lost and not len(self._backlog):  # asked again: what ended since is not among the open ones
            self._dropped = self._backlog.dropped
            runs.close_lost(ledger.connection, ledger.run, still_open)
        runs.mark_crashed(ledger.connection, self._me)
        ledger.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        self._sizes = sizes(self._path)

    def _finish(self) -> None:
        try:
            if len(self._backlog):
                self._save_beside()
            if self._ledger is None:
                raise FileMovedError(f"{self._path} is not open")
            runs.finish(self._ledger.connection, self._ledger.run)
            self._ledger.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            if self._ledger is not None:
                self._ledger.connection.close()
                self._ledger = None

    def _save_beside(self) -> None:
        """Rescue what is left from a file that cannot be written. Raises FileMovedError in any case."""
        path = unwritten.save(self._path, self._me, self._rest(), self._write)
        raise FileMovedError(f"what waited is in {path.name} instead")

    def _rest(self) -> Iterator[Sequence[Entry]]:
        """Take what waits, batch by batch, until the time is over; who asks for the next one has written the last."""
        while time.monotonic() < self._deadline and (self._batch or len(self._backlog)):
            self._batch = self._batch or self._backlog.take(BATCH, _BATCH_BYTES)
            yield self._batch
            self._backlog.done(len(self._batch))
            self._batch = []

    # --- trouble ---

    def _guarded(self, action: Callable[[], None]) -> bool:
        try:
            action()
        except _TROUBLE as error:
            self._suffer(error)
            return False
        if self.trouble and not self._batch:
            _log.info("recording to %s works again; %d calls were dropped", self._path, self._backlog.dropped)
            self.trouble = ""
        self._retry = _RETRY[0]
        return True

    def _suffer(self, error: Exception) -> None:
        self.errors += 1
        if not self.trouble:
            _log.warning("recording to %s does not work now (%s); serving goes on, calls wait", self._path, error)
        self.trouble = str(error) or type(error).__name__
        damaged = is_broken(error) or isinstance(error, FileCutError)
        self._broken += damaged
        if is_waiting(error):
            return  # the try itself has waited
        self._retry = min(self._retry * 2, _RETRY[1])
        if self._ledger is not None:  # opened anew: the file, its rights or the disk may be others then
            connection, self._ledger = self._ledger.connection, None
            close_untouched(connection) if damaged else close_whole(connection)
