"""`patchbay serve`: checks what can be checked before a port is opened, brings the engine, runs the proxy."""

import asyncio
import contextlib
import socket
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from errno import EACCES, EADDRINUSE, EADDRNOTAVAIL
from pathlib import Path

import click

from addons.process.file_limit import raise_file_limit
from providers.addresses import is_loopback, parse_listen
from providers.registry import Registry, Watcher
from providers.support import Unsupported, check_start
from scripts import banner
from scripts.configuration import REGISTRY_OPTION, Choices, Refusal
from scripts.engine import Engine, EngineError
from scripts.inquiry import ask_all

WEB_PORT = 8081  # mitmweb's own
WHY_NOT = {
    EADDRINUSE: "is in use (another Patchbay?); {option} takes another one",
    EACCES: "may not be opened by this user; ports from 1024 up may",
    EADDRNOTAVAIL: "is not an address of this machine",
}


def listen_value(_ctx: click.Context, _option: click.Parameter, text: str | None) -> tuple[str, int] | None:
    """Take HOST:PORT apart."""
    try:
        return parse_listen(text) if text is not None else None
    except ValueError as error:
        raise click.BadParameter(f"{text!r} {error}") from error


def option_values(_ctx: click.Context, _option: click.Parameter, texts: Sequence[str]) -> dict[str, str]:
    """Take each NAME=VALUE apart; the last one of a name wins."""
    for text in texts:
        if not text.partition("=")[0] or "=" not in text:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE")
    return {name: value for name, _, value in (text.partition("=") for text in texts)}


@dataclass(frozen=True)
class Wishes:
    """What the proxy is to be run with, beside the registry; ``web_port`` is None without mitmweb."""

    web_port: int | None
    verbose: bool
    options: Mapping[str, str]


@click.command("serve", short_help="Serve, until Ctrl-C.")
@click.option("--listen", metavar="HOST:PORT", callback=listen_value, help="Where clients connect. [127.0.0.1:8088]")
@click.option("--web", is_flag=True, help="Show the traffic in mitmweb, on loopback.")
@click.option("--web-port", type=click.IntRange(1, 65535), metavar="PORT", help=f"mitmweb's port. [{WEB_PORT}]")
@click.option("--model", type=click.Path(path_type=Path), metavar="FILE.gguf", help="Start llama.cpp with this model.")
@click.option("--ctx-size", type=click.IntRange(0), metavar="TOKENS", help="Its context. [the model's own]")
@click.option("--db", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Where calls are recorded.")
@REGISTRY_OPTION
@click.option("-v", "--verbose", is_flag=True, help="Log more: each connection, and what the engine prints.")
@click.option("--set", "options", multiple=True, metavar="NAME=VALUE", callback=option_values, help="mitmproxy option.")
def command(
    listen: tuple[str, int] | None,
    web: bool,
    web_port: int | None,
    model: Path | None,
    ctx_size: int | None,
    db: Path | None,
    registry_file: Path | None,
    verbose: bool,
    options: Mapping[str, str],
) -> None:
    """Serve: one endpoint in front of llama-server and every other provider. Ctrl-C ends it.

    Exit code 2, and no port opened, when the configuration or an option cannot be used.
    """
    if ctx_size is not None and model is None:
        raise click.UsageError("--ctx-size is about the engine, which --model FILE.gguf starts")
    refuse_unsupported()
    wishes = Wishes((web_port or WEB_PORT) if web or web_port else None, verbose, options)
    try:
        engine = Engine(model, ctx_size or 0, say=say, log=say if verbose else lambda _line: None) if model else None
        choices = Choices(registry_file, listen, db, engine.base_url if engine else None)
        registry = choices.load_or_refuse()
        refuse_unfit(registry, wishes)
        raise_file_limit()  # the engine gets as many
        with engine or contextlib.nullcontext():
            sys.exit(run_proxy(choices, registry, wishes))
    except EngineError as error:
        raise Refusal(str(error)) from error


def say(line: str) -> None:
    """Print one line for people, beside the log."""
    click.echo(f"patchbay: {line}", err=True)


def refuse_unsupported() -> None:
    """Raise Refusal where Patchbay cannot run with what is installed; tell what it was never tried with."""
    try:
        for warning in check_start():
            say(warning)
    except Unsupported as error:
        raise Refusal(f"cannot run with what is installed:\n{error}") from error


def refuse_unfit(registry: Registry, wishes: Wishes) -> None:
    """Raise Refusal for what can be seen before anything is started."""
    refuse_remote(registry)
    refuse_unwritable(registry.database)
    refuse_taken(registry.listen, "--listen HOST:PORT")
    if wishes.web_port is not None:
        refuse_taken(("127.0.0.1", wishes.web_port), "--web-port PORT")


def refuse_remote(registry: Registry) -> None:
    """An endpoint that holds keys is not opened to the network by a slip."""
    host = registry.listen[0]
    if not (is_loopback(host) or registry.settings.allow_remote):
        raise Refusal(
            f"{host} is not a loopback address: whoever reaches it could use your keys. "
            "Set PATCHBAY_ALLOW_REMOTE=1 if that is meant."
        )


def refuse_unwritable(database: Path) -> None:
    """A record that can never be written is told before calls are made that would be missing in it."""
    try:
        # Tried, not asked for: permissions say nothing of a file system that takes no files.
        with database.open("r+b") if database.exists() else tempfile.TemporaryFile(dir=database.parent):
            pass
    except OSError as error:
        raise Refusal(
            f"the record {database} cannot be written: {error.strerror}; --db FILE takes another place"
        ) from error


def refuse_taken(address: tuple[str, int], option: str) -> None:
    """Try the port; port 0 is always free. ``option`` is what would choose another one."""
    host, port = address
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, place in found[:1]:
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(place)
    except (OSError, UnicodeError) as error:  # UnicodeError: what no host name can be
        number = error.errno if isinstance(error, OSError) else None
        reason = WHY_NOT.get(number or 0, f"cannot be listened on: {error}")
        raise Refusal(f"{host}:{port} {reason.format(option=option)}") from error


def run_proxy(choices: Choices, registry: Registry, wishes: Wishes) -> int:
    """Run until SIGINT or SIGTERM; returns the exit code."""
    from addons import master  # imports mitmproxy: only now, so that refusals come at once

    return asyncio.run(
        master.run(
            Watcher(choices.load, registry),
            web=wishes.web_port is not None,
            web_port=wishes.web_port,
            verbose=wishes.verbose,
            options=wishes.options,
            on_ready=Announcer(registry),
        )
    )


class Announcer:
    """Prints the banner: the address as soon as it is open, the rest when the providers have been asked."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._task: asyncio.Task[None] | None = None

    def __call__(self, addresses: list[tuple[str, int]], web: str | None = None) -> None:
        """Be told where we listen, within the event loop; asking the providers goes on beside serving."""
        facts = banner.Facts(addresses, {}, (), self._registry.database, web, self._registry.notices)
        show(banner.address_lines(facts))
        self._task = asyncio.get_running_loop().create_task(self._tell_rest(facts))

    async def _tell_rest(self, facts: banner.Facts) -> None:
        findings = await ask_all(self._registry)
        whole = banner.Facts(
            facts.addresses, findings.states, findings.models, facts.database, facts.web, facts.notices
        )
        show([*banner.provider_lines(whole), *banner.usage_lines(whole)])


def show(lines: Sequence[str]) -> None:
    """Print to standard output; a reader who went away (`| head`) does not end the service."""
    with contextlib.suppress(BrokenPipeError):
        click.echo("\n".join(lines))
