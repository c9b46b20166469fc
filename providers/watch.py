"""Notices edits of the configuration while the program runs. Its owner polls it: a handful of ``os.stat`` calls.

Strategy: an edit is taken up when the files have been at rest from one poll to the next, so that nobody reads a file
that is half written, though what is there so far may well be valid. A file that has just vanished or is empty is given
a few polls more: editors and deployment tools replace files that way. A broken edit keeps the registry that works and
is told once. What counts as seen is what the files were like before they were read: an edit that comes meanwhile is
the next one.
"""

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from providers.errors import ConfigurationError
from providers.file_signature import Signature, has_text, signature

if TYPE_CHECKING:
    from providers.registry import Registry

State = dict[Path, Signature | None]

_AT_REST = 1  # polls on which the files must be as they were on the one before
_HOLLOW_AT_REST = 4


class Watcher:
    """Watches the files of a registry.

    ``current`` is the registry that holds, ``error`` why the last edit was refused (None: it was not), ``refused`` how
    many edits have been.
    """

    def __init__(self, load_again: Callable[[], "Registry"], current: "Registry") -> None:
        self.current = current
        self.error: str | None = None
        self.refused = 0
        self._load_again = load_again
        self._seen: State = dict(current.files)
        self._waiting: State | None = None
        self._rested = 0

    def poll(self) -> "Registry | None":
        """Return the new registry when an edit has been taken up, else None. To be called a few times a second."""
        return self.read_again() if self.is_edited() else None

    def is_edited(self) -> bool:
        """Look once, and say whether there is an edit to take up. Reads nothing."""
        now = _state(self._seen)
        if now == self._seen:
            self._waiting = None
            return False
        if now != self._waiting:
            self._waiting, self._rested = now, 0
            return False
        self._rested += 1
        return self._rested >= (_HOLLOW_AT_REST if self._hollow(now) else _AT_REST)

    def read_again(self) -> "Registry | None":
        """Read the configuration now, edited or not; None where it is refused, and then `error` says why."""
        before, self._waiting = _state(self._seen), None
        self._seen = before
        file = self.current.file
        if file is not None and not has_text(before.get(file)):
            self.refuse(f"{file.name} has been deleted or is empty; the configuration stays as it was")
            return None
        try:
            fresh = self._load_again()
        except ConfigurationError as error:
            # Also those that a refused configuration names: the repair may happen there.
            self._seen = before | error.files
            self.refuse(f"{error}\nthe configuration stays as it was")
            return None
        self.error = None
        self._seen = dict(fresh.files)
        self.current = dataclasses.replace(fresh, generation=self.current.generation + 1)
        return self.current

    def refuse(self, why: str) -> None:
        """Note that an edit is not taken up."""
        self.error = why
        self.refused += 1

    def _hollow(self, now: State) -> bool:
        """Say whether a file has gone or become empty since it was read."""
        return any(self._seen[path] and not has_text(now[path]) for path in now if now[path] != self._seen[path])


def _state(files: Iterable[Path]) -> State:
    return {path: signature(path) for path in files}
