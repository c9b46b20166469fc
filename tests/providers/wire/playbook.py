"""Ways to play bytes into a reader: whole, one byte at a time, and in chosen cuts; and events written short."""

import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from providers.wire.answer import Answer
from providers.wire.events import Event
from providers.wire.reader import Reader
from providers.wire.request import Part

FIXTURES = Path(__file__).parents[2] / "fixtures" / "wire"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    """``data`` in pieces, cut at ``places`` (taken modulo its length)."""
    points = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(points)]


def play(reader: Reader, pieces: Sequence[bytes]) -> list[Event]:
    """All events of an answer that comes in these pieces."""
    out: list[Event] = []
    for piece in pieces:
        out += reader.feed(piece)
    return out + reader.close()


def events_of(make: Callable[[], Reader], data: bytes) -> list[Event]:
    """The events of an answer; the same whole, in thirds of lines, and byte by byte, or the test fails."""
    events = play(make(), [data])
    assert play(make(), [data[at : at + 1] for at in range(len(data))]) == events
    assert play(make(), [data[at : at + 7] for at in range(0, len(data), 7)]) == events
    return events


def answer_of(events: Sequence[Event]) -> Answer:
    """What events add up to."""
    answer = Answer()
    for event in events:
        answer.add(event)
    return answer


def parts_of(events: Sequence[Event]) -> tuple[Part, ...]:
    """The parts of the message that events add up to."""
    return answer_of(events).message().parts


def sse(*chunks: Any, done: bool = False) -> bytes:
    """Chunks as a chat stream."""
    lines = [chunk if isinstance(chunk, str) else json.dumps(chunk) for chunk in (*chunks, *(["[DONE]"] * done))]
    return "".join(f"data: {line}\n\n" for line in lines).encode()


def named(*chunks: dict[str, Any]) -> bytes:
    """Chunks as a stream whose events carry their type as a name, too (messages, responses)."""
    return "".join(f"event: {chunk['type']}\ndata: {json.dumps(chunk)}\n\n" for chunk in chunks).encode()
