"""What SIGHUP means: read the configuration again, or, where the terminal is gone in which we were started, stop.

A daemon is asked to read its configuration again by this signal; a program in a terminal gets the same one when its
window is closed, and is to end then, unless `nohup` had it ignore that. The two are told apart by looking whether the
terminal is still there.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress

_TERMINAL = "/dev/tty"  # that of the process, whichever it is


class Hangup:
    """Hears SIGHUP from `listen` on; ``again`` is called where it asks for the configuration to be read."""

    def __init__(self, again: Callable[[], None]) -> None:
        self._again = again
        self._ends_with_terminal = False

    def listen(self) -> None:
        """Hear the signal in the running event loop. There is none on Windows, and none outside the main thread."""
        with suppress(AttributeError, NotImplementedError, ValueError, RuntimeError):
            ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            self._ends_with_terminal = not ignored and has_terminal()
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._heard)

    def _heard(self) -> None:
        if self._ends_with_terminal and not has_terminal():
            os.kill(os.getpid(), signal.SIGTERM)  # whoever listens to that lets the calls in flight end
        else:
            self._again()


def has_terminal() -> bool:
    """Whether this process has a terminal that is still there."""
    try:
        os.close(os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
