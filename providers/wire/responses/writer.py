"""Writers of the responses dialect: an answer, streamed and whole.

Strategy: the life of the response object is here (created, in progress, completed or incomplete), its items are made in
`providers.wire.responses.output`. The end is written at ``close``, because counts may come after the finish. A plain
answer is made of the same items; their frames are thrown away.
"""

import re
from collections.abc import Callable
from typing import Any

from providers.wire import events
from providers.wire.answer import Answer
from providers.wire.events import Event, FinishReason, Opaque, Refusal
from providers.wire.media import is_link
from providers.wire.responses.frames import Frames, dumps, encode
from providers.wire.responses.open_calls import value_of
from providers.wire.responses.output import Output
from providers.wire.responses.response_object import ResponseObject, ending
from providers.wire.values import mapping, string, whole
from providers.wire.writer import Answering

_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9]")
_ID_PREFIX = re.compile(r"^(?:resp|msg|chatcmpl|gen)[_-]")
_LINE_ENDS = re.compile(r"[\r\n]+")
_LATER = -1  # the part number of what is only known at the end


class _Response:
    """One answer in the making."""

    def __init__(self, answering: Answering) -> None:
        self.frames = Frames()
        self.output = Output(answering, self.frames)
        self.object = ResponseObject(answering)
        self.begun = False
        self._summed = Answer()  # usage, finish and timings
        self._explanation = ""
        self._notes = answering.notes
        self._beside: list[dict[str, object]] = []

    def write(self, event: Event) -> str:
        """Take an event; return the frames that it becomes now."""
        kind = type(event)
        if kind in _OF_A_PART:
            return self._part(event)
        handle = _HANDLERS.get(kind)
        return handle(self, event) if handle is not None else ""

    def _part(self, event: Event) -> str:
        return self.output.take(event) if self.begun else self.begin() + self.output.take(event)

    def begin(self) -> str:
        """The first two events."""
        self.begun = True
        self.output.base = _NOT_IN_IDS.sub("", _ID_PREFIX.sub("", self.object.id)) or "0"
        response = self.object.text("in_progress")
        return "".join(
            self.frames.event(f"response.{kind}", f'"response":{response}') for kind in ("created", "in_progress")
        )

    def end(self) -> tuple[str, str, str]:
        """Finish all items: their last frames, the status, and the response object."""
        ahead = "" if self.begun else self.begin()
        summed = self._summed
        status, reason = ending(summed.finish, summed.finish_raw, refused=self.output.refused)
        refuses = summed.finish is FinishReason.REFUSAL
        if refuses and self._explanation and not self.output.refused:
            ahead += self.output.take(Refusal(self._explanation, _LATER))
        ahead += self.output.end(status)
        response = self.object.text(
            status, ",".join(self.output.items), reason=reason, usage=summed.usage, more=self._more()
        )
        return ahead, status, response

    def _named(self, event: events.Begin) -> str:
        self.object.model = event.model or self.object.model
        if self.begun:
            return ""
        self.object.id = event.id or self.object.id
        return self.begin()

    def _sum(self, event: Event) -> str:
        self._summed.add(event)
        return ""

    def _opaque(self, event: Opaque) -> str:
        if event.part is not None:
            return self._part(event)
        out = self.output.beside(event)
        if out is not None:
            return out
        value = value_of(event)
        if event.type == "stop_details":
            self._explanation = whole(string(mapping(value).get("explanation")))
        if event.type == "service_tier" and string(value) in _TIERS:
            self.object.service_tier = encode(string(value))
        else:
            self._beside.append({"type": event.type, "value": value})
        return ""

    def _media(self, event: events.Media) -> str:
        """A picture is an item; a link to one, and sound, have none: their reference stands beside the output."""
        if event.kind == "image" and not is_link(event):
            return self._part(event)
        self._notes.drop(f"output.{event.kind}")
        value = {"media_type": event.media_type, "size": event.size, "ref": event.ref}
        self._beside.append({"type": event.kind, "value": value})
        return ""

    @staticmethod
    def _comment(event: events.Comment) -> str:
        return f": {_LINE_ENDS.sub(' ', whole(event.text))}\n\n"

    def _more(self) -> str:
        sequence = self._summed.finish_sequence
        beside = [*self._beside, *([{"type": "stop_sequence", "value": sequence}] if sequence else [])]
        return f',"x_patchbay":{{"beside":{dumps(beside)}}}' if beside else ""


_TIERS = frozenset(("auto", "default", "flex", "scale", "priority", "fast", "ultrafast"))
_OF_A_PART = frozenset(
    (events.Text, events.Refusal, events.Reasoning, events.ToolCall, events.ToolArguments, events.PartEnd)
)
_HANDLERS: dict[type[Event], Callable[[_Response, Any], str]] = {
    events.Begin: _Response._named,
    events.Opaque: _Response._opaque,
    events.Usage: _Response._sum,
    events.Finish: _Response._sum,
    events.Media: _Response._media,
    events.Comment: lambda _response, event: _Response._comment(event),
}


class StreamWriter:
    """A streamed answer."""

    def __init__(self, answering: Answering) -> None:
        self._response = _Response(answering)

    def write(self, event: Event) -> bytes:
        """Return the frames that the event becomes now."""
        return self._response.write(event).encode()

    def close(self) -> bytes:
        """Return the end: items that are open, and ``response.completed`` or ``response.incomplete``."""
        ahead, status, response = self._response.end()
        end = self._response.frames.event(f"response.{status}", f'"response":{response}')
        return (ahead + end).encode()


class BodyWriter:
    """A plain answer."""

    def __init__(self, answering: Answering) -> None:
        self._response = _Response(answering)

    def write(self, event: Event) -> bytes:
        """Take the event; the body comes at the end."""
        self._response.write(event)
        return b""

    def close(self) -> bytes:
        """Return the response object."""
        return self._response.end()[2].encode()
