"""``patchbay report``: what was asked, what it cost and how long it took."""

import csv
import io
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import click

from scripts.log import clock, moment_of
from scripts.record_file import open_present
from scripts.report_figures import KEYS, MEASURES, Figures, lines
from scripts.report_table import NARROW, NOTE, table
from scripts.unfinished import finished_file

_NO_PLOT = (
    "a plot needs matplotlib, which is not installed: pip install 'patchbay[plot]'; in a checkout "
    ".venv/bin/python -m pip install matplotlib"
)


@click.command("report")
@click.option("--db", type=click.Path(path_type=Path), envvar="PATCHBAY_DB", default="patchbay.db", show_default=True)
@click.option("--since", default="7d", show_default=True, help="Only calls since then: 30m, 12h, 7d, or a date.")
@click.option("--until", help="Only calls before then, written alike.")
@click.option("--by", type=click.Choice([*KEYS]), default="provider", show_default=True, help="What is put together.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, with everything.")
@click.option("--csv", "as_csv", is_flag=True, help="A line for each key, with everything.")
@click.option("--png", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="A picture, into a file.")
def command(db: Path, since: str, until: str | None, by: str, as_json: bool, as_csv: bool, png: Path | None) -> None:
    """Add up calls: how many, how many failed, tokens, cost, times.

    Counted are the calls in the record that have ended. A call has failed unless it ended ok or its client hung up.
    Percentiles are exact (nearest rank).
    """
    if as_json + as_csv + (png is not None) > 1:
        raise click.UsageError("choose one of --json, --csv and --png")
    first, last = moment_of(since), moment_of(until)
    assert first is not None  # it has a default
    last = time.time() if last is None else last
    found, total = _figures(db, first, last, by)
    if as_json:
        click.echo(json.dumps({"since": first, "until": last, "by": by, "rows": found, "total": total}, indent=2))
    elif as_csv:
        click.echo(_csv(found), nl=False)
    elif png:
        _draw(found, by, f"Patchbay, {clock(first)} to {clock(last)}", png)
    else:
        _print(found, total, by, f"{clock(first)} to {clock(last)}")


def _figures(db: Path, since: float, until: float, by: str) -> tuple[list[Figures], Figures]:
    with closing(open_present(db)) as connection:
        try:
            found, total = lines(connection, since, until, by)
        except sqlite3.Error as error:
            raise click.ClickException(f"{db} cannot be read: {error}") from error
    return [line.figures() for line in found], total.figures()


def _print(found: Sequence[Figures], total: Figures, by: str, span: str) -> None:
    click.echo(span)
    if not found:
        click.echo("No call has ended in this time. --since goes further back: --since 30d.")
        return
    colour = False if os.environ.get("NO_COLOR") else None  # None: on a terminal alone
    for line in table([*found, total], by, max(shutil.get_terminal_size((NARROW, 24)).columns, NARROW)):
        click.echo(line, color=colour)
    click.echo(click.style(f"\n{NOTE}", dim=True), color=colour)


def _flat(figures: Figures) -> Iterator[tuple[str, object]]:
    for name, value in figures.items():
        if isinstance(value, dict):
            yield from ((f"{name}_{part}", number) for part, number in value.items())
        else:
            yield name, value


def _csv(found: Sequence[Figures]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_heads())
    for figures in found:
        writer.writerow([value for _, value in _flat(figures)])
    return out.getvalue()


def _heads() -> list[str]:
    """Return the names of the columns, also where there is no row."""
    plain = ("key", "requests", "ok", "failed", "input_tokens", "cache_read_tokens", "output_tokens", "cost")
    parts = ("p50", "p95", "p99", "count")
    return [*plain, "unpriced", "error_rate", *(f"{name}_{part}" for name in MEASURES for part in parts)]


def _draw(found: Sequence[Figures], by: str, title: str, path: Path) -> None:
    try:
        from scripts.report_plot import draw
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "matplotlib":
            raise
        raise click.ClickException(_NO_PLOT) from error
    try:
        with finished_file(path, replace=True) as unfinished:
            draw(found, by, title, unfinished)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror or error}") from error
    click.echo(f"wrote {path}")
