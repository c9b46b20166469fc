"""The run: in every round each figure once for each way, one after another, on fresh processes."""

import asyncio
import contextlib
import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from scripts.benchmark import ways
from scripts.benchmark.figures import FIGURES, SOAK, Sample, Sizes
from scripts.benchmark.machine import pin, share_out
from scripts.benchmark.process import Process
from scripts.benchmark.soak import recorded, soak
from scripts.benchmark.ways import DIRECT, SERVE, Ground, Running, WayFailed

UPSTREAM = "scripts.benchmark.upstream"
_SETTLE = 0.7  # seconds until a program that has answered for the first time is idle
_WARM = Sizes(requests_seconds=0.3, connections=4, flood_events=500, floods=1)
_WARM_FIGURES = ("requests", "chunks")


@dataclass(frozen=True)
class Taken:
    """One sample with its place."""

    figure: str
    way: str
    turn: int
    sample: Sample


@dataclass
class Results:
    """Everything that was measured."""

    taken: list[Taken] = field(default_factory=list)

    def add(self, figure: str, way: str, turn: int, sample: Sample) -> None:
        """Keep a sample."""
        self.taken.append(Taken(figure, way, turn, sample))

    def of(self, value: str, way: str) -> dict[int, float]:
        """A value of a way: round → value."""
        found = (one for one in self.taken if one.way == way and value in one.sample.values)
        return {one.turn: one.sample.values[value] for one in found}

    def busy(self, figure: str, way: str) -> list[float]:
        """The share of its core that a way's proxy used in each round."""
        found = (one.sample.busy for one in self.taken if (one.figure, one.way) == (figure, way))
        return [busy for busy in found if busy is not None]

    def errors(self, way: str) -> dict[str, int]:
        """All errors of a way, with the figure they came in: text → count."""
        counted: dict[str, int] = {}
        for one in self.taken:
            for error, count in one.sample.errors.items() if one.way == way else ():
                text = f"{one.figure}: {error}"
                counted[text] = counted.get(text, 0) + count
        return counted


@dataclass(frozen=True)
class Wish:
    """What to run: which ways and figures, how much; ``say`` is told what is going on."""

    ways: Sequence[str]
    figures: Sequence[str]
    sizes: Sizes
    say: Callable[[str], None]


def run(wish: Wish, results: Results) -> None:
    """Measure into ``results``; raises WayFailed when a way cannot be started or dies."""
    with ground_with_upstream() as ground:
        for turn in range(wish.sizes.rounds):
            _round(wish, ground, turn, results)
        if SOAK in wish.figures and wish.sizes.soak_requests and SERVE in wish.ways:
            wish.say(f"soak: {wish.sizes.soak_requests:,} requests …")
            results.add(SOAK, SERVE, 0, _soak(wish.sizes, ground))


def _soak(sizes: Sizes, ground: Ground) -> Sample:
    with _started([SERVE], ground) as (running,):
        sample = _measure(running, soak(running, sizes.soak_requests, sizes.connections))
    answered = sample.values["soak_answers"] + 1  # the start's
    share = recorded(ground.database(running.port)) / answered
    return replace(sample, values={**sample.values, "soak_recorded": 100 * share})


@contextlib.contextmanager
def ground_with_upstream(upstream_module: str = UPSTREAM) -> Iterator[Ground]:
    """A temporary folder with the upstream running beside it, and this process on its own core."""
    cores = share_out()
    with tempfile.TemporaryDirectory(prefix="patchbay-bench-") as name, _pinned_here(cores.generator):
        folder = Path(name)
        command = [sys.executable, "-P", "-m", upstream_module]
        before = Ground(folder, 0, cores)
        before.registry.write_text("default_provider: local\n", "ascii")
        upstream = Process(
            command,
            core=cores.upstream,
            log=folder / "upstream.log",
            folder=folder,
            environ=ways.environment(before, 0),
        )
        with upstream:
            yield Ground(folder, _port_of(upstream), cores)


@contextlib.contextmanager
def _pinned_here(core: int | None) -> Iterator[None]:
    """Pin this process and keep the garbage collector out of what it measures; both only for the time being."""
    before = os.sched_getaffinity(0) if sys.platform == "linux" else None
    pin(0, core)
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        if sys.platform == "linux" and before is not None:
            os.sched_setaffinity(0, before)


def _port_of(upstream: Process) -> int:
    end = time.monotonic() + 20
    while time.monotonic() < end and upstream.alive:
        if (printed := upstream.log.read_text("utf-8", "replace")).endswith("\n"):
            return int(printed)
        time.sleep(0.01)
    raise WayFailed(f"the upstream did not start:\n{upstream.last_words()}")


def _round(wish: Wish, ground: Ground, turn: int, results: Results) -> None:
    wish.say(f"round {turn + 1} of {wish.sizes.rounds}: start")
    figures = [name for name in FIGURES if name in wish.figures]
    if turn >= wish.sizes.burst_rounds and "burst" in figures:
        figures.remove("burst")
    with _started(wish.ways, ground) as all_running:
        _warm_up(all_running)  # the idle figures were taken before
        for figure in figures:
            wish.say(f"round {turn + 1} of {wish.sizes.rounds}: {figure}")
            for running in all_running:
                sample = _measure(running, FIGURES[figure](running, wish.sizes))
                results.add(figure, running.way, turn, sample)


@contextlib.contextmanager
def _started(names: Sequence[str], ground: Ground) -> Iterator[list[Running]]:
    with contextlib.ExitStack() as stack:
        all_running = []
        for name in names:
            running = ways.start(name, ground)
            if running.process is not None:
                stack.enter_context(running.process)
            all_running.append(running)
        if any(name != DIRECT for name in names):
            time.sleep(_SETTLE)
        for running in all_running:
            running.idle = running.process.resident() if running.process is not None else None
        yield all_running


def _warm_up(all_running: Sequence[Running]) -> None:
    """Let everything be imported and cached that a first request would."""
    for running in all_running:
        for figure in _WARM_FIGURES:
            _measure(running, FIGURES[figure](running, _WARM))


def _measure(running: Running, measuring: Coroutine[None, None, Sample]) -> Sample:
    sample = asyncio.run(measuring)
    if running.process is not None and not running.process.alive:
        raise WayFailed(f"{running.way} ended by itself:\n{running.process.last_words()}")
    return sample
