"""Starts the real program the way a user does, in a process of its own, and stops it by its process id.

Nothing of the test's own environment reaches it but PATH and what measures coverage: HOME and the working folder are
empty ones, ports are free ones, the output goes to a file (an unread pipe would stop the program after some 200 calls).
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
ROUTE = ROOT / "addons" / "route.py"
START_SECONDS = 20.0  # generous: a first start makes mitmproxy's certificate authority, and the machine may be busy


# mitmproxy prints without flushing: into a file its lines would stay in a buffer until it ends.
UNBUFFERED = {"PYTHONUNBUFFERED": "1"}
# Tests that leave a stream behind do not wait for it.
IMPATIENT = {"PATCHBAY_SHUTDOWN_GRACE": "0"}


def free_port(host: str = "127.0.0.1") -> int:
    """A port that was free a moment ago."""
    with socket.create_server((host, 0)) as probe:
        return int(probe.getsockname()[1])


def clean_environment(home: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """PATH, an empty HOME, what coverage needs in subprocesses, and ``extra``."""
    kept = {name: value for name, value in os.environ.items() if name == "PATH" or name.startswith("COVERAGE_")}
    return {**kept, "HOME": str(home), "LANG": "C.UTF-8", **extra}


def reachable(port: int, host: str = "127.0.0.1") -> bool:
    """Whether somebody accepts connections there."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False


@dataclass(slots=True)
class Program:
    """A running program: ``port`` is where its clients connect, ``log`` the file that gets stdout and stderr."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    folder: Path
    host: str = "127.0.0.1"

    @property
    def url(self) -> str:
        """Where clients point, without a trailing slash."""
        return f"http://{self.host}:{self.port}"

    @property
    def output(self) -> str:
        """Everything printed so far."""
        return self.log.read_text(errors="replace")

    def wait_for_output(self, text: str, seconds: float = 5.0) -> str:
        """The output, once it contains ``text``; AssertionError after ``seconds``."""
        deadline = time.monotonic() + seconds
        while text not in (output := self.output):
            assert time.monotonic() < deadline, f"no {text!r} in the output:\n{output}"
            time.sleep(0.02)
        return output

    def stop(self, seconds: float = 5.0) -> int:
        """SIGTERM, and SIGKILL when that was not enough within ``seconds``; the exit status (negative: the signal)."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """SIGKILL, as a crash would have it."""
        self.process.kill()
        return self.process.wait(5)

    def end_group(self) -> None:
        """End what the program itself may have started and left behind: its process group has no other members."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


@contextlib.contextmanager
def run_program(
    command: Sequence[str], env: Mapping[str, str], folder: Path, port: int, *, host: str = "127.0.0.1", cwd: Path
) -> Iterator[Program]:
    """Start ``command`` in its own process group, wait until ``port`` accepts, stop it afterwards.

    ``folder`` gets the output and the empty HOME. AssertionError with the output when the program ends early or the
    port stays closed.
    """
    program = start_program(command, env, folder, port, host=host, cwd=cwd)
    try:
        wait_until_ready(program)
        yield program
    finally:
        program.stop()
        program.end_group()


def start_program(
    command: Sequence[str], env: Mapping[str, str], folder: Path, port: int, *, host: str = "127.0.0.1", cwd: Path
) -> Program:
    """Start without waiting; the caller stops it."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    log = folder / f"output-{port}.txt"
    with log.open("ab") as sink:
        process = subprocess.Popen(
            list(command),
            cwd=cwd,
            env=clean_environment(home, env),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Program(process, port, log, folder, host)


def wait_until_ready(program: Program, seconds: float = START_SECONDS) -> None:
    """Return when the port accepts; AssertionError when it does not, or when the program has ended.

    mitmdump binds its port before it loads a script: what goes wrong there shows only after it says that it listens.
    """
    deadline = time.monotonic() + seconds
    is_script = str(ROUTE) in program.process.args  # type: ignore[operator]  # always a list here
    while (is_script and "listening at" not in program.output) or not reachable(program.port, program.host):
        assert program.process.poll() is None, f"ended with {program.process.returncode}:\n{program.output}"
        assert time.monotonic() < deadline, f"port {program.port} stays closed:\n{program.output}"
        time.sleep(0.02)
    assert "error in script" not in program.output, program.output


def mitmdump_command(local: str, port: int, args: Sequence[str] = (), tool: str = "mitmdump") -> list[str]:
    """The README's command, literally, with ``args`` behind."""
    return [str(BIN / tool), "--mode", f"reverse:{local}", "-p", str(port), "-s", str(ROUTE), *args]


@contextlib.contextmanager
def run_mitmdump(local: str, env: Mapping[str, str], folder: Path, args: Sequence[str] = ()) -> Iterator[Program]:
    """``mitmdump --mode reverse:LOCAL -p PORT -s addons/route.py ARGS`` in ``folder``, with site-packages alone."""
    port, environment = free_port(), {**UNBUFFERED, **IMPATIENT, **env}
    with run_program(mitmdump_command(local, port, args), environment, folder, port, cwd=folder) as program:
        yield program


@contextlib.contextmanager
def run_mitmweb(local: str, env: Mapping[str, str], folder: Path, args: Sequence[str] = ()) -> Iterator[Program]:
    """The same with mitmweb; its page gets a free port and no browser is opened."""
    port = free_port()
    page = ("--web-port", str(free_port()), "--no-web-open-browser")
    command = mitmdump_command(local, port, (*page, *args), "mitmweb")
    with run_program(command, {**UNBUFFERED, **IMPATIENT, **env}, folder, port, cwd=folder) as web:
        yield web


@contextlib.contextmanager
def run_bare(upstream: str, folder: Path, args: Sequence[str] = ()) -> Iterator[Program]:
    """``mitmdump --mode reverse:UPSTREAM`` without us: what pass-through is compared with."""
    port = free_port()
    command = [str(BIN / "mitmdump"), "--mode", f"reverse:{upstream}", "-p", str(port), *args]
    with run_program(command, UNBUFFERED, folder, port, cwd=folder) as program:
        yield program


def serve_environment(local: str, port: int, env: Mapping[str, str]) -> dict[str, str]:
    """What ``serve`` is told: where to listen and where the local server is."""
    return {"PATCHBAY_LISTEN": f"127.0.0.1:{port}", "PATCHBAY_LOCAL_BASE_URL": local, **IMPATIENT, **env}


@contextlib.contextmanager
def run_serve(
    local: str,
    env: Mapping[str, str],
    folder: Path,
    args: Sequence[str] = (),
    *,
    shell: bool = False,
    port: int | None = None,
) -> Iterator[Program]:
    """``serve``: through its Python entry from the repository, or with ``shell`` through the script from ``folder``.

    ``port`` must be given when ``env`` says itself where to listen.
    """
    port = port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    entry = [str(ROOT / "scripts" / "serve")] if shell else [sys.executable, "-m", "scripts.cli", "serve"]
    environment = serve_environment(local, port, env)
    with run_program([*entry, *args], environment, folder, port, cwd=folder if shell else ROOT) as program:
        yield program


def run_command(args: Sequence[str], env: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """``patchbay ARGS``, to its end (60 s at most)."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [sys.executable, "-m", "scripts.cli", *args],
        cwd=ROOT,
        env=clean_environment(home, env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
