"""`scripts/bench page`: how long the page waits for each of its views when the record has a million calls."""

import http.client
import json
import random
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from scripts.benchmark import machine
from scripts.benchmark.caller import HOST
from scripts.benchmark.crash import LastingGround
from scripts.benchmark.machine import Cores
from scripts.benchmark.past import COMMON, RARE, make_past
from scripts.benchmark.rounds import ground_with_upstream
from scripts.benchmark.summary import quantile
from scripts.benchmark.table import align
from scripts.benchmark.ways import SERVE, WayFailed, start

GOAL = 100.0  # ms, for the 95th percentile of every view
_API = "/patchbay/api/"
_KEPT_FOR_EVER = "default_provider: local\nsettings: {retention_days: 0, retention_bytes: 0}\n"

# name → what is asked for each time
_FIXED = {
    "models": "models",
    "providers": "providers",
    "numbers, by provider": "numbers?days=30&by=provider",
    "numbers, by model": "numbers?days=30&by=model",
    "history, facets": "history/facets",
    "history": "history",
    "history of a rare provider": "history?provider=groq",
    "history of an alias": "history?model=smart",
    "history of a rare client": "history?client=rare-client%2F1",
    "history, failed": "history?provider=local&outcome=rate_limited",
    "history, rare failure of a client": "history?client=curl%2F8.14&outcome=upstream_truncated",
    "search for a rare word": f"history?search={RARE}",
    "search for a common word": f"history?search={COMMON}",
    "search for two words": "history?search=word3+word40",
    "search for a beginning": "history?search=word432*",
    "search, filtered": f"history?search={COMMON}&provider=anthropic&outcome=ok",
}


@dataclass(frozen=True, slots=True)
class View:
    """One thing that the page asks for: a name, and the path for the next time (a number from 0) it is asked for."""

    name: str
    path: Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured of a view: ms for each answer, and the bytes of the largest."""

    name: str
    times: Sequence[float]
    largest: int

    @property
    def p95(self) -> float:
        """The 95th percentile, in ms."""
        return quantile(self.times, 0.95)

    def row(self) -> list[str]:
        """Its cells."""
        shown = (f"{quantile(self.times, share):.1f}" for share in (0.5, 0.95, 1.0))
        return [self.name, *shown, f"{self.largest / 1000:,.0f}", "reached" if self.p95 < GOAL else "MISSED"]


def views(exchanges: int, seed: int = 1) -> list[View]:
    """Return every view of the page, and each filter of its lists that a record can make slow."""
    chance = random.Random(seed)
    places = [chance.randrange(exchanges) for _ in range(1000)]

    def a_call(turn: int) -> str:
        return f"exchanges/pb-{places[turn % len(places)]:022d}"

    def deep(turn: int) -> str:
        return f"history?before={places[turn % len(places)] + 2}"

    told = [View(name, lambda _turn, path=path: path) for name, path in _FIXED.items()]  # type: ignore[misc]  # a default
    return [*told, View("history, far back", deep), View("one call", a_call), View("a call again", _again(a_call))]


def _again(call: Callable[[int], str]) -> Callable[[int], str]:
    return lambda turn: f"{call(turn)}/request?model=other"


def measure(port: int, view: View, times: int) -> Figure:
    """Ask for a view so often, one after another. Raises WayFailed for any answer that is none."""
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    spans, largest = [], 0
    try:
        for turn in range(times):
            path = _API + view.path(turn)
            began = time.perf_counter()
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
            spans.append(1000 * (time.perf_counter() - began))
            largest = max(largest, len(body))
            if response.status != 200:
                raise WayFailed(f"{path} was answered with status {response.status}: {body[:300]!r}")
            json.loads(body)
    except (OSError, http.client.HTTPException) as error:
        raise WayFailed(f"{view.name}: {error}") from error
    finally:
        connection.close()
    return Figure(view.name, spans, largest)


def run(exchanges: int, times: int, kept: Path | None, tell: Callable[[Figure], None]) -> None:
    """Make the record (or take the one that was ``kept``), serve it, and measure each view. Raises WayFailed."""
    with ground_with_upstream() as given:
        ground = LastingGround(given.folder, given.upstream, Cores(None, None, None))
        ground.registry.write_text(_KEPT_FOR_EVER)
        _prepare(ground.database(0), exchanges, kept)
        running = start(SERVE, ground)
        assert running.process is not None
        with running.process:
            for view in views(exchanges):
                tell(measure(running.port, view, times))


def _prepare(path: Path, exchanges: int, kept: Path | None) -> None:
    if kept is None or not kept.exists():
        make_past(path, exchanges, time.time(), lambda done: _tell_progress(done, exchanges))
        if kept is not None:
            shutil.copyfile(path, kept)
    else:
        shutil.copyfile(kept, path)
    click.echo(f"the record: {exchanges:,} calls, {path.stat().st_size / 1e6:,.0f} MB\n")


def _tell_progress(done: int, exchanges: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{done:,} of {exchanges:,} calls written", err=True, nl=done == exchanges)


@click.command("page", short_help="Each view of the page over a record of a million calls.")
@click.option("--exchanges", type=click.IntRange(100), default=1_000_000, show_default=True, help="Calls on record.")
@click.option("--times", type=click.IntRange(1), default=60, show_default=True, help="Each view is asked for so often.")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep the record in this file, for the next time.")
def command(exchanges: int, times: int, keep: Path | None) -> None:
    """Make a record, serve it, and ask for each view of the page as a browser does.

    Ends with 1 if the 95th percentile of one is 100 ms or more.
    """
    click.echo("\n".join([*(f"{name}: {value}" for name, value in machine.facts().items()), ""]))
    found: list[Figure] = []
    try:
        run(exchanges, times, keep, found.append)
    except WayFailed as error:
        raise click.ClickException(str(error)) from error
    header = ["", "p50 ms", "p95 ms", "worst", "kB", f"p95 < {GOAL:g} ms"]
    click.echo("\n".join(align([header, *(figure.row() for figure in found)])))
    sys.exit(0 if all(figure.p95 < GOAL for figure in found) else 1)
