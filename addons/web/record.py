"""Reads the record for the page, on threads of its own: a slow search holds up no stream.

Strategy: each question gets a connection of its own, opened for reading only, which costs some hundred µs and outlives
nothing, whatever has become of the file meanwhile. Few questions run at once, the others wait; whoever has waited two
seconds is told so, and what still runs for him is interrupted.
"""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from threading import Lock

import zstandard

from addons.telemetry.database import open_for_reading
from addons.web.replies import ProblemError

logger = logging.getLogger(__name__)

PATIENCE = 2.0  # seconds
_GRACE = 0.25  # seconds more in which a question may notice that by itself
_THREADS = 2
_LOOK = 20_000  # SQLite's instructions between two looks at the clock: about a millisecond
_SLOW = "This took too long. Search for rarer words, or narrow it by provider, model, outcome or day."
_UNREADABLE = "The record cannot be read now: {}. `patchbay log` shows whether the file is sound."
_NONE_YET = "Nothing has been recorded yet: there is no database. The log says why, if calls were made."
_STOPPING = "Patchbay is being stopped. Start it again to read its record."


class Record:
    """The file at ``path``, for reading."""

    def __init__(self, path: Path, patience: float = PATIENCE) -> None:
        self._path = path
        self._patience = patience
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="patchbay-page")

    async def read[T](self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Return what ``question`` returns, which is called on another thread. Raises ProblemError."""
        look = _Look(self._path, time.monotonic() + self._patience)
        try:
            asked = asyncio.get_running_loop().run_in_executor(self._pool, look.at, question)
        except RuntimeError:
            raise ProblemError(503, _STOPPING) from None
        try:
            return await asyncio.wait_for(asked, self._patience + _GRACE)
        except TimeoutError:
            look.interrupt()
            raise ProblemError(503, _SLOW) from None
        except FileNotFoundError:
            raise ProblemError(503, _NONE_YET) from None
        except (sqlite3.Error, zstandard.ZstdError, OSError) as error:
            if look.is_over():
                raise ProblemError(503, _SLOW) from None
            logger.warning("The page could not read the record: %s", error)
            raise ProblemError(503, _UNREADABLE.format(error)) from error

    def close(self) -> None:
        """Answer nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class _Look:
    """One question at the file."""

    def __init__(self, path: Path, until: float) -> None:
        self._path = path
        self._until = until
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None

    def is_over(self) -> bool:
        """Whether nobody waits any more."""
        return time.monotonic() >= self._until

    def at[T](self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Ask; on the thread that reads. Raises FileNotFoundError, OSError, sqlite3.Error."""
        with closing(open_for_reading(self._path)) as connection:
            connection.set_progress_handler(self.is_over, _LOOK)
            with self._lock:
                self._connection = connection
            try:
                return question(connection)
            finally:
                with self._lock:
                    self._connection = None

    def interrupt(self) -> None:
        """Stop what runs: full-text search looks at no clock."""
        with self._lock, suppress(sqlite3.Error):
            if self._connection is not None:
                self._connection.interrupt()
