"""A stream's body cut into its events, each with the time at which its last byte came."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")


@dataclass(frozen=True, slots=True)
class Cut:
    """One event as it stands in the body; ``at`` in µs since the call began, None where nobody noted it."""

    raw: bytes
    at: int | None


def cut_events(body: bytes, pieces: Sequence[tuple[int, int]] = ()) -> list[Cut]:
    """Cut a body behind each blank line; ``pieces`` are the sizes and times of what it came in (`read_pace`)."""
    ends = list(accumulate(size for size, _ in pieces))
    cuts: list[Cut] = []
    start = 0
    for end in (*(found.end() for found in _END.finditer(body)), len(body)):
        if raw := body[start:end]:
            piece = bisect_left(ends, end)
            cuts.append(Cut(raw, pieces[piece][1] if piece < len(pieces) else None))
        start = end
    return cuts
