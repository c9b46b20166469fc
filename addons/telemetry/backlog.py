"""The bounded queue between the event loop and the writer's thread.

Strategy: an exchange has at most one entry here. What ends while its beginning still waits is written into the same
entry, so a short call costs one row. When too much waits, the raw bodies go first, oldest first, then the
conversations, and at last whole rows; each loss is counted. Every method of the loop's side takes microseconds and
never raises.
"""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice

from addons.telemetry.rows import ID, Row
from providers.wire.answer import Answer

BYTES_LIMIT = 64 << 20  # of bodies and conversations waiting, as their texts count (specs: faults, F39)


@dataclass(slots=True)
class Entry:
    """What is to be written of one exchange: its row as it is now, and once it has ended everything else.

    ``secrets`` are the keys of the configuration that the exchange began with, which may no longer be in force.
    """

    row: Row
    ended: bool = False
    attempts: tuple[Row, ...] = ()
    request: Mapping[str, object] | None = None
    answer: Answer | None = None
    request_body: bytes | None = None
    answer_body: bytes | None = None
    keep_bodies: bool = False
    talk_weight: int = 0
    secrets: tuple[str, ...] = field(default=(), repr=False)
    body_weight: int = field(init=False)
    taken: bool = False

    def __post_init__(self) -> None:
        self.body_weight = len(self.request_body or b"") + len(self.answer_body or b"")


class Backlog:
    """Entries in order of admission, bounded in number and in bytes."""

    def __init__(self, limit: int, bytes_limit: int = BYTES_LIMIT) -> None:
        self.dropped = 0  # rows
        self.dropped_bodies = 0  # raw bodies and conversations
        self._limit = max(1, limit)
        self._bytes_limit = bytes_limit
        self._bytes = 0
        self._in_hand = 0
        self._entries: deque[Entry] = deque()
        self._waiting: dict[str, Entry] = {}
        self._with_bodies: deque[Entry] = deque()
        self._with_talk: deque[Entry] = deque()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._asleep = False
        self._closed = False

    def __len__(self) -> int:
        return len(self._entries) + self._in_hand

    def put(self, entry: Entry) -> None:
        """Add an entry, or complete the one that waits for the same exchange."""
        with self._lock:
            key = str(entry.row[ID])
            waiting = self._waiting.get(key)
            if waiting is None:
                self._entries.append(entry)
                self._waiting[key] = entry
            else:
                self._bytes -= waiting.talk_weight + waiting.body_weight
                entry = _merged(waiting, entry)
            self._weigh(entry)
            self._shed()
            wake, self._asleep = self._asleep, False
        if wake:
            self._wake.set()

    def _weigh(self, entry: Entry) -> None:
        self._bytes += entry.talk_weight + entry.body_weight
        if entry.body_weight:
            self._with_bodies.append(entry)
        if entry.talk_weight:
            self._with_talk.append(entry)

    def _shed(self) -> None:
        while self._bytes > self._bytes_limit and (self._with_bodies or self._with_talk):
            if self._with_bodies:
                self._drop_bodies(self._with_bodies.popleft())
            else:
                self._drop_talk(self._with_talk.popleft())
        while len(self) > self._limit and self._entries:
            entry = self._entries.popleft()
            self._forget(entry)
            self.dropped += 1

    def _drop_bodies(self, entry: Entry) -> None:
        if not entry.taken and entry.body_weight:
            self._bytes -= entry.body_weight
            entry.request_body, entry.answer_body, entry.body_weight = None, None, 0
            self.dropped_bodies += 1

    def _drop_talk(self, entry: Entry) -> None:
        if not entry.taken and entry.talk_weight:
            self._bytes -= entry.talk_weight
            entry.request, entry.answer, entry.talk_weight = None, None, 0
            self.dropped_bodies += 1

    def _forget(self, entry: Entry) -> None:
        """Take the entry out of all books but ``_entries``; the lock is held."""
        self._waiting.pop(str(entry.row[ID]), None)
        self._bytes -= entry.talk_weight + entry.body_weight
        entry.taken = True
        for books in (self._with_bodies, self._with_talk):
            while books and books[0].taken:
                books.popleft()

    def take(self, most: int, most_bytes: int) -> list[Entry]:
        """Take the oldest entries in hand, ``most`` or fewer, about ``most_bytes`` of bodies; at least one if any."""
        with self._lock:
            batch: list[Entry] = []
            held = 0
            for entry in islice(self._entries, most):
                held += entry.talk_weight + entry.body_weight
                if batch and held > most_bytes:
                    break
                batch.append(entry)
            for entry in batch:
                self._entries.popleft()
                self._forget(entry)
            self._in_hand += len(batch)
            return batch

    def done(self, count: int) -> None:
        """Tell that ``count`` entries in hand need not be held any longer."""
        with self._lock:
            self._in_hand -= count

    def wait(self, seconds: float) -> bool:
        """Sleep until there is an entry, `close` is called or the time is over; tell whether there is an entry."""
        with self._lock:
            if self._entries or self._closed:
                return bool(self._entries)
            self._asleep = True
            self._wake.clear()
        self._wake.wait(seconds)
        return bool(self._entries)

    def close(self) -> None:
        """Wake the one that waits, and let nobody wait again."""
        with self._lock:
            self._closed = True
        self._wake.set()

    def lost(self, count: int = 1) -> None:
        """Count rows that were given up elsewhere."""
        with self._lock:
            self.dropped += count


def _merged(waiting: Entry, entry: Entry) -> Entry:
    waiting.row, waiting.ended, waiting.attempts = entry.row, entry.ended or waiting.ended, entry.attempts
    waiting.request, waiting.answer = entry.request, entry.answer
    waiting.request_body, waiting.answer_body = entry.request_body, entry.answer_body
    waiting.keep_bodies, waiting.secrets = entry.keep_bodies, entry.secrets
    waiting.talk_weight, waiting.body_weight = entry.talk_weight, entry.body_weight
    return waiting
