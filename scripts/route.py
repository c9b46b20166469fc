"""`patchbay route NAME`: where a request with this model name goes, and why."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import click

from providers.provider import LOCAL
from providers.registry import Route
from scripts.configuration import REGISTRY_OPTION, Choices
from scripts.inquiry import ask_local


@click.command("route", short_help="Tell where a model name goes, and why.")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@REGISTRY_OPTION
def command(names: tuple[str, ...], registry_file: Path | None) -> None:
    """Tell which rule matches each model NAME and why, without calling it. An empty NAME ('') is a missing model.

    The local server is asked for the ids it lists, since they come before prefixes and patterns.
    """
    registry = Choices(registry_file=registry_file).load_or_refuse()
    listed, problem = asyncio.run(ask_local(registry))
    states = {LOCAL: f"unreachable: {problem}"} if problem else {}
    for name in names:
        for line in route_lines(registry.resolve(name or None, listed), name, states):
            click.echo(line)
        click.echo()
    if problem:
        click.echo(f"The local server cannot be asked for its ids ({problem}); a name that it lists, it answers.")


def route_lines(route: Route, name: str, states: Mapping[str, str]) -> Iterator[str]:
    """Yield the answer for one name; ``states`` says more of a provider than its configuration does."""
    yield name or "(no model)"
    yield f"  rule       {route.rule}"
    yield f"  why        {route.reason}"
    for target in route.targets:
        provider, deadlines = target.provider, target.deadlines
        yield f"  provider   {provider.name} ({provider.kind}), {provider.base_url or 'built in'}"
        yield f"  state      {provider.problem or states.get(provider.name, 'ready')}"
        yield f"  model sent {target.model or name or '(none)'}"
        for key, value in target.params.items():
            yield f"  params     {key} = {json.dumps(value, ensure_ascii=False)}"
        spans = ", ".join(f"{key.replace('_', ' ')} {value:g} s" for key, value in asdict(deadlines).items())
        yield f"  deadlines  {spans}"
