"""What tells one state of a file from another. Taken before the file is read, so that no edit falls between."""

import os
from pathlib import Path
from typing import NamedTuple


class Signature(NamedTuple):
    """One state of a file: times of the last modification and change in ns, its size in bytes, its inode."""

    modified_ns: int
    changed_ns: int
    size: int
    inode: int


def signature(path: Path) -> Signature | None:
    """Return the state of the file, or of the one a link leads to; None where there is none that can be seen."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return Signature(found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)


def has_text(state: Signature | None) -> bool:
    """Whether there is such a file, and something in it."""
    return state is not None and state.size > 0
