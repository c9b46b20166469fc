"""Reading the record for the page: lists of calls with their first words, and what a call stands beside.

Strategy: a list is walked newest first along one index, and stops when the page is full. Where several things are asked
for, the rarest of them chooses the index: it is found by counting each up to a bound. A search finds messages first,
the newest ones, and then the calls in which they were said.
"""

import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from addons.telemetry.queries import Record, first_seq, last_seq, phrase, records

MOST = 200  # rows of a page
SNIPPET = 200  # characters
_FEW = 3000  # rows that may be looked at one by one
_FOUND = 500  # messages of a search, newest first
_LEVELS = 64  # messages between one that was found and the request that it was said in
_BACK = 32  # messages of a request that are looked at for the user's words, newest first
_HIDDEN = ("run", "prompt_hash", "answer_hash", "session_id")
_BESIDE = 50


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which calls are meant; None means any.

    ``model`` is the name that was sent or the one the client wrote; ``outcome`` may be ``open``; ``since`` and
    ``until`` are wall time in seconds; ``below`` is where the last page ended (``seq``); ``search`` is words.
    """

    provider: str | None = None
    model: str | None = None
    outcome: str | None = None
    client: str | None = None
    since: float | None = None
    until: float | None = None
    below: int | None = None
    search: str | None = None


def page(connection: sqlite3.Connection, wanted: Wanted, limit: int) -> tuple[list[Record], int | None]:
    """Return the newest ``limit`` calls, newest first, and where the next page begins (None: there is none).

    Raises sqlite3.Error.
    """
    found = _said_with(connection, wanted.search) if wanted.search is not None else None
    rows = _rows(connection, wanted, found, limit + 1)
    following = int(str(rows[limit - 1]["seq"])) if len(rows) > limit else None
    rows = rows[:limit]
    places = _places(connection, wanted.search or "", found, rows) if found is not None else {}
    for row in rows:
        row["snippet"] = places.get(int(str(row["seq"]))) or _first_words(connection, row["prompt_hash"])
    return [shown(row) for row in rows], following


def shown(row: Record) -> Record:
    """Return a row without what only the database needs."""
    return {name: value for name, value in row.items() if name not in _HIDDEN}


def _rows(connection: sqlite3.Connection, wanted: Wanted, found: Mapping[int, int] | None, limit: int) -> list[Record]:
    bounds = _bounds(connection, wanted)
    if found is not None:
        bounds.append((f"seq IN ({', '.join(map(str, sorted(found)))})", ()))
    equal = {name: value for name, value in _equal(wanted) if value is not None}
    rows = _newest(connection, equal, bounds, limit, by_place=found is not None)
    if wanted.model is not None:  # an alias is another index: two lists, so that neither is sorted whole
        alias = {"requested_model" if name == "model" else name: value for name, value in equal.items()}
        rows += _newest(connection, alias, bounds, limit, by_place=found is not None)
        rows.sort(key=lambda row: int(str(row["seq"])), reverse=True)
    return rows[:limit]


def _equal(wanted: Wanted) -> tuple[tuple[str, str | None], ...]:
    return (
        ("provider", wanted.provider),
        ("model", wanted.model),
        ("outcome", wanted.outcome),
        ("client", wanted.client),
    )


Condition = tuple[str, tuple[object, ...]]


def _bounds(connection: sqlite3.Connection, wanted: Wanted) -> list[Condition]:
    """Return what bounds the walk: the order of calls and wall time agree but for jumps of the clock."""
    bounds: list[Condition] = []
    if wanted.below is not None:
        bounds.append(("seq < ?", (wanted.below,)))
    if wanted.since is not None:
        bounds.append(("seq >= ? AND +started_at >= ?", (first_seq(connection, wanted.since), wanted.since)))
    if wanted.until is not None:
        bounds.append(("seq <= ? AND +started_at < ?", (last_seq(connection, wanted.until), wanted.until)))
    return bounds


Equal = Mapping[str, str]

# Columns whose calls stand together in an index, in their order, those first that tell most calls apart. Failures are
# few, and have indexes of their own.
_INDEXED = (("provider", "outcome"), ("model", "outcome"), ("client",), ("model",), ("requested_model",))
_GROUPS = (*_INDEXED, ("provider",), ("outcome",))
_NO_FAILURE = ("ok", "open")
_ALSO: dict[tuple[str, ...], str] = {
    ("provider", "outcome"): "outcome <> 'ok'",
    ("model", "outcome"): "outcome <> 'ok'",
}
ALIAS = "requested_model <> model"


def _newest(
    connection: sqlite3.Connection, equal: Equal, bounds: Sequence[Condition], limit: int, *, by_place: bool
) -> list[Record]:
    """Return the newest rows; ``by_place``: the bounds leave so few that no index is needed."""
    group = () if by_place else _rarest(connection, equal)
    conditions = [*bounds, *_tests(equal, group)]
    where = " AND ".join(condition for condition, _ in conditions) or "1"
    values = [value for _, given in conditions for value in given]
    query = f"SELECT * FROM exchanges WHERE {where} ORDER BY seq DESC LIMIT ?"
    return records(connection.execute(query, (*values, limit)))


def _tests(equal: Equal, group: Sequence[str]) -> list[Condition]:
    """Return the conditions; a plus keeps SQLite from the index of a column that is not in ``group``."""
    tests: list[Condition] = []
    for name, value in equal.items():
        column = name if name in group else f"+{name}"
        is_open = (name, value) == ("outcome", "open")
        tests.append((f"{column} IS NULL", ()) if is_open else (f"{column} = ?", (value,)))
    if also := _ALSO.get(tuple(group)):
        tests.append((also, ()))
    if "requested_model" in equal:
        tests.append((ALIAS, ()))
    return tests


def _rarest(connection: sqlite3.Connection, equal: Equal) -> tuple[str, ...]:
    """Return the columns of the index that leaves the fewest calls; each is counted up to a bound."""
    groups = [group for group in _GROUPS if set(group) <= equal.keys()]
    if equal.get("outcome") in _NO_FAILURE:
        groups = [group for group in groups if group not in _ALSO]
    if len(groups) < 2:
        return groups[0] if groups else ()
    return min(groups, key=lambda group: _count(connection, {name: equal[name] for name in group}))


def _count(connection: sqlite3.Connection, equal: Equal) -> int:
    tests = _tests(equal, tuple(equal))
    where = " AND ".join(condition for condition, _ in tests)
    values = [value for _, given in tests for value in given]
    query = f"SELECT count(*) FROM (SELECT 1 FROM exchanges WHERE {where} LIMIT {_FEW})"
    return int(connection.execute(query, values).fetchone()[0])


# --- search ---

_MATCHES = (
    "SELECT m.id, m.hash FROM messages_fts f JOIN messages m ON m.id = f.rowid"
    f" WHERE messages_fts MATCH ? ORDER BY f.rowid DESC LIMIT {_FOUND}"
)


def _said_with(connection: sqlite3.Connection, words: str) -> dict[int, int]:
    """Find the calls in which a message with these words was new: its ``id`` by their ``seq``."""
    query = phrase(words)
    level = dict(_pairs(connection.execute(_MATCHES, (query,)))) if query else {}
    calls: dict[int, int] = {}
    for _ in range(_LEVELS):
        if not level:
            break
        loose = dict(level)
        for seq, key in _calls_of(connection, level):
            calls.setdefault(seq, level[key])
            loose.pop(key, None)
        # What was said before the last message of a request belongs to the request that followed.
        level = {child: loose[parent] for child, parent in _following(connection, loose)}
    return calls


def _pairs(cursor: sqlite3.Cursor) -> list[tuple[bytes, int]]:
    return [(key, int(identifier)) for identifier, key in cursor]


def _calls_of(connection: sqlite3.Connection, keys: Mapping[bytes, int]) -> list[tuple[int, bytes]]:
    places = ", ".join("?" * len(keys))
    query = (
        f"SELECT seq, prompt_hash FROM exchanges WHERE prompt_hash IN ({places})"
        f" UNION ALL SELECT seq, answer_hash FROM exchanges WHERE answer_hash IN ({places}) LIMIT 20000"
    )
    return [(int(seq), key) for seq, key in connection.execute(query, (*keys, *keys))]


def _following(connection: sqlite3.Connection, keys: Mapping[bytes, int]) -> list[tuple[bytes, bytes]]:
    if not keys:
        return []
    places = ", ".join("?" * len(keys))
    query = f"SELECT hash, parent FROM messages WHERE parent IN ({places}) ORDER BY id DESC LIMIT {_FOUND}"
    return [(child, parent) for child, parent in connection.execute(query, tuple(keys))]


def _places(
    connection: sqlite3.Connection, words: str, found: Mapping[int, int], rows: Iterable[Record]
) -> dict[int, str]:
    """Return the place that was found, for each of the rows (by ``seq``)."""
    messages = {int(str(row["seq"])): found[int(str(row["seq"]))] for row in rows}
    texts: dict[int, str] = {}
    for message in set(messages.values()):
        text = connection.execute("SELECT text FROM messages WHERE id = ?", (message,)).fetchone()[0]
        texts[message] = _around(str(text), words)
    return {seq: texts[message] for seq, message in messages.items()}


def _around(text: str, words: str) -> str:
    """Return what stands around the first of the words; SQLite's own snippets search the whole index for each row.

    A word that is written with other accents is found by the index alone: then it is the beginning.
    """
    any_word = "|".join(re.escape(word) for word in words.replace("*", " ").split())
    hit = re.search(any_word, text, re.IGNORECASE)
    if hit is None or hit.end() < SNIPPET:
        return _short(text[: 4 * SNIPPET])
    start = text.find(" ", hit.start() - SNIPPET // 3, hit.start()) + 1 or hit.start()
    return _short("… " + text[start : start + 4 * SNIPPET])


# --- words ---

# Newest first; a user's message that only brings a tool's result is none of his words.
_WORDS = f"""
WITH RECURSIVE chain (hash, parent, role, said, depth) AS (
  SELECT hash, parent, role, {{said}}, 0 FROM messages m WHERE hash = ?
  UNION ALL
  SELECT m.hash, m.parent, m.role, {{said}}, depth + 1 FROM messages m JOIN chain ON m.hash = chain.parent
  WHERE chain.said IS NULL AND depth < {_BACK}
) SELECT said FROM chain WHERE said IS NOT NULL LIMIT 1
""".format(
    said=f"CASE WHEN m.role = 'user' AND m.text <> '' AND instr(m.json, '\"part\":\"tool_result\"') = 0"
    f" THEN substr(m.text, 1, {4 * SNIPPET}) END"
)


def _first_words(connection: sqlite3.Connection, prompt: object) -> str:
    """Return how that begins what the user said last in a request."""
    if prompt is None:
        return ""
    found = connection.execute(_WORDS, (prompt,)).fetchone()
    if found is None:  # a long loop of tools, or an embedding: the last message, whoever said it
        found = connection.execute("SELECT substr(text, 1, 800) FROM messages WHERE hash = ?", (prompt,)).fetchone()
    return _short(str(found[0])) if found else ""


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= SNIPPET else plain[: SNIPPET - 1].rstrip() + "…"


# --- one call ---


def exchange(connection: sqlite3.Connection, identifier: str) -> Record:
    """Return the whole row of a call. Raises KeyError and sqlite3.Error."""
    found = records(connection.execute("SELECT * FROM exchanges WHERE id = ?", (identifier,)))
    if not found:
        raise KeyError(identifier)
    found[0]["snippet"] = _first_words(connection, found[0]["prompt_hash"])
    return found[0]


def same_conversation(connection: sqlite3.Connection, record: Record) -> list[Record]:
    """Return the other calls of its conversation, newest first: ids, and when they began."""
    query = f"SELECT id, started_at FROM exchanges WHERE conversation = ? AND id <> ? ORDER BY seq DESC LIMIT {_BESIDE}"
    return records(connection.execute(query, (record["conversation"], record["id"])))


def siblings(connection: sqlite3.Connection, record: Record) -> list[str]:
    """Return the ids of other calls with the very same messages, newest first."""
    if record["prompt_hash"] is None:
        return []
    query = f"SELECT id FROM exchanges WHERE prompt_hash = ? AND id <> ? ORDER BY seq DESC LIMIT {_BESIDE}"
    return [str(found[0]) for found in connection.execute(query, (record["prompt_hash"], record["id"]))]


def kept_request(connection: sqlite3.Connection, identifier: str) -> int | None:
    """Return how many bytes of a call's request were kept as they came, None if none were."""
    query = "SELECT size FROM bodies WHERE exchange_id = ? AND side = 'request'"
    found = connection.execute(query, (identifier,)).fetchone()
    return int(found[0]) if found else None
