"""The load generator: callers that ask one question after another, each on a keep-alive connection of its own."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic_ns

from scripts.benchmark.answers import Answer, Tally
from scripts.benchmark.response import Response

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Load:
    """What the callers do: ``again`` is asked after each answer whether there is another question."""

    request: bytes
    expect: Callable[[], Answer]
    again: Callable[[], bool]
    tally: Tally


class Caller(asyncio.Protocol):
    """One connection. ``ended`` is done when it has asked all its questions, or could not."""

    def __init__(self, load: Load, arrival: int = 0) -> None:
        """Given an ``arrival`` (monotonic ns), it asks once it is connected and counts from then; else on `ask`."""
        self._load = load
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arrival = arrival
        self._transport: asyncio.Transport | None = None
        self._began = 0
        self._response = Response()
        self._answer = load.expect()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, if this caller has just arrived."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._arrival:
            self.ask()
            self._began = self._arrival

    def ask(self) -> None:
        """Send the question."""
        assert self._transport is not None
        self._response = Response()
        self._answer = self._load.expect()
        self._began = monotonic_ns()
        self._transport.write(self._load.request)

    def data_received(self, data: bytes) -> None:
        """Read on; after an answer, ask again or hang up."""
        now = monotonic_ns()
        response = self._response
        try:
            payload = response.feed(data)
        except ValueError as error:
            self._stop(str(error))
            return
        if payload:
            self._answer.read(payload, now)
        if not response.complete:
            return
        self._load.tally.add(self._answer, response.status, self._began, now)
        if self._load.again():
            self.ask()
        else:
            self._stop()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody but us may end the connection."""
        self._stop(f"the connection was lost: {exc}" if exc else "the connection was closed")

    def _stop(self, error: str = "") -> None:
        if self.ended.done():
            return
        self.ended.set_result(None)
        if error:
            self._load.tally.fail(error)
        self.hang_up()

    def hang_up(self) -> None:
        """Close the connection, whatever is still to come."""
        if self._transport is not None:
            self._transport.abort()


async def call(port: int, load: Load, count: int, *, limit: float, stagger: float = 0.0) -> float:
    """Open all connections, then let all ask, ``stagger`` seconds apart; returns the seconds until all have ended.

    Who has not ended after ``limit`` seconds is counted as an error, who cannot connect too.
    """
    loop = asyncio.get_running_loop()
    callers = [caller for caller in [Caller(load) for _ in range(count)] if await _connect(port, caller, load.tally)]
    began = loop.time()
    for place, caller in enumerate(callers):
        if stagger:
            loop.call_at(began + place * stagger, caller.ask)
        else:
            caller.ask()
    await _all_ended(callers, load.tally, limit)
    return loop.time() - began


async def arrive(port: int, load: Load, count: int, *, limit: float) -> float:
    """Let ``count`` callers connect and ask at once; returns the seconds until all have ended."""
    loop = asyncio.get_running_loop()
    began, arrival = loop.time(), monotonic_ns()
    callers = [Caller(load, arrival) for _ in range(count)]
    tasks = [loop.create_task(_connect(port, caller, load.tally)) for caller in callers]
    await _all_ended(callers, load.tally, limit)
    took = loop.time() - began
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return took


async def _connect(port: int, caller: Caller, tally: Tally) -> bool:
    try:
        await asyncio.get_running_loop().create_connection(lambda: caller, HOST, port)
    except OSError as error:
        tally.fail(f"no connection: {error.strerror or error}")
        caller.ended.set_result(None)
        return False
    return True


async def _all_ended(callers: Sequence[Caller], tally: Tally, limit: float) -> None:
    if callers:
        await asyncio.wait([caller.ended for caller in callers], timeout=limit)
    for caller in callers:
        if not caller.ended.done():
            tally.fail(f"no end within {limit:g} s")
            caller.ended.set_result(None)
        caller.hang_up()
