"""Nobody reads the output any more, or its file goes away: calls go on (specs: faults, F46)."""

import contextlib
import fcntl
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fake_dialects import chat_events
from tests.rig import IMPATIENT, ROOT, Program, clean_environment, free_port, mitmdump_command, serve_environment
from tests.rig_client import get, post
from tests.rig_gateway import WAYS, Behind, ask, gateway_environment

PIPE = 4096  # bytes: the smallest pipe that Linux makes
SERVE = [sys.executable, "-m", "scripts.cli", "serve", "-v"]

Start = Callable[[int], Program]


@pytest.fixture(name="start", params=WAYS)
def fixture_start(request: pytest.FixtureRequest, upstreams: Behind, tmp_path: Path) -> Iterator[Start]:
    """Starts the program with its output at a descriptor of ours."""
    with contextlib.ExitStack() as stack:

        def start(output: int) -> Program:
            port = free_port()
            (tmp_path / "registry.yaml").write_text(upstreams.registry())
            (tmp_path / "home").mkdir()
            env = {**IMPATIENT, **gateway_environment(tmp_path, {})}
            if request.param == "serve":
                command, env, cwd = SERVE, serve_environment(upstreams.local.url, port, env), ROOT
            else:
                command, cwd = mitmdump_command(upstreams.local.url, port, ("--set", "flow_detail=2")), tmp_path
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=clean_environment(tmp_path / "home", env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            program = Program(process, port, tmp_path / "output.txt", tmp_path)
            stack.callback(program.end_group)
            stack.callback(program.stop)
            wait_until_answering(program)
            return program

        yield start


def wait_until_answering(program: Program) -> None:
    deadline = time.monotonic() + 20
    while True:
        with contextlib.suppress(OSError):
            if get(program.port, "/patchbay/health").status == 200:
                return
        assert program.process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)


def health(program: Program) -> dict[str, int]:
    told = get(program.port, "/patchbay/health").json()
    process: dict[str, int] = told["process"]
    return process


def call(program: Program, times: int = 1) -> None:
    for _ in range(times):
        assert post(program.port, *ask("chat", "m")).status == 200


def make_noise(program: Program) -> None:
    """Have more printed than a pipe and the queue before it hold: mitmdump prints long paths whole."""
    path = "/props?" + "x" * 16_000
    for _ in range(130):
        assert get(program.port, path).status == 200


def read_until(descriptor: int, text: bytes, seconds: float = 10.0) -> bytes:
    """What comes, up to ``text``; AssertionError when it does not come."""
    received, deadline = b"", time.monotonic() + seconds
    while text not in received:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, received[-2000:]
        received += os.read(descriptor, 1 << 20)
    return received


@pytest.fixture(name="pipe")
def fixture_pipe() -> Iterator[tuple[int, int]]:
    """A small pipe: what is read from, what is written to."""
    mine, its = os.pipe()
    fcntl.fcntl(its, fcntl.F_SETPIPE_SZ, PIPE)
    yield mine, its
    for end in (mine, its):
        with contextlib.suppress(OSError):
            os.close(end)


def test_a_reader_that_stops_holds_nobody_up(start: Start, pipe: tuple[int, int]) -> None:
    program = start(pipe[1])
    call(program, 60)
    answer = post(program.port, *ask("chat", "m", stream=True))
    assert answer.body.endswith(chat_events()[-1])
    began = time.monotonic()
    assert program.stop() == 0
    assert time.monotonic() - began < 4


def test_what_had_to_wait_comes_when_it_is_read_again(start: Start, pipe: tuple[int, int]) -> None:
    program = start(pipe[1])
    call(program, 60)
    assert get(program.port, "/props?the-last-one").status == 200
    assert health(program)["output_lines_dropped"] == 0
    os.close(pipe[1])
    program.process.terminate()
    received = b""
    while piece := os.read(pipe[0], 1 << 20):
        received += piece
    assert received.count(b"client disconnect") >= 61
    assert program.process.wait(5) == 0


@pytest.mark.parametrize("start", ["mitmdump"], indirect=True)
def test_what_finds_no_room_is_counted_and_told_in_its_place(start: Start, pipe: tuple[int, int]) -> None:
    program = start(pipe[1])
    make_noise(program)
    assert health(program)["output_lines_dropped"] > 0
    reader = threading.Thread(target=read_until, args=(pipe[0], b"the-last-one"))
    reader.start()
    while reader.is_alive():
        assert get(program.port, "/props?the-last-one").status == 200
        reader.join(0.05)


def test_a_reader_that_has_gone_ends_nothing(start: Start) -> None:
    mine, its = os.pipe()
    program = start(its)
    os.close(its)
    os.close(mine)
    call(program, 30)
    make_noise(program)
    assert program.process.poll() is None
    assert program.stop() == 0


def test_a_log_that_is_rotated_deleted_or_emptied_goes_on(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "output.txt"
    with log.open("wb") as sink:  # `> log`: not even opened for appending
        program = start(sink.fileno())
    call(program)
    log.rename(tmp_path / "output.1")
    wait_for_line(program, log)
    log.unlink()
    wait_for_line(program, log)
    os.truncate(log, 0)
    wait_for_line(program, log)
    assert b"\0" not in log.read_bytes()
    assert (tmp_path / "output.1").read_bytes()
    assert health(program)["output_lines_dropped"] == 0
    assert program.stop() == 0


def wait_for_line(program: Program, log: Path) -> None:
    """Call until a call is told in the file that has this name now."""
    deadline = time.monotonic() + 5
    while not (log.exists() and log.read_bytes()):
        assert time.monotonic() < deadline
        call(program)
        time.sleep(0.1)
