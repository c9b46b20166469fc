"""Every command and option stands in the README, and every command line in the documents is understood."""

import asyncio
import itertools
import re
import shlex
from argparse import ArgumentParser
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest
from mitmproxy.options import Options
from mitmproxy.tools import cmdline
from mitmproxy.tools.dump import DumpMaster
from mitmproxy.tools.web.master import WebMaster

from addons.options import OPTIONS
from providers.model_entry import ModelEntry
from scripts.banner import Facts, lines
from scripts.benchmark.__main__ import COMMANDS as BENCHMARKS
from scripts.benchmark.__main__ import DEFAULT
from scripts.benchmark.__main__ import bench as benchmarks
from scripts.benchmark.proxy_command import command as bench
from scripts.cli import COMMANDS, cli
from tests.documents import DOCS, ROOT, bare, fences, section, table, text_of


def command_of(name: str) -> click.Command:
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_stands_in_the_table_with_its_options_and_no_others(name: str) -> None:
    row = next(row for row in table("command", "what it does") if bare(row[0]).split()[:2] == ["patchbay", name])
    told = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", row[2]))
    options = [one for one in command_of(name).params if isinstance(one, click.Option)]
    assert told == {flag for option in options for flag in option.opts}
    arguments = [one for one in command_of(name).params if isinstance(one, click.Argument)]
    assert len(bare(row[0]).split()) == 2 + len(arguments)


def test_the_table_lists_no_other_command() -> None:
    assert [bare(row[0]).split()[1] for row in table("command", "what it does")] == [*COMMANDS]


def test_the_options_of_every_command_and_of_the_group_are_told() -> None:
    for flag in ("--help", "-h", "--version"):
        assert f"{flag}`" in section("Commands")
    for option in (one for one in bench.params if isinstance(one, click.Option)):
        assert option.opts[0] in section("Performance"), option.opts


def shell_lines(text: str) -> Iterator[list[str]]:
    """Each command of the text as words: those of `sh` blocks, and spans of code that begin like one of ours."""
    for block in fences(text, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            while words and re.match(r"[A-Z_]+=", words[0]):
                del words[0]
            if words:
                yield words
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    for span in re.findall(r"`((?:patchbay|mitmdump|mitmweb|(?:\./)?scripts/\w+) [^`]+)`", prose):
        yield shlex.split(span)


WHOLE_LINES = sorted({tuple(words) for name in DOCS for words in shell_lines(text_of(name))})


def parse(command: click.Command, words: list[str]) -> None:
    """Parse as click does when the command is called; nothing is run."""
    try:
        context = command.make_context(command.name, [*words])
    except click.exceptions.Exit:  # --help and --version end here, well; what is wrong is another exception
        return
    if isinstance(command, click.Group):
        inner = command.get_command(context, words[0])
        assert inner is not None, words
        parse(inner, words[1:])


@cache
def mitmproxys(tool: str) -> tuple[ArgumentParser, frozenset[str]]:
    """The parser of mitmdump or mitmweb, and the names of all options that it knows."""

    async def make() -> tuple[ArgumentParser, frozenset[str]]:
        options = Options()
        if tool == "mitmweb":
            WebMaster(options, with_termlog=False)
        else:
            DumpMaster(options, with_termlog=False, with_dumper=False)
        made = cmdline.mitmweb(options) if tool == "mitmweb" else cmdline.mitmdump(options)
        return made, frozenset(options.keys())

    return asyncio.run(make())


def assert_options_exist(tool: str, settings: list[str]) -> None:
    known = mitmproxys(tool)[1] | {option.name for option in OPTIONS}
    assert {setting.partition("=")[0] for setting in settings} <= known


@pytest.mark.parametrize("words", WHOLE_LINES, ids=" ".join)
def test_every_command_line_is_understood(words: tuple[str, ...]) -> None:
    program, *arguments = words
    script = program.removeprefix("./")
    if script in ("patchbay", "scripts/patchbay"):
        if arguments[0] not in COMMANDS or len(arguments) > 1:  # a name alone is how a text speaks of a command
            parse(cli, arguments)
    elif script == "scripts/serve":
        parse(cli, ["serve", *arguments])
        sets = [after for flag, after in itertools.pairwise(arguments) if flag == "--set"]
        assert_options_exist("mitmweb" if "--web" in arguments else "mitmdump", sets)
    elif script == "scripts/bench":
        parse(benchmarks, arguments if arguments[:1] and arguments[0] in BENCHMARKS else [DEFAULT, *arguments])
    elif program in ("mitmdump", "mitmweb"):
        parsed = mitmproxys(program)[0].parse_args(arguments)
        assert_options_exist(program, parsed.setoptions)
    elif script.startswith("scripts/"):
        assert (ROOT / script).stat().st_mode & 0o100, f"{script} cannot be run"
    else:
        assert program in ("curl", "claude", "ln"), words


def test_the_parser_is_no_rubber_stamp() -> None:
    with pytest.raises(click.UsageError):
        parse(cli, ["log", "--sinse", "12h"])
    with pytest.raises(AssertionError):
        assert_options_exist("mitmdump", ["server_reply=x"])


def test_the_banner_is_the_one_that_serve_prints() -> None:
    counts = {"local": 2, "openai": 84, "demo": 1}
    models = [ModelEntry(f"{name}-{n}", name, "") for name, count in counts.items() for n in range(count)]
    states = dict.fromkeys(("local", "anthropic", "openai", "openrouter", "demo"), "ready")
    states |= {name: f"no key: set {name.upper()}_API_KEY" for name in ("anthropic", "openrouter")}
    facts = Facts([("127.0.0.1", 8088), ("::1", 8088)], states, models, Path("/home/you/patchbay.db"))
    printed = [re.sub(r"(curl \S+ \S+) .*", r"\1 …", line) for line in lines(facts)]
    assert fences(section("What you see"), "text")[0].splitlines() == printed
