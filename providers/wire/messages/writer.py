"""The writer of streamed Messages answers: events of any provider in, the bytes of an Anthropic stream out.

Strategy: one block is open at a time, indices count from 0. Text and reasoning give way to any other part; a tool call
keeps the stream until its arguments are a whole object, its part ends, or the answer ends, and the events of all other
parts wait in line. When it has ended, the line is played again, which may make another call the one that keeps the
stream. The end is written with ``Terminal``, when the counts have come.
"""

from collections.abc import Callable
from typing import Any

from providers.wire import events
from providers.wire.endpoints import Dialect
from providers.wire.events import Event
from providers.wire.messages import carried, frames
from providers.wire.messages.body_writer import BodyWriter
from providers.wire.messages.ending import Ending
from providers.wire.messages.open_call import OpenCall, WrittenIds
from providers.wire.neutral import Json
from providers.wire.writer import Answering

__all__ = ("BodyWriter", "StreamWriter")

_NONE = -1


class StreamWriter:
    """Writes one stream."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._out: list[bytes] = []
        self._begun = self._ended = False
        self._index = _NONE  # of the open block, or of the last one
        self._part = _NONE  # the part that the open block belongs to
        self._head = ""  # what stands before the text in a delta of the open text or thinking block
        self._thought: carried.Thought | None = None  # the open block is thinking
        self._call: OpenCall | None = None  # the open block is a tool call
        self._unsent: Json | None = None  # its start, while a field of it may still come
        self._held: list[Event] = []
        self._is_playing = False
        self._thoughts: dict[int, carried.Thought] = {}
        self._ids = WrittenIds(answering.id)
        self._ending = Ending(answering)

    def write(self, event: Event) -> bytes:
        """Write what the event becomes now."""
        if type(event) is events.Text and event.part == self._part and self._head and not self._thought:
            return frames.delta(self._head, event.text) if event.text else b""  # nearly every event
        handle = _HANDLERS.get(type(event))
        if handle is not None and not self._ended:
            if not self._begun and type(event) not in (events.Begin, events.Comment):
                self._begin(events.Begin())
            handle(self, event)
        return self._taken()

    def close(self) -> bytes:
        """The end, if ``Terminal`` has not brought it."""
        self._terminal(events.Terminal())
        return self._taken()

    def _taken(self) -> bytes:
        if not self._out:
            return b""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def _begin(self, event: events.Begin) -> None:
        if self._begun:  # the provider named its model only now: too late
            return
        self._begun = True
        message: Json = {
            "id": event.id or self._answering.id,
            "type": "message",
            "role": "assistant",
            "model": event.model or self._answering.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 0, "output_tokens": 0},
        }
        self._out.append(frames.frame({"type": "message_start", "message": message}))

    def _comment(self, event: events.Comment) -> None:
        self._out.append(frames.PING if self._begun else frames.comment(event.text))

    def _terminal(self, _event: events.Terminal) -> None:
        if self._ended:
            return
        self._begin(events.Begin())
        while self._part != _NONE or self._held:
            self._close()
            self._play_held()
        self._ended = True
        delta, others = self._ending.stop(), self._ending.others()
        if "container" in others:
            delta["container"] = others.pop("container")
        value: Json = {"type": "message_delta", "delta": delta, "usage": self._ending.counts()}
        self._out += (frames.frame(value | others), frames.STOP)

    def _content(self, event: Any) -> None:
        """Take an event of a part: now, or when the open call has ended."""
        if self._must_wait(event.part):
            self._held.append(event)
            return
        _PARTS[type(event)](self, event)
        if self._held and (self._call is None or self._call.is_complete()):
            self._close()
            self._play_held()

    def _must_wait(self, part: int | None) -> bool:
        if part == self._part and part != _NONE:
            return False
        return bool(self._held) or (self._call is not None and not self._call.is_complete())

    def _play_held(self) -> None:
        """Play the line again, until a call keeps the stream. An end that is played itself does not begin anew."""
        if self._is_playing:
            return
        self._is_playing = True
        while self._held and self._part == _NONE:
            held, self._held = self._held, []
            for event in held:
                if self._must_wait(_part_of(event)):
                    self._held.append(event)
                else:
                    _PARTS[type(event)](self, event)
        self._is_playing = False

    def _text(self, event: events.Text) -> None:
        if event.text:
            if self._part != event.part or self._thought or self._call:
                self._open_text(event.part)
            self._out.append(frames.delta(self._head, event.text))

    def _open_text(self, part: int) -> None:
        self._open(part, {"type": "text", "text": ""})
        self._head = frames.delta_head(self._index, "text_delta", "text")

    def _reasoning(self, event: events.Reasoning) -> None:
        thought = self._thoughts.get(event.part)
        if thought is None or (thought.closed and event.text):
            thought = self._thoughts[event.part] = carried.Thought()
        thought.add(event)
        if self._thought is not thought and not self._open_thought(thought, event):
            return
        if event.text:
            self._out.append(frames.delta(self._head, event.text))

    def _open_thought(self, thought: carried.Thought, event: events.Reasoning) -> bool:
        """Open a block for reasoning that has none. What has no text, or comes late, is a block for itself."""
        if event.text or (event.signature and not thought.closed):
            self._open(event.part, {"type": "thinking", "thinking": "", "signature": ""})
            self._head = frames.delta_head(self._index, "thinking_delta", "thinking")
            self._thought = thought
            return True
        if event.signature or event.encrypted:
            self._whole(thought.redacted(self._answering))
            thought.closed = True
        return False

    def _tool_call(self, event: events.ToolCall) -> None:
        name = self._answering.tool_names.get(event.name, event.name)
        block: Json = {"type": "tool_use", "id": self._ids.of(event), "name": name, "input": {}}
        self._ending.called = True
        self._close()
        self._index += 1
        self._part = event.part
        self._call = OpenCall(event)
        if self._answering.provider is Dialect.MESSAGES:  # who called it may come right behind, and stands in the start
            self._unsent = block
        else:
            self._out.append(frames.block_start(self._index, block))

    def _arguments(self, event: events.ToolArguments) -> None:
        if self._call is not None and self._part == event.part and (text := self._call.add(event.text)):
            self._argue(text)

    def _argue(self, text: str) -> None:
        self._send_start()
        self._out.append(frames.delta(frames.delta_head(self._index, "input_json_delta", "partial_json"), text))

    def _send_start(self) -> None:
        if self._unsent is not None:
            self._out.append(frames.block_start(self._index, self._unsent))
            self._unsent = None

    def _part_end(self, event: events.PartEnd) -> None:
        if event.part == self._part:
            self._close()
            self._play_held()

    def _opaque(self, event: events.Opaque) -> None:
        if event.part is None and event.type != "annotation":
            self._ending.beside(event)
        else:
            self._content(event)

    def _beside_text(self, event: events.Opaque) -> None:
        """A citation, a field of a call, or a block that is not understood."""
        if event.type == "caller" and self._unsent is not None:
            self._unsent["caller"] = carried.value_of(event.raw)
            return
        citation = carried.citation_of(event, self._answering) if event.type in ("citation", "annotation") else None
        if citation is None or event.part is None:
            self._whole(carried.block_of(event, self._answering, self._ids.known(event.part)))
            return
        if self._part != event.part:
            self._open_text(event.part)
        delta = {"type": "citations_delta", "citation": citation}
        self._out.append(frames.frame({"type": "content_block_delta", "index": self._index, "delta": delta}))

    def _media(self, event: events.Media) -> None:
        self._whole(carried.block_of(event, self._answering))

    def _open(self, part: int, block: Json) -> None:
        self._close()
        self._index += 1
        self._part = part
        self._out.append(frames.block_start(self._index, block))

    def _whole(self, block: Json) -> None:
        self._open(_NONE, block)
        self._out.append(frames.block_stop(self._index))

    def _close(self) -> None:
        """End the open block, if there is one."""
        if self._part == _NONE:
            return
        if self._thought is not None:
            signature = {"type": "signature_delta", "signature": self._thought.sealed(self._answering)}
            self._thought.closed = True
            self._out.append(frames.frame({"type": "content_block_delta", "index": self._index, "delta": signature}))
        elif self._call is not None and (rest := self._call.rest()):
            self._argue(rest)
        self._send_start()
        self._out.append(frames.block_stop(self._index))
        self._part, self._head, self._thought, self._call = _NONE, "", None, None


def _part_of(event: Any) -> int | None:
    part: int | None = event.part
    return part


_PARTS: dict[type[Event], Callable[[StreamWriter, Any], None]] = {
    events.Text: StreamWriter._text,
    events.Reasoning: StreamWriter._reasoning,
    events.ToolCall: StreamWriter._tool_call,
    events.ToolArguments: StreamWriter._arguments,
    events.PartEnd: StreamWriter._part_end,
    events.Opaque: StreamWriter._beside_text,
    events.Media: StreamWriter._media,
}
_HANDLERS: dict[type[Event], Callable[[StreamWriter, Any], None]] = {
    **dict.fromkeys(_PARTS, StreamWriter._content),
    events.Opaque: StreamWriter._opaque,
    events.Begin: StreamWriter._begin,
    events.Comment: StreamWriter._comment,
    events.Usage: lambda writer, event: writer._ending.usage(event),
    events.Finish: lambda writer, event: writer._ending.finish(event),
    events.Refusal: lambda writer, event: writer._ending.refusal(event),
    events.Terminal: StreamWriter._terminal,
}
