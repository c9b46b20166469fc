"""What a scenario stands on: a fake upstream with lanes and a fresh gateway with the scenario's registry."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.benchmark import ways
from scripts.benchmark.caller import HOST
from scripts.benchmark.load.calls import Lines
from scripts.benchmark.load.findings import Finding
from scripts.benchmark.process import Process
from scripts.benchmark.rounds import ground_with_upstream
from scripts.benchmark.ways import SERVE, Ground, Running, WayFailed

UPSTREAM = "scripts.benchmark.load.lanes"
Rows = list[tuple[Any, ...]]

_PATIENCE = 10.0  # seconds until what has happened must be on record
_REGISTRY = "default_provider: local\nproviders:\n{providers}models:\n{models}{more}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a lane of the upstream has seen (`lanes.Lane`)."""

    calls: Sequence[float] = ()
    present: int = 0
    most: int = 0
    sent: int = 0
    streaming: int = 0


@dataclass(frozen=True)
class Stand:
    """A running gateway and what is behind it."""

    ground: Ground
    running: Running

    @property
    def process(self) -> Process:
        """The gateway's."""
        assert self.running.process is not None
        return self.running.process

    @property
    def database(self) -> Path:
        """Where the gateway records."""
        return self.ground.database(self.running.port)

    def lines(self) -> Lines:
        """Make connections to the gateway, none yet."""
        return Lines(self.running.port)

    async def set_lane(self, lane: str, **conduct: float) -> Seen:
        """Change a lane's conduct."""
        wishes = "".join(f"&{name}={value:g}" for name, value in conduct.items())
        return (await _get(self.ground.upstream, f"/load/set?lane={lane}{wishes}"))[lane]

    async def seen(self, lane: str) -> Seen:
        """What a lane has seen."""
        return await self.set_lane(lane)

    async def set_outlet(self, port: int, *, is_open: bool) -> None:
        """Open a further port of the upstream, or have it refuse."""
        await _get(self.ground.upstream, f"/load/outlet?port={port}&open={is_open:d}")

    async def until(self, lane: str, condition: Callable[[Seen], bool]) -> Seen:
        """Wait for a lane to have seen something; WayFailed if it does not in time."""
        end = time.monotonic() + _PATIENCE
        while not condition(seen := await self.seen(lane)):
            if time.monotonic() > end:
                raise WayFailed(f"the lane {lane} of the upstream has only seen {seen.present} calls, most {seen.most}")
            await asyncio.sleep(0.02)
        return seen

    async def rows(self, sql: str, *values: object, until: Callable[[Rows], bool]) -> Rows:
        """Read the record until it has what is waited for, or for 10 s: it is written a little later."""
        end = time.monotonic() + _PATIENCE
        while True:
            with closing(sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True)) as database:
                found: Rows = database.execute(sql, values).fetchall()
            if until(found) or time.monotonic() > end:
                return found
            await asyncio.sleep(0.1)

    async def health(self) -> dict[str, object]:
        """What the gateway says of itself."""
        said: dict[str, object] = await _get_json(self.running.port, "/patchbay/health")
        return said


async def _get(port: int, path: str) -> dict[str, Seen]:
    return {name: Seen(**seen) for name, seen in (await _get_json(port, path)).items()}


async def _get_json(port: int, path: str) -> dict[str, Any]:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(b"GET %b HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n" % path.encode("ascii"))
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        said: dict[str, Any] = json.loads(await reader.readexactly(length))
        return said
    finally:
        writer.close()


def registry(providers: Sequence[str], models: Sequence[str] = (), more: str = "") -> str:
    """A registry file of these lines."""
    return _REGISTRY.format(
        providers="".join(f"  {line}\n" for line in providers),
        models="".join(f"  {line}\n" for line in models),
        more=more,
    )


def provider(name: str, port: int, *, lane: str = "", extra: str = "") -> str:
    """A provider's line: a lane of the upstream at a port."""
    more = f", {extra}" if extra else ""
    url = f"http://{HOST}:{port}/{lane or name}/v1"
    return f'{name}: {{kind: compatible, base_url: "{url}", dialects: [chat], models: [m]{more}}}'


@dataclass(frozen=True, slots=True)
class Setup:
    """One scenario in one size: its registry, and what is measured with it."""

    registry: Callable[[Ground], str]
    measure: Callable[[Stand], Coroutine[None, None, list[Finding]]]


def run(setup: Setup) -> list[Finding]:
    """Start what the scenario needs, measure, stop it; raises WayFailed when something cannot be started or dies."""
    with ground_with_upstream(UPSTREAM) as ground:
        ground.registry.write_text(setup.registry(ground), "utf-8")
        running = ways.start(SERVE, ground)
        assert running.process is not None
        with running.process:
            found = asyncio.run(setup.measure(Stand(ground, running)))
            if not running.process.alive:
                raise WayFailed(f"the gateway ended by itself:\n{running.process.last_words()}")
            return found
