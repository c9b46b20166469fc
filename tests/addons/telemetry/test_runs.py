"""Which processes are gone, and what becomes of what they left open."""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from addons.telemetry import runs
from addons.telemetry.schema import migrate

ME = runs.this_process()


@pytest.fixture(name="connection")
def fixture_connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection)
        yield connection


def add_open(connection: sqlite3.Connection, run: int) -> None:
    connection.execute(
        "INSERT INTO exchanges (id, run, conversation, started_at, provider, kind, dialect, operation, requested_model,"
        " model, stream, usage_source, bytes_in, bytes_out)"
        " VALUES (hex(randomblob(4)), ?, 'c', 0, 'p', 'k', 'd', 'o', '', '', 0, 'none', 0, 0)",
        (run,),
    )


def outcomes(connection: sqlite3.Connection) -> list[str | None]:
    return [row[0] for row in connection.execute("SELECT outcome FROM exchanges ORDER BY seq")]


def dead_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


@pytest.mark.parametrize(
    ("them", "silent", "gone"),
    [
        (ME, 1e9, False),
        (replace(ME, pid=os.getppid(), process=runs._began(os.getppid())), 1e9, False),
        (replace(ME, process="an older one with our number"), 0, True),
        (replace(ME, pid=dead_pid()), 0, True),
        (replace(ME, boot="before"), 0, True),
        (replace(ME, host="elsewhere"), 60, False),
        (replace(ME, host="elsewhere"), 600, True),
    ],
    ids=["we", "our parent", "number reused", "dead", "machine restarted", "elsewhere", "elsewhere, silent"],
)
def test_who_is_gone(connection: sqlite3.Connection, them: runs.Process, silent: float, gone: bool) -> None:
    run = runs.begin(connection, them)
    connection.execute("UPDATE runs SET seen_at = ?", (time.time() - silent,))
    add_open(connection, run)
    assert runs.mark_crashed(connection, ME) == int(gone)
    assert outcomes(connection) == ["aborted_by_crash" if gone else None]
    assert runs.mark_crashed(connection, ME) == 0


def test_a_sign_of_life(connection: sqlite3.Connection) -> None:
    run = runs.begin(connection, replace(ME, host="elsewhere"))
    connection.execute("UPDATE runs SET seen_at = 0")
    runs.beat(connection, run)
    add_open(connection, run)
    assert runs.mark_crashed(connection, ME) == 0


def test_ends_that_were_dropped(connection: sqlite3.Connection) -> None:
    run = runs.begin(connection, ME)
    for _ in range(2):
        add_open(connection, run)
    still_open = connection.execute("SELECT id FROM exchanges WHERE seq = 2").fetchone()[0]
    runs.close_lost(connection, run, {still_open})
    assert outcomes(connection) == ["internal_error", None]
    runs.finish(connection, run)
    assert outcomes(connection) == ["internal_error", "shutdown"]


def test_where_there_is_no_proc(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The way of other systems: ps tells when a process began."""
    elsewhere = tmp_path_factory.mktemp("empty")
    monkeypatch.setattr(runs, "_PROC", elsewhere)
    me = runs.this_process()
    assert (me.boot, me.pid) == ("", os.getpid())
    if os.path.exists("/bin/ps") or os.path.exists("/usr/bin/ps"):
        assert me.process
        assert me == runs.this_process()
        assert runs._began(dead_pid()) == ""
