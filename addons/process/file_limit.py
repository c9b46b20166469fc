"""How many files and sockets this process may hold, and does (`ulimit -n`). Imports nothing of mitmproxy."""

import os
from contextlib import suppress

MOST_FILES = 1 << 20  # descriptors; "unlimited" helps nobody and slows down who walks them all
_OPEN = "/dev/fd"


def raise_file_limit() -> int:
    """Each stream holds two sockets, and the usual soft limit of 1,024 (macOS: 256) ends at a few hundred.

    Return the soft limit that holds now.
    """
    import resource  # not on Windows, where there is no such limit

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    # macOS says "unlimited" and means its own constant OPEN_MAX.
    for limit in (wanted, 10240):
        if limit <= soft:
            break
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            break
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def count_open() -> int:
    """Count the descriptors in use."""
    return len(os.listdir(_OPEN)) - 1  # the one that lists them
