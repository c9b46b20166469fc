"""Many small requests on a fresh process: does its memory stay where it was, and is every call on record."""

import sqlite3
from pathlib import Path

from scripts.benchmark import wire
from scripts.benchmark.answers import PlainAnswer, Tally
from scripts.benchmark.caller import Load, call
from scripts.benchmark.figures import Sample
from scripts.benchmark.ways import Running

MARKS = (10, 50, 100)  # percent of the requests
_SLOWEST = 100  # requests a second: below that the soak is given up


async def soak(running: Running, requests: int, connections: int) -> Sample:
    """Ask ``requests`` times; values are MiB of resident memory at each of the marks, and the answers."""
    process = running.process
    assert process is not None
    tally, values = Tally(), dict[str, float]()
    marks = {max(1, requests * mark // 100): f"soak_{mark}" for mark in MARKS}
    begun = min(connections, requests)

    def again() -> bool:
        nonlocal begun
        if (name := marks.get(tally.answers)) and name not in values and (now := process.resident()) is not None:
            values[name] = now / 2**20
        begun += 1
        return begun <= requests

    load = Load(wire.request(), PlainAnswer, again, tally)
    await call(running.port, load, begun, limit=requests / _SLOWEST + 60)
    return Sample({**values, "soak_answers": tally.answers}, tally.errors)


def recorded(database: Path) -> int:
    """How many calls a program that has ended has on record as answered."""
    connection = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
    try:
        return int(connection.execute("SELECT count(*) FROM exchanges WHERE outcome = 'ok'").fetchone()[0])
    finally:
        connection.close()
