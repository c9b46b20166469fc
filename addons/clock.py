"""The clock of the relay."""

import time


def now_us() -> int:
    """Read the monotonic clock, in µs."""
    return time.monotonic_ns() // 1000
