"""Brings llama.cpp for `serve --model FILE.gguf`: `llama-server` if it is on PATH, else the xllamacpp wheel.

Either runs as a process of its own under scripts/engine_keeper.py, which ends it when we end.
"""

import collections
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from scripts.engine_wheel import HOST

MAGIC = b"GGUF"
REMINDER = 10.0  # seconds between two words about a model that is still loading
GRACE = 8.0  # seconds for the keeper to end; it gives the engine five
KEPT_LINES = 20  # of what the engine printed, shown when it fails

NO_ENGINE = (
    "--model needs llama.cpp, and neither llama-server is on PATH nor the xllamacpp wheel is installed. Install one: "
    "`brew install llama.cpp` (macOS, Linux), or on glibc Linux `pip install 'patchbay[local]'`; "
    "./scripts/serve installs the wheel by itself there."
)


class EngineError(Exception):
    """The engine cannot run; the text says why and what to do."""


def check_model(path: Path) -> None:
    """Raise EngineError unless ``path`` is a GGUF file, before anything is started for it."""
    try:
        with path.open("rb") as file:
            magic = file.read(len(MAGIC))
    except OSError as error:
        raise EngineError(f"--model {path}: {error.strerror or error}") from error
    if magic != MAGIC:
        raise EngineError(f"--model {path}: this is not a GGUF file (it begins with {magic!r}, not {MAGIC!r})")


def free_port() -> int:
    """A loopback port that nobody uses right now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def engine_command(model: Path, port: int, context: int) -> list[str]:
    """The command of the best engine here; ``context`` in tokens, 0: the model's own. EngineError if there is none."""
    if server := shutil.which("llama-server"):
        place = ["--host", HOST, "--port", str(port)]
        return [server, "-m", str(model), "--alias", model.stem, *place, "-c", str(context), "--jinja", "--metrics"]
    if importlib.util.find_spec("xllamacpp"):
        return [sys.executable, "-P", "-m", "scripts.engine_wheel", str(model), str(port), str(context)]
    raise EngineError(NO_ENGINE)


def engine_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What the engine gets of our environment: no provider's key, and the way to our modules."""
    kept = {name: value for name, value in environ.items() if "API_KEY" not in name or name.startswith("LLAMA_")}
    return kept | {"PYTHONPATH": str(Path(__file__).resolve().parent.parent)}


class Engine:
    """A running llama.cpp, as a context manager: entering waits until the model is loaded, leaving ends it.

    ``context`` in tokens, 0 is the model's own. ``say`` gets lines for people, ``log`` each line the engine prints.
    ``base_url`` is known before entering. Raises EngineError when the file is no model, when there is no engine, and
    when the engine gives up.
    """

    def __init__(
        self,
        model: Path,
        context: int = 0,
        *,
        say: Callable[[str], None] = lambda _line: None,
        log: Callable[[str], None] = lambda _line: None,
    ) -> None:
        check_model(model)
        self.model = model.resolve()
        self.port = free_port()
        self.base_url = f"http://{HOST}:{self.port}"
        self._command = engine_command(self.model, self.port, context)
        self._say = say
        self._log = log
        self._last_lines: collections.deque[str] = collections.deque(maxlen=KEPT_LINES)
        self._stopping = False

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "scripts.engine_keeper", *self._command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=engine_environment(os.environ),
            start_new_session=True,  # Ctrl-C is ours to hear: we end the engine, in order
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self._wait_until_loaded()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _read(self) -> None:
        """Take what the engine prints, or it would stand still; say so when it ends without being asked to."""
        output = self._process.stdout
        assert output is not None
        with output:
            for raw in output:
                line = raw.decode("utf-8", "replace").rstrip()
                self._last_lines.append(line)
                self._log(line)
        code = self._process.wait()
        if not self._stopping:
            self._say(f"the engine ended by itself (exit code {code}); its last words:")
            for line in self._last_lines:
                self._say(f"  {line}")

    def _wait_until_loaded(self) -> None:
        begun = told = time.monotonic()
        while not self._is_healthy():
            if self._process.poll() is not None:
                self._reader.join()
                raise EngineError(f"llama.cpp could not serve {self.model}: see its words above")
            if time.monotonic() - told >= REMINDER:
                told = time.monotonic()
                self._say(f"still loading {self.model.name} ({told - begun:.0f} s; Ctrl-C gives up)")
            time.sleep(0.05)

    def _is_healthy(self) -> bool:
        """200 on /health; llama-server answers 503 while it loads, the wheel listens only then."""
        try:
            return httpx.get(f"{self.base_url}/health", timeout=5, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    def _stop(self) -> None:
        """Close the keeper's input, so that it ends the engine; what outlives the grace is killed, by group."""
        self._stopping = True
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._reader.join()
