"""One process of a run: started, watched, stopped. Memory in bytes, CPU time in seconds; None where not to be had."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.benchmark.machine import pin

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = os.sysconf("SC_CLK_TCK")
_PATIENCE = 10.0  # seconds for a process to end by itself


class Process:
    """A child; leaving the context stops it, by force if it must be."""

    def __init__(
        self, command: Sequence[str], *, core: int | None, log: Path, folder: Path, environ: Mapping[str, str]
    ) -> None:
        """Start ``command`` on a core, with what it prints in ``log``."""
        self.log = log
        self.started = time.monotonic()
        with log.open("wb") as output:
            self._child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=output, stderr=output, cwd=folder, env=environ
            )
        self.pid = self._child.pid
        pin(self.pid, core)

    def __enter__(self) -> "Process":
        """Nothing more to do."""
        return self

    def __exit__(self, *_exc: object) -> None:
        """Stop."""
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.terminate()
        try:
            self._child.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._child.poll() is None

    def last_words(self) -> str:
        """The end of what it printed."""
        return self.log.read_text("utf-8", "replace")[-2000:].strip() or "(it printed nothing)"

    def resident(self) -> int | None:
        """Resident memory now."""
        if sys.platform == "linux":
            return int(Path(f"/proc/{self.pid}/statm").read_text("ascii").split()[1]) * _PAGE
        shown = subprocess.run(["ps", "-o", "rss=", "-p", str(self.pid)], capture_output=True, text=True, check=False)
        return int(shown.stdout) * 1024 if shown.stdout.strip() else None

    def forget_peak(self) -> None:
        """Let `peak` count from now."""
        if sys.platform == "linux":
            Path(f"/proc/{self.pid}/clear_refs").write_text("5", "ascii")

    def peak(self) -> int | None:
        """The most resident memory since `forget_peak`; outside Linux that of this moment."""
        if sys.platform != "linux":
            return self.resident()
        status = Path(f"/proc/{self.pid}/status").read_text("ascii", "replace")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024

    def cpu(self) -> float | None:
        """CPU seconds used so far, by all its threads (to 10 ms)."""
        if sys.platform != "linux":
            return None
        fields = Path(f"/proc/{self.pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK
