"""Notices edits of the configuration while the program runs. Its owner polls it: a handful of ``os.stat`` calls.

A broken edit keeps the registry that works and is told once. A file that has just vanished or is empty is given one
more poll: editors and deployment tools replace files that way.
"""

import dataclasses
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from providers.errors import ConfigurationError

if TYPE_CHECKING:
    from providers.registry import Registry

# (modification time in ns, change time in ns, size in bytes, inode), or None where there is no such file
Signature = tuple[int, int, int, int] | None


class Watcher:
    """Watches the files of a registry. ``current`` is the one that holds, ``error`` why the last edit was refused."""

    def __init__(self, load_again: Callable[[], "Registry"], current: "Registry") -> None:
        self.current = current
        self.error: str | None = None
        self._load_again = load_again
        self._seen = _signatures(current.files)
        self._waiting: dict[Path, Signature] | None = None

    def poll(self) -> "Registry | None":
        """Return the new registry when an edit has been taken up, else None. To be called about once a second."""
        now = _signatures(self._seen)
        if now == self._seen:
            self._waiting = None
            return None
        if self._hollow(now) and now != self._waiting:
            self._waiting = now
            return None
        self._seen, self._waiting = now, None
        return self._reload(now)

    def _hollow(self, now: dict[Path, Signature]) -> bool:
        """Say whether a file has gone or become empty since the last look."""
        return any(self._seen[path] and not _has_text(now[path]) for path in now if now[path] != self._seen[path])

    def _reload(self, now: dict[Path, Signature]) -> "Registry | None":
        file = self.current.file
        if file is not None and not _has_text(now.get(file)):
            self.error = f"{file.name} has been deleted or is empty; the configuration stays as it was"
            return None
        try:
            fresh = self._load_again()
        except ConfigurationError as error:
            self.error = f"{error}\nthe configuration stays as it was"
            self._watch(error.files)
            return None
        self.error = None
        self.current = dataclasses.replace(fresh, generation=self.current.generation + 1)
        self._seen = {path: now[path] if path in now else _signature(path) for path in fresh.files}
        return self.current

    def _watch(self, files: Iterable[Path]) -> None:
        """Watch also the files that a refused configuration names: the repair may happen there."""
        self._seen |= {path: _signature(path) for path in files if path not in self._seen}


def _signatures(files: Iterable[Path]) -> dict[Path, Signature]:
    return {path: _signature(path) for path in files}


def _signature(path: Path) -> Signature:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)


def _has_text(signature: Signature) -> bool:
    return signature is not None and signature[2] > 0
