"""Where one provider's answer broke off and another one's goes on: two streams of events become one.

Strategy: both are read by wrapped readers. `Unbroken` gives of an answer what stood in whole events: what the end of
the bytes brings counts only if it is a good end. `Joined` lets a second answer follow the first: its parts are numbered
onward, its text goes on in the text that was open, its counts are added to those of the first, and it has no beginning.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from providers.exchange.settlement import added, measured
from providers.wire import events
from providers.wire.answer import Answer
from providers.wire.events import Event, Usage
from providers.wire.notes import Notes
from providers.wire.reader import Reader
from providers.wire.request import ReasoningPart, TextPart

_HALF = "\ufffd"  # what stands for a character of which only the first half has come
_PARTED = (
    events.Text,
    events.Reasoning,
    events.Refusal,
    events.ToolCall,
    events.ToolArguments,
    events.PartEnd,
    events.Media,
    events.Opaque,
)


def said(answer: Answer) -> str:
    """Return the text of an answer that another provider can go on with, "" if none can.

    Thoughts may stand before and between; but the last thing must be text, nothing else may have begun (a tool call, a
    refusal, a picture), and the model must not have said that it was done.
    """
    parts = [part for part, _ in answer.parts()]
    if answer.finish is not None or not parts or not isinstance(parts[-1], TextPart):
        return ""
    if not all(isinstance(part, TextPart | ReasoningPart) for part in parts):
        return ""
    text = "".join(part.text for part in parts if isinstance(part, TextPart))
    return "" if text.endswith(_HALF) or not text.strip() else text


def thought(answer: Answer) -> str:
    """Return the reasoning of an answer."""
    return "".join(part.text for part, _ in answer.parts() if isinstance(part, ReasoningPart))


class Unbroken:
    """Reads an answer that may break off. ``highest`` is its last part's number, ``open_text`` the text that grows."""

    def __init__(self, reader: Reader, highest: int = -1) -> None:
        self._reader = reader
        self.highest = highest
        self.open_text: int | None = None

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes; give the events that they complete."""
        return self._noted(self._reader.feed(data))

    def close(self) -> list[Event]:
        """Nothing more comes: give the rest of a whole answer; of a broken one, that its provider said so."""
        read = self._reader.close()
        if not any(isinstance(event, events.Terminal) for event in read):
            read = [event for event in read if isinstance(event, events.Failure)]
        return self._noted(read)

    def _noted(self, read: list[Event]) -> list[Event]:
        for event in read:
            if not isinstance(event, _PARTED) or event.part is None:
                continue
            self.highest = max(self.highest, event.part)
            if isinstance(event, events.Text):
                self.open_text = event.part
            elif isinstance(event, events.PartEnd) and event.part == self.open_text:
                self.open_text = None
        return read


@dataclass(slots=True)
class Onward:
    """Where a broken answer stands, for the one that follows.

    ``highest`` and ``open_text`` as in `Unbroken`; ``blank`` is the white space at the end of what the client has got,
    which the other provider was not told; ``used`` what has been counted so far.
    """

    highest: int
    open_text: int | None
    blank: str
    used: Usage


@dataclass(frozen=True, slots=True)
class Words:
    """How the second provider's words differ: its tools' names → the client's; what it alone understands is noted.

    ``kin``: both providers speak one dialect, so that what stands beside the words of one can follow the other's.
    """

    kin: bool
    tool_names: Mapping[str, str] = field(default_factory=dict)
    notes: Notes = field(default_factory=Notes)


class Joined:
    """Reads the answer that goes on with another one, as more of that one."""

    def __init__(self, reader: Reader, onward: Onward, words: Words) -> None:
        self._reader = reader
        self._words = words
        self._used = onward.used
        self._blank = onward.blank
        self._open_text = onward.open_text
        self._next = onward.highest + 1
        self._numbers: dict[int, int] = {}
        self._told = False  # that the first answer was counted
        self._counted = False  # the provider has counted the second
        self._timings: events.Timings | None = None

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes; give the events that they complete."""
        return self._joined(self._reader.feed(data))

    def close(self) -> list[Event]:
        """Nothing more comes; give what is left."""
        return self._joined(self._reader.close())

    def _joined(self, read: list[Event]) -> list[Event]:
        out: list[Event] = [] if self._told else [self._used]
        self._told = True
        for event in read:
            handle = _HANDLERS.get(type(event))
            if handle is not None:
                handle(self, event, out)
            elif isinstance(event, _PARTED):
                out.append(self._numbered(event))
            else:
                out.append(event)
        return out

    def _numbered(self, event: Any) -> Event:
        """Give the event's part a number of its own; a text that comes first goes on in the one that was open."""
        if event.part not in self._numbers:
            goes_on = type(event) is events.Text and not self._numbers and self._open_text is not None
            self._numbers[event.part] = self._open_text if goes_on and self._open_text is not None else self._next
            self._next += 0 if goes_on else 1
        numbered: Event = replace(event, part=self._numbers[event.part])
        return numbered

    def _text(self, event: events.Text, out: list[Event]) -> None:
        """The white space that the client has got already is not said again."""
        text = event.text
        while text and self._blank and text[0] == self._blank[0]:
            text, self._blank = text[1:], self._blank[1:]
        if text:
            self._blank = ""
            out.append(self._numbered(replace(event, text=text)))

    def _reasoning(self, event: events.Reasoning, out: list[Event]) -> None:
        """Shown, but not signed: what the client sends back is taken for the first provider's own."""
        if event.text:
            out.append(self._numbered(replace(event, signature="", encrypted="", id="", format="")))

    def _tool_call(self, event: events.ToolCall, out: list[Event]) -> None:
        name = self._words.tool_names.get(event.name, event.name)
        out.append(self._numbered(replace(event, name=name)))

    def _opaque(self, event: events.Opaque, out: list[Event]) -> None:
        if not self._words.kin:
            self._words.notes.drop(f"answer.{event.type or 'unknown'}")
        elif event.part is None:
            out.append(event)
        else:
            out.append(self._numbered(event))

    def _begin(self, event: events.Begin, out: list[Event]) -> None:
        """The answer has begun already: id and model are the first one's."""

    def _usage(self, event: Usage, out: list[Event]) -> None:
        self._counted = True
        out.append(added(self._used, event))

    def _measured(self, event: events.Timings, out: list[Event]) -> None:
        self._timings = event

    def _terminal(self, event: events.Terminal, out: list[Event]) -> None:
        """A llama-server that counts nothing has measured it."""
        timings = self._timings
        if timings is not None and not self._counted:
            out.append(added(self._used, measured(timings)))
        out.append(event)


_HANDLERS: dict[type[Event], Callable[[Joined, Any, list[Event]], None]] = {
    events.Text: Joined._text,
    events.Reasoning: Joined._reasoning,
    events.ToolCall: Joined._tool_call,
    events.Opaque: Joined._opaque,
    events.Begin: Joined._begin,
    Usage: Joined._usage,
    events.Timings: Joined._measured,
    events.Terminal: Joined._terminal,
}
