import json
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from providers.version import version
from scripts.cli import COMMANDS, RECORD_READERS, cli, recorded_in
from tests.scripts.conftest import Run

ROOT = Path(__file__).resolve().parents[2]


def test_version_is_the_projects(run: Run) -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert version() == declared
    assert run("--version").output == f"patchbay {declared}\n"


def test_help_lists_every_command(run: Run) -> None:
    for flag in ("-h", "--help"):
        shown = run(flag)
        assert shown.exit_code == 0
        assert all(f"\n  {name} " in shown.output for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_called_as_in_the_table(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.name == name


def test_an_unknown_command_is_told(run: Run) -> None:
    result = run("serv")
    assert result.exit_code == 2
    assert "No such command 'serv'" in result.output


@pytest.mark.parametrize("arguments", [["route", "x"], ["check"], ["models"], ["serve", "--listen", "0.0.0.0:0"]])
@pytest.mark.usefixtures("folder")
def test_what_needs_no_proxy_imports_none(arguments: list[str]) -> None:
    program = "import sys; from scripts.cli import cli\n"
    program += "try: cli(sys.argv[1:])\nexcept SystemExit: pass\n"
    program += "print(sorted(name for name in sys.modules if name == 'mitmproxy'))"
    result = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.endswith("[]\n")


def test_readers_of_the_record_look_where_serve_writes(folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "registry.yaml").write_text("settings: {db: elsewhere/calls.db}\n")
    assert recorded_in() == folder / "elsewhere" / "calls.db"
    for name in RECORD_READERS:
        arguments = {"show": ["x"], "forget": ["x"], "export": ["--jsonl"]}.get(name, [])
        asked = run(name, *arguments)
        assert "elsewhere/calls.db" in asked.output
    monkeypatch.setenv("PATCHBAY_DB", "from-the-environment.db")
    assert "from-the-environment.db" in run("log").output
    assert "named.db" in run("log", "--db", "named.db").output


def test_a_broken_configuration_does_not_hide_the_record(folder: Path) -> None:
    (folder / "registry.yaml").write_text("nonsense: 1\n")
    assert recorded_in() == Path("patchbay.db")


def test_a_reader_that_goes_away_is_no_traceback(folder: Path) -> None:
    # `patchbay models --json | head -1`: 2,000 models are more than a pipe holds.
    listed = json.dumps([f"model-{number}" for number in range(5000)])
    (folder / "registry.yaml").write_text(
        "providers:\n  local: {kind: llamacpp, base_url: http://127.0.0.1:9}\n"
        f"  big: {{kind: compatible, base_url: http://127.0.0.1:9/v1, models: {listed}}}\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts.cli", "models", "--json"],
        env={"PYTHONPATH": str(ROOT), "PATCHBAY_REGISTRY": str(folder / "registry.yaml")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout as out, process.stderr as err:
        assert out.readline()
        out.close()
        assert b"Traceback" not in err.read()
    assert process.wait(10) == 1
