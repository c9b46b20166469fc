"""The view *Stream*: an answer of events, put together again, above the list of its events with the time of each.

Strategy: the same readers that listen while an answer passes read it here, event by event, so the view says what the
gateway understood. A long stream is read and listed only as far as a person would; what is left out is said.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from addons.views.stream_events import Cut, cut_events
from addons.views.turn import turn_of
from providers.redaction import redact
from providers.wire import events
from providers.wire.answer import Answer
from providers.wire.endpoints import Operation
from providers.wire.readers import reader_for
from providers.wire.values import whole

MOST_READ = 2 << 20  # bytes
_FIRST, _LAST = 1_000, 200  # events that are listed
_LONGEST_ROW = 120  # characters of what an event says


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call ended, as its flow tells: ``error`` in words, ``is_cut``: the flow keeps only the body's beginning."""

    error: str = ""
    is_cut: bool = False


@dataclass(slots=True)
class Reading:
    """A stream that was read: its answer, and what each of its events said."""

    answer: Answer = field(default_factory=Answer)
    rows: list[tuple[Cut, str]] = field(default_factory=list)


def read_stream(body: bytes, operation: Operation, pieces: list[tuple[int, int]]) -> Reading:
    """Read a stream's body. Never raises: what nobody understands is an event as it came."""
    reading, reader = Reading(), reader_for(operation, True)
    for cut in cut_events(body, pieces):
        said = reader.feed(cut.raw)
        reading.rows.append((cut, _row(cut, said)))
        for event in said:
            reading.answer.add(event)
    rest = reader.close()
    for event in rest:
        reading.answer.add(event)
    if reading.rows and any(not isinstance(event, events.Terminal) for event in rest):
        cut, row = reading.rows[-1]
        reading.rows[-1] = (cut, f"{row}; {_told(rest)}")
    return reading


def show_answer(body: bytes, operation: Operation, title: str, ending: Ending) -> str:
    """Return a stream's answer alone, as one turn."""
    reading = read_stream(body[:MOST_READ], operation, [])
    return redact("\n".join((f"# {title}", *_notes(body, reading.answer, ending), turn_of(reading.answer))))


def show_stream(
    body: bytes, operation: Operation, title: str, ending: Ending, pieces: list[tuple[int, int]] | None = None
) -> str:
    """Return the answer and its events; ``pieces`` as `providers.exchange.pace.read_pace` gives them."""
    reading = read_stream(body[:MOST_READ], operation, pieces or [])
    lines = [f"# {title}", *_notes(body, reading.answer, ending), *_times(reading), turn_of(reading.answer)]
    return redact("\n".join((*lines, *_listed(reading), *([ending.error] if ending.error else []), "")))


def _notes(body: bytes, answer: Answer, ending: Ending) -> Iterator[str]:
    if ending.error:
        yield f"# It failed: {ending.error}"
    if ending.is_cut:
        yield "# The flow keeps only the beginning of this answer."
    elif len(body) > MOST_READ:
        yield f"# Only its first {MOST_READ:,} bytes are read here, of {len(body):,}."
    elif not answer.terminal and not answer.failure:
        yield "# It ends before its end: the answer is cut."


def _times(reading: Reading) -> Iterator[str]:
    times = [cut.at for cut, _ in reading.rows if cut.at is not None]
    if times:
        yield f"# {len(reading.rows):,} events, from {_span(times[0])} to {_span(times[-1])} after the call began"
    else:
        yield f"# {len(reading.rows):,} events; when each came was not noted"


def _listed(reading: Reading) -> Iterator[str]:
    rows, before = reading.rows, 0
    yield "# events: number, time since the call began, time since the event before, what it says"
    for number, (cut, said) in enumerate(rows):
        if number == _FIRST and len(rows) > _FIRST + _LAST:
            yield f"… {len(rows) - _FIRST - _LAST:,} events are not listed …"
        if number < _FIRST or number >= len(rows) - _LAST:
            at = "" if cut.at is None else _span(cut.at)
            gap = "" if cut.at is None or not number else f"+{_span(cut.at - before)}"
            yield f"{number + 1:>6}  {at:>11}  {gap:>12}  {said}".rstrip()
        before = before if cut.at is None else cut.at


def _span(micros: int) -> str:
    return f"{micros / 1_000_000:,.3f} s" if micros >= 10_000_000 else f"{micros / 1000:,.1f} ms"


def _row(cut: Cut, said: list[events.Event]) -> str:
    name, text = "", cut.raw.decode("utf-8", "replace")
    if text.startswith("event:"):
        name, _, text = text[len("event:") :].partition("\n")
    told = _told(said) or " ".join(text.split())[:_LONGEST_ROW]
    return f"{name.strip()[:40]}  {told}".strip()


def _told(said: list[events.Event]) -> str:
    """Say what events mean; they are few, mostly one."""
    texts = (_WORDS[type(event)](event) for event in said[:8])
    return "; ".join(text for text in texts if text)


def _short(text: str) -> str:
    text = whole(text)
    return repr(text[:_LONGEST_ROW]) + ("…" if len(text) > _LONGEST_ROW else "")


def _usage(usage: events.Usage) -> str:
    counts = {"in": usage.input, "out": usage.output, "cached": usage.cache_read, "reasoning": usage.reasoning}
    return "usage " + ", ".join(f"{count:,} {name}" for name, count in counts.items() if count is not None)


_WORDS: dict[type[events.Event], Callable[[Any], str]] = {
    events.Begin: lambda event: f"begins {whole(event.model)}".rstrip(),
    events.Text: lambda event: f"text {_short(event.text)}",
    events.Reasoning: lambda event: f"thinking {_short(event.text)}" if event.text else "thinking, its signature",
    events.Refusal: lambda event: f"refusal {_short(event.text)}",
    events.ToolCall: lambda event: f"calls {whole(event.name)} as {whole(event.id)}",
    events.ToolArguments: lambda event: f"arguments {_short(event.text)}",
    events.PartEnd: lambda event: f"part {event.part} ends",
    events.Media: lambda event: f"{event.kind} {event.media_type}, {event.size:,} bytes",
    events.Usage: _usage,
    events.Finish: lambda event: f"finishes: {event.reason} ({whole(event.raw)})",
    events.Failure: lambda event: f"fails: {_short(event.message)}",
    events.Timings: lambda event: "the server's own times",
    events.Vectors: lambda event: f"{event.count:,} vectors",
    events.Comment: lambda event: f"comment {_short(event.text)}",
    events.Opaque: lambda event: f"{whole(event.type) or 'not understood'} {_short(event.raw)}",
    events.Terminal: lambda event: "the end",
}
