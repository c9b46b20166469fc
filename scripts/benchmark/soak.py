"""Many small requests on a fresh process: does its memory stay where it was."""

from scripts.benchmark import wire
from scripts.benchmark.answers import PlainAnswer, Tally
from scripts.benchmark.caller import Load, call
from scripts.benchmark.figures import Sample
from scripts.benchmark.ways import Running

MARKS = (10, 50, 100)  # percent of the requests
_SLOWEST = 100  # requests a second: below that the soak is given up


async def soak(running: Running, requests: int, connections: int) -> Sample:
    """Ask ``requests`` times; values are MiB of resident memory at each of the marks."""
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
    # A program that is asked less than it was told has not been soaked: its errors tell why.
    return Sample(values, tally.errors)
