"""A start with versions that are not supported: `mitmdump -s` and `serve` end with 2 and say why, before any call."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.rig import BIN, ROOT, ROUTE, clean_environment

CODE = "from addons.process.start_check import make_supported_chain as make; import logging; logging.basicConfig(); {}"


def pretend(folder: Path, name: str, version: str) -> None:
    """Have a package look like another version to who asks which are installed: its metadata, first on the path."""
    metadata = folder / f"{name}-{version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def start(folder: Path, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join((str(folder), str(ROOT)))
    env = clean_environment(folder, {"PYTHONPATH": path, "PATCHBAY_LISTEN": "127.0.0.1:0"})
    return subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize(
    "command",
    [
        [str(BIN / "mitmdump"), "--mode", "reverse:http://127.0.0.1:9", "-p", "0", "-s", str(ROUTE)],
        [sys.executable, "-m", "scripts.cli", "serve"],
    ],
    ids=["mitmdump", "serve"],
)
def test_another_mitmproxy_is_refused(tmp_path: Path, command: Sequence[str]) -> None:
    pretend(tmp_path, "mitmproxy", "13.0.0")
    ended = start(tmp_path, command)
    assert ended.returncode == 2, ended
    said = "patchbay: cannot run with what is installed:\nmitmproxy: 13.0.0 is newer than what is known to work"
    assert said in ended.stderr
    assert "requirements.lock" in ended.stderr
    assert "Traceback" not in ended.stderr + ended.stdout


def test_what_is_merely_new_is_told_and_used(tmp_path: Path) -> None:
    pretend(tmp_path, "httpx", "1.0.0")
    ended = start(tmp_path, [sys.executable, "-c", CODE.format("print(len(make()) > 10)")])
    assert (ended.returncode, ended.stdout) == (0, "True\n"), ended
    assert "httpx: 1.0.0 is newer than what is known to work" in ended.stderr


def test_nothing_of_the_chain_is_loaded_before_the_check(tmp_path: Path) -> None:
    loaded = "import sys; print('mitmproxy' in sys.modules, 'pydantic' in sys.modules)"
    ended = start(tmp_path, [sys.executable, "-c", CODE.format(loaded)])
    assert ended.stdout == "False False\n", ended


def test_serve_tells_what_is_merely_new(tmp_path: Path) -> None:
    pretend(tmp_path, "click", "9.0.0")
    ended = start(tmp_path, [sys.executable, "-m", "scripts.cli", "serve", "--listen", "192.0.2.1:1"])
    assert ended.returncode == 2
    assert ended.stderr.startswith("patchbay: click: 9.0.0 is newer than what is known to work"), ended
