"""Outlet: what the program prints leaves over a bounded queue and a thread, so that no reader can hold a call up.

A pipe whose reader has stopped, a terminal on hold, a full disk: a plain ``print`` waits or fails there, and with it
the event loop (mitmdump alone stands still after some 200 calls, and ends itself when the reader has gone). Here
printing never waits and never fails. What finds no room is left out and counted, and a line says so in its place.

Output that goes to a file follows the file's name: where the file was moved or deleted (log rotation), it is opened
anew within a second; of a file that was emptied, the new beginning is written, not what follows its old length. That
needs ``/proc``; elsewhere the file that was open at the start stays the one.
"""

import fcntl
import io
import os
import select
import stat
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

LIMIT = 1 << 20  # bytes that wait at most
_LOOK = 1.0  # seconds between two looks at the file's name


class Outlet(io.RawIOBase):
    """Stands in front of a descriptor. ``dropped`` counts the lines that were left out since the start."""

    name = "<outlet>"

    def __init__(self, descriptor: int, limit: int = LIMIT) -> None:
        super().__init__()
        self.dropped = 0
        self._descriptor = descriptor
        self._limit = limit
        self._pieces: deque[bytes] = deque()
        self._size = 0  # bytes that wait, with those that are being written
        self._gap = 0  # lines left out since the last one that found room
        self._changed = threading.Condition()  # reentrant: a signal's handler may print, too
        self._name = _name_of(descriptor)
        self._next_look = 0.0
        threading.Thread(target=self._run, name="patchbay-output", daemon=True).start()

    # As a file.

    def writable(self) -> bool:
        """Say yes."""
        return True

    def fileno(self) -> int:
        """Return the descriptor behind."""
        return self._descriptor

    def isatty(self) -> bool:
        """Tell whether a terminal is behind."""
        return os.isatty(self._descriptor)

    def write(self, data: "ReadableBuffer", /) -> int:
        """Take everything, at once."""
        piece = bytes(data)
        with self._changed:
            note = _note(self._gap) if self._gap else b""
            if self._size + len(note) + len(piece) > self._limit:
                self._leave_out(piece)
            else:
                self._pieces.append(note + piece)
                self._size += len(note) + len(piece)
                self._gap = 0
                self._changed.notify_all()
        return len(piece)

    def _leave_out(self, piece: bytes) -> None:
        lines = max(1, piece.count(b"\n"))
        self.dropped += lines
        self._gap += lines

    def drain(self, seconds: float) -> bool:
        """Wait until everything has gone out; False if that takes longer than ``seconds``."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._size, seconds)

    # The thread.

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pieces)
                batch = b"".join(self._pieces)
                self._pieces.clear()
            self._put(batch)
            with self._changed:
                self._size -= len(batch)
                self._changed.notify_all()

    def _put(self, batch: bytes) -> None:
        left = memoryview(batch)
        try:
            self._follow(time.monotonic())
            while left:
                left = left[self._put_some(left) :]
        except OSError:  # the reader has gone, the disk is full: there is nobody to tell
            with self._changed:
                self._leave_out(bytes(left))

    def _put_some(self, left: memoryview) -> int:
        try:
            return os.write(self._descriptor, left)
        except BlockingIOError:  # somebody else who has this terminal or pipe asked for that
            select.select([], [self._descriptor], [], _LOOK)
            return 0

    def _follow(self, now: float) -> None:
        """Open the file again if it is not under its name any more; raises OSError if that file is not to be had."""
        if self._name is None or now < self._next_look:
            return
        self._next_look = now + _LOOK
        mine = os.fstat(self._descriptor)
        try:
            named = os.stat(self._name)
        except FileNotFoundError:
            named = None
        if named is None or (named.st_dev, named.st_ino) != (mine.st_dev, mine.st_ino):
            _reopen(self._name, self._descriptor, stat.S_IMODE(mine.st_mode))


def _note(lines: int) -> bytes:
    return b"[%d lines were left out here: nobody took the output]\n" % lines


def _name_of(descriptor: int) -> str | None:
    """Return the name of the file behind a descriptor, and have it written at its end; None if it is no file."""
    mine = os.fstat(descriptor)
    if not stat.S_ISREG(mine.st_mode):
        return None
    fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_APPEND)
    try:
        name = os.readlink(f"/proc/self/fd/{descriptor}")
        named = os.stat(name)
    except OSError:
        return None
    return name if (named.st_dev, named.st_ino) == (mine.st_dev, mine.st_ino) else None


def _reopen(name: str, descriptor: int, mode: int) -> None:
    """Put the file of this name in the descriptor's place; the folder may be gone, then the old file stays."""
    try:
        fresh = os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    except OSError:
        return
    try:
        os.dup2(fresh, descriptor)
    finally:
        os.close(fresh)
