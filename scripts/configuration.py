"""The configuration as the commands load it: what the command line says wins, and a wrong one ends the command."""

import dataclasses
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from providers import registry
from providers.errors import ConfigurationError
from providers.registry import Registry

REGISTRY_OPTION = click.option(
    "--registry",
    "registry_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The registry file, instead of PATCHBAY_REGISTRY or registry.yaml.",
)


class Refusal(click.ClickException):
    """The command cannot be carried out as it was asked: the text says why, the exit code is 2."""

    exit_code = 2

    def show(self, file: object = None) -> None:
        """Print the text as it is on standard error."""
        click.echo(f"patchbay: {self.message}", file=sys.stderr)


@dataclass(frozen=True)
class Choices:
    """What the command line says about the configuration (None: nothing)."""

    registry_file: Path | None = None
    listen: tuple[str, int] | None = None
    database: Path | None = None
    local_base_url: str | None = None

    def load(self) -> Registry:
        """Load the configuration of the working folder; raises ConfigurationError."""
        loaded = registry.load(
            os.environ,
            Path.cwd(),
            registry_file=self.registry_file,
            local_base_url=self.local_base_url,
            listen=self.listen,
        )
        return dataclasses.replace(loaded, database=Path.cwd() / self.database) if self.database else loaded

    def load_or_refuse(self) -> Registry:
        """Load the configuration, or end the command with all that is wrong with it."""
        try:
            return self.load()
        except ConfigurationError as error:
            raise Refusal(f"the configuration is not usable:\n{error}") from error
