"""``patchbay export``: the record for other programs, without keys."""

import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

import click
import zstandard

from addons.telemetry.queries import Filter, Record, oldest_first
from providers.errors import ConfigurationError
from scripts.configuration import Choices
from scripts.export_call import Exporter
from scripts.export_har import HarWriter
from scripts.export_lines import LinesWriter
from scripts.log import moment_of
from scripts.record_file import open_present
from scripts.unfinished import finished_file

_TELL = 0.2  # seconds between two words on how far it is

Writer = HarWriter | LinesWriter
FORMS: dict[str, type[Writer]] = {"har": HarWriter, "jsonl": LinesWriter}


@click.command("export")
@click.option("--db", type=click.Path(path_type=Path), envvar="PATCHBAY_DB", default="patchbay.db", show_default=True)
@click.option("--har", "form", flag_value="har", help="HTTP Archive 1.2, for browsers and HTTP tools.")
@click.option("--jsonl", "form", flag_value="jsonl", help="One JSON object per line: numbers, attempts, conversation.")
@click.option("--since", help="Only calls since then: 30m, 12h, 7d, or a date.")
@click.option("--until", help="Only calls before then, written alike.")
@click.option("--provider", help="Only calls that this provider answered.")
@click.option("--model", help="Only this model, by the name the client wrote or the one that was sent.")
@click.option("--outcome", help="Only calls that ended so (ok, client_disconnected, …).")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="A file instead of the terminal.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def command(
    db: Path,
    form: str | None,
    since: str | None,
    until: str | None,
    provider: str | None,
    model: str | None,
    outcome: str | None,
    output: Path | None,
    force: bool,
) -> None:
    """Write calls that have ended, oldest first, as one file for other programs.

    Keys are taken out, also those that the configuration has only now. The file gets its name when it is whole.
    """
    if form is None:
        raise click.UsageError("say in which form: --har or --jsonl")
    wanted = Filter(provider, model, outcome, None, moment_of(since), moment_of(until))
    count = _export(db, form, wanted, output, force)
    if output:
        click.echo(f"wrote {count:,} calls to {output}", err=True)


def _export(db: Path, form: str, wanted: Filter, output: Path | None, force: bool) -> int:
    """Write what is wanted; how many calls it was."""
    with closing(open_present(db)) as connection:
        try:
            with _opened(output, force) as (file, tell):
                return _write(
                    FORMS[form](file, Exporter(connection, secrets())), oldest_first(connection, wanted), tell
                )
        except (sqlite3.Error, zstandard.ZstdError) as error:
            raise click.ClickException(f"{db} cannot be read: {error}") from error
        except FileExistsError:
            raise click.ClickException(f"{output} is there already: --force replaces it") from None
        except OSError as error:
            if output is None:
                raise  # whoever reads it has seen enough: click ends quietly
            raise click.ClickException(f"{output} cannot be written: {error.strerror}") from error


def secrets() -> Sequence[str]:
    """Return the keys of the configuration; none while it is broken (the record was cleaned when it was written)."""
    try:
        return Choices().load().secrets()
    except ConfigurationError:
        return ()


@contextmanager
def _opened(output: Path | None, force: bool) -> Iterator[tuple[TextIO, bool]]:
    """Yield where to write, and whether somebody looks on."""
    if output is None:
        assert isinstance(sys.stdout, TextIOWrapper)
        sys.stdout.reconfigure(encoding="utf-8")
        yield sys.stdout, False
        sys.stdout.flush()
        return
    with (
        finished_file(output, replace=force) as unfinished,
        unfinished.open("w", encoding="utf-8", newline="\n") as file,
    ):
        yield file, sys.stderr.isatty()


def _write(writer: Writer, records: Iterator[Record], tell: bool) -> int:
    """Write all calls; how many they were."""
    count, told = 0, time.monotonic()
    writer.begin()
    for record in records:
        writer.add(record)
        count += 1
        if tell and time.monotonic() - told > _TELL:
            told = time.monotonic()
            click.echo(f"\r{count:,} calls …", nl=False, err=True)
    writer.end()
    if tell:
        click.echo("\r", nl=False, err=True)
    return count
