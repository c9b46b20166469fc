"""``patchbay forget``: delete calls for good."""

import sqlite3
from contextlib import closing
from pathlib import Path

import click

from addons.telemetry.forgetting import forget
from addons.telemetry.queries import AmbiguousError, Filter, find
from addons.telemetry.queries import ids as every
from addons.telemetry.schema import SchemaError
from scripts.log import moment_of, open_or_fail


@click.command("forget")
@click.argument("ids", nargs=-1, metavar="[ID]…")
@click.option("--db", type=click.Path(path_type=Path), envvar="PATCHBAY_DB", default="patchbay.db", show_default=True)
@click.option("--session", help="All calls of this session or conversation.")
@click.option("--older-than", help="All calls that began before: 30m, 12h, 7d, or a date.")
@click.option("--all", "everything", is_flag=True, help="All calls.")
@click.option("--yes", is_flag=True, help="Don't ask.")
def command(
    ids: tuple[str, ...], db: Path, session: str | None, older_than: str | None, everything: bool, yes: bool
) -> None:
    """Delete calls and what was said in them, so that it cannot be read in the file any more.

    IDs may be shortened as in "patchbay show". What another call that is kept has said, too, stays. Works while the
    proxy runs; calls that are still open are kept.
    """
    if sum((bool(ids), session is not None, older_than is not None, everything)) != 1:
        raise click.UsageError("say what to forget: ids, --session, --older-than or --all (one of them)")
    try:
        doomed, still_open = _doomed(db, ids, Filter(session=session, before=moment_of(older_than)))
        if still_open:
            click.echo(f"{still_open} calls are still open and are kept.")
        if doomed and not yes:
            click.confirm(f"Forget {len(doomed)} calls for good?", abort=True)
        _forget(db, doomed)
    except (sqlite3.Error, SchemaError) as error:
        raise click.ClickException(f"{db}: {error}; what was said may still be in the file, try again") from error


def _doomed(db: Path, ids: tuple[str, ...], wanted: Filter) -> tuple[list[str], int]:
    """Find the calls to delete, and how many of those that are meant are still open."""
    with closing(open_or_fail(db)) as connection:
        try:
            found = [_named(connection, name) for name in ids] if ids else every(connection, wanted)
        except AmbiguousError as error:
            raise click.ClickException(str(error)) from error
        except KeyError as error:
            name = error.args[0]
            raise click.ClickException(f"no call has an id that begins with {name}; see patchbay log") from None
    found = list(dict.fromkeys(found))
    ended = [identifier for identifier, has_ended in found if has_ended]
    return ended, len(found) - len(ended)


def _named(connection: sqlite3.Connection, name: str) -> tuple[str, bool]:
    record = find(connection, name)
    return str(record["id"]), record["outcome"] is not None


def _forget(db: Path, doomed: list[str]) -> None:
    if not doomed:
        click.echo("Nothing to forget.")
        return
    for _ in forget(db, doomed):
        pass
    click.echo(f"Forgot {len(doomed)} calls.")
