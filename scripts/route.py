"""`patchbay route NAME`: where a request with this model name goes, and why."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import click

from providers.provider import LOCAL
from providers.registry import Route, Target
from providers.told import endpoints_told, failures_told, when_told
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
    for number, target in enumerate(route.targets, 1):
        if len(route.targets) > 1:
            yield f"  target {number}"
        yield from _target_lines(target, name, states)


def _target_lines(target: Target, name: str, states: Mapping[str, str]) -> Iterator[str]:
    provider, deadlines = target.provider, target.deadlines
    yield f"  provider   {provider.name} ({provider.kind}), {endpoints_told(provider)}"
    yield f"  state      {provider.problem or states.get(provider.name, 'ready')}"
    yield f"  model sent {target.model or name or '(none)'}"
    if target.when:
        yield f"  only if    {when_told(target)}"
    for key, value in target.params.items():
        yield f"  params     {key} = {json.dumps(value, ensure_ascii=False)}"
    for line in failures_told(target):
        yield f"  failure    {line}"
    spans = ", ".join(f"{key.replace('_', ' ')} {value:g} s" for key, value in asdict(deadlines).items())
    yield f"  deadlines  {spans}"
