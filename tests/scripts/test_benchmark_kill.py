"""`scripts/bench kill`: three kills of the real program, and that what it looks for is found where it is."""

import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from addons.telemetry.store import Store
from scripts.benchmark.__main__ import bench
from scripts.benchmark.crash import (
    Crash,
    Finding,
    LastingGround,
    Pressure,
    compare,
    examine,
    live_and_die,
    start_again,
)
from scripts.benchmark.evidence import Evidence, Row
from scripts.benchmark.kill_command import Results, render
from scripts.benchmark.machine import Cores
from scripts.benchmark.probe import free_port
from scripts.benchmark.process import Process
from scripts.benchmark.ways import Running, WayFailed
from tests.addons.telemetry.accounts import begun, record, request, settled

GOOD = Finding(
    acknowledged=9, lost=0, altered=0, torn=0, unsettled=0, aborted=2, unwritten=1, set_aside=0, complaint=""
)
ENDED, OPEN = Row("ok", "m", "[1]"), Row(None, "m", "[1]")


def test_three_kills() -> None:
    shown = CliRunner().invoke(bench, ["kill", "--kills", "3", "--callers", "4", "--streams", "10"])
    assert shown.exit_code == 0, shown.output
    assert "kill 3 of 3" in shown.output
    lines = dict(line.strip().split("  ", 1) for line in shown.output.splitlines() if "  " in line.strip())
    told = {title: rest.strip() for title, rest in lines.items()}
    assert told["kills"] == "3, 3 left a journal to be recovered"
    assert int(told["acknowledged (another process had read them)"].replace(",", "")) > 0
    assert told["integrity"] == "ok"
    assert "The record has survived 3 kills." in shown.output


@pytest.fixture(name="evidence")
def fixture_evidence(tmp_path: Path) -> Evidence:
    """A file in which three calls ended, two went on from each other, and one was left open by a process."""
    path = tmp_path / "patchbay.db"
    store = Store(path)
    store.start()
    for number in range(3):
        record(store, request(f"question {number}"), "answer", f"call-{number}")
    settled(store)
    assert store.close(5)
    return Evidence(path)


def change(evidence: Evidence, sql: str) -> None:
    with closing(sqlite3.connect(evidence.path)) as connection, connection:
        connection.execute(sql)


def found(evidence: Evidence, before: Crash) -> Finding:
    return examine(before, evidence, whole=True)


def test_what_is_whole_is_found_to_be(evidence: Evidence) -> None:
    before = Crash(evidence.rows(0), 0, 0, 0, 1.0)
    assert sorted(before.acknowledged) == ["call-0", "call-1", "call-2"]
    finding = found(evidence, before)
    assert (finding.acknowledged, finding.bad) == (3, False)
    assert (evidence.last(), evidence.runs()) == (3, 1)


@pytest.mark.parametrize(
    ("sql", "field"),
    [
        ("DELETE FROM exchanges WHERE id = 'call-1'", "lost"),
        ("UPDATE exchanges SET bytes_in = 77 WHERE id = 'call-1'", "altered"),
        ("UPDATE attempts SET status = 500 WHERE exchange_id = 'call-1'", "altered"),
        ("DELETE FROM attempts WHERE exchange_id = 'call-1'", "torn"),
        ("DELETE FROM messages WHERE text = 'question 1'", "torn"),
        ("UPDATE exchanges SET answer_hash = NULL WHERE id = 'call-1'", "torn"),
        ("UPDATE exchanges SET outcome = NULL, run = 0 WHERE id = 'call-1'", "unsettled"),
    ],
)
def test_what_is_missing_is_found(evidence: Evidence, sql: str, field: str) -> None:
    before = Crash(evidence.rows(0), 0, 0, 0, 1.0)
    change(evidence, sql)
    finding = found(evidence, before)
    assert getattr(finding, field) == 1
    assert finding.bad


@pytest.mark.parametrize("at", [0, 4096 * 7])
def test_a_damaged_file_is_found(evidence: Evidence, at: int) -> None:
    raw = bytearray(evidence.path.read_bytes())
    raw[at : at + 64] = bytes(value ^ 0xA5 for value in raw[at : at + 64])
    evidence.path.write_bytes(raw)
    assert evidence.complaint(whole=True)


def test_what_was_set_aside_is_found(evidence: Evidence) -> None:
    before = Crash({}, 0, 0, 0, 1.0)
    for name in ("patchbay.db.corrupt-20260101T000000Z", "patchbay.db.corrupt-20260101T000000Z-wal"):
        evidence.path.with_name(name).touch()
    assert found(evidence, before).set_aside == 1


def test_a_journal_that_is_not_there_is_empty(tmp_path: Path) -> None:
    evidence = Evidence(tmp_path / "none.db")
    assert (evidence.journal(), evidence.runs()) == (0, 0)
    evidence.path.touch()
    assert evidence.runs() == 0


def test_an_open_call_may_have_ended_before_the_kill() -> None:
    assert compare({"a": OPEN}, {"a": ENDED}) == (0, 0)
    assert compare({"a": OPEN}, {}) == (1, 0)
    assert compare({"a": ENDED}, {"a": OPEN}) == (0, 1)


def test_calls_that_are_open_and_answered_are_counted(evidence: Evidence) -> None:
    store = Store(evidence.path)
    store.start()
    store.admit(begun("open", model="bench-plain"))
    record(store, request("q"), "a", "small", model="bench-plain")
    settled(store)
    assert found(evidence, Crash({}, 3, 5, 0, 1.0)).unwritten == 4
    assert store.close(5)


@pytest.mark.parametrize(
    "bad",
    [
        replace(GOOD, lost=1),
        replace(GOOD, altered=1),
        replace(GOOD, torn=1),
        replace(GOOD, unsettled=1),
        replace(GOOD, set_aside=1),
        replace(GOOD, complaint="x"),
    ],
)
def test_the_table_says_what_is_wrong(bad: Finding) -> None:
    crash = Crash({}, 0, 0, 4096, 1.0)
    results = Results([crash, crash], [GOOD, bad])
    assert not results.good
    assert render(results)[-1] == "THE RECORD HAS NOT SURVIVED."
    good = Results([crash, crash], [GOOD, GOOD])
    assert good.good
    assert render(good)[-1] == "The record has survived 2 kills."
    assert not Results([crash], [GOOD], lost_in_the_end=1).good


def test_a_table_of_nothing_and_one_of_damage() -> None:
    assert render(Results()) == ["nothing was killed"]
    damaged = Results([Crash({}, 0, 0, 0, 1.0)], [replace(GOOD, complaint="row 7 missing from index")])
    assert any("NOT ok: row 7" in line for line in render(damaged))


def ended_process(tmp_path: Path) -> Process:
    command = [sys.executable, "-c", "print('last words')"]
    process = Process(command, core=None, log=tmp_path / "log", folder=tmp_path, environ={})
    while process.alive:
        time.sleep(0.01)
    return process


def test_a_program_that_ends_by_itself_is_no_crash(evidence: Evidence, tmp_path: Path) -> None:
    with ended_process(tmp_path) as process:
        running = Running("serve", free_port(), process, 1.0)
        with pytest.raises(WayFailed, match="last words"):
            live_and_die(running, evidence, Pressure(0, 0, 0.0))


def test_a_program_that_does_not_open_the_record_is_told(
    evidence: Evidence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = ended_process(tmp_path)
    monkeypatch.setattr("scripts.benchmark.crash.start", lambda _way, _ground: Running("serve", 1, process, 1.0))
    with pytest.raises(WayFailed, match="was not opened:\nlast words"):
        start_again(LastingGround(tmp_path, 1, Cores(None, None, None)), evidence)


@pytest.mark.parametrize(
    ("error", "told"), [(WayFailed("no start"), "no start"), (sqlite3.DatabaseError("bad"), "cannot be read: bad")]
)
def test_what_ends_the_kills_early_is_told(error: Exception, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_wish: object, _results: object) -> None:
        raise error

    monkeypatch.setattr("scripts.benchmark.kill_command.run", fail)
    shown = CliRunner().invoke(bench, ["kill", "--kills", "1"])
    assert shown.exit_code == 1
    assert "nothing was killed" in shown.output
    assert told in shown.output
