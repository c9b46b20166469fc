"""Keeps one engine process for exactly as long as its parent lives: `python -m scripts.engine_keeper COMMAND…`.

The parent holds the other end of our standard input and never writes to it. When it ends, in whatever way, the input
ends, and the engine with it: no process that holds gigabytes is left behind. This works on every system, for a program
that knows nothing of it, and while the engine is too busy loading to notice anything.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

GRACE = 5.0  # seconds between SIGTERM and SIGKILL


def stop(process: subprocess.Popen[bytes]) -> None:
    """End ``process``: politely, then not."""
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()


def wait_for_end_of_input(descriptor: int) -> None:
    """Return when nobody holds the other end of the pipe any more."""
    while os.read(descriptor, 4096):
        pass


def keep(command: Sequence[str]) -> int:
    """Run ``command`` until it ends or standard input does; returns its exit code (128 + signal when it was killed)."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def watch() -> None:
        wait_for_end_of_input(0)
        stop(process)

    threading.Thread(target=watch, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda _number, _frame: process.terminate())
    code = process.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(keep(sys.argv[1:]))
