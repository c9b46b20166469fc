"""One batch of entries, one transaction.

Strategy: everything is worked out inside the transaction, after the write lock is ours, so that what the recogniser
believes to be stored is stored; the heavy calls (compression, SQLite) let other threads run, and between the light
ones `pause` does.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from addons.telemetry import rows
from addons.telemetry.backlog import Entry
from addons.telemetry.bodies import Packer
from addons.telemetry.cleaning import Cleaner
from addons.telemetry.conversation import ROOT, Link, Recogniser, StoredMessage
from addons.telemetry.counting import counted
from addons.telemetry.dialects import summary_of
from addons.telemetry.threads import Threads

_MOST = 2**63 - 1  # the largest integer a column holds
# What a body that lies about its shape may lead to; the exchange's row is written without its conversation then.
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


@dataclass(slots=True)
class _Batch:
    """The rows of one transaction, by table."""

    exchanges: list[rows.Row] = field(default_factory=list)
    attempts: list[rows.Row] = field(default_factory=list)
    messages: list[StoredMessage] = field(default_factory=list)
    bodies: list[rows.Row] = field(default_factory=list)


class Ledger:
    """The writing side of an open database; belongs to one thread.

    ``run`` is the number of this process's run, ``unreadable`` counts conversations that could not be made out.
    """

    def __init__(self, connection: sqlite3.Connection, run: int) -> None:
        self.connection = connection
        self.run = run
        self.unreadable = 0
        self._recogniser = Recogniser()
        self._threads = Threads()
        self._packer = Packer()
        self._version = -1

    def land(self, entries: Sequence[Entry], cleaner: Cleaner, pause: Callable[[], None]) -> None:
        """Write all entries or none. Raises sqlite3.Error, OverflowError or UnicodeError."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            self._notice_others()
            batch = _Batch()
            for entry in entries:
                self._add(batch, entry, cleaner, pause)
                pause()
            self._write(batch)
            self.connection.execute("COMMIT")
        except BaseException:
            self._recogniser.forget_all()
            self._threads.forget_all()
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    def forget_all(self) -> None:
        """Believe nothing to be stored any longer; to be called when rows were deleted over this connection."""
        self._recogniser.forget_all()

    def others_wrote(self) -> bool:
        """Say whether another process has committed since the last batch. Raises sqlite3.Error."""
        return self._data_version() != self._version

    def _data_version(self) -> int:
        return int(self.connection.execute("PRAGMA data_version").fetchone()[0])

    def _notice_others(self) -> None:
        version = self._data_version()
        if version != self._version:  # another process wrote, and may have deleted
            self._recogniser.forget_all()
            self._version = version

    def _add(self, batch: _Batch, entry: Entry, cleaner: Cleaner, pause: Callable[[], None]) -> None:
        session = entry.row[rows.SESSION]
        links: list[Link] = []
        answer: Link | None = None
        if entry.ended and (entry.request is not None or entry.answer is not None or entry.request_body):
            try:
                session, links, answer = self._converse(batch, entry, cleaner, pause)
            except UNREADABLE:
                self.unreadable += 1
                self._recogniser.forget_all()  # it may know messages whose rows were not made
        row = _clean_row(entry.row, rows.FOREIGN, rows.COUNTS, cleaner)
        chain = [link.stored for link in links if link.stored is not None]
        told = cleaner.text(str(session)) if session else None
        answered = answer.stored if answer else None
        conversation = self._threads.of(str(row[rows.ID]), told, chain, answered, self.connection)
        row = (*row[: rows.SESSION], told and _unicode(told), *row[rows.SESSION + 1 :])
        batch.exchanges.append((*row, self.run, conversation, chain[-1] if chain else None, answered))
        self._add_details(batch, entry, str(row[rows.ID]), cleaner)

    def _converse(
        self, batch: _Batch, entry: Entry, cleaner: Cleaner, pause: Callable[[], None]
    ) -> tuple[rows.Value, list[Link], Link | None]:
        """Read both sides into messages: the session, the links of the request's messages, and the answer's."""
        session = entry.row[rows.SESSION]
        links: list[Link] = []
        request = entry.request if entry.request is not None else _parsed(entry.request_body)
        if request is not None:
            summary = summary_of(str(entry.row[rows.DIALECT]), request)
            session = session or summary.session_id
            pause()
            links, fresh = self._recogniser.follow(summary.messages, ROOT, cleaner, pause)
            batch.messages += fresh
        if entry.answer is None:
            return session, links, None
        message = entry.answer.message()
        if not message.parts:
            return session, links, None
        answered, fresh = self._recogniser.follow([message], links[-1] if links else ROOT, cleaner, pause)
        batch.messages += fresh
        return session, links, answered[0]

    def _add_details(self, batch: _Batch, entry: Entry, key: str, cleaner: Cleaner) -> None:
        for number, attempt in enumerate(entry.attempts, start=1):
            batch.attempts.append(
                (key, number, *_clean_row(attempt, rows.ATTEMPT_FOREIGN, rows.ATTEMPT_COUNTS, cleaner))
            )
        if not entry.keep_bodies:
            return
        for side, body in (("request", entry.request_body), ("answer", entry.answer_body)):
            if body:
                batch.bodies.append((key, side, len(body), self._packer.pack(body, cleaner)))

    def _write(self, batch: _Batch) -> None:
        write, connection = rows.write, self.connection
        if batch.messages:
            last = connection.execute("SELECT coalesce(max(id), 0) FROM messages").fetchone()[0]
            write(connection, rows.MESSAGES, [message.row() for message in batch.messages])
            connection.execute(
                "INSERT INTO messages_fts (rowid, text) SELECT id, text FROM messages WHERE id > ? AND text <> ''",
                (last,),
            )
        with counted(connection, [str(row[rows.ID]) for row in batch.exchanges if row[rows.OUTCOME] is not None]):
            write(connection, rows.EXCHANGES, batch.exchanges)
            write(connection, rows.ATTEMPTS, batch.attempts)
        write(connection, rows.BODIES, batch.bodies)


def _parsed(body: bytes | None) -> Mapping[str, object] | None:
    """Read a request that nobody has parsed yet. Raises ValueError when it is no JSON."""
    value = json.loads(body) if body else None
    return value if isinstance(value, dict) else None


def _clean_row(row: rows.Row, foreign: Sequence[int], counts: Sequence[int], cleaner: Cleaner) -> rows.Row:
    """Return the row without keys in its foreign texts, and with nothing that SQLite cannot hold."""
    values = list(row)
    said = "\n".join([str(values[place]) for place in foreign if values[place]])
    if not said.isascii() or cleaner.suspects(said):  # one look at all of them: nearly always there is nothing
        for place in foreign:
            if value := values[place]:
                values[place] = _unicode(cleaner.text(str(value)))
    for place in counts:
        count = values[place]
        if isinstance(count, int) and not -_MOST <= count <= _MOST:
            values[place] = None
    return tuple(values)


def _unicode(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
