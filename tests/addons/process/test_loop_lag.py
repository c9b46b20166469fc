"""The watch on a real event loop: what keeps it is measured and named, a standstill of all is noticed."""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable

import pytest
from mitmproxy.test import taddons

from addons import clock
from addons.process import loop_lag
from addons.process.loop_lag import LoopLag, Watch

pytestmark = pytest.mark.anyio


async def until(done: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not done():
            await asyncio.sleep(0.01)


@pytest.fixture(name="lag")
async def fixture_lag(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LoopLag]:
    """The addon, running, asking often; it freshens nothing."""
    monkeypatch.setattr(loop_lag, "_REST", 0.01)
    monkeypatch.setattr(loop_lag, "START_UP", 0.0)
    freshened: list[float] = []

    async def freshen() -> None:
        freshened.append(clock.through_sleep_s())

    lag = LoopLag(freshen)
    with taddons.context():
        lag.running()
        yield lag
        lag.done()


def keep_the_loop(seconds: float) -> None:
    time.sleep(seconds)


async def test_what_keeps_the_loop_is_measured_and_named(lag: LoopLag, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[float] = []
    lag.observers.append(seen.append)
    await until(lambda: seen)
    keep_the_loop(0.5)
    await until(lambda: max(seen) > 0.2)
    await until(lambda: "goes on" in caplog.text)
    assert "in keep_the_loop" in caplog.text
    assert lag.worst_seconds == max(seen)
    assert lag.blocked >= 1
    vitals = lag.vitals()
    assert vitals["loop_blocked"] == lag.blocked
    assert isinstance(vitals["loop_lag_worst_seconds"], float)
    # The same place again says nothing new, another one does.
    told = caplog.text.count("has been kept")
    worst = len(seen)
    keep_the_loop(0.5)
    await until(lambda: max(seen[worst:], default=0) > 0.2)
    assert caplog.text.count("has been kept") == told
    time.sleep(0.5)
    await until(lambda: caplog.text.count("has been kept") > told)


def watch(loop: asyncio.AbstractEventLoop, stood_still: Callable[[], object] = lambda: None) -> Watch:
    return Watch(loop, lambda _lag: None, stood_still)


async def test_a_standstill_of_all_closes_what_was_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock that runs through sleep leaps: the thread comes late, and nobody else was asked meanwhile."""
    monkeypatch.setattr(loop_lag, "_REST", 0.01)
    freshened, leap = asyncio.Event(), [0.0]

    async def freshen() -> None:
        freshened.set()

    real = clock.through_sleep_s
    monkeypatch.setattr(clock, "through_sleep_s", lambda: real() + leap[0])
    seen: list[float] = []
    lag = LoopLag(freshen)
    lag.observers.append(seen.append)
    with taddons.context():
        lag.running()
        await until(lambda: seen)
        leap[0] = 1.0  # noticed, but not worth more
        await until(lambda: lag.worst_seconds > 0.9)
        assert not freshened.is_set()
        for _ in range(20):  # one leap may fall between a question and its answer: then the loop was late, as it seems
            leap[0] += 60.0
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(freshened.wait(), 0.5)
                break
        assert freshened.is_set()
        lag.done()
    assert lag.worst_seconds > 50


async def test_to_start_up_is_slow_and_that_is_measured_but_not_told(
    lag: LoopLag, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lag.done()
    monkeypatch.setattr(loop_lag, "START_UP", 60.0)
    slow = LoopLag(lambda: asyncio.sleep(0))
    slow.running()
    await until(lambda: slow.lag_seconds)
    keep_the_loop(0.5)
    await until(lambda: slow.worst_seconds > 0.2)
    assert slow._watch is not None
    slow._watch._tell_standstill(5.0)
    slow.done()
    assert slow.worst_seconds == 5.0
    assert slow.blocked == 2
    assert "keep_the_loop" not in caplog.text
    assert "stood still" not in caplog.text


async def test_what_lasts_beyond_the_start_is_told(
    lag: LoopLag, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lag.done()
    monkeypatch.setattr(loop_lag, "START_UP", 0.8)
    slow = LoopLag(lambda: asyncio.sleep(0))
    slow.running()
    keep_the_loop(1.6)
    await until(lambda: "goes on" in caplog.text)
    slow.done()
    assert caplog.text.count("in keep_the_loop") == 1


async def test_a_standstill_is_told_where_it_was_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(loop_lag, "START_UP", 0.0)
    calls: list[int] = []
    one = watch(asyncio.get_running_loop(), lambda: calls.append(1))
    one._tell_standstill(1.0)
    assert not caplog.text
    one._tell_standstill(5.0)
    assert "stood still for 5.0 s" in caplog.text
    await asyncio.sleep(0)
    assert calls == [1]


async def test_at_the_end_it_goes_on_until_the_loop_is_closed() -> None:
    lag = LoopLag(lambda: asyncio.sleep(0))
    lag.done()  # it never ran
    with taddons.context() as context:
        lag.running()
        context.master.should_exit.set()
        lag.done()
        assert [one for one in threading.enumerate() if isinstance(one, Watch)]
        context.master.should_exit.clear()
        lag.done()


def test_a_loop_that_is_closed_ends_it(caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    one = watch(loop)
    one._tell_standstill(99)
    one.start()
    one.join(5)
    assert not one.is_alive()


@pytest.mark.parametrize("close", [True, False], ids=["asked to end", "the loop is closed"])
def test_a_loop_that_never_answers_does_not_hold_it(close: bool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    loop = asyncio.new_event_loop()  # nobody runs it
    one = watch(loop)
    one.start()
    time.sleep(loop_lag.THRESHOLD + 0.2)
    one.close() if close else loop.close()
    one.join(5)
    assert not one.is_alive()
    loop.close()


def test_a_thread_that_is_no_more_has_no_stack(caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.new_event_loop()
    one = watch(loop)
    one._watched = -1
    one._tell_stack(clock.through_sleep_s())
    assert not caplog.text
    loop.close()


def test_the_clock_runs_through_sleep_and_never_backwards() -> None:
    first = clock.through_sleep_s()
    assert first > 0
    assert clock.through_sleep_s() >= first
