"""The `patchbay` command.

Each subcommand's module is imported when it is called for: asking where a model goes must not import a proxy first.
"""

import importlib
from pathlib import Path

import click

from providers.errors import ConfigurationError
from providers.registry import Settings
from providers.version import version
from scripts.configuration import Choices

# name → the module that holds it as `command`
COMMANDS = {
    "serve": "scripts.serve_command",
    "route": "scripts.route",
    "check": "scripts.check_registry",
    "doctor": "scripts.doctor",
    "models": "scripts.models",
    "log": "scripts.log",
    "show": "scripts.show",
    "report": "scripts.report",
    "export": "scripts.export",
    "browse": "scripts.browse",
    "forget": "scripts.forget",
}


RECORD_READERS = ("log", "show", "report", "export", "browse", "forget")


class Commands(click.Group):
    """A group whose commands live in modules of their own, in the order of the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, most used first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command; None for a name that is none (click then says so)."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name]).command
        assert isinstance(command, click.Command)
        return command


def print_version(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    """Print the version and stop, before anything else is looked at."""
    if wanted and not ctx.resilient_parsing:
        click.echo(f"patchbay {version()}")
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=print_version,
    help="Show the version and exit.",
)
@click.pass_context
def cli(ctx: click.Context) -> None:
    """One endpoint in front of llama-server: the `model` field decides who answers."""
    if ctx.invoked_subcommand in RECORD_READERS:
        ctx.default_map = {ctx.invoked_subcommand: {"db": str(recorded_in())}}


def recorded_in() -> Path:
    """The database that `serve` would write here; the default one while the configuration is broken."""
    try:
        return Choices().load().database
    except ConfigurationError:
        return Path(Settings().db)


def main() -> None:
    """The console script: exit code 0, 1 (it failed or was interrupted), 2 (asked or configured wrongly)."""
    cli(prog_name="patchbay")


if __name__ == "__main__":
    main()
