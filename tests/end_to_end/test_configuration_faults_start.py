"""What cannot work ends `serve` before a port is opened: exit code 2, and what to do about it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fake_answers import speak
from tests.fake_upstream import FakeUpstream
from tests.rig import ROOT, clean_environment, free_port, reachable, run_command, serve_environment
from tests.rig_client import finished
from tests.rig_gateway import Behind, ask, run_gateway

# What stands in the file → where it is wrong, which field, and the way out. More of them: test_starting.py.
WRONG: dict[str, tuple[bytes, str]] = {
    "a field of another name": (
        b"providers:\n  openai: {api_kye: $X}\n",
        "registry.yaml:2:12: providers.openai.api_kye: ",
    ),
    "a kind that is none": (b"providers:\n  x: {kind: opnai}\n", "did you mean 'openai'?"),
    "a model twice": (
        b"models:\n  a: local\n  a: demo\n",
        "registry.yaml:3:3: models.a: stands twice, first on line 2",
    ),
    "a wrong type": (b"settings:\n  attempts: many\n", "registry.yaml:2:3: settings.attempts: must be a whole number"),
    "a provider that is none": (b"models:\n  a: opnai/x\n", "registry.yaml:2:3: models.a: leads to 'opnai/x'"),
    "a number that is none": (b"models: {a: !!int x}\n", "registry.yaml:1:13: models.a: cannot be read as int"),
    "no text": (b"models:\n  \xff: local\n", "registry.yaml:2: is not UTF-8"),
    "nested without end": (b"a: " + b"[" * 500, "is nested too deeply"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_registry_is_told_with_its_place(tmp_path: Path, case: str) -> None:
    text, said = WRONG[case]
    (tmp_path / "registry.yaml").write_bytes(text)
    port = free_port()
    env = serve_environment("http://127.0.0.1:9", port, {"PATCHBAY_REGISTRY": str(tmp_path / "registry.yaml")})
    ended = run_command(["serve"], env, tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not reachable(port)


def in_a_file(folder: Path) -> Path:
    (folder / "file").write_text("")
    return folder / "file" / "patchbay.db"


def a_folder(folder: Path) -> Path:
    (folder / "patchbay.db").mkdir()
    return folder / "patchbay.db"


def not_ours(folder: Path) -> Path:
    (folder / "locked").mkdir(mode=0o500)
    return folder / "locked" / "patchbay.db"


NO_PLACE: dict[str, Callable[[Path], Path]] = {
    "below a file": in_a_file,
    "a folder": a_folder,
    "in a folder that is missing": lambda folder: folder / "missing" / "patchbay.db",
    "a folder that is not ours": not_ours,
    "a file system that takes none": lambda _: Path("/proc/patchbay.db"),
}


@pytest.mark.parametrize("case", NO_PLACE)
def test_a_record_that_cannot_be_kept_is_told_in_one_line(tmp_path: Path, case: str) -> None:
    if case == "a folder that is not ours" and os.geteuid() == 0:
        pytest.skip("nothing is closed to root")
    if case == "a file system that takes none" and sys.platform != "linux":
        pytest.skip("/proc is Linux's")
    place, port = NO_PLACE[case](tmp_path), free_port()
    env = serve_environment("http://127.0.0.1:9", port, {"PATCHBAY_DB": str(place)})
    ended = run_command(["serve"], env, tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    assert str(place) in line
    assert "--db FILE" in line
    assert not reachable(port)


def test_two_programs_share_a_record(upstreams: Behind, tmp_path: Path) -> None:
    """It is allowed: each knows its own calls, and the start of the second settles none of the first's."""
    shared = {"PATCHBAY_DB": str(tmp_path / "shared.db")}
    with (
        run_gateway("serve", upstreams, tmp_path / "a", env=shared) as first,
        run_gateway("serve", upstreams, tmp_path / "b", env=shared) as second,
    ):
        for _ in range(20):
            for gateway in (first, second):
                assert gateway.post(*ask("chat", "fast")).status == 200
        rows = finished(tmp_path / "shared.db", "select run from exchanges where outcome = 'ok'", count=40)
    assert len(rows) == 40
    assert len({row["run"] for row in rows}) == 2


# Takes the terminal for its own, as a shell in a new window has it, and becomes the command that follows.
IN_A_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.executable, sys.argv[1:])"
)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems give a terminal to a program in other ways")
def test_who_closes_the_terminal_ends_it(tmp_path: Path) -> None:
    with FakeUpstream(speak) as local:
        port = free_port()
        env = clean_environment(tmp_path, serve_environment(local.url, port, {"PATCHBAY_DB": str(tmp_path / "p.db")}))
        inner, outer = os.openpty()
        command = [sys.executable, "-c", IN_A_TERMINAL, sys.executable, "-m", "scripts.cli", "serve"]
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env=env, stdin=outer, stdout=log, stderr=log, start_new_session=True
            )
        os.close(outer)
        try:
            deadline = time.monotonic() + 20
            while not reachable(port):
                assert process.poll() is None, (tmp_path / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.05)
            process.send_signal(signal.SIGHUP)  # by hand: the terminal is there
            while "generation 2" not in (tmp_path / "log").read_text():
                assert time.monotonic() < deadline, (tmp_path / "log").read_text()
                time.sleep(0.05)
            os.close(inner)
            assert process.wait(10) == 0, (tmp_path / "log").read_text()
        finally:
            process.kill()
            process.wait(5)
