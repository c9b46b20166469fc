"""Files that have their name only once they are whole."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def finished_file(path: Path, *, replace: bool) -> Iterator[Path]:
    """Yield a new, empty file beside ``path`` (mode 0600) that gets its name after the block; an exception removes it.

    Raises FileExistsError where ``path`` is there and is not to be replaced, before the block or after it; OSError.
    """
    _refuse(path, replace)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    os.close(os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
    try:
        yield unfinished
        _to_disk(unfinished)
        _refuse(path, replace)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _refuse(path: Path, replace: bool) -> None:
    if path.exists() and not replace:
        raise FileExistsError(path)
