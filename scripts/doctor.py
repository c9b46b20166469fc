"""`patchbay doctor`: everything that serving needs, looked at in one go, with what to do where it is wrong."""

import asyncio
import dataclasses
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from providers.client import Client
from providers.errors import ConfigurationError
from providers.registry import Registry
from providers.support import Finding, findings
from scripts.configuration import REGISTRY_OPTION, Choices
from scripts.doctor_machine import descriptors, listen_address, record
from scripts.doctor_providers import ask_providers, routes
from scripts.impatient import run


@click.command("doctor", short_help="Check everything that serving needs.")
@click.option("--json", "as_json", is_flag=True, help="The findings as JSON.")
@REGISTRY_OPTION
@click.pass_context
def command(ctx: click.Context, as_json: bool, registry_file: Path | None) -> None:
    """Check everything that serving needs: versions, configuration, keys, providers, the record, the port.

    Each line is ok, a warning or wrong, and says what to do. Providers are asked what costs nothing, for two seconds at
    most. Exit code 1 if something is wrong.
    """
    found = examine(Choices(registry_file=registry_file))
    healthy = all(one.level != "wrong" for one in found)
    if as_json:
        told = {"ok": healthy, "findings": [dataclasses.asdict(one) for one in found]}
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        for line in lines(found):
            click.echo(line)
    ctx.exit(0 if healthy else 1)


def lines(found: Sequence[Finding]) -> Iterator[str]:
    """Yield the findings as aligned lines, and how many of which kind there were."""
    width = max(len(one.about) for one in found)
    for one in found:
        advice = f". {one.advice}" if one.advice else ""
        yield f"{one.level:<8} {one.about:<{width}}  {one.said}{advice}"
    counts = Counter(one.level for one in found)
    yield f"{counts['ok']} ok, {counts['warning']} to look at, {counts['wrong']} wrong"


def examine(choices: Choices) -> list[Finding]:
    """Look at everything. Without a usable configuration nobody knows whom to ask."""
    machine = [*findings(), descriptors()]
    try:
        registry = choices.load()
    except ConfigurationError as error:
        broken = [Finding("configuration", "wrong", str(problem)) for problem in error.problems]
        return [*machine, *broken]
    return [*machine, *configuration(registry), *run(_asked(registry)), record(registry.database)]


def configuration(registry: Registry) -> Iterator[Finding]:
    """Yield what `patchbay check` finds, and which models nobody can answer."""
    yield Finding("configuration", "ok", f"{registry.file or 'the environment alone'} can be used")
    off = [f"provider {provider.name!r} has no key" for provider in registry.providers.values() if provider.problem]
    for notice in registry.notices:
        if not notice.startswith(tuple(off)):  # told with the provider
            yield Finding("configuration", "warning", notice)
    yield from routes(registry)


async def _asked(registry: Registry) -> list[Finding]:
    client = Client()
    address, providers = await asyncio.gather(listen_address(registry, client), ask_providers(registry, client))
    return [*providers, address]
