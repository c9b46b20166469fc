"""What could not be written into the record before the end: it goes into a file of its own, beside the record.

The file is a whole record with the same tables, read with ``patchbay log --db FILE``.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path

from addons.telemetry import runs
from addons.telemetry.backlog import Entry
from addons.telemetry.database import beside, open_for_writing, remove
from addons.telemetry.ledger import Ledger


def save(
    record: Path,
    me: runs.Process,
    batches: Iterable[Sequence[Entry]],
    write: Callable[[Ledger, Sequence[Entry]], None],
) -> Path:
    """Let ``write`` land the batches in a new file ``RECORD.unwritten-TIME``; where it is.

    Raises what opening and ``write`` raise; the batches that had landed stay, and a file with none is removed.
    """
    path, saved = beside(record, "unwritten"), 0
    try:
        with closing(open_for_writing(path)) as connection:
            ledger = Ledger(connection, runs.begin(connection, me))
            for batch in batches:
                write(ledger, batch)
                saved += len(batch)
            runs.finish(connection, ledger.run)
    finally:
        if not saved:
            remove(path)
    return path
