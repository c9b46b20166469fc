"""What a caller makes of an answer: is it whole and right, and when did its events come."""

from dataclasses import dataclass, field
from typing import Protocol

from scripts.benchmark import wire


class Answer(Protocol):
    """One expected answer. ``first`` is the monotonic time (ns) of its first content, 0 before."""

    first: int
    events: int

    def read(self, payload: bytes, now: int) -> None:
        """Take a piece of the body, received at ``now`` (monotonic ns)."""
        ...

    def complaint(self) -> str:
        """What is wrong with the answer once it has ended, or nothing."""
        ...


class PlainAnswer:
    """The small completion: it must be the upstream's, byte for byte."""

    __slots__ = ("_body", "events", "first")

    def __init__(self) -> None:
        self.first = 0
        self.events = 0
        self._body = b""

    def read(self, payload: bytes, now: int) -> None:
        """Collect."""
        self.first = self.first or now
        self._body = self._body + payload if self._body else payload

    def complaint(self) -> str:
        """Compare."""
        return "" if self._body == wire.ANSWER else "the body is not the upstream's"


class StreamAnswer:
    """A stream: all of its events, in full size, with the terminal event last."""

    __slots__ = ("_expected", "_last", "_rest", "_since", "_size", "_transits", "events", "first")

    def __init__(self, expected: wire.Stream, transits: list[int] | None = None, since: int = 0) -> None:
        """``transits`` gets the ns from write to read of each event but the first (that one's is TTFT).

        Events written before ``since`` (monotonic ns) are left out.
        """
        self.first = 0
        self.events = 0
        self._expected = expected
        self._transits = transits
        self._since = since
        self._size = 0
        self._rest = b""
        self._last = b""

    def read(self, payload: bytes, now: int) -> None:
        """Count the events, wherever they are cut."""
        text = self._rest + payload
        end = text.rfind(wire.EVENT_END) + len(wire.EVENT_END)
        if end < len(wire.EVENT_END):
            self._rest = text
            return
        whole, self._rest = text[:end], text[end:]
        if self._transits is not None:
            stamps = [int(stamp) for stamp in wire.STAMP.findall(whole)]
            counted = stamps if self.first else stamps[1:]
            self._transits += [now - stamp for stamp in counted if stamp >= self._since]
        self.first = self.first or now
        self.events += whole.count(wire.EVENT_END)
        self._size += end
        self._last = whole[-len(wire.STREAM_END) :]

    def complaint(self) -> str:
        """Compare with what was asked for."""
        expected = self._expected.events + wire.STREAM_END_EVENTS
        if self.events != expected:
            return f"{self.events} events instead of {expected}"
        if not self._last.endswith(wire.DONE):
            return "no terminal event"
        return "" if self._size == self._expected.size and not self._rest else "the events are not the upstream's"


@dataclass
class Tally:
    """What all callers of one measurement have seen; times in ns, ``errors`` counts each kind of error."""

    answers: int = 0
    events: int = 0
    spans: list[int] = field(default_factory=list)
    firsts: list[int] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)

    def fail(self, error: str) -> None:
        """Count an error."""
        self.errors[error] = self.errors.get(error, 0) + 1

    def add(self, answer: Answer, status: int, began: int, now: int) -> None:
        """Count an answer that has ended."""
        error = answer.complaint() if status == 200 else f"status {status}"
        if error:
            self.fail(error)
            return
        self.answers += 1
        self.events += answer.events
        self.spans.append(now - began)
        self.firsts.append(answer.first - began)
