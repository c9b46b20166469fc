"""Which conversation an exchange belongs to, when its client doesn't say.

Strategy: a client that names a session is believed. Else the exchange continues the one whose answer, or whose
request, it sent again as its own history; the nearest is taken. What continues nothing begins a conversation that has
its own id.
"""

import sqlite3
from collections.abc import Sequence

_REMEMBERED = 20_000  # keys: some 4 MB
_LOOKED_UP = 8  # of the latest messages, when the memory doesn't know: enough for any client that drops a few

_FIND = (
    "SELECT conversation FROM exchanges WHERE answer_hash IN ({places})"
    " UNION ALL SELECT conversation FROM exchanges WHERE prompt_hash IN ({places}) LIMIT 1"
)


class Threads:
    """The conversations of the latest messages, by the messages' keys."""

    def __init__(self, capacity: int = _REMEMBERED) -> None:
        self._capacity = capacity
        self._known: dict[bytes, str] = {}

    def forget_all(self) -> None:
        """Remember nothing any longer; the file is asked then."""
        self._known.clear()

    def of(
        self,
        exchange: str,
        session: str | None,
        chain: Sequence[bytes],
        answer: bytes | None,
        connection: sqlite3.Connection,
    ) -> str:
        """Name the conversation of an exchange whose request ends with ``chain``. Raises sqlite3.Error."""
        conversation = session or self._continued(chain[:-1], connection) or exchange
        if len(self._known) >= self._capacity:
            for old in list(self._known)[: self._capacity // 4]:
                del self._known[old]
        for key in (*chain[-1:], *([answer] if answer else [])):
            self._known[key] = conversation
        return conversation

    def _continued(self, history: Sequence[bytes], connection: sqlite3.Connection) -> str | None:
        for key in reversed(history):
            if key in self._known:
                return self._known[key]
        if len(history) < 2:  # a system message at most: not yet a turn that could be continued
            return None
        latest = history[-_LOOKED_UP:]
        places = ", ".join("?" * len(latest))
        found = connection.execute(_FIND.format(places=places), (*latest, *latest)).fetchone()
        return str(found[0]) if found else None
