"""`scripts/bench kill`: kills `scripts/serve` again and again under load, and looks whether the record has survived."""

import random
import sqlite3
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import click

from addons.process.file_limit import raise_file_limit
from scripts.benchmark import machine
from scripts.benchmark.crash import Crash, Finding, LastingGround, Pressure, examine, live_and_die, start_again
from scripts.benchmark.evidence import Evidence
from scripts.benchmark.machine import Cores
from scripts.benchmark.rounds import ground_with_upstream
from scripts.benchmark.summary import quantile
from scripts.benchmark.ways import WayFailed

_WHOLE_EVERY = 10  # kills between two checks of the whole file, which take longer as it grows
_SHORTEST, _LONGEST = 0.05, 0.5  # seconds of load before a kill
_TOLD_EVERY = 20  # kills between two lines where there is no terminal


@dataclass(frozen=True, slots=True)
class Wish:
    """How much: ``callers`` ask without a pause, ``streams`` are open at every kill; ``seed`` repeats a run's times."""

    kills: int
    callers: int
    streams: int
    seed: int


@dataclass
class Results:
    """What was found: a crash and a finding for each kill, and what is wrong in the end with all that was seen."""

    crashes: list[Crash] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    lost_in_the_end: int = 0

    @property
    def good(self) -> bool:
        """Whether the record has survived."""
        return not self.lost_in_the_end and not any(finding.bad for finding in self.findings)


def run(wish: Wish, results: Results) -> None:
    """Kill into ``results``; raises WayFailed when a process cannot be started or ends by itself."""
    chance = random.Random(wish.seed)
    with ground_with_upstream() as given:
        ground = LastingGround(given.folder, given.upstream, Cores(None, None, None))
        evidence = Evidence(ground.database(0))
        for number in range(wish.kills + 1):
            running = start_again(ground, evidence)
            assert running.process is not None
            with running.process:
                if number:
                    whole = number % _WHOLE_EVERY == 0 or number == wish.kills
                    results.findings.append(examine(results.crashes[-1], evidence, whole=whole))
                    _tell(number, wish.kills, results)
                if number < wish.kills:
                    pressure = Pressure(wish.callers, wish.streams, chance.uniform(_SHORTEST, _LONGEST))
                    results.crashes.append(live_and_die(running, evidence, pressure))
        at_last = evidence.rows(0)
        results.lost_in_the_end = sum(key not in at_last for one in results.crashes for key in one.acknowledged)


def _tell(number: int, kills: int, results: Results) -> None:
    """Say how far it is: one line that changes on a terminal, one now and then elsewhere."""
    acknowledged = sum(finding.acknowledged for finding in results.findings)
    lost = sum(finding.lost for finding in results.findings)
    line = f"kill {number} of {kills}: {acknowledged:,} calls acknowledged, {lost} lost"
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{line}", err=True, nl=number == kills)
    elif number % _TOLD_EVERY == 0 or number == kills:
        click.echo(line, err=True)


def render(results: Results) -> list[str]:
    """The table, a line for each fact."""
    crashes, findings = results.crashes, results.findings
    if not findings:
        return ["nothing was killed"]
    total = {name: sum(getattr(one, name) for one in findings) for name in _SUMS}
    complaints = [finding.complaint for finding in findings if finding.complaint]
    rows = [
        ("kills", f"{len(findings)}, {sum(1 for crash in crashes if crash.journal)} left a journal to be recovered"),
        ("acknowledged (another process had read them)", f"{total['acknowledged']:,}"),
        ("  lost", f"{total['lost']}, {results.lost_in_the_end} when all was over"),
        ("  altered after their end", str(total["altered"])),
        ("torn: a call without its attempts or its words", str(total["torn"])),
        ("left open by an earlier process", str(total["unsettled"])),
        ("settled as aborted_by_crash", f"{total['aborted']:,}, {_span([one.aborted for one in findings])} a kill"),
        (
            "answered, but not yet written",
            f"{total['unwritten']:,}, {_span([one.unwritten for one in findings])} a kill",
        ),
        ("files found damaged and moved aside", str(findings[-1].set_aside)),
        ("integrity", "ok" if not complaints else f"{len(complaints)} × NOT ok: {complaints[0]}"),
        ("from start to first answer, ms", _span([1000 * crash.began for crash in crashes])),
    ]
    width = max(len(title) for title, _ in rows)
    verdict = f"The record has survived {len(findings)} kills." if results.good else "THE RECORD HAS NOT SURVIVED."
    return [*(f"{title:<{width}}  {told}" for title, told in rows), "", verdict]


_SUMS = ("acknowledged", "lost", "altered", "torn", "unsettled", "aborted", "unwritten")


def _span(values: Sequence[float]) -> str:
    return f"median {quantile(values, 0.5):,.0f} [{min(values):,.0f}, {max(values):,.0f}]"


@click.command("kill", short_help="SIGKILL under load, again and again: is the record whole?")
@click.option("--kills", type=click.IntRange(1, 10_000), default=200, show_default=True, help="How often.")
@click.option("--callers", type=click.IntRange(1, 1000), default=16, show_default=True, help="Who ask without a pause.")
@click.option("--streams", type=click.IntRange(0, 1000), default=100, show_default=True, help="Open at every kill.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another one kills at other moments.")
def command(kills: int, callers: int, streams: int, seed: int) -> None:
    """Kill `scripts/serve` under load, start it on the same file, and look for what is missing.

    A call is acknowledged once another process has read its row: it must be there after the kill, unchanged if it had
    ended. Ends with 1 if one is not, or the file is damaged, or a process does not start.
    """
    raise_file_limit()
    click.echo("\n".join([*(f"{name}: {value}" for name, value in machine.facts().items()), ""]))
    began, results, failure = time.monotonic(), Results(), ""
    try:
        run(Wish(kills, callers, streams, seed), results)
    except WayFailed as error:
        failure = str(error)
    except sqlite3.Error as error:
        failure = f"the record cannot be read: {error}"
    click.echo("\n".join([*render(results), f"took {time.monotonic() - began:.0f} s"]))
    if failure:
        raise click.ClickException(f"what is above is all that was found: {failure}")
    sys.exit(0 if results.good else 1)
