"""The shape of the database, as a list of migrations that is only ever added to.

Words of the schema: spans are integer microseconds (``…_us``), ``started_at`` is wall time in seconds since the epoch,
``seq`` is the order of admission whatever the wall clock did. A NULL means "not known" and is never written as zero;
an ``outcome`` that is NULL means that the exchange is still open.

A conversation is a chain of messages, each addressed by the hash of its content and its parent's hash, so a history
that is sent again is stored once. An exchange points at the last message of its request (``prompt_hash``) and at its
answer.
"""

import sqlite3
from contextlib import closing

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from addons.telemetry import counting

migrations = Migrations("patchbay")


class SchemaError(Exception):
    """The file was made by a newer Patchbay: it is left alone."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring an open database to the present schema; several processes may do so at once.

    Raises SchemaError for a file of a newer version, sqlite3.Error when the file cannot be written.
    """
    newest = newest_version()
    if version_of(connection) == newest:
        return
    connection.execute("BEGIN IMMEDIATE")  # whoever comes second finds the work done
    try:
        if version_of(connection) > newest:
            raise SchemaError("this database was made by a newer Patchbay; set PATCHBAY_DB to another file")
        migrations.apply(Database(connection, recursive_triggers=False))
        connection.execute(f"PRAGMA user_version = {newest}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def newest_version() -> int:
    """How many migrations there are."""
    with closing(sqlite3.connect(":memory:")) as nothing:
        return len(migrations.pending(Database(nothing)))


def version_of(connection: sqlite3.Connection) -> int:
    """How many migrations the file has seen; 0 for a new file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


_EXCHANGES: dict[str, type] = {
    "seq": int,
    "id": str,
    "run": int,
    "conversation": str,
    "started_at": float,
    "provider": str,
    "kind": str,
    "dialect": str,
    "operation": str,
    "requested_model": str,
    "model": str,
    "stream": int,
    "status": int,
    "outcome": str,
    "who_ended": str,
    "error": str,
    "input_tokens": int,
    "output_tokens": int,
    "cache_read_tokens": int,
    "cache_write_tokens": int,
    "reasoning_tokens": int,
    "usage_source": str,
    "connect_us": int,
    "ttfb_us": int,
    "ttft_us": int,
    "duration_us": int,
    "bytes_in": int,
    "bytes_out": int,
    "finish_reason": str,
    "client": str,
    "session_id": str,
    "request_id_upstream": str,
    "prompt_hash": bytes,
    "answer_hash": bytes,
}
_EXCHANGES_NOT_NULL = {"id", "run", "conversation", "started_at", "provider", "kind", "dialect", "operation"} | {
    "requested_model",
    "model",
    "stream",
    "usage_source",
    "bytes_in",
    "bytes_out",
}
_ATTEMPTS: dict[str, type] = {
    "seq": int,
    "exchange_id": str,
    "number": int,
    "provider": str,
    "model": str,
    "status": int,
    "outcome": str,
    "error": str,
    "stale": int,
    "connect_us": int,
    "ttfb_us": int,
    "duration_us": int,
    "bytes_in": int,
}
_MESSAGES: dict[str, type] = {"id": int, "hash": bytes, "parent": bytes, "role": str, "json": str, "text": str}
_BODIES: dict[str, type] = {"seq": int, "exchange_id": str, "side": str, "size": int, "data": bytes}
_RUNS: dict[str, type] = {
    "id": int,
    "host": str,
    "boot": str,
    "pid": int,
    "process": str,
    "started_at": float,
    "seen_at": float,
    "ended_at": float,
}

# SQLite appends the rowid to every index, so each of these also answers "newest first" (ORDER BY seq DESC) without a
# sort.
_INDEXES = (
    "CREATE UNIQUE INDEX exchanges_by_id ON exchanges (id)",
    "CREATE INDEX exchanges_by_start ON exchanges (started_at)",
    "CREATE INDEX exchanges_by_provider ON exchanges (provider)",
    "CREATE INDEX exchanges_by_model ON exchanges (model)",
    "CREATE INDEX exchanges_by_alias ON exchanges (requested_model) WHERE requested_model <> model",
    "CREATE INDEX exchanges_by_outcome ON exchanges (outcome)",
    "CREATE INDEX exchanges_by_conversation ON exchanges (conversation)",
    "CREATE INDEX exchanges_by_prompt ON exchanges (prompt_hash) WHERE prompt_hash IS NOT NULL",
    "CREATE INDEX exchanges_by_answer ON exchanges (answer_hash) WHERE answer_hash IS NOT NULL",
    "CREATE UNIQUE INDEX attempts_by_exchange ON attempts (exchange_id, number)",
    "CREATE UNIQUE INDEX messages_by_hash ON messages (hash)",
    "CREATE INDEX messages_by_parent ON messages (parent) WHERE parent IS NOT NULL",
    "CREATE UNIQUE INDEX bodies_by_exchange ON bodies (exchange_id, side)",
)


@migrations(name="1 tables")
def _tables(db: Database) -> None:
    db.table("runs").create(_RUNS, pk="id", not_null={"host", "boot", "pid", "process", "started_at", "seen_at"})
    db.table("exchanges").create(_EXCHANGES, pk="seq", not_null=_EXCHANGES_NOT_NULL)
    db.table("attempts").create(_ATTEMPTS, pk="seq", not_null={"exchange_id", "number", "provider", "model", "stale"})
    db.table("messages").create(_MESSAGES, pk="id", not_null={"hash", "role", "json", "text"})
    db.table("bodies").create(_BODIES, pk="seq", not_null={"exchange_id", "side", "size", "data"})
    for statement in _INDEXES:
        db.execute(statement)


@migrations(name="2 search")
def _search(db: Database) -> None:
    # External content: the text is kept once, in messages; the writer feeds the index batch by batch, without triggers.
    db.execute(
        "CREATE VIRTUAL TABLE messages_fts USING fts5"
        " (text, content='messages', content_rowid='id', tokenize='unicode61 remove_diacritics 2')"
    )
    db.execute("INSERT INTO messages_fts (rowid, text) SELECT id, text FROM messages WHERE text <> ''")


@migrations(name="3 views")
def _views(db: Database) -> None:
    db.create_view("conversations", _CONVERSATIONS)
    db.create_view("usage_by_day", _USAGE_BY_DAY)


@migrations(name="4 translation")
def _translation(db: Database) -> None:
    """What could not be carried between dialects: NULL where nothing was translated, '' where nothing was lost."""
    db.table("exchanges").add_column("translation", str)


_PRICE: dict[str, type] = {"cost": float, "price_source": str}
_NUMBERS: dict[str, dict[str, type]] = {
    "exchanges": {**_PRICE, "prompt_us": int, "decode_us": int, "overhead_us": int, "rescued": int},
    "attempts": {"endpoint": int, **{name: int for name in _EXCHANGES if name.endswith("_tokens")}, **_PRICE},
}
# What the page asks for: the calls of a client, and those that failed by who failed and how.
_NUMBERS_INDEXES = (
    "CREATE INDEX exchanges_by_client ON exchanges (client)",
    "CREATE INDEX exchanges_failed_by_provider ON exchanges (provider, outcome) WHERE outcome <> 'ok'",
    "CREATE INDEX exchanges_failed_by_model ON exchanges (model, outcome) WHERE outcome <> 'ok'",
)


@migrations(name="5 numbers")
def _numbers(db: Database) -> None:
    """What calls cost, and the sums that outlive them; a cost of NULL is not known, never nothing."""
    for table, columns in _NUMBERS.items():
        for name, kind in columns.items():
            db.table(table).add_column(name, kind)
    for statement in _NUMBERS_INDEXES:
        db.execute(statement)
    counting.create(db.conn)
    db.create_view("conversations", _NEWEST_FIRST, replace=True)
    db.create_view("usage_by_day", _USAGE_ROLLED_UP, replace=True)


# The first user message is looked for from the end of the oldest request backwards; the last one found is the first
# said.
_CONVERSATIONS = """
SELECT
  grouped.conversation AS conversation,
  newest.session_id AS session_id,
  (WITH RECURSIVE chain (hash, parent, role, text, depth) AS (
     SELECT hash, parent, role, text, 0 FROM messages WHERE hash = oldest.prompt_hash
     UNION ALL
     SELECT m.hash, m.parent, m.role, m.text, depth + 1 FROM messages m JOIN chain ON m.hash = chain.parent
   ) SELECT text FROM chain WHERE role = 'user' ORDER BY depth DESC LIMIT 1) AS first_user_text,
  grouped.turns, grouped.models, grouped.input_tokens, grouped.output_tokens, grouped.cache_read_tokens,
  datetime(oldest.started_at, 'unixepoch') AS started,
  datetime(newest.started_at, 'unixepoch') AS last,
  newest.started_at AS last_at,
  newest.outcome AS last_outcome
FROM (
  SELECT conversation, min(seq) AS first_seq, max(seq) AS last_seq, count(*) AS turns,
    group_concat(DISTINCT model) AS models, sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens, sum(cache_read_tokens) AS cache_read_tokens
  FROM exchanges GROUP BY conversation
) grouped
JOIN exchanges newest ON newest.seq = grouped.last_seq
JOIN exchanges oldest ON oldest.seq = grouped.first_seq
"""

_USAGE_BY_DAY = """
SELECT date(started_at, 'unixepoch') AS day, provider, model, count(*) AS exchanges,
  count(*) FILTER (WHERE outcome = 'ok') AS ok,
  count(*) FILTER (WHERE outcome IS NOT NULL AND outcome NOT IN ('ok', 'client_disconnected')) AS failed,
  sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,
  sum(cache_read_tokens) AS cache_read_tokens, sum(cache_write_tokens) AS cache_write_tokens,
  sum(reasoning_tokens) AS reasoning_tokens, sum(bytes_in) AS bytes_in, sum(bytes_out) AS bytes_out
FROM exchanges GROUP BY day, provider, model
"""

# A conversation is its newest exchange, and everything else is looked up beside it: whoever reads the newest few
# (ORDER BY last_at DESC LIMIT 20) waits for those alone.
_OF_ALL = "(SELECT {what} FROM exchanges e WHERE e.conversation = newest.conversation)"
_NEWEST_FIRST = f"""
SELECT
  newest.conversation AS conversation,
  newest.session_id AS session_id,
  (WITH RECURSIVE chain (hash, parent, role, text, depth) AS (
     SELECT hash, parent, role, text, 0 FROM messages WHERE hash = (
       SELECT e.prompt_hash FROM exchanges e WHERE e.conversation = newest.conversation ORDER BY e.seq LIMIT 1)
     UNION ALL
     SELECT m.hash, m.parent, m.role, m.text, depth + 1 FROM messages m JOIN chain ON m.hash = chain.parent
   ) SELECT text FROM chain WHERE role = 'user' ORDER BY depth DESC LIMIT 1) AS first_user_text,
  {_OF_ALL.format(what="count(*)")} AS turns,
  {_OF_ALL.format(what="group_concat(DISTINCT e.model)")} AS models,
  {_OF_ALL.format(what="sum(e.input_tokens)")} AS input_tokens,
  {_OF_ALL.format(what="sum(e.output_tokens)")} AS output_tokens,
  {_OF_ALL.format(what="sum(e.cache_read_tokens)")} AS cache_read_tokens,
  {_OF_ALL.format(what="sum(e.cost)")} AS cost,
  datetime((SELECT e.started_at FROM exchanges e WHERE e.conversation = newest.conversation ORDER BY e.seq LIMIT 1),
    'unixepoch') AS started,
  datetime(newest.started_at, 'unixepoch') AS last,
  newest.started_at AS last_at,
  newest.outcome AS last_outcome
FROM exchanges newest
WHERE NOT EXISTS (SELECT 1 FROM exchanges e WHERE e.conversation = newest.conversation AND e.seq > newest.seq)
"""

# Days are those of UTC; what has not ended is not counted, what was deleted is.
_USAGE_ROLLED_UP = """
SELECT date(hour / 24 * 86400, 'unixepoch') AS day, provider, model, sum(exchanges) AS exchanges,
  sum(exchanges) FILTER (WHERE outcome = 'ok') AS ok,
  sum(exchanges) FILTER (WHERE outcome NOT IN ('ok', 'client_disconnected')) AS failed,
  sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,
  sum(cache_read_tokens) AS cache_read_tokens, sum(cache_write_tokens) AS cache_write_tokens,
  sum(reasoning_tokens) AS reasoning_tokens, sum(cost) AS cost, sum(unpriced) AS unpriced,
  sum(bytes_in) AS bytes_in, sum(bytes_out) AS bytes_out
FROM usage GROUP BY hour / 24, provider, model
"""
