"""One life of `scripts/serve` under load, ended by SIGKILL, and what the next one finds of it.

Strategy: callers ask small questions one after another while streams are open. At a moment of chance a reader takes
down what is on record, and the process is killed the instant it has, in the middle of whatever it was writing. The
next process opens the same file. Then everything that the reader saw must be there: finished calls as they were, open
ones as ended by the crash, or with the end that landed in between.
"""

import asyncio
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.benchmark import wire
from scripts.benchmark.answers import PlainAnswer, StreamAnswer, Tally
from scripts.benchmark.caller import Load, call
from scripts.benchmark.evidence import ABORTED, Evidence, Row
from scripts.benchmark.ways import SERVE, Ground, Running, WayFailed, start

_PLAIN = "bench-plain"
_STREAM = wire.Stream(100_000, 5)  # outlives every life
_LIMIT = 60.0  # seconds in which all callers must have noticed the end, and a new process must have opened the file


@dataclass(frozen=True)
class LastingGround(Ground):
    """A ground whose every process records in the same file."""

    def database(self, port: int) -> Path:
        """The one file, whatever the port."""
        return self.folder / "patchbay.db"


@dataclass(frozen=True, slots=True)
class Pressure:
    """The load of one life: ``callers`` without a pause, ``streams`` that stay open, for ``seconds``."""

    callers: int
    streams: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Crash:
    """A life that was ended.

    ``acknowledged`` is what a reader had seen of it, ``first`` the row before its first one, ``answered`` how many
    small answers the callers had in full when it was all over, ``journal`` the bytes of write-ahead log left behind,
    ``began`` the seconds until its first answer.
    """

    acknowledged: Mapping[str, Row]
    first: int
    answered: int
    journal: int
    began: float


@dataclass(frozen=True, slots=True)
class Finding:
    """What the next process made of a crash; counts of calls, and what SQLite says of the file ("" is good)."""

    acknowledged: int
    lost: int
    altered: int
    torn: int
    unsettled: int
    aborted: int
    unwritten: int
    set_aside: int
    complaint: str

    @property
    def bad(self) -> bool:
        """Whether anything is not as it must be."""
        return bool(self.lost or self.altered or self.torn or self.unsettled or self.set_aside or self.complaint)


def live_and_die(running: Running, evidence: Evidence, pressure: Pressure) -> Crash:
    """Load a process that was started, and kill it. Raises WayFailed when it ended before."""
    assert running.process is not None
    assert running.began is not None
    first = evidence.last()
    acknowledged, answered = asyncio.run(_loaded(running, evidence, pressure, first))
    return Crash(acknowledged, first, answered, evidence.journal(), running.began)


async def _loaded(
    running: Running, evidence: Evidence, pressure: Pressure, first: int
) -> tuple[Mapping[str, Row], int]:
    plain, streamed = Tally(), Tally()
    loads = (
        (Load(wire.request(), PlainAnswer, lambda: True, plain), pressure.callers),
        (Load(wire.request(_STREAM), lambda: StreamAnswer(_STREAM), lambda: False, streamed), pressure.streams),
    )
    calls = [asyncio.create_task(call(running.port, load, count, limit=_LIMIT)) for load, count in loads]
    await asyncio.sleep(pressure.seconds)
    acknowledged = await asyncio.to_thread(evidence.rows, first)
    _kill(running)
    await asyncio.gather(*calls)
    if streamed.answers:
        raise WayFailed(f"{streamed.answers} streams look whole although the process was killed")
    return acknowledged, plain.answers


def _kill(running: Running) -> None:
    process = running.process
    assert process is not None
    if not process.alive:
        raise WayFailed(f"it ended by itself:\n{process.last_words()}")
    os.kill(process.pid, signal.SIGKILL)


def start_again(ground: Ground, evidence: Evidence) -> Running:
    """Start a process on the same file and wait until it has opened it; raises WayFailed.

    Opening is the writer's own affair: the process may answer before.
    """
    before = evidence.runs()
    running = start(SERVE, ground)
    assert running.process is not None
    end = time.monotonic() + _LIMIT
    while evidence.runs() <= before:
        if not running.process.alive or time.monotonic() > end:
            running.process.__exit__()
            raise WayFailed(f"the record was not opened:\n{running.process.last_words()}")
        time.sleep(0.005)
    return running


def examine(crash: Crash, evidence: Evidence, *, whole: bool) -> Finding:
    """Compare what is on record now with what was acknowledged; ``whole``: SQLite reads the whole file."""
    now = evidence.rows(crash.first)
    lost, altered = compare(crash.acknowledged, now)
    small = sum(1 for row in now.values() if row.model == _PLAIN and row.outcome == "ok")
    return Finding(
        acknowledged=len(crash.acknowledged),
        lost=lost,
        altered=altered,
        torn=evidence.torn(crash.first),
        unsettled=evidence.unsettled(),
        aborted=sum(1 for row in now.values() if row.outcome == ABORTED),
        unwritten=max(0, crash.answered - small),
        set_aside=evidence.set_aside(),
        complaint=evidence.complaint(whole=whole),
    )


def compare(before: Mapping[str, Row], now: Mapping[str, Row]) -> tuple[int, int]:
    """Count the calls that are gone, and those that had ended and are not what they were."""
    lost = sum(1 for key in before if key not in now)
    ended = ((key, row) for key, row in before.items() if row.outcome is not None and key in now)
    return lost, sum(1 for key, row in ended if now[key] != row)
