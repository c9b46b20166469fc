"""``patchbay forget``."""

from pathlib import Path

import pytest

from scripts.forget import command
from tests.addons.telemetry.accounts import begun, rows, settled, traces
from tests.scripts.recorded import QUESTION, fill, run, store_at


@pytest.fixture(name="path")
def fixture_path(tmp_path: Path) -> Path:
    path = tmp_path / "p.db"
    fill(path)
    return path


def left(path: Path) -> str:
    return " ".join(str(row["id"]) for row in rows(path, "select id from exchanges order by id"))


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        ("aaaa0001", "aaaa0002 bbbb0001"),
        ("aaaa0001 bbbb", "aaaa0002"),
        ("--session s1", "aaaa0002 bbbb0001"),
        ("--older-than 2d", "aaaa0002 bbbb0001"),
        ("--all", ""),
        ("--session nobody", "aaaa0001 aaaa0002 bbbb0001"),
    ],
)
def test_what_goes(path: Path, arguments: str, kept: str) -> None:
    result = run(command, path, "--yes", *arguments.split())
    assert result.exit_code == 0, result.output
    assert left(path) == kept
    gone = 3 - len(kept.split())
    assert (f"Forgot {gone} calls" if gone else "Nothing to forget") in result.output
    if "aaaa0001" not in kept:
        assert traces(path, QUESTION, "Bergen", "get_weather", "connection refused") == []


def test_it_asks_first(path: Path) -> None:
    result = run(command, path, "--all", answer="n\n")
    assert "Forget 3 calls for good?" in result.output
    assert result.exit_code == 1
    assert len(left(path).split()) == 3
    assert run(command, path, "--all", answer="y\n").exit_code == 0
    assert left(path) == ""


@pytest.mark.parametrize("arguments", ["", "--all --session s1", "aaaa0001 --all"])
def test_it_wants_to_know_exactly(path: Path, arguments: str) -> None:
    result = run(command, path, "--yes", *arguments.split())
    assert result.exit_code == 2
    assert "one of them" in result.output
    assert len(left(path).split()) == 3


@pytest.mark.parametrize("name", ["zzzz", "aaaa"])
def test_a_name_that_names_no_call(path: Path, name: str) -> None:
    assert run(command, path, "--yes", "bbbb", name).exit_code == 1
    assert len(left(path).split()) == 3


def test_open_calls_are_kept(path: Path) -> None:
    with store_at(path) as store:
        store.admit(begun("open"))
        settled(store)
        result = run(command, path, "--all", "--yes")
        assert "1 calls are still open" in result.output
        assert left(path) == "open"


def test_without_a_file(tmp_path: Path) -> None:
    result = run(command, tmp_path / "none.db", "--all", "--yes")
    assert (result.exit_code, list(tmp_path.iterdir())) == (1, [])
