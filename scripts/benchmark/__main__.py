"""`scripts/bench`: each benchmark is a subcommand; without the name of one, `proxy` is meant."""

import importlib

import click

# name → the module that holds it as `command`
COMMANDS = {
    "proxy": "scripts.benchmark.proxy_command",
    "translate": "scripts.benchmark.translate_command",
    "kill": "scripts.benchmark.kill_command",
    "load": "scripts.benchmark.load_command",
    "page": "scripts.benchmark.page_command",
}
DEFAULT = "proxy"


class Benchmarks(click.Group):
    """A group with a default command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command; None for a name that is none (click then says so)."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name]).command
        assert isinstance(command, click.Command)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command in front of bare options."""
        if not args or (args[0].startswith("-") and args[0] not in ("-h", "--help")):
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


@click.group(cls=Benchmarks, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def bench() -> None:
    """Measure Patchbay. Without a command, options are those of `proxy`."""


if __name__ == "__main__":
    bench(prog_name="scripts/bench")
