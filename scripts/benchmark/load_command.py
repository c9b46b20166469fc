"""`scripts/bench load`: what must hold under too much load, beside slow and broken providers, and with slow clients."""

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

import click

from addons.process.file_limit import raise_file_limit
from scripts.benchmark import machine
from scripts.benchmark.load.findings import Finding, render
from scripts.benchmark.load.scenarios import SCENARIOS
from scripts.benchmark.load.stand import run
from scripts.benchmark.proxy_command import names_of, tell
from scripts.benchmark.ways import WayFailed


@click.command("load", short_help="Overload, retry storms, slow neighbours and readers: are the bars kept?")
@click.option("--quick", is_flag=True, help="Smaller and shorter: about a minute and a half.")
@click.option(
    "--only", metavar="NAME,…", callback=names_of(tuple(SCENARIOS)), help=f"These alone: {', '.join(SCENARIOS)}."
)
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write every finding here.")
def command(quick: bool, only: tuple[str, ...], json_file: Path | None) -> None:
    """Put `scripts/serve` under load, on this machine, and set what is found beside the bars that must be kept.

    Ends with 1 if one is missed. Times are noisy on a machine that does something else; counts are not.
    """
    raise_file_limit()
    facts = {**machine.facts(), "pinning": machine.share_out().told}
    click.echo("\n".join([*(f"{name}: {value}" for name, value in facts.items()), ""]))
    began, findings, failure = time.monotonic(), list[Finding](), ""
    for name in only:
        full, small = SCENARIOS[name]
        tell(f"{name} …")
        try:
            findings += run(small() if quick else full())
        except WayFailed as error:
            failure = f"{name}: {error}"
            break
    tell("")
    click.echo("\n".join([*render(findings), "", f"took {time.monotonic() - began:.0f} s"]))
    if json_file is not None:
        json_file.write_text(json.dumps({"machine": facts, "findings": [*map(asdict, findings)]}, indent=1) + "\n")
    if failure:
        raise click.ClickException(f"what is above is all that was found: {failure}")
    sys.exit(0 if all(one.reached is not False for one in findings) else 1)
