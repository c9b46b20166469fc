"""Server-sent events from bytes, incremental, as the WHATWG standard has it (html.spec.whatwg.org, section 9.2.6).

Strategy: each feed is cut at its last line end; what is complete is decoded once and split into lines, what is left
waits in a list and is joined only when its line ends, so that neither many small feeds nor one huge line cost more than
their bytes. UTF-8 is decoded in runs of complete lines: a line end is never part of a longer sequence, so no character
is cut in two.

Deviations from the standard: an event that is not followed by a blank line is delivered at ``close``; comments are
delivered, as entries of their own, because a provider uses them to say that it is alive; a line or an event that
outgrows ``MAX_LINE`` is handed on in pieces; ``id`` and ``retry`` are ignored like unknown fields, because nobody here
reconnects.
"""

from dataclasses import dataclass

MAX_LINE = 32 * 1024 * 1024
"""Bytes of a line, or of an event, that are kept waiting for its end; what is longer is cut here."""


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event, or one comment line (then ``comment`` is its text, and event and data are empty).

    ``event`` is empty when the stream named none; several ``data`` lines are joined by a line feed.
    """

    event: str
    data: str
    comment: str | None


class SseDecoder:
    """Bytes in, events out; any cut of the bytes gives the same events. Never raises."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []  # pieces of the line that has not ended yet
        self._waiting_size = 0
        self._after_cr = False  # the last feed ended in CR: a LF that follows belongs to it
        self._at_start = True  # a byte order mark is still possible
        self._event = ""
        self._data: list[str] = []
        self._data_size = 0  # bytes since the event began, counted per feed

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """Take the next bytes; give the events that they complete."""
        if self._after_cr or b"\r" in data:
            data = self._unify(data)
        end = data.rfind(b"\n") + 1
        if not end:
            return self._wait(data)
        ready = data[:end]
        if self._waiting:
            ready = b"".join((*self._waiting, ready))
            self._waiting.clear()
            self._waiting_size = 0
        if end < len(data):
            self._waiting.append(data[end:])
            self._waiting_size = len(data) - end
        return self._lines(ready)

    def close(self) -> list[ServerSentEvent]:
        """The stream has ended: give what is left, with or without its last line end."""
        rest = b"".join(self._waiting)
        self._waiting.clear()
        self._waiting_size = 0
        return self._lines(rest + b"\n\n")

    def _unify(self, data: bytes) -> bytes:
        """Make every line end a LF; a CR ends its line at once, so the LF of a split pair is swallowed later."""
        if self._after_cr and data:
            data = data[1:] if data[0] == 0x0A else data
            self._after_cr = False
        if data.endswith(b"\r"):
            self._after_cr = True
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _wait(self, data: bytes) -> list[ServerSentEvent]:
        self._waiting.append(data)
        self._waiting_size += len(data)
        if self._waiting_size <= MAX_LINE:
            return []
        piece = b"".join(self._waiting)
        self._waiting.clear()
        self._waiting_size = 0
        return self._lines(piece + b"\n")

    def _lines(self, ready: bytes) -> list[ServerSentEvent]:
        """Take complete lines (``ready`` ends in LF)."""
        text = ready.decode("utf-8", "replace")
        if self._at_start:
            self._at_start = False
            text = text.removeprefix("\ufeff")
        out: list[ServerSentEvent] = []
        data = self._data
        # not str.splitlines: it also splits at U+2028, form feeds and others
        for line in text[:-1].split("\n"):
            if not line:
                if data:
                    out.append(ServerSentEvent(self._event, data[0] if len(data) == 1 else "\n".join(data), None))
                    data.clear()
                self._event = ""
            elif line.startswith("data: "):  # nearly every line of nearly every stream
                data.append(line[6:])
            else:
                self._field(line, out)
        self._data_size = self._data_size + len(ready) if data else 0
        if self._data_size > MAX_LINE:
            out += self._lines(b"\n")
        return out

    def _field(self, line: str, out: list[ServerSentEvent]) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif not name:
            out.append(ServerSentEvent("", "", value))
