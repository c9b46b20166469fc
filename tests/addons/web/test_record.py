"""The record is read beside the loop: what is slow is given up, what is not there is said."""

import asyncio
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from addons.web.record import Record
from addons.web.replies import ProblemError

ENDLESS = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
pytestmark = pytest.mark.anyio


@pytest.fixture(name="path")
def fixture_path(tmp_path: Path) -> Path:
    path = tmp_path / "rows.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (x)")
    return path


def count(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM t").fetchone()[0])


async def said(record: Record, ask: object = count) -> ProblemError:
    with pytest.raises(ProblemError) as problem:
        await record.read(ask)  # type: ignore[arg-type]  # what a test makes up
    assert problem.value.status == 503
    assert str(problem.value)
    return problem.value


async def test_it_reads_on_another_thread_and_cannot_write(path: Path) -> None:
    record = Record(path)
    assert await record.read(lambda _connection: threading.current_thread().name) != threading.current_thread().name
    assert await record.read(count) == 0
    assert "cannot be read now" in str(await said(record, lambda c: c.execute("INSERT INTO t VALUES (1)")))
    record.close()


async def test_what_is_slow_is_interrupted_and_holds_up_nothing(path: Path) -> None:
    record, ended = Record(path, patience=0.2), threading.Event()

    def slow(connection: sqlite3.Connection) -> None:
        try:
            connection.execute(ENDLESS).fetchone()
        finally:
            ended.set()

    waiting = asyncio.ensure_future(said(record, slow))
    assert await record.read(count) == 0
    assert "too long" in str(await waiting)
    assert await asyncio.to_thread(ended.wait, 10)
    record.close()


async def test_who_waits_in_line_for_too_long_is_told_so(path: Path) -> None:
    record, gate = Record(path, patience=0.1), threading.Event()
    asked = [asyncio.ensure_future(said(record, lambda _connection: gate.wait(10))) for _ in range(3)]
    for told in await asyncio.gather(*asked):
        assert "too long" in str(told)
    gate.set()
    record.close()


async def test_what_ends_just_too_late_is_too_late(path: Path) -> None:
    record = Record(path, patience=0.2)

    def late(connection: sqlite3.Connection) -> None:
        time.sleep(1.0)
        count(connection)

    assert "too long" in str(await said(record, late))
    record.close()


async def test_an_interruption_that_is_noticed_by_the_reader_first(path: Path) -> None:
    record = Record(path, patience=0.0)
    assert "too long" in str(await said(record, lambda c: c.execute(ENDLESS).fetchone()))
    record.close()


async def test_a_file_that_is_not_there_or_none(path: Path, tmp_path: Path) -> None:
    nothing = Record(tmp_path / "none.db")
    assert "Nothing has been recorded" in str(await said(nothing))
    path.write_bytes(b"no database" * 1000)
    broken = Record(path)
    assert "cannot be read now" in str(await said(broken))
    for record in (nothing, broken):
        record.close()


async def test_what_the_question_raises_is_its_own(path: Path) -> None:
    record = Record(path)

    def missing(_connection: sqlite3.Connection) -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await record.read(missing)
    record.close()
    assert "being stopped" in str(await said(record))
