"""The ways from a client to the server that are compared, and how each is started."""

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from providers.registry import ROOT
from scripts.benchmark.caller import HOST
from scripts.benchmark.machine import Cores
from scripts.benchmark.probe import complaint, free_port
from scripts.benchmark.process import Process

DIRECT, BARE, ROUTE, SERVE = "direct", "bare", "route", "serve"
WAYS = {
    DIRECT: "no proxy",
    BARE: "mitmdump --mode reverse:URL, streaming",
    ROUTE: "mitmdump --mode reverse:URL -s addons/route.py",
    SERVE: "scripts/serve",
}
_START_LIMIT = 20.0  # seconds
_PROBE_GAP = 0.005  # seconds
_FOREIGN = ("_API_KEY", "_API_KEY_FILE", "_BASE_URL", "_PROXY")
_KEYS = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY")
_MITMDUMP = Path(sys.executable).with_name("mitmdump")


class WayFailed(Exception):
    """A way could not be started or ended by itself; the text has its last words."""


@dataclass(frozen=True)
class Ground:
    """What every way of a run stands on: a folder for its files, the upstream's port, the cores."""

    folder: Path
    upstream: int
    cores: Cores

    @property
    def url(self) -> str:
        """The upstream."""
        return f"http://{HOST}:{self.upstream}"

    @property
    def registry(self) -> Path:
        """A registry file that changes nothing, so that no other is read."""
        return self.folder / "registry.yaml"

    def database(self, port: int) -> Path:
        """Where the way on a port records."""
        return self.folder / f"patchbay-{port}.db"


@dataclass
class Running:
    """A way that answers. ``process`` is None for the direct one; ``began`` is its start-up in seconds."""

    way: str
    port: int
    process: Process | None = None
    began: float | None = None
    idle: int | None = None  # bytes


def _mitmdump(ground: Ground, port: int, script: str) -> list[str]:
    place = ["--mode", f"reverse:{ground.url}", "--listen-host", HOST, "-p", str(port)]
    quiet = ["-q", "--set", "flow_detail=0", "--set", "connection_strategy=lazy"]
    return [str(_MITMDUMP), *place, *quiet, "-s", str(_root() / script)]


def _serve(ground: Ground, port: int) -> list[str]:
    place = ["--listen", f"{HOST}:{port}", "--db", str(ground.database(port))]
    return [sys.executable, "-P", "-m", "scripts.cli", "serve", *place]


_COMMANDS: dict[str, Callable[[Ground, int], Sequence[str]]] = {
    BARE: lambda ground, port: _mitmdump(ground, port, "scripts/benchmark/bare_script.py"),
    ROUTE: lambda ground, port: _mitmdump(ground, port, "addons/route.py"),
    SERVE: _serve,
}


def environment(ground: Ground, port: int) -> Mapping[str, str]:
    """The caller's environment without its keys and settings: a run measures the program, not somebody's registry."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PATCHBAY_") and not k.upper().endswith(_FOREIGN)}
    return {
        **kept,
        **dict.fromkeys(_KEYS, ""),  # a .env file must not bring them back
        "HOME": str(ground.folder),
        "PYTHONPATH": str(_root()),
        "PATCHBAY_LOCAL_BASE_URL": ground.url,
        "PATCHBAY_DB": str(ground.database(port)),
        "PATCHBAY_REGISTRY": str(ground.registry),
        "PATCHBAY_DEMO": "0",
    }


def _root() -> Path:
    if ROOT is None:
        raise WayFailed("the benchmark runs from a checkout alone: addons/route.py is not here")
    return ROOT


def start(way: str, ground: Ground) -> Running:
    """Start a way and wait for its first answer; raises WayFailed."""
    if way == DIRECT:
        return Running(way, ground.upstream)
    port = free_port()
    process = Process(
        _COMMANDS[way](ground, port),
        core=ground.cores.proxy,
        log=ground.folder / f"{way}-{port}.log",
        folder=ground.folder,
        environ=environment(ground, port),
    )
    running = Running(way, port, process)
    try:
        running.began = _until_answered(running, process)
    except BaseException:
        process.__exit__()
        raise
    return running


def _until_answered(running: Running, process: Process) -> float:
    wrong = ""
    while time.monotonic() < process.started + _START_LIMIT:
        if not (wrong := complaint(running.port)):
            return time.monotonic() - process.started
        if not process.alive:
            raise WayFailed(f"{running.way} ended while it was started:\n{process.last_words()}")
        time.sleep(_PROBE_GAP)
    raise WayFailed(f"{running.way} has not answered within {_START_LIMIT:g} s: {wrong}\n{process.last_words()}")
