"""The clocks of the relay. Wall time is for people: no deadline, wait or age is made of it, since it jumps."""

import time

# Counts on while the machine sleeps. macOS has it under the other name; there it is not what `time.monotonic` reads.
_THROUGH_SLEEP: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def now_us() -> int:
    """Read the monotonic clock, in µs."""
    return time.monotonic_ns() // 1000


def through_sleep_s() -> float:
    """Read the clock that goes on while the machine sleeps, in seconds; monotonic, too."""
    return time.clock_gettime(_THROUGH_SLEEP)
