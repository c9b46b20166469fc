"""``patchbay log``: recent calls as a table."""

import json
import math
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import click

from addons.telemetry.database import open_for_reading
from addons.telemetry.queries import Filter, Record, exchanges, short_id
from addons.telemetry.spans import moment

_POLL = 0.5  # seconds between two looks with --follow
_LEAST = 0.000001  # dollars that are still told
_MOST_NEW = 1000  # calls shown in one look
_ROOMY = 100  # columns of a terminal from which on costs are shown
_RIGHT = {"COST", "TTFT", "DURATION"}
_HIDDEN = {"prompt_hash", "answer_hash", "run"}


@click.command("log")
@click.option("--db", type=click.Path(path_type=Path), envvar="PATCHBAY_DB", default="patchbay.db", show_default=True)
@click.option("-n", "count", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How many calls.")
@click.option("--provider", help="Only calls that this provider answered.")
@click.option("--model", help="Only this model, by the name the client wrote or the one that was sent.")
@click.option("--outcome", help="Only calls that ended so (ok, client_disconnected, …; open: not yet ended).")
@click.option("--session", help="Only this session or conversation.")
@click.option("--since", help="Only calls since then: 30m, 12h, 7d, or a date.")
@click.option("--search", metavar="TEXT", help="Only calls in which a message with these words was new (word* works).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.option("--follow", is_flag=True, help="Go on showing calls as they end.")
def command(
    db: Path,
    count: int,
    provider: str | None,
    model: str | None,
    outcome: str | None,
    session: str | None,
    since: str | None,
    search: str | None,
    as_json: bool,
    follow: bool,
) -> None:
    """List recent calls, newest last."""
    wanted = Filter(provider, model, outcome, session, moment_of(since), None, search)
    with closing(open_or_fail(db)) as connection:
        show = _as_json if as_json else _Table(connection).show
        try:
            newest = exchanges(connection, wanted, count)
            show(newest[::-1])
            if follow:
                _follow(connection, wanted, newest, show)
        except sqlite3.Error as error:
            raise click.ClickException(f"{db} cannot be read: {error}") from error
        except KeyboardInterrupt:
            sys.exit(130)


def moment_of(text: str | None) -> float | None:
    """Read an option that names a time. Raises click.BadParameter."""
    try:
        return moment(text, time.time()) if text else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def open_or_fail(db: Path) -> sqlite3.Connection:
    """Open the record for reading. Raises click.ClickException (exit code 1) with what to do."""
    try:
        return open_for_reading(db)
    except FileNotFoundError:
        raise click.ClickException(
            f"there is no record at {db}: it is made when the proxy first runs (--db or PATCHBAY_DB name another file)"
        ) from None
    except sqlite3.Error as error:
        raise click.ClickException(f"{db} cannot be read: {error}") from error


def _as_json(records: Sequence[Record]) -> None:
    for record in records:
        click.echo(json.dumps({name: value for name, value in record.items() if name not in _HIDDEN}))


class _Table:
    """Prints calls in columns; a later part keeps the widths of the first."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._heads = [head for head in _CELLS if head != "COST" or shutil.get_terminal_size().columns >= _ROOMY]
        self._widths: list[int] = []

    def show(self, records: Sequence[Record]) -> None:
        """Print the calls, below the heads when these are the first."""
        lines = [[self._cell(head, record) for head in self._heads] for record in records]
        first = not self._widths
        columns = list(zip(self._heads, *lines, strict=True))
        widths = [max(map(len, column)) for column in columns]
        self._widths = [max(pair) for pair in zip(widths, self._widths or widths, strict=True)]
        for line in ([self._heads] if first else []) + lines:
            aligned = (
                cell.rjust(width) if head in _RIGHT else cell.ljust(width)
                for head, cell, width in zip(self._heads, line, self._widths, strict=True)
            )
            click.echo("  ".join(aligned).rstrip())

    def _cell(self, head: str, record: Record) -> str:
        return short_id(self._connection, str(record["id"])) if head == "ID" else _CELLS[head](record)


def _model(record: Record) -> str:
    """Write the name that was sent, and the client's own for it where that says more."""
    asked, sent = str(record["requested_model"]), str(record["model"])
    return sent if asked in ("", sent, f"{record['provider']}/{sent}") else f"{asked} → {sent}"


def clock(seconds: object) -> str:
    """Write a moment in local time."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(float(str(seconds))))


def tokens(record: Record) -> str:
    """Write tokens in and out, and how many of those in were cached."""
    if record["input_tokens"] is None and record["output_tokens"] is None:
        return "–"
    cached = f" ({number(record['cache_read_tokens'])} cached)" if record["cache_read_tokens"] else ""
    return f"{number(record['input_tokens'])}→{number(record['output_tokens'])}{cached}"


def dollars(cost: object) -> str:
    """Write US dollars; less than a cent keeps three figures, what is not known is a dash."""
    if cost is None:
        return "–"
    amount = float(str(cost))
    if not amount:
        return "$0"
    if amount >= 0.01:
        return f"${amount:,.2f}" if amount >= 1 else f"${amount:.4f}"
    return f"${amount:.{2 - math.floor(math.log10(amount))}f}".rstrip("0") if amount >= _LEAST else "< $0.000001"


def number(value: object) -> str:
    """Write a count; what is not known is a question mark."""
    return "?" if value is None else f"{int(str(value)):,}"


def span(micros: object) -> str:
    """Write a span given in microseconds."""
    if micros is None:
        return "–"
    seconds = int(str(micros)) / 1e6
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 100 else f"{seconds:.0f} s"


# head of a column → what stands in it; the shortest id that says which call is meant asks the record
_CELLS: dict[str, Callable[[Record], str]] = {
    "TIME": lambda record: clock(record["started_at"]),
    "ID": lambda record: str(record["id"]),
    "PROVIDER": lambda record: str(record["provider"]),
    "MODEL": _model,
    "TOKENS": tokens,
    "COST": lambda record: dollars(record.get("cost")),  # a file of an older Patchbay has no costs
    "TTFT": lambda record: span(record["ttft_us"]),
    "DURATION": lambda record: span(record["duration_us"]),
    "OUTCOME": lambda record: str(record["outcome"] or "open"),
}


def _follow(
    connection: sqlite3.Connection, wanted: Filter, shown: list[Record], show: Callable[[Sequence[Record]], None]
) -> None:
    """Show calls as they end, until interrupted; one that was already open when we began is shown when it ends."""
    last = max((int(str(record["seq"])) for record in shown), default=0)
    still_open = {int(str(record["seq"])) for record in shown if record["outcome"] is None}
    while True:
        time.sleep(_POLL)
        new = exchanges(connection, wanted, _MOST_NEW, after=last)
        awaited = exchanges(connection, wanted, _MOST_NEW, only=sorted(still_open)) if still_open else []
        for record in (*new, *awaited):
            seq = int(str(record["seq"]))
            last = max(last, seq)
            (still_open.add if record["outcome"] is None else still_open.discard)(seq)
        ended = [record for record in (*awaited[::-1], *new[::-1]) if record["outcome"] is not None]
        if ended:
            show(ended)
