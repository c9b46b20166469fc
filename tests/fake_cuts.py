"""Where an answer stops: any script, cut after so many bytes or events, with whatever end."""

from collections.abc import Sequence

from tests.fake_answers import CHUNKED, SSE
from tests.fake_steps import Chunk, Drip, Head, Headers, Raw, Script, Step, bytes_of


def after_bytes(script: Script, count: int, *end: Step) -> Script:
    """The first ``count`` bytes of what a script writes, head and framing included, then ``end``.

    ValueError for a script that does more than write, or that writes less.
    """
    written = _written(script)
    if count > len(written):
        raise ValueError(f"the script writes {len(written)} bytes, not {count}")
    return Raw(written[:count]), *end


def after_events(events: Sequence[bytes], count: int, *end: Step, headers: Headers = ()) -> Script:
    """A stream of the first ``count`` events, a chunk each, then ``end``."""
    return Head(200, (*SSE, *CHUNKED, *headers)), *map(Chunk, events[:count]), *end


def in_slices(script: Script, size: int = 1, gap: float = 0.0) -> Script:
    """The same bytes, in writes of ``size``: what a slow line makes of an answer."""
    return (Drip(_written(script), size, gap),)


def _written(script: Script) -> bytes:
    parts = [bytes_of(step) for step in script]
    if None in parts:
        raise ValueError("the script does more than write")
    return b"".join(part for part in parts if part is not None)
