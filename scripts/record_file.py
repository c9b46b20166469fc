"""The record as commands open it that need its present shape."""

import sqlite3
from contextlib import closing
from pathlib import Path

import click

from addons.telemetry.schema import newest_version, version_of
from scripts.log import open_or_fail


def open_present(db: Path) -> sqlite3.Connection:
    """Open the record for reading. Raises click.ClickException, also for a file of another version, with what to do."""
    connection = open_or_fail(db)
    version = version_of(connection)
    if version == newest_version():
        return connection
    with closing(connection):
        if version > newest_version():
            raise click.ClickException(f"{db} was written by a newer Patchbay: use that one to read it")
        raise click.ClickException(
            f"{db} was last written by an older Patchbay: start this one on it once (patchbay serve), and it is "
            "brought up to date"
        )
