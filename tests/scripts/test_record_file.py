"""Files of other versions are told from broken ones."""

import sqlite3
from contextlib import closing
from pathlib import Path

import click
import pytest

from addons.telemetry.database import open_for_writing
from addons.telemetry.schema import newest_version
from scripts.record_file import open_present


@pytest.mark.parametrize(("step", "message"), [(-1, "start this one on it once"), (1, "newer Patchbay")])
def test_other_versions(tmp_path: Path, step: int, message: str) -> None:
    path = tmp_path / "p.db"
    with closing(open_for_writing(path)) as connection:
        connection.execute(f"PRAGMA user_version = {newest_version() + step}")
    with pytest.raises(click.ClickException, match=message):
        open_present(path)


def test_the_present_one(tmp_path: Path) -> None:
    open_for_writing(tmp_path / "p.db").close()
    with closing(open_present(tmp_path / "p.db")) as connection, pytest.raises(sqlite3.OperationalError):
        connection.execute("DELETE FROM exchanges")


def test_no_record(tmp_path: Path) -> None:
    with pytest.raises(click.ClickException, match="there is no record"):
        open_present(tmp_path / "p.db")
    (tmp_path / "p.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(click.ClickException, match="cannot be read"):
        open_present(tmp_path / "p.db")
