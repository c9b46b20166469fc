"""Asks the providers what the commands tell: how each one is, and which models there are."""

import asyncio
import dataclasses
from dataclasses import dataclass

from providers.catalog import Catalog, ModelEntry
from providers.client import Client
from providers.provider import LOCAL
from providers.registry import Registry


@dataclass(frozen=True, slots=True)
class Findings:
    """What the providers said: provider → state (`ready`, or why not), and the merged list of models."""

    states: dict[str, str]
    models: list[ModelEntry]


async def ask_all(registry: Registry) -> Findings:
    """Ask every provider for its state and its models, all at the same time; takes at most about five seconds."""
    client = Client()
    catalog = Catalog(lambda: registry, client)
    states, models = await asyncio.gather(client.probe_all(registry.providers.values()), catalog.models())
    return Findings({name: str(state) for name, state in states.items()}, models)


async def ask_local(registry: Registry) -> tuple[frozenset[str], str]:
    """Ask only the local server for its ids; with why it could not be asked ("" if it could)."""
    alone = dataclasses.replace(registry, providers={LOCAL: registry.local})
    catalog = Catalog(lambda: alone, Client())
    await catalog.refresh()
    return catalog.local_ids(), catalog.errors().get(LOCAL, "")
