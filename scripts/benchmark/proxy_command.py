"""`scripts/bench proxy`: what a way to llama-server costs, for four ways side by side."""

import dataclasses
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from addons.process.file_limit import raise_file_limit
from scripts.benchmark import machine
from scripts.benchmark.figures import NAMES, QUICK, SOAK, Sizes
from scripts.benchmark.report import as_json
from scripts.benchmark.rounds import Results, Wish, run
from scripts.benchmark.table import render
from scripts.benchmark.ways import WAYS, WayFailed


def names_of(allowed: Sequence[str]) -> Callable[[click.Context, click.Parameter, str | None], tuple[str, ...]]:
    """A callback that takes a list of names apart; they come out in their own order, and without a list all do."""

    def take_apart(_ctx: click.Context, _option: click.Parameter, text: str | None) -> tuple[str, ...]:
        asked = [name.strip() for name in text.split(",")] if text is not None else allowed
        for name in asked:
            if name not in allowed:
                raise click.BadParameter(f"{name!r} is none of {', '.join(allowed)}")
        return tuple(name for name in allowed if name in asked)

    return take_apart


@click.command("proxy", short_help="Four ways to a llama-server, side by side.")
@click.option("--quick", is_flag=True, help="Less of everything, and no soak: about a minute.")
@click.option("--only", metavar="NAME,…", callback=names_of(NAMES), help=f"These alone: {', '.join(NAMES)}.")
@click.option("--ways", metavar="WAY,…", callback=names_of(tuple(WAYS)), help=f"These alone: {', '.join(WAYS)}.")
@click.option("--rounds", type=click.IntRange(1, 100), help="How often each figure is measured.")
@click.option("--soak", type=click.IntRange(0), metavar="N", help="Requests of the soak; 0: none. [100000; --quick: 0]")
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write every sample here.")
def command(
    quick: bool,
    only: tuple[str, ...],
    ways: tuple[str, ...],
    rounds: int | None,
    soak: int | None,
    json_file: Path | None,
) -> None:
    """Compare direct calls, bare mitmdump, mitmdump with our addons, and `scripts/serve`, on this machine.

    Ends with 1 if an answer was wrong or missing, whatever the numbers are.
    """
    sizes = _sizes(quick, rounds, soak, asked_for=only == (SOAK,))
    raise_file_limit()
    facts = {**machine.facts(), "pinning": machine.share_out().told}
    click.echo("\n".join([*(f"{name}: {value}" for name, value in facts.items()), ""]))
    began = time.monotonic()
    results, failure = Results(), ""
    try:
        run(Wish(ways, only, sizes, tell), results)
    except WayFailed as error:
        failure = str(error)
    tell("")
    click.echo("\n".join(render(results, ways, sizes)))
    click.echo(f"took {time.monotonic() - began:.0f} s")
    if json_file is not None:
        json_file.write_text(json.dumps(as_json(results, ways, sizes, facts), indent=1) + "\n")
    if failure:
        raise click.ClickException(f"what is above is all that was measured: {failure}")
    sys.exit(1 if any(results.errors(way) for way in ways) else 0)


def _sizes(quick: bool, rounds: int | None, soak: int | None, *, asked_for: bool) -> Sizes:
    """The sizes of the run; ``asked_for``: the soak is all that is wanted."""
    sizes = QUICK if quick else Sizes()
    if rounds is not None:
        sizes = dataclasses.replace(sizes, rounds=rounds, burst_rounds=min(rounds, sizes.burst_rounds))
    if asked_for:
        sizes = dataclasses.replace(sizes, rounds=0, soak_requests=Sizes().soak_requests)
    return dataclasses.replace(sizes, soak_requests=soak) if soak is not None else sizes


def tell(what: str) -> None:
    """Show what is going on, on a terminal alone."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{what}", err=True, nl=False)
