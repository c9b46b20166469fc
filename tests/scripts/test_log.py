"""``patchbay log``."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from scripts.log import command, dollars, span
from tests.addons.telemetry.accounts import begun, ended, record, settled
from tests.scripts.recorded import QUESTION, fill, run, store_at

ROOT = Path(__file__).parents[2]


@pytest.fixture(name="path")
def fixture_path(tmp_path: Path) -> Path:
    path = tmp_path / "p.db"
    fill(path)
    return path


def test_the_table(path: Path) -> None:
    result = run(command, path)
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0].split() == ["TIME", "ID", "PROVIDER", "MODEL", "TOKENS", "TTFT", "DURATION", "OUTCOME"]
    assert lines[1].split()[2:] == (
        "aaaa0001 anthropic smart → claude-9 1,204→356 (1,100 cached) 320 ms 4.20 s ok".split()
    )
    assert lines[3].split()[2:] == "bbbb0001 local tiny – 1 ms 2 ms upstream_truncated".split()
    assert len({line.index(word) for line, word in zip(lines[1:], ("ok", "ok", "upstream_t"), strict=True)}) == 1


@pytest.mark.parametrize(("columns", "shown"), [("99", False), ("100", True)])
def test_costs_are_shown_where_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: str, shown: bool
) -> None:
    path = tmp_path / "p.db"
    with store_at(path) as store:
        store.complete(ended(begun("aaaa0001"), cost=0.0123), None, None, None, None)
        store.complete(ended(begun("aaaa0002")), None, None, None, None)
    monkeypatch.setenv("COLUMNS", columns)
    heads, *lines = (line.split() for line in run(command, path).output.splitlines())
    assert ("COST" in heads) == shown
    assert [line[6] for line in lines] == (["$0.0123", "–"] if shown else ["1", "1"])


@pytest.mark.parametrize(
    ("asked", "model"),
    [("big", "big"), ("", "big"), ("acme/big", "big"), ("smart", "smart → big"), ("other/big", "other/big → big")],
)
def test_a_name_is_said_once(tmp_path: Path, asked: str, model: str) -> None:
    with store_at(tmp_path / "p.db") as store:
        account = begun("aaaa0001", provider="acme", model="big", requested_model=asked)
        store.complete(ended(account), None, None, None, None)
    assert f"aaaa0001  acme      {model}  " in run(command, tmp_path / "p.db").output


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        ("-n 1", "bbbb0001"),
        ("--provider anthropic", "aaaa0001"),
        ("--model smart", "aaaa0001"),
        ("--outcome upstream_truncated", "bbbb0001"),
        ("--session s1", "aaaa0001"),
        ("--since 1d", "aaaa0002 bbbb0001"),
        ("--search weather", "aaaa0001"),
        ("--search Bergen --since 1d", ""),
    ],
)
def test_options(path: Path, arguments: str, ids: str) -> None:
    result = run(command, path, "--json", *arguments.split())
    assert " ".join(json.loads(line)["id"] for line in result.output.splitlines()) == ids


def test_an_empty_record_shows_its_heads(tmp_path: Path) -> None:
    with store_at(tmp_path / "p.db"):
        pass
    assert run(command, tmp_path / "p.db").output.startswith("TIME")


def test_json_is_whole(path: Path) -> None:
    first = json.loads(run(command, path, "--json").output.splitlines()[0])
    assert first["input_tokens"] == 1204
    assert first["reasoning_tokens"] is None
    assert first["outcome"] == "ok"
    assert {"cost", "price_source", "prompt_us", "decode_us", "overhead_us", "rescued"} <= first.keys()


def test_without_a_file(tmp_path: Path) -> None:
    result = run(command, tmp_path / "none.db")
    assert result.exit_code == 1
    assert "there is no record at" in result.output
    assert "PATCHBAY_DB" in result.output
    assert not list(tmp_path.iterdir())


def test_what_is_no_record(tmp_path: Path) -> None:
    (tmp_path / "p.db").write_bytes(b"no database at all" * 100)
    result = run(command, tmp_path / "p.db")
    assert result.exit_code == 1
    assert "cannot be read" in result.output


def test_the_environment_names_the_file(path: Path) -> None:
    result = CliRunner().invoke(command, [], env={"PATCHBAY_DB": str(path)})
    assert "aaaa0001" in result.output


def test_a_wrong_time(path: Path) -> None:
    result = run(command, path, "--since", "yesterday")
    assert result.exit_code == 2
    assert "write 90s, 30m" in result.output


def test_reading_changes_nothing(path: Path) -> None:
    before = path.read_bytes()
    run(command, path, "--search", QUESTION)
    assert path.read_bytes() == before


def test_a_file_in_a_folder_that_cannot_be_written(path: Path) -> None:
    with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as connection:
        assert connection.execute("select count(*) from exchanges").fetchone() == (3,)
    path.parent.chmod(0o500)
    try:
        assert "aaaa0001" in run(command, path).output
    finally:
        path.parent.chmod(0o700)


def test_following(path: Path) -> None:
    program = [sys.executable, "-c", "from scripts.log import command; command()", "--db", str(path), "--follow"]
    with store_at(path) as store:
        waiting = begun("cccc0001")
        store.admit(waiting)
        settled(store)
        time.sleep(0.2)
        with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
            assert process.stdout is not None
            first = [process.stdout.readline() for _ in range(5)]
            assert "open" in first[4]
            record(store, None, "x", "cccc0002")
            assert "cccc0002" in process.stdout.readline()
            store.complete(ended(waiting), None, None, None, None)
            assert process.stdout.readline().split()[-1] == "ok"
            process.send_signal(signal.SIGINT)
            assert process.wait(5) == 130


@pytest.mark.parametrize(
    ("micros", "text"), [(None, "–"), (999, "1 ms"), (999_000, "999 ms"), (1_000_000, "1.00 s"), (150_000_000, "150 s")]
)
def test_spans(micros: int | None, text: str) -> None:
    assert span(micros) == text


@pytest.mark.parametrize(
    ("cost", "text"),
    [
        (None, "–"),
        (0, "$0"),
        (1e-9, "< $0.000001"),
        (0.00000123, "$0.00000123"),
        (0.0099999, "$0.01"),
        (0.002, "$0.002"),
        (0.0123, "$0.0123"),
        (0.5, "$0.5000"),
        (1234.5, "$1,234.50"),
    ],
)
def test_dollars(cost: float | None, text: str) -> None:
    assert dollars(cost) == text
