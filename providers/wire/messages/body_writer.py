"""The writer of plain Messages answers.

Strategy: parts are collected in the order of their first event, whatever comes between, and are made blocks at the end.
"""

from collections.abc import Callable
from typing import Any

from providers.wire import events
from providers.wire.events import Event
from providers.wire.messages import carried, frames
from providers.wire.messages.ending import Ending
from providers.wire.messages.open_call import WrittenIds, arguments_of
from providers.wire.neutral import Json
from providers.wire.writer import Answering


class _Draft:
    """A part in the making; ``blocks`` are what stands for itself, or behind the part's own block."""

    __slots__ = ("blocks", "call", "citations", "pieces", "thought")

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.citations: list[Json] = []
        self.thought: carried.Thought | None = None
        self.call: tuple[events.ToolCall, Json] | None = None
        self.blocks: list[Json] = []


class BodyWriter:
    """Writes one plain answer."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._begin = events.Begin()
        self._drafts: dict[int, _Draft] = {}
        self._ids = WrittenIds(answering.id)
        self._ending = Ending(answering)

    def write(self, event: Event) -> bytes:
        """Collect; a plain answer is written when it is whole."""
        if handle := _HANDLERS.get(type(event)):
            handle(self, event)
        return b""

    def close(self) -> bytes:
        """The whole answer."""
        content = [block for draft in self._drafts.values() for block in self._blocks(draft)]
        usage = self._ending.counts()
        if tier := self._ending.tier():
            usage["service_tier"] = tier
        message: Json = {
            "id": self._begin.id or self._answering.id,
            "type": "message",
            "role": "assistant",
            "model": self._begin.model or self._answering.model,
            "content": content,
            **self._ending.stop(),
            "usage": usage,
        }
        return frames.body(message | self._ending.others())

    def _blocks(self, draft: _Draft) -> list[Json]:
        """The part's own block, if it has come to anything, and those behind it."""
        text = "".join(draft.pieces)
        block: Json | None = None
        if draft.call is not None:
            call, block = draft.call
            block["input"] = arguments_of(text, custom=call.kind == "custom")
        elif draft.thought is not None:
            block = self._thinking(draft.thought, text)
        elif text:
            block = {"type": "text", "text": text}
            if draft.citations:
                block["citations"] = draft.citations
        return draft.blocks if block is None else [block, *draft.blocks]

    def _thinking(self, thought: carried.Thought, text: str) -> Json | None:
        if text or thought.signature:
            return {"type": "thinking", "thinking": text, "signature": thought.sealed(self._answering)}
        return thought.redacted(self._answering) if thought.encrypted else None

    def _draft(self, part: int) -> _Draft:
        draft = self._drafts.get(part)
        if draft is None:
            draft = self._drafts[part] = _Draft()
        return draft

    def _begun(self, event: events.Begin) -> None:
        self._begin = events.Begin(event.id or self._begin.id, event.model or self._begin.model)

    def _text(self, event: events.Text | events.ToolArguments) -> None:
        self._draft(event.part).pieces.append(event.text)

    def _reasoning(self, event: events.Reasoning) -> None:
        draft = self._draft(event.part)
        draft.thought = draft.thought or carried.Thought()
        draft.thought.add(event)
        draft.pieces.append(event.text)

    def _tool_call(self, event: events.ToolCall) -> None:
        self._ending.called = True
        name = self._answering.tool_names.get(event.name, event.name)
        self._draft(event.part).call = (event, {"type": "tool_use", "id": self._ids.of(event), "name": name})

    def _opaque(self, event: events.Opaque) -> None:
        if event.part is None and event.type != "annotation":
            self._ending.beside(event)
            return
        draft = self._draft(-1 if event.part is None else event.part)
        if event.type == "caller" and draft.call is not None:
            draft.call[1]["caller"] = carried.value_of(event.raw)
            return
        citation = carried.citation_of(event, self._answering) if event.type in ("citation", "annotation") else None
        if citation is not None and event.part is not None:
            draft.citations.append(citation)
        else:
            draft.blocks.append(carried.block_of(event, self._answering, self._ids.known(event.part)))

    def _media(self, event: events.Media) -> None:
        self._draft(event.part).blocks.append(carried.block_of(event, self._answering))


_HANDLERS: dict[type[Event], Callable[[BodyWriter, Any], None]] = {
    events.Begin: BodyWriter._begun,
    events.Text: BodyWriter._text,
    events.Reasoning: BodyWriter._reasoning,
    events.ToolCall: BodyWriter._tool_call,
    events.ToolArguments: BodyWriter._text,
    events.Opaque: BodyWriter._opaque,
    events.Media: BodyWriter._media,
    events.Usage: lambda writer, event: writer._ending.usage(event),
    events.Finish: lambda writer, event: writer._ending.finish(event),
    events.Refusal: lambda writer, event: writer._ending.refusal(event),
}
