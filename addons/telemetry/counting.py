"""Numbers that outlive the calls they count: ``usage``, sums by the hour; ``spreads``, how times are spread by the day.

Strategy: an exchange is counted from its own row, in the transaction that writes how it ended, by one statement for a
whole batch; the same statements count all rows of an older file. A row that had ended before and is written again is
taken out first, so the numbers are always those of the rows, and of what was deleted since.

Times fall into buckets whose bounds grow by a tenth: what is read from the middle of a bucket is wrong by less than
5 %. The bounds stand in a table, ``buckets``, so that SQLite needs no logarithm, and a person's own queries neither.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

GROWTH = 1.1  # of a bucket's upper bound over its lower one
ERROR = (GROWTH - 1) / (GROWTH + 1)  # the most by which a value differs from its bucket's middle, as a part of itself
LOWEST, HIGHEST = 1e-3, 1e12  # what is less falls into the first bucket, what is more into the last

MEASURES = ("ttft", "duration", "tokens_per_second", "overhead")  # spans in microseconds

# As fast as the answer came: by llama-server's own measure, else by what followed the first content. An answer that
# is not streamed comes at once and says nothing of it, and so does an estimate (`metrics.tokens_per_second` is the same
# in Python).
TOKENS_PER_SECOND = (
    "CASE WHEN usage_source = 'estimated' THEN NULL"
    " WHEN output_tokens > 0 AND decode_us > 0 THEN output_tokens * 1e6 / decode_us"
    " WHEN output_tokens > 1 AND stream AND duration_us > ttft_us"
    " THEN (output_tokens - 1) * 1e6 / (duration_us - ttft_us) END"
)
# There are tokens, so there was a price, but it is not known.
UNPRICED = "(cost IS NULL AND (coalesce(input_tokens, 0) > 0 OR coalesce(output_tokens, 0) > 0))"

_KEY = ("hour", "provider", "model", "outcome")
_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
# column of ``usage`` → what a row adds to it
_PARTS = {
    "exchanges": "1",
    "attempts": "(SELECT count(*) FROM attempts WHERE exchange_id = e.id)",
    **{name: name for name in (*_TOKENS, "cost")},
    "unpriced": UNPRICED,
    "bytes_in": "bytes_in",
    "bytes_out": "bytes_out",
}
SUMS = tuple(_PARTS)

_VALUES = f"CASE measure WHEN 'ttft' THEN ttft_us WHEN 'duration' THEN duration_us WHEN 'overhead' THEN overhead_us \
WHEN 'tokens_per_second' THEN {TOKENS_PER_SECOND} END"

_TABLES = (
    "CREATE TABLE usage (hour INTEGER NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, outcome TEXT NOT NULL,"
    " exchanges INTEGER NOT NULL, attempts INTEGER NOT NULL, input_tokens INTEGER, output_tokens INTEGER,"
    " cache_read_tokens INTEGER, cache_write_tokens INTEGER, reasoning_tokens INTEGER, cost REAL,"
    " unpriced INTEGER NOT NULL, bytes_in INTEGER NOT NULL, bytes_out INTEGER NOT NULL,"
    " PRIMARY KEY (hour, provider, model, outcome)) WITHOUT ROWID",
    "CREATE TABLE spreads (day INTEGER NOT NULL, provider TEXT NOT NULL, measure TEXT NOT NULL,"
    " bucket INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (day, measure, provider, bucket)) WITHOUT ROWID",
    "CREATE TABLE buckets (upto REAL PRIMARY KEY, bucket INTEGER NOT NULL, middle REAL NOT NULL) WITHOUT ROWID",
)

# A sum of what is not known stays NULL, and what is not known adds nothing to what is. The sign is 1 or -1.
_COUNT = (
    f"INSERT INTO usage ({', '.join((*_KEY, *SUMS))})"
    " SELECT CAST(started_at / 3600 AS INTEGER), provider, model, outcome,"
    f" {', '.join(f'{{sign}} * {part}' for part in _PARTS.values())}"
    " FROM exchanges e WHERE outcome IS NOT NULL AND {these}"
    f" ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET"
    f" {', '.join(f'{name} = coalesce({name} + excluded.{name}, {name}, excluded.{name})' for name in SUMS)}",
    "INSERT INTO spreads (day, provider, measure, bucket, count) SELECT day, provider, measure,"
    f" (SELECT bucket FROM buckets WHERE upto >= min(value, {HIGHEST!r}) ORDER BY upto LIMIT 1), {{sign}}"
    f" FROM (SELECT CAST(started_at / 86400 AS INTEGER) AS day, provider, measure, {_VALUES} AS value"
    " FROM exchanges e CROSS JOIN"
    f" (SELECT column1 AS measure FROM (VALUES {', '.join(f'({name!r})' for name in MEASURES)}))"
    " WHERE outcome IS NOT NULL AND {these}) WHERE value IS NOT NULL"
    " ON CONFLICT (day, measure, provider, bucket) DO UPDATE SET count = count + excluded.count",
)
_THESE = "id IN (SELECT value FROM json_each(?))"
_IN, _OUT = (tuple(one.format(sign=sign, these=_THESE) for one in _COUNT) for sign in (1, -1))
_ENDED = f"SELECT count(*) FROM exchanges WHERE outcome IS NOT NULL AND {_THESE}"
_EMPTY = ("DELETE FROM usage WHERE exchanges <= 0", "DELETE FROM spreads WHERE count <= 0")


def bounds() -> list[float]:
    """Return the upper bounds of all buckets; the bucket of the same place holds what is above the bound before."""
    found = [LOWEST]
    while found[-1] < HIGHEST:
        found.append(found[-1] * GROWTH)
    return found


def middle(upto: float) -> float:
    """Return the value that stands for a bucket: the one that is off by the same part at both ends."""
    return 2 * upto / (1 + GROWTH)


def create(connection: sqlite3.Connection) -> None:
    """Make the tables and count every exchange that has ended, inside the caller's transaction."""
    for statement in _TABLES:
        connection.execute(statement)
    rows = [(upto, place, middle(upto)) for place, upto in enumerate(bounds())]
    connection.executemany("INSERT INTO buckets (upto, bucket, middle) VALUES (?, ?, ?)", rows)
    for statement in _COUNT:
        connection.execute(statement.format(sign=1, these="1"))


@contextmanager
def counted(connection: sqlite3.Connection, ids: Sequence[str]) -> Iterator[None]:
    """Count these exchanges as they are after the block, inside the caller's transaction; once, however often.

    Those that have not ended are not counted. Raises sqlite3.Error.
    """
    these = (json.dumps(ids),)
    if ids and connection.execute(_ENDED, these).fetchone()[0]:
        for statement in (*_OUT,):
            connection.execute(statement, these)
        for statement in _EMPTY:
            connection.execute(statement)
    yield
    if ids:
        for statement in _IN:
            connection.execute(statement, these)
