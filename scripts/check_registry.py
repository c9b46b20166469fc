"""`patchbay check`: says whether the configuration is valid, and what it means."""

from pathlib import Path

import click

from scripts.configuration import REGISTRY_OPTION, Choices


@click.command("check", short_help="Check the configuration and explain it.")
@REGISTRY_OPTION
def command(registry_file: Path | None) -> None:
    """Check the configuration and explain it: providers, routes, settings, and where each comes from.

    Exit code 2, with everything that is wrong, if it is not valid. No provider is asked.
    """
    for line in Choices(registry_file=registry_file).load_or_refuse().explain():
        click.echo(line)
    click.echo("the configuration is valid")
