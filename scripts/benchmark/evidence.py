"""What a database has on record, read from outside, by another process than the one that writes it.

A row counts as *acknowledged* once such a reader has seen it: it was committed then, and no death of the writer may
take it back. What was answered but not yet committed may be lost by a crash; the writer gathers for at most some 50 ms.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ABORTED = "aborted_by_crash"
_PATIENCE = 10.0  # seconds for a writer that holds the file

# Each exchange with its attempts, as one text: two of them are the same only if nothing of the call has changed.
_ROWS = """
SELECT e.id, e.outcome, e.model, json_array(
    e.started_at, e.dialect, e.provider, e.model, e.status, e.who_ended, e.error, e.input_tokens, e.output_tokens,
    e.duration_us, e.ttft_us, e.bytes_in, e.bytes_out, e.finish_reason, hex(e.prompt_hash), hex(e.answer_hash),
    (SELECT json_group_array(json_array(a.number, a.provider, a.status, a.outcome, a.bytes_in, a.duration_us))
     FROM attempts a WHERE a.exchange_id = e.id))
FROM exchanges e WHERE e.seq > ?
"""
# A call is written in one transaction with its attempts and its conversation: one without the other is torn.
_TORN = """
SELECT count(*) FROM exchanges e WHERE e.seq > ? AND (
    (e.outcome = 'ok' AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.exchange_id = e.id))
    OR (e.outcome = 'ok' AND e.answer_hash IS NULL)
    OR (e.prompt_hash IS NOT NULL AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.hash = e.prompt_hash))
    OR (e.answer_hash IS NOT NULL AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.hash = e.answer_hash)))
"""
_UNSETTLED = "SELECT count(*) FROM exchanges WHERE outcome IS NULL AND run < (SELECT max(id) FROM runs)"


@dataclass(frozen=True, slots=True)
class Row:
    """One call: ``outcome`` is None while it is open, ``told`` is everything else that is known of it."""

    outcome: str | None
    model: str
    told: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """The database at ``path``, opened anew for each question."""

    path: Path

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        where = f"{self.path.as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(where, uri=True, timeout=_PATIENCE)) as connection:
            yield connection

    def _number(self, sql: str, *values: object) -> int:
        with self._reading() as connection:
            return int(connection.execute(sql, values).fetchone()[0] or 0)

    def runs(self) -> int:
        """How many processes have opened the file so far; 0 where there is none. Raises sqlite3.Error."""
        if not self.path.exists():
            return 0
        with self._reading() as connection:
            made = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'runs'").fetchone()
        return self._number("SELECT max(id) FROM runs") if made else 0

    def last(self) -> int:
        """The number of the last row; 0 where there is none."""
        return self._number("SELECT max(seq) FROM exchanges")

    def rows(self, after: int) -> Mapping[str, Row]:
        """Every call behind that row, by its id, as one moment shows them."""
        with self._reading() as connection:
            return {key: Row(outcome, model, told) for key, outcome, model, told in connection.execute(_ROWS, (after,))}

    def torn(self, after: int) -> int:
        """Count the calls behind that row of which a part is missing."""
        return self._number(_TORN, after)

    def unsettled(self) -> int:
        """Count the calls that earlier runs have left open."""
        return self._number(_UNSETTLED)

    def complaint(self, *, whole: bool) -> str:
        """Let SQLite check the file: nothing, or what it found. ``whole``: its indexes and full texts, too."""
        try:
            with self._reading() as connection:
                found = connection.execute(f"PRAGMA {'integrity' if whole else 'quick'}_check(1)").fetchone()[0]
        except sqlite3.DatabaseError as error:
            return str(error)
        return "" if found == "ok" else str(found)

    def journal(self) -> int:
        """Bytes of the write-ahead log."""
        with contextlib.suppress(FileNotFoundError):
            return self.path.with_name(self.path.name + "-wal").stat().st_size
        return 0

    def set_aside(self) -> int:
        """Count the files that were moved away because they were found to be damaged."""
        return len([one for one in self.path.parent.glob(f"{self.path.name}.corrupt-*") if "-wal" not in one.name])
