"""Neutral events of any provider's answer → the deltas of one chat message.

Strategy: every handler adds to one delta under construction, which is sent when the event is done. A delta is safe to
accumulate as the openai SDK does it (specs: translation 10.4): strings that are meant to be joined, and lists of
objects with a dense ``index``; constants come once. So a plain answer is what an accumulator makes of the deltas, and
there is one mapping for both forms. The exception is ``type`` inside of ``reasoning_details``: it comes with every
fragment, because readers tell fragments by it, and accumulators replace it.

Text and arguments are told live. Held back are: half of a character (a surrogate), until its other half; citations,
until the text that they support is whole; the free text of a custom tool that the provider knows as a function.
"""

from collections.abc import Callable
from typing import Any

from providers.wire import events
from providers.wire.chat.annotations import Annotations
from providers.wire.chat.call_deltas import CallDeltas
from providers.wire.chat.provider_fields import ProviderFields, Record, value_of
from providers.wire.chat.reasoning_deltas import ReasoningDeltas
from providers.wire.events import Finish, FinishReason
from providers.wire.halves import Halves
from providers.wire.media import url_of
from providers.wire.values import mapping, string, whole
from providers.wire.writer import Answering

Delta = dict[str, Any]

_FINISH = {
    FinishReason.STOP: "stop",
    FinishReason.LENGTH: "length",
    FinishReason.TOOL_CALLS: "tool_calls",
    FinishReason.STOP_SEQUENCE: "stop",
    FinishReason.REFUSAL: "content_filter",
    FinishReason.PAUSE: "stop",
    FinishReason.UNKNOWN: "stop",
}


class Deltas:
    """One answer: events in, deltas out; ``finish`` gives the last one."""

    def __init__(self, answering: Answering) -> None:
        self.finish_reason = ""
        self._delta: Delta = {}
        self._fields = ProviderFields(answering.provider or "")
        self._reasoning = ReasoningDeltas(answering.signatures)
        self._calls = CallDeltas(answering)
        self._annotations = Annotations()
        self._content = Halves()
        self._offset = 0  # characters of content so far
        self._text: Record | None = None  # the text that grows
        self._text_part = -1
        self._records: dict[int, Record] = {}
        self._images = 0
        self._refused = False
        self._finish: Finish | None = None

    def take(self, event: events.Event) -> Delta:
        """What an event adds to the message; empty for most that are not content."""
        handle = _HANDLERS.get(type(event))
        if handle is None:
            return {}
        handle(self, event)
        delta, self._delta = self._delta, {}
        return delta

    def finish(self) -> Delta:
        """The last delta: what was held, and what chat cannot say. Sets ``finish_reason``."""
        self._leave_text()
        self._reasoning.end(self._delta)
        self._calls.end(self._delta)
        finish = self._finish
        reason = finish.reason if finish else FinishReason.STOP
        if reason is FinishReason.REFUSAL and not self._refused and (why := self._explanation()):
            self._delta["refusal"] = why
        if reason in (FinishReason.STOP, FinishReason.UNKNOWN) and self._calls.sent:
            reason = FinishReason.TOOL_CALLS
        elif reason is FinishReason.TOOL_CALLS and not self._calls.sent:
            reason = FinishReason.STOP
        self.finish_reason = self._calls.finish_word if reason is FinishReason.TOOL_CALLS else _FINISH[reason]
        if fields := self._fields.to_json(finish):
            self._delta["provider_fields"] = fields
        return self._delta

    def _say_text(self, event: events.Text) -> None:
        if event.part != self._text_part or self._text is None:
            self._enter_text(event.part)
        text = self._content.join(event.text)
        if text and self._text:
            self._grow(text, self._text)

    def _grow(self, text: str, record: Record) -> None:
        self._delta["content"] = self._delta.get("content", "") + text
        self._offset += len(text)
        record.length += len(text)

    def _enter_text(self, part: int) -> Record:
        self._leave_text()
        self._text = self._records[part] = self._fields.open("text", self._offset)
        self._text_part = part
        return self._text

    def _leave_text(self) -> None:
        """The text that grew is whole: tell its other half, and what it is supported by."""
        if self._text is None:
            return
        if half := self._content.rest():
            self._grow(half, self._text)
        self._annotations.close(self._text, self._delta)
        self._text, self._text_part = None, -1

    def _say_reasoning(self, event: events.Reasoning) -> None:
        if event.part not in self._records:
            self._leave_text()
            self._records[event.part] = self._fields.open("reasoning")
        self._reasoning.take(event, self._delta)

    def _say_refusal(self, event: events.Refusal) -> None:
        self._refused = True
        if event.part not in self._records:
            self._leave_text()
            self._records[event.part] = self._fields.open("refusal")
        self._delta["refusal"] = whole(event.text)

    def _call(self, event: events.ToolCall) -> None:
        self._leave_text()
        self._records[event.part] = record = self._fields.open("tool_call")
        self._calls.begin(event, record, self._delta)

    def _arguments(self, event: events.ToolArguments) -> None:
        if not self._calls.knows(event.part):  # nobody announced it
            self._call(events.ToolCall(event.part, "", ""))
        self._calls.grow(event.part, event.text, self._delta)

    def _end_part(self, event: events.PartEnd) -> None:
        if event.part == self._text_part:
            self._leave_text()
        elif self._calls.knows(event.part):
            self._calls.end_one(event.part, self._delta)

    def _media(self, event: events.Media) -> None:
        self._leave_text()
        if event.kind == "image" and (url := url_of(event)):
            image = {"index": self._images, "type": "image_url", "image_url": {"url": url}}
            self._delta["images"] = [image]  # OpenRouter's place for pictures of an answer
            self._images += 1
            return
        record = self._records[event.part] = self._fields.open(event.kind)
        record.said.update(media_type=event.media_type, size=event.size, ref=event.ref)

    def _opaque(self, event: events.Opaque) -> None:
        if event.part is None:
            self._fields.beside(event.type, event.raw)
            return
        record = self._records.get(event.part)
        if event.type in ("citation", "annotation"):
            if record is None:  # a citation comes before the text that it supports
                record = self._enter_text(event.part)
            self._annotations.add(event.type, value_of(event.raw), record, self._delta)
        elif record is not None:
            record.add("beside", {"type": event.type, "value": value_of(event.raw)})
        else:
            self._leave_text()
            record = self._records[event.part] = self._fields.open("opaque")
            record.said.update(name=event.type, value=value_of(event.raw))

    def _finished(self, event: Finish) -> None:
        self._finish = event

    def _explanation(self) -> str:
        """Why it refused, in Anthropic's ``stop_details``."""
        details = (entry["value"] for entry in self._fields.other if entry["type"] == "stop_details")
        return next((text for detail in details if (text := string(mapping(detail).get("explanation")))), "")


_HANDLERS: dict[type[events.Event], Callable[[Deltas, Any], None]] = {
    events.Text: Deltas._say_text,
    events.Reasoning: Deltas._say_reasoning,
    events.Refusal: Deltas._say_refusal,
    events.ToolCall: Deltas._call,
    events.ToolArguments: Deltas._arguments,
    events.PartEnd: Deltas._end_part,
    events.Media: Deltas._media,
    events.Opaque: Deltas._opaque,
    events.Finish: Deltas._finished,
}
