"""`patchbay models`: the merged list of models, as clients get it."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from providers.catalog import ModelEntry, openai_shape
from scripts.configuration import REGISTRY_OPTION, Choices
from scripts.inquiry import ask_all

HEADS = ("MODEL", "PROVIDER", "STATUS", "CONTEXT", "READS")


@click.command("models", short_help="List the models of all providers.")
@click.option("--json", "as_json", is_flag=True, help="The list in OpenAI's shape, as GET /v1/models answers it.")
@REGISTRY_OPTION
def command(as_json: bool, registry_file: Path | None) -> None:
    """List the models of all providers that can be asked, the local server's first; the others are told below."""
    found = asyncio.run(ask_all(Choices(registry_file=registry_file).load_or_refuse()))
    if as_json:
        click.echo(json.dumps(openai_shape(found.models), ensure_ascii=False, indent=2))
    else:
        for line in table(found.models):
            click.echo(line)
    for name, state in found.states.items():
        if state != "ready":
            click.echo(f"{name}: {state}", err=True)


def table(entries: Sequence[ModelEntry]) -> Iterator[str]:
    """Yield the models as aligned columns; what is not known is a dash."""
    rows = [HEADS, *(row(entry) for entry in entries)]
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(HEADS))]
    for cells in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def row(entry: ModelEntry) -> tuple[str, ...]:
    """One model's cells."""
    context = f"{entry.context_length:,}" if entry.context_length else "–"
    return (entry.id, entry.provider, entry.status, context, ", ".join(entry.modalities or ()) or "–")
