"""The machine under the benchmark: its cores, and what a number depends on."""

import importlib.metadata
import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Cores:
    """Who runs where; None: wherever the system puts it."""

    upstream: int | None
    generator: int | None
    proxy: int | None

    @property
    def told(self) -> str:
        """For the table's head."""
        if self.proxy is None:
            return "nothing is pinned (this system cannot, or has one core): expect noise"
        return f"proxy on core {self.proxy}, upstream on {self.upstream}, load generator on {self.generator}"


def share_out() -> Cores:
    """Give the proxy a core of its own; upstream and generator share one where there are only two."""
    if sys.platform != "linux":
        return Cores(None, None, None)
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        return Cores(None, None, None)
    return Cores(allowed[0], allowed[2] if len(allowed) > 2 else allowed[0], allowed[1])


def pin(pid: int, core: int | None) -> None:
    """Keep a process (0: this one) and the threads that it will start on a core."""
    if sys.platform == "linux" and core is not None:
        os.sched_setaffinity(pid, {core})


def facts() -> Mapping[str, str]:
    """What to tell with the numbers."""
    return {
        "cores": str(os.cpu_count()),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "mitmproxy": importlib.metadata.version("mitmproxy"),
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    except OSError:
        return platform.processor() or "unknown"
