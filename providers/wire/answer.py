"""The answer that a reader's events add up to: what the record keeps, and what the next turn's history will hold.

Strategy: one draft per part number, grown by the events of its kind; the message is made only when it is asked for.
What is opaque and belongs to no part is not part of the message (the raw bodies have it, where they are kept).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from providers.wire import events
from providers.wire.events import FinishReason, Usage
from providers.wire.request import (
    MediaPart,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)
from providers.wire.values import whole

_CONTENT = frozenset(events.CONTENT) - {events.Finish, events.Terminal}


class _Draft:
    """A part in the making. ``first`` is the event that opened it, and says what it is."""

    __slots__ = ("beside", "encrypted", "first", "format", "id", "pieces", "signature")

    def __init__(self, first: Any) -> None:
        self.first = first
        self.pieces: list[str] = []
        self.signature = ""
        self.encrypted = ""
        self.id = ""
        self.format = ""
        self.beside: list[OpaquePart] = []  # citations, signatures of tool calls


class Answer:
    """Accumulates the events of one answer.

    ``usage`` is merged field by field, a later number overwrites and None never does. ``finish`` and ``finish_raw`` are
    the last finish reason; ``failure`` is the first failure; ``terminal`` says that the dialect's end was seen.
    """

    def __init__(self) -> None:
        self.id = ""
        self.model = ""
        self.usage = Usage()
        self.timings: events.Timings | None = None
        self.finish: FinishReason | None = None
        self.finish_raw = ""
        self.finish_sequence = ""
        self.failure: events.Failure | None = None
        self.vectors: events.Vectors | None = None
        self.terminal = False
        self.has_content = False
        self._drafts: dict[int, _Draft] = {}

    def add(self, event: events.Event) -> None:
        """Take the next event."""
        kind = type(event)
        handle = _HANDLERS.get(kind)
        if handle is not None:
            handle(self, event)
        if kind in _CONTENT:
            self.has_content = True

    def message(self) -> Message:
        """The answer as an assistant's message: parts in order of first appearance, pieces merged."""
        return Message("assistant", tuple(each for part, beside in self.parts() for each in (part, *beside)))

    def parts(self) -> list[tuple[Part, list[OpaquePart]]]:
        """Each part with what stands on it: a text's citations, the fields of a tool call."""
        drafts = (self._drafts[number] for number in sorted(self._drafts))
        return [(_PARTS[type(draft.first)](draft), draft.beside) for draft in drafts]

    def growth(self) -> list[tuple[events.Event, list[str]]]:
        """Each part as it grows: the event that opened it and its pieces so far, which are not to be changed."""
        return [(draft.first, draft.pieces) for _, draft in sorted(self._drafts.items())]

    def _draft(self, event: Any) -> _Draft:
        draft = self._drafts.get(event.part)
        if draft is None:
            draft = self._drafts[event.part] = _Draft(event)
        elif type(draft.first) is events.Opaque:  # a citation comes before the text that it supports
            draft.beside.insert(0, OpaquePart(draft.first.type, draft.first.raw))
            draft.first = event
        return draft

    def _begin(self, event: events.Begin) -> None:
        self.id = event.id or self.id
        self.model = event.model or self.model

    def _text(self, event: events.Text | events.Refusal) -> None:
        self._draft(event).pieces.append(event.text)

    def _reasoning(self, event: events.Reasoning) -> None:
        draft = self._draft(event)
        draft.pieces.append(event.text)
        draft.signature = event.signature or draft.signature  # one per part: the SDK replaces it, too
        draft.encrypted = event.encrypted or draft.encrypted
        draft.id = event.id or draft.id
        draft.format = event.format or draft.format

    def _tool_call(self, event: events.ToolCall) -> None:
        self._draft(event)

    def _media(self, event: events.Media) -> None:
        self._draft(replace(event, data="") if event.data else event)

    def _arguments(self, event: events.ToolArguments) -> None:
        # a reader announces a call first; what it did not announce has no name
        draft = self._drafts.get(event.part) or self._draft(events.ToolCall(event.part, "", ""))
        draft.pieces.append(event.text)

    def _opaque(self, event: events.Opaque) -> None:
        if event.part is None:
            return
        if event.part in self._drafts:
            self._drafts[event.part].beside.append(OpaquePart(event.type, event.raw))
        else:
            self._drafts[event.part] = _Draft(event)

    def _usage(self, event: Usage) -> None:
        self.usage = event.over(self.usage)

    def _finish(self, event: events.Finish) -> None:
        self.finish, self.finish_raw, self.finish_sequence = event.reason, event.raw, event.sequence

    def _failure(self, event: events.Failure) -> None:
        self.failure = self.failure or event

    def _timings(self, event: events.Timings) -> None:
        self.timings = event

    def _vectors(self, event: events.Vectors) -> None:
        self.vectors = event

    def _terminal(self, _event: events.Terminal) -> None:
        self.terminal = True


_HANDLERS: dict[type[events.Event], Callable[[Answer, Any], None]] = {
    events.Begin: Answer._begin,
    events.Text: Answer._text,
    events.Reasoning: Answer._reasoning,
    events.Refusal: Answer._text,
    events.ToolCall: Answer._tool_call,
    events.ToolArguments: Answer._arguments,
    events.Media: Answer._media,
    events.Usage: Answer._usage,
    events.Finish: Answer._finish,
    events.Failure: Answer._failure,
    events.Timings: Answer._timings,
    events.Vectors: Answer._vectors,
    events.Opaque: Answer._opaque,
    events.Terminal: Answer._terminal,
}


def _merged(draft: _Draft) -> str:
    return whole("".join(draft.pieces))


def _reasoning_part(draft: _Draft) -> Part:
    return ReasoningPart(_merged(draft), draft.signature, draft.encrypted, draft.id, draft.format)


def _tool_part(draft: _Draft) -> Part:
    call: events.ToolCall = draft.first
    return ToolCallPart(whole(call.id), whole(call.name), _merged(draft), call.kind)


def _media_part(draft: _Draft) -> Part:
    media: events.Media = draft.first
    return MediaPart(media.kind, media.media_type, media.size, media.ref)


_PARTS: dict[type[events.Event], Callable[[_Draft], Part]] = {
    events.Text: lambda draft: TextPart(_merged(draft)),
    events.Refusal: lambda draft: RefusalPart(_merged(draft)),
    events.Reasoning: _reasoning_part,
    events.ToolCall: _tool_part,
    events.Media: _media_part,
    events.Opaque: lambda draft: OpaquePart(draft.first.type, draft.first.raw),
}
