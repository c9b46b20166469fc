"""A file has its name only when it is whole."""

from pathlib import Path

import pytest

from scripts.unfinished import finished_file


def write(path: Path, text: str, *, replace: bool = False, failing: bool = False) -> None:
    with finished_file(path, replace=replace) as unfinished:
        assert not path.exists() or path.read_text() == "old"
        unfinished.write_text(text)
        if failing:
            raise ValueError("in the middle")


def test_it_appears_whole(tmp_path: Path) -> None:
    write(tmp_path / "out", "all")
    assert (tmp_path / "out").read_text() == "all"
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_half_of_it_never_appears(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="in the middle"):
        write(tmp_path / "out", "half", failing=True)
    assert not list(tmp_path.iterdir())


def test_it_replaces_only_when_told_to(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("old")
    with pytest.raises(FileExistsError):
        write(tmp_path / "out", "new")
    assert (tmp_path / "out").read_text() == "old"
    write(tmp_path / "out", "new", replace=True)
    assert (tmp_path / "out").read_text() == "new"


def test_what_came_meanwhile_stays(tmp_path: Path) -> None:
    def both_write() -> None:
        with finished_file(tmp_path / "out", replace=False) as unfinished:
            unfinished.write_text("ours")
            (tmp_path / "out").write_text("theirs")

    with pytest.raises(FileExistsError):
        both_write()
    assert (tmp_path / "out").read_text() == "theirs"
    assert len(list(tmp_path.iterdir())) == 1
