"""Reading the record.

Every query here ends in milliseconds on a file of a million exchanges: each walks an index, newest first, and stops
when it has enough.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from addons.telemetry.bodies import Side, unpack

Record = dict[str, object]

_FOUND = 500  # messages that a search looks at, newest first
_BELOW = 50  # messages followed below one that no exchange refers to
_DEEP = 64  # levels
_PAGE = 200  # calls read at once by whoever reads them all


class AmbiguousError(LookupError):
    """More than one exchange has an id that begins so; ``ids`` names some."""

    def __init__(self, prefix: str, ids: Sequence[str]) -> None:
        super().__init__(f"{prefix} is the beginning of several ids: {', '.join(ids)}")
        self.ids = ids


@dataclass(frozen=True, slots=True)
class Filter:
    """Which exchanges are meant; None means any. ``since`` and ``before`` are wall time in seconds.

    ``model`` is the name that was sent or the one the client wrote, ``outcome`` may be ``open``, ``session`` is a
    session or conversation id, ``search`` is words, all of which one message holds; a trailing ``*`` means "begins
    so".
    """

    provider: str | None = None
    model: str | None = None
    outcome: str | None = None
    session: str | None = None
    since: float | None = None
    before: float | None = None
    search: str | None = None


def exchanges(
    connection: sqlite3.Connection, wanted: Filter, limit: int, *, after: int = 0, only: Sequence[int] | None = None
) -> list[Record]:
    """Return the newest ``limit`` exchanges, newest first; ``after`` and ``only`` (places in order, ``seq``) narrow it.

    Raises sqlite3.Error.
    """
    conditions, values = _conditions(wanted)
    for condition, bound in (("seq > ?", after), ("seq >= ?", first_seq(connection, wanted.since))):
        if bound:
            conditions, values = [*conditions, condition], [*values, bound]
    if wanted.before is not None:
        conditions, values = [*conditions, "seq <= ?"], [*values, last_seq(connection, wanted.before)]
    places = _search(connection, wanted.search) if wanted.search else None
    for some in (places, only):
        if some is not None:
            conditions = [*conditions, f"seq IN ({', '.join(map(str, some))})"]
    found = _newest(connection, conditions, values, limit)
    if wanted.model is not None:  # an alias is another index: the two lists are merged, so that neither is sorted whole
        plain = [c.replace("model = ?", "requested_model = ? AND requested_model <> model") for c in conditions]
        found = sorted(found + _newest(connection, plain, values, limit), key=_seq, reverse=True)[:limit]
    return found


def ids(connection: sqlite3.Connection, wanted: Filter) -> list[tuple[str, bool]]:
    """Return the id of every exchange that is meant, oldest first, and whether it has ended; ``search`` is not heeded.

    Takes as long as there are many, and holds whatever the wall clock did. Raises sqlite3.Error.
    """
    conditions, values = _conditions(wanted)
    where = " AND ".join(conditions) or "1"
    query = f"SELECT id, outcome IS NOT NULL FROM exchanges WHERE {where} ORDER BY seq"
    return [(str(identifier), bool(ended)) for identifier, ended in connection.execute(query, values)]


def oldest_first(connection: sqlite3.Connection, wanted: Filter) -> Iterator[Record]:
    """Yield every exchange that is meant and has ended, oldest first; ``search`` is not heeded.

    They are read page by page, so that a proxy's journal can be emptied in between. Raises sqlite3.Error.
    """
    conditions, values = _conditions(wanted)
    either = [condition.replace("model = ?", "? IN (model, requested_model)") for condition in conditions]
    where = " AND ".join(["seq > ?", "outcome IS NOT NULL", *either])
    query = f"SELECT * FROM exchanges WHERE {where} ORDER BY seq LIMIT {_PAGE}"
    last = 0
    while page := records(connection.execute(query, (last, *values))):
        yield from page
        last = _seq(page[-1])


# Order of admission and wall time agree but for jumps of the clock. So that a list "since then" needn't walk through
# all that is older or newer, its ends are looked up among the calls around that moment: a jump of some thousand calls
# is too far.
_AROUND = 5000


def first_seq(connection: sqlite3.Connection, since: float | None) -> int:
    """Return the place in order (``seq``) of the first call at or after a moment; 0 for None."""
    if since is None:
        return 0
    query = (
        f"SELECT min(seq) FROM (SELECT seq FROM exchanges WHERE started_at >= ? ORDER BY started_at LIMIT {_AROUND})"
    )
    return int(connection.execute(query, (since,)).fetchone()[0] or 2**62)


def last_seq(connection: sqlite3.Connection, before: float) -> int:
    """Return the place of the last call before a moment; 0 if there is none."""
    query = (
        "SELECT max(seq) FROM"
        f" (SELECT seq FROM exchanges WHERE started_at < ? ORDER BY started_at DESC LIMIT {_AROUND})"
    )
    return int(connection.execute(query, (before,)).fetchone()[0] or 0)


def conversations(connection: sqlite3.Connection, limit: int) -> list[Record]:
    """Return the conversations of the newest exchanges, newest first, as the view of that name has them.

    The view itself adds up everything there is; this looks at no more exchanges than it must. Raises sqlite3.Error.
    """
    names: dict[str, None] = {}
    for (name,) in connection.execute("SELECT conversation FROM exchanges ORDER BY seq DESC"):
        names[str(name)] = None
        if len(names) == limit:
            break
    query = "SELECT * FROM conversations WHERE conversation = ?"
    return [record for name in names for record in records(connection.execute(query, (name,)))]


def _seq(record: Record) -> int:
    return int(str(record["seq"]))


def _newest(connection: sqlite3.Connection, conditions: list[str], values: list[object], limit: int) -> list[Record]:
    where = " AND ".join(conditions) or "1"
    cursor = connection.execute(f"SELECT * FROM exchanges WHERE {where} ORDER BY seq DESC LIMIT ?", (*values, limit))
    return records(cursor)


def records(cursor: sqlite3.Cursor) -> list[Record]:
    """Return what a query gives, by the names of its columns."""
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _conditions(wanted: Filter) -> tuple[list[str], list[object]]:
    table: tuple[tuple[str, object], ...] = (
        ("provider = ?", wanted.provider),
        ("model = ?", wanted.model),
        ("outcome = ?", wanted.outcome if wanted.outcome != "open" else None),
        ("conversation = ?", wanted.session),
        ("started_at >= ?", wanted.since),
        ("started_at < ?", wanted.before),
    )
    conditions = [condition for condition, value in table if value is not None]
    if wanted.outcome == "open":
        conditions.append("outcome IS NULL")
    return conditions, [value for _, value in table if value is not None]


def phrase(words: str) -> str:
    """Turn what a person typed into a full-text query: every word is meant literally, but for a trailing ``*``."""
    quoted = ((word.rstrip("*").replace('"', '""'), word.endswith("*")) for word in words.split())
    return " ".join(f'"{word}"' + ("*" if prefix else "") for word, prefix in quoted if word)


def _search(connection: sqlite3.Connection, words: str) -> list[int]:
    """Find the exchanges (their ``seq``) in which a message with these words was new."""
    query = phrase(words)
    if not query:
        return []
    found = connection.execute(
        "SELECT m.hash FROM messages_fts f JOIN messages m ON m.id = f.rowid"
        " WHERE messages_fts MATCH ? ORDER BY f.rowid DESC LIMIT ?",
        (query, _FOUND),
    )
    level = [row[0] for row in found]
    places: set[int] = set()
    for _ in range(_DEEP):
        if not level:
            break
        loose: list[bytes] = []
        for key in level:
            said = _said_in(connection, key)
            places.update(said)
            if not said:  # said before the last message of a request: look at what came after it
                loose += _children(connection, key)
        level = loose[:_FOUND]
    return sorted(places)


def _said_in(connection: sqlite3.Connection, key: bytes) -> list[int]:
    query = (
        "SELECT seq FROM exchanges WHERE prompt_hash = ? UNION SELECT seq FROM exchanges WHERE answer_hash = ?"
        " ORDER BY seq DESC LIMIT ?"
    )
    return [int(row[0]) for row in connection.execute(query, (key, key, _FOUND))]


def _children(connection: sqlite3.Connection, key: bytes) -> Iterable[bytes]:
    query = "SELECT hash FROM messages WHERE parent = ? ORDER BY id DESC LIMIT ?"
    return [row[0] for row in connection.execute(query, (key, _BELOW))]


def find(connection: sqlite3.Connection, prefix: str) -> Record:
    """Return the exchange whose id begins so; ``last`` is the newest. Raises KeyError and AmbiguousError."""
    if prefix == "last":
        found = _newest(connection, [], [], 1)
    else:
        found = records(
            connection.execute(
                "SELECT * FROM exchanges WHERE id >= ? AND id < ? ORDER BY id LIMIT 6", (prefix, prefix + "\U0010ffff")
            )
        )
    exact = [record for record in found if record["id"] == prefix] or found
    if not exact:
        raise KeyError(prefix)
    if len(exact) > 1:
        raise AmbiguousError(prefix, [str(record["id"]) for record in exact])
    return exact[0]


def short_id(connection: sqlite3.Connection, identifier: str, shortest: int = 8) -> str:
    """Return the shortest beginning of an id, of ``shortest`` characters or more, that no other id has now."""
    around = connection.execute(
        "SELECT (SELECT max(id) FROM exchanges WHERE id < ?), (SELECT min(id) FROM exchanges WHERE id > ?)",
        (identifier, identifier),
    ).fetchone()
    length = max([shortest, *(_common(identifier, other) + 1 for other in around if other)])
    return identifier[:length]


def _common(one: str, other: str) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def attempts(connection: sqlite3.Connection, identifier: str) -> list[Record]:
    """Return the attempts of an exchange, in order."""
    return records(connection.execute("SELECT * FROM attempts WHERE exchange_id = ? ORDER BY number", (identifier,)))


_CHAIN = """
WITH RECURSIVE chain (hash, parent, json, depth) AS (
  SELECT hash, parent, json, 0 FROM messages WHERE hash = ?
  UNION ALL
  SELECT m.hash, m.parent, m.json, depth + 1 FROM messages m JOIN chain ON m.hash = chain.parent
) SELECT json FROM chain ORDER BY depth DESC
"""


def conversation(connection: sqlite3.Connection, record: Record) -> tuple[list[Record], Record | None]:
    """Return the messages of an exchange's request in order, and its answer, in the form of `wire.request.to_json`."""
    said = [json.loads(row[0]) for row in connection.execute(_CHAIN, (record["prompt_hash"],))]
    answer = connection.execute("SELECT json FROM messages WHERE hash = ?", (record["answer_hash"],)).fetchone()
    return said, json.loads(answer[0]) if answer else None


def body(connection: sqlite3.Connection, identifier: str, side: Side) -> bytes | None:
    """Return a raw body, without keys, or None when it was not kept. Raises zstandard.ZstdError."""
    row = connection.execute(
        "SELECT data FROM bodies WHERE exchange_id = ? AND side = ?", (identifier, side)
    ).fetchone()
    return unpack(row[0]) if row else None
