"""Accounts as rows: which columns there are, and the statements that write many rows at once.

Statements carry many rows each because every call into SQLite gives up and takes back the interpreter's lock, and under
load the taking back is what costs: one call for sixteen rows waits once, sixteen calls wait sixteen times.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import chain
from operator import attrgetter
from typing import cast

from providers.exchange.account import AttemptAccount, ExchangeAccount

Value = str | int | float | bytes | None
Row = tuple[Value, ...]

# Known at admission and never again changed, then what the end of the call may change.
_FIXED = ("id", "started_at", "dialect", "operation", "requested_model", "stream", "client")
_SETTLED = (
    "provider",
    "kind",
    "model",
    "session_id",
    "bytes_in",
    "status",
    "outcome",
    "who_ended",
    "error",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "usage_source",
    "connect_us",
    "ttfb_us",
    "ttft_us",
    "duration_us",
    "bytes_out",
    "finish_reason",
    "request_id_upstream",
    "translation",
    "cost",
    "price_source",
    "prompt_us",
    "decode_us",
    "overhead_us",
    "rescued",
)
ACCOUNT_COLUMNS = _FIXED + _SETTLED
LINK_COLUMNS = ("run", "conversation", "prompt_hash", "answer_hash")  # what the writer adds
ATTEMPT_COLUMNS = (
    "provider",
    "model",
    "status",
    "outcome",
    "error",
    "stale",
    "connect_us",
    "ttfb_us",
    "duration_us",
    "bytes_in",
    "endpoint",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "cost",
    "price_source",
)

ID, DIALECT, OUTCOME, SESSION = (ACCOUNT_COLUMNS.index(name) for name in ("id", "dialect", "outcome", "session_id"))
# Places of the texts that somebody outside wrote: a key may have slipped into them.
FOREIGN = tuple(
    ACCOUNT_COLUMNS.index(name)
    for name in ("requested_model", "model", "client", "session_id", "error", "finish_reason", "request_id_upstream")
)
# Places of the numbers that somebody outside wrote.
COUNTS = tuple(at for at, name in enumerate(ACCOUNT_COLUMNS) if name.endswith("_tokens"))
ATTEMPT_COUNTS = tuple(at for at, name in enumerate(ATTEMPT_COLUMNS) if name.endswith("_tokens"))
ATTEMPT_FOREIGN = tuple(ATTEMPT_COLUMNS.index(name) for name in ("model", "error"))

snapshot = cast(Callable[[ExchangeAccount], Row], attrgetter(*ACCOUNT_COLUMNS))
attempt_snapshot = cast(Callable[[AttemptAccount], Row], attrgetter(*ATTEMPT_COLUMNS))


def _insert(table: str, columns: Sequence[str], verb: str = "INSERT", tail: str = "") -> tuple[str, str, str]:
    places = f"({', '.join('?' * len(columns))})"
    return f"{verb} INTO {table} ({', '.join(columns)}) VALUES ", places, tail


_CHANGES = ", ".join(f"{name} = excluded.{name}" for name in (*_SETTLED, "conversation", "prompt_hash", "answer_hash"))
_COLUMNS = ACCOUNT_COLUMNS + LINK_COLUMNS

# One statement for beginnings and ends, so that rows are written in order of admission; a beginning changes nothing.
EXCHANGES = _insert(
    "exchanges", _COLUMNS, tail=f" ON CONFLICT (id) DO UPDATE SET {_CHANGES} WHERE excluded.outcome IS NOT NULL"
)
ATTEMPTS = _insert("attempts", ("exchange_id", "number", *ATTEMPT_COLUMNS), "INSERT OR REPLACE")
MESSAGES = _insert("messages", ("hash", "parent", "role", "json", "text"), "INSERT OR IGNORE")
BODIES = _insert("bodies", ("exchange_id", "side", "size", "data"), "INSERT OR REPLACE")

_SIZES = (32, 8, 1)  # few statements, so that all stay prepared; 32 rows stay below SQLite's limit of variables


@cache
def _statement(kind: tuple[str, str, str], rows: int) -> str:
    head, places, tail = kind
    return head + ", ".join([places] * rows) + tail


def write(connection: sqlite3.Connection, kind: tuple[str, str, str], rows: Sequence[Iterable[Value]]) -> None:
    """Write the rows in order, in as few calls as there can be. Raises sqlite3.Error."""
    at = 0
    for size in _SIZES:
        while len(rows) - at >= size:
            connection.execute(_statement(kind, size), list(chain.from_iterable(rows[at : at + size])))
            at += size
