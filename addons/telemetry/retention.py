"""How long the record is kept: by age and by size, in steps small enough not to be noticed."""

import sqlite3
import time
from dataclasses import dataclass

from addons.telemetry.deletion import STEP, delete, vacuum

_VACUUM_PAGES = 256  # given back in one step: 1 MiB


@dataclass(frozen=True, slots=True)
class Retention:
    """Keep exchanges for ``days`` and the file below ``bytes``; zero or less means without limit."""

    days: float
    bytes: int

    def step(self, connection: sqlite3.Connection, now: float | None = None) -> bool:
        """Delete a few of the oldest finished exchanges if they must go; tell whether there may be more to do.

        ``now`` is wall time in seconds. Raises sqlite3.Error.
        """
        doomed = self._too_old(connection, time.time() if now is None else now) or self._too_much(connection)
        if doomed:
            connection.execute("BEGIN IMMEDIATE")
            try:
                delete(connection, doomed)
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        free = _pragma(connection, "freelist_count")
        if free:
            vacuum(connection, _VACUUM_PAGES)
        return bool(doomed) or free > _VACUUM_PAGES

    def _too_old(self, connection: sqlite3.Connection, now: float) -> list[str]:
        if self.days <= 0:
            return []
        return _ids(connection, "started_at < ? ORDER BY started_at", now - self.days * 86400)

    def _too_much(self, connection: sqlite3.Connection) -> list[str]:
        pages = _pragma(connection, "page_count") - _pragma(connection, "freelist_count")
        if self.bytes <= 0 or pages * _pragma(connection, "page_size") <= self.bytes:
            return []
        return _ids(connection, "seq > ? ORDER BY seq", -1)


def _ids(connection: sqlite3.Connection, condition: str, value: float) -> list[str]:
    query = f"SELECT id FROM exchanges WHERE outcome IS NOT NULL AND {condition} LIMIT {STEP}"
    return [str(row[0]) for row in connection.execute(query, (value,))]


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
