"""Whose exchanges are still open: each process that writes has a row, and rows of processes that are gone are settled.

A process counts as gone when its machine was started anew since, when its number belongs to nobody or to a younger
process, or, where its number means nothing to us (another machine, another container), when it has not been heard of
for a while.
"""

import os
import socket
import sqlite3
import subprocess
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from addons.telemetry.counting import counted
from addons.telemetry.transaction import transaction
from providers.exchange.account import EndedBy, Outcome

BEAT = 60.0  # seconds between two signs of life, given only while an exchange is open
_SILENCE = 3 * BEAT
_PROC = Path("/proc")  # Linux has it; other systems are asked through ps

_CRASHED = "the gateway ended without a word while this call was open"
_STOPPED = "the gateway was stopped while this call was open"
_LOST = "too much waited to be recorded: how this call ended was dropped"


@dataclass(frozen=True, slots=True)
class Process:
    """What tells one process from every other: ``process`` is when it began, in its system's own words."""

    host: str
    boot: str
    pid: int
    process: str


def this_process() -> Process:
    """Describe the process that asks."""
    pid = os.getpid()
    return Process(f"{socket.gethostname()} {_namespace()}".strip(), _boot(), pid, _began(pid))


def _namespace() -> str:
    """Name the space in which process numbers mean something: a container has its own."""
    try:
        return str((_PROC / "self/ns/pid").readlink())
    except OSError:
        return ""  # not Linux


def _boot() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _began(pid: int) -> str:
    """When the process began; "" when there is none (a zombie is none)."""
    if not (_PROC / "self/stat").exists():
        found = subprocess.run(("ps", "-o", "lstart=", "-p", str(pid)), capture_output=True, text=True, check=False)
        return found.stdout.strip()
    try:
        fields = (_PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def begin(connection: sqlite3.Connection, me: Process) -> int:
    """Enter this run and give its number."""
    now = time.time()
    cursor = connection.execute(
        "INSERT INTO runs (host, boot, pid, process, started_at, seen_at) VALUES (?, ?, ?, ?, ?, ?)",
        (me.host, me.boot, me.pid, me.process, now, now),
    )
    return int(cursor.lastrowid or 0)


def beat(connection: sqlite3.Connection, run: int) -> None:
    """Give a sign of life."""
    connection.execute("UPDATE runs SET seen_at = ? WHERE id = ?", (time.time(), run))


def finish(connection: sqlite3.Connection, run: int) -> None:
    """Close the run; what is still open was cut by the shutdown."""
    settle(connection, run, Outcome.SHUTDOWN, EndedBy.GATEWAY, _STOPPED)
    now = time.time()
    connection.execute("UPDATE runs SET seen_at = ?, ended_at = ? WHERE id = ?", (now, now, run))


def close_lost(connection: sqlite3.Connection, run: int, still_open: set[str]) -> None:
    """Settle the rows of this run whose ends were dropped: open in the file, but not in ``still_open``."""
    _settle(connection, run, still_open, Outcome.INTERNAL_ERROR, None, _LOST)


def mark_crashed(connection: sqlite3.Connection, me: Process) -> int:
    """Settle what processes left open that are gone; how many exchanges that were."""
    crashed = 0
    columns = "id, host, boot, pid, process, seen_at"
    for run, host, boot, pid, began, seen_at in connection.execute(
        f"SELECT {columns} FROM runs WHERE ended_at IS NULL"
    ).fetchall():
        if _gone(Process(host, boot, pid, began), float(seen_at), me):
            crashed += settle(connection, run, Outcome.ABORTED_BY_CRASH, None, _CRASHED)
            connection.execute("UPDATE runs SET ended_at = ? WHERE id = ?", (seen_at, run))
    return crashed


def _gone(them: Process, seen_at: float, me: Process) -> bool:
    if them.host != me.host:
        return abs(time.time() - seen_at) > _SILENCE
    return them.boot != me.boot or _began(them.pid) != them.process


def settle(connection: sqlite3.Connection, run: int, outcome: Outcome, by: EndedBy | None, error: str) -> int:
    """Give every open exchange of a run this outcome; how many there were."""
    return _settle(connection, run, frozenset(), outcome, by, error)


def _settle(
    connection: sqlite3.Connection,
    run: int,
    but: Collection[str],
    outcome: Outcome,
    by: EndedBy | None,
    error: str,
) -> int:
    with transaction(connection):
        found = connection.execute("SELECT id FROM exchanges WHERE run = ? AND outcome IS NULL", (run,)).fetchall()
        ids = [str(identifier) for (identifier,) in found if identifier not in but]
        with counted(connection, ids):
            connection.executemany(
                "UPDATE exchanges SET outcome = ?, who_ended = ?, error = ? WHERE id = ?",
                [(str(outcome), by and str(by), error, identifier) for identifier in ids],
            )
    return len(ids)
