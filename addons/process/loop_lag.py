"""Loop lag: how late the event loop is, and who keeps it, told while it lasts.

Everybody waits while one hook works or sleeps without letting the loop go on. Strategy: a thread of its own asks the
loop ten times a second for a sign of life. Where none comes within a quarter of a second, the loop's stack is logged:
the innermost line is the one that holds it up. Costs a quarter of a percent of one core (measured 2026-11-20) and
nothing per call.

To start up is slow on a busy machine, and harms nobody: what is late in the first seconds is measured, but told only
if it lasts beyond them.

Where the thread itself comes late, the whole process stood still: it was stopped (SIGSTOP), the machine slept, or is
too busy. Connections to upstreams that were idle while nobody looked may have died without a word: after some seconds
of it they are closed.
"""

import asyncio
import logging
import threading
import traceback
from collections.abc import Callable, Coroutine
from contextlib import suppress
from sys import _current_frames

from mitmproxy import ctx

from addons import clock

logger = logging.getLogger(__name__)

THRESHOLD = 0.25  # seconds
_REST = 0.1  # seconds between two questions
_STANDSTILL = 2.0  # seconds after which idle connections are taken for dead
START_UP = 3.0  # seconds after the start in which nothing is told
_QUIET = 10.0  # seconds until the stack of the same place is logged again
_FRAMES = 15  # innermost lines of the stack that are told


class Watch(threading.Thread):
    """Asks one event loop, whose thread is the one that makes this object.

    ``measured`` is called on this thread with each lag in seconds, ``stood_still`` on the loop.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        measured: Callable[[float], None],
        stood_still: Callable[[], object],
    ) -> None:
        super().__init__(name="patchbay-watch", daemon=True)
        self._loop = loop
        self._watched = threading.get_ident()
        self._measured = measured
        self._stood_still = stood_still
        self._tells_from = clock.through_sleep_s() + START_UP
        self._closing = threading.Event()
        self._told: dict[tuple[str, int], float] = {}  # file and line → when its stack was last told
        self._telling = False

    def close(self) -> None:
        """Ask the thread to end."""
        self._closing.set()

    def run(self) -> None:
        """Ask until closed."""
        began = clock.through_sleep_s()
        while not self._closing.wait(_REST):
            late = clock.through_sleep_s() - began - _REST
            if late > THRESHOLD:
                self._tell_standstill(late)
            if not self._ask():
                return
            began = clock.through_sleep_s()

    def _ask(self) -> bool:
        """Measure once; False if the loop is no more."""
        answered, asked = threading.Event(), clock.through_sleep_s()
        try:
            self._loop.call_soon_threadsafe(answered.set)
        except RuntimeError:  # it is closed
            return False
        if not answered.wait(THRESHOLD) and not self._watch_it_last(answered, asked):
            return False
        lag = clock.through_sleep_s() - asked
        self._note(lag)
        if self._telling:
            self._telling = False
            logger.warning("The event loop goes on: it was kept for %.2f s.", lag)
        return True

    def _watch_it_last(self, answered: threading.Event, asked: float) -> bool:
        """Tell who keeps the loop, once, and wait until it goes on; False if it never will."""
        looked = False
        while True:
            if not looked and self._may_tell():
                looked = True
                self._tell_stack(asked)
            if answered.wait(_REST):
                return True
            if self._closing.is_set() or self._loop.is_closed():
                return False

    def _may_tell(self) -> bool:
        return clock.through_sleep_s() >= self._tells_from

    def _tell_stack(self, asked: float) -> None:
        now, frame = clock.through_sleep_s(), _current_frames().get(self._watched)
        if frame is None:
            return
        place = frame.f_code.co_filename, frame.f_lineno
        if now - self._told.get(place, -_QUIET) < _QUIET:
            return
        self._told = {place: when for place, when in self._told.items() if now - when < _QUIET} | {place: now}
        self._telling = True
        stack = "".join(traceback.format_stack(frame)[-_FRAMES:]).rstrip()
        logger.warning("The event loop has been kept for %.2f s: every call waits. It is here:\n%s", now - asked, stack)

    def _tell_standstill(self, late: float) -> None:
        if late >= _STANDSTILL and self._may_tell():
            logger.warning("Patchbay stood still for %.1f s: stopped, asleep, or on a machine that is too busy.", late)
        self._note(late)

    def _note(self, lag: float) -> None:
        self._measured(lag)
        if lag >= _STANDSTILL:
            with suppress(RuntimeError):  # the loop is closed: `_ask` finds out
                self._loop.call_soon_threadsafe(self._stood_still)


class LoopLag:
    """Keeps the numbers. Seconds: ``lag_seconds`` the last one, ``worst_seconds`` the worst since the start.

    ``blocked`` counts those over a quarter of a second. ``observers`` are called with each lag, on another thread.
    ``freshen`` closes what may have died while nobody looked.
    """

    def __init__(self, freshen: Callable[[], Coroutine[None, None, None]]) -> None:
        self.lag_seconds = 0.0
        self.worst_seconds = 0.0
        self.blocked = 0
        self.observers: list[Callable[[float], object]] = []
        self._freshen = freshen
        self._freshening: asyncio.Task[None] | None = None
        self._watch: Watch | None = None

    def running(self) -> None:
        """Begin to watch."""
        self._watch = Watch(asyncio.get_running_loop(), self.measured, self._stood_still)
        self._watch.start()

    def _stood_still(self) -> None:
        self._freshening = asyncio.get_running_loop().create_task(self._freshen())

    def measured(self, lag: float) -> None:
        """Take note of one."""
        self.lag_seconds = lag
        self.worst_seconds = max(self.worst_seconds, lag)
        self.blocked += lag > THRESHOLD
        for observer in self.observers:
            observer(lag)

    def vitals(self) -> dict[str, object]:
        """Say so to health."""
        return {
            "loop_lag_seconds": round(self.lag_seconds, 4),
            "loop_lag_worst_seconds": round(self.worst_seconds, 4),
            "loop_blocked": self.blocked,
        }

    def done(self) -> None:
        """Stop watching; while calls are given time to end, it goes on."""
        if self._watch is not None and not ctx.master.should_exit.is_set():
            self._watch.close()
