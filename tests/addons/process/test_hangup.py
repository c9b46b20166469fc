"""SIGHUP: read the configuration again, or stop because the terminal is gone."""

import asyncio
import os
import pty
import signal
from collections.abc import Callable, Iterator

import pytest

from addons.process import hangup as module
from addons.process.hangup import Hangup, has_terminal


@pytest.fixture(autouse=True)
def fixture_handlers() -> Iterator[None]:
    before = {name: signal.getsignal(name) for name in (signal.SIGHUP, signal.SIGTERM)}
    yield
    for name, handler in before.items():
        signal.signal(name, handler)


async def hang_up(again: Callable[[], None]) -> None:
    hangup = Hangup(again)
    hangup.listen()
    os.kill(os.getpid(), signal.SIGHUP)
    await asyncio.sleep(0.05)
    asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)


# (whether there was a terminal at the start, whether it is there at the signal, whether nohup started us) → stopped
@pytest.mark.anyio
@pytest.mark.parametrize(
    ("at_start", "now", "ignored", "stops"),
    [
        (False, False, False, False),  # a service
        (True, True, False, False),  # somebody asks by `kill -HUP`
        (True, False, False, True),  # the window was closed
        (True, False, True, False),  # … after `nohup`
    ],
)
async def test_what_it_means(
    monkeypatch: pytest.MonkeyPatch, at_start: bool, now: bool, ignored: bool, stops: bool
) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
    heard: list[str] = []
    terminal = [at_start, now] if not ignored else [now]
    monkeypatch.setattr(module, "has_terminal", lambda: terminal.pop(0))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, heard.append, "stop")
    await hang_up(lambda: heard.append("again"))
    asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
    assert heard == ["stop" if stops else "again"]


def test_it_is_not_heard_outside_the_main_thread() -> None:
    async def listen() -> None:
        Hangup(lambda: None).listen()

    async def elsewhere() -> None:
        await asyncio.to_thread(asyncio.run, listen())

    asyncio.run(elsewhere())


def test_a_terminal_that_is_there_and_one_that_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    inner, outer = pty.openpty()
    monkeypatch.setattr(module, "_TERMINAL", os.ttyname(outer))
    assert has_terminal()
    os.close(inner)
    os.close(outer)
    assert not has_terminal()
