"""The output of one answer: neutral parts in, items out, one of them open at a time.

Strategy: an event of the open part goes to the open item at once. An event of another part closes the open item, if
that may be whole; a call that is not waits for its rest, and the other part's events are held until then (parallel
calls that interleave). A part that comes back after its item was done gets a new item; a signature that comes so late
says that the text stands before it. What has no item type here becomes a reasoning item whose ``encrypted_content``
carries it, because a client sends that back as it is (`providers.wire.side_channel`).
"""

from typing import Any

from providers.wire import side_channel
from providers.wire.endpoints import Dialect
from providers.wire.events import Event, Media, Opaque, PartEnd, Reasoning, Refusal, Text, ToolArguments, ToolCall
from providers.wire.responses.annotations import Cited
from providers.wire.responses.carried import SHOWN
from providers.wire.responses.frames import Frames, dumps
from providers.wire.responses.offered import custom_names, namespaces_of
from providers.wire.responses.open_calls import (
    Call,
    CustomCall,
    WrappedCall,
    packed_field,
    reasoning_item,
    value_of,
)
from providers.wire.responses.open_items import COMPLETED, Message, OpenItem, Thought
from providers.wire.values import mapping, string, whole
from providers.wire.writer import Answering

# Media type → the word for it (openai 3.52, 2026-11-20).
_FORMATS = {
    "image/png": "png",
    "image/webp": "webp",
    "image/jpeg": "jpeg",
    "image/gif": "gif",
    "image/svg+xml": "svg",
}
_PLAIN = frozenset((Text, Reasoning, ToolArguments))  # what an item of its part simply takes


class Output:
    """All items of an answer; ``items`` are the JSON texts of those that are done."""

    def __init__(self, answering: Answering, frames: Frames) -> None:
        self.items: list[str] = []
        self.refused = False
        self.base = "0"  # of item ids: what is special to this answer
        self._answering = answering
        self._dialect = answering.provider or Dialect.MESSAGES
        self._namespaces = namespaces_of(answering.request)
        self._custom = answering.custom_tools | custom_names(answering.request)
        self._frames = frames
        self._open: OpenItem | None = None
        self._held: dict[int, list[Event]] = {}
        self._done: dict[int | None, OpenItem] = {}  # part → the item that it ended with
        self._begun = 0  # items so far
        self._call_ids: set[str] = set()

    def take(self, event: Any) -> str:
        """Take an event of a part; return the frames that it becomes now."""
        opened = self._open
        if opened is not None and opened.part == event.part:
            out = opened.add(event) if type(event) in _PLAIN else self._grow(opened, event)
        elif event.part in self._held:
            self._held[event.part].append(event)
            return ""
        elif type(event) is PartEnd:
            return ""
        else:
            out = self._switch(event)
        return out + self._release() if self._held else out

    def beside(self, event: Opaque) -> str | None:
        """Take something of no part: a citation on the text that is open; None if it is not that."""
        if isinstance(self._open, Message) and self._open.accepts(event):
            return self._open.add(event)
        return None

    def end(self, status: str) -> str:
        """Finish what is open and what was held. ``status`` is that of the last item."""
        out = ""
        while self._held:
            out += self._close(COMPLETED) + self._replay()
        return out + self._close(status)

    def _grow(self, opened: OpenItem, event: Event) -> str:
        if type(event) is PartEnd:
            return opened.end_part() if isinstance(opened, Message) else self._close(COMPLETED)
        if isinstance(event, Media):
            return self._close(COMPLETED) + self._picture(event)
        if isinstance(event, Opaque) and not opened.accepts(event):
            if isinstance(opened, Call):
                opened.keep(event, self._dialect)
                return ""
            return self._close(COMPLETED) + self._carry(event)
        self.refused = self.refused or type(event) is Refusal
        return opened.add(event)

    def _switch(self, event: Any) -> str:
        """An event of another part than the open one."""
        opened = self._open
        if opened is not None:
            if opened.accepts(event):
                return self._grow(opened, event)
            if not opened.may_close():
                self._held[event.part] = [event]
                return ""
        return self._close(COMPLETED) + self._begin(event)

    def _release(self) -> str:
        """Go on with what was held, as far as the open item lets it."""
        out = ""
        while self._held and (self._open is None or self._open.may_close()):
            out += self._close(COMPLETED) + self._replay()
        return out

    def _replay(self) -> str:
        part = next(iter(self._held))
        return "".join([self._one(event) for event in self._held.pop(part)])

    def _one(self, event: Any) -> str:
        opened = self._open
        if opened is not None and opened.part == event.part:
            return self._grow(opened, event)
        return "" if type(event) is PartEnd else self._switch(event)

    def _close(self, status: str) -> str:
        opened, self._open = self._open, None
        if opened is None:
            return ""
        out = opened.close(status)
        self.items.append(opened.done)
        self._done[opened.part] = opened
        if isinstance(opened, Call):
            out += "".join([self._whole(reasoning_item(self._id("rs"), packed)) for packed in opened.beside])
        return out

    def _begin(self, event: Any) -> str:
        """Open the item that an event needs."""
        match event:
            case Opaque() if not Cited.knows(event):
                return self._carry(event)
            case Text() | Refusal() | Opaque():
                message = Message(self._frames, self._begun, self._id("msg"), event.part or 0)
                return self._opened(message, message.open()) + self._grow(message, event)
            case Reasoning():
                late = not event.text and isinstance(self._done.get(event.part), Thought)
                format = self._answering.signatures
                thought = Thought(self._frames, self._begun, self._id("rs"), event.part, format, late=late)
                return self._opened(thought, thought.open()) + thought.add(event)
            case ToolCall():
                return self._call(event)
            case Media():
                return self._picture(event)
            case ToolArguments() if event.part not in self._done:  # a reader announces a call first
                return self._call(ToolCall(event.part, "", "")) + self.take(event)
        return ""  # arguments behind the whole of a call

    def _opened(self, item: OpenItem, frames: str) -> str:
        self._open = item
        self._begun += 1
        return frames

    def _call(self, event: ToolCall) -> str:
        answering = self._answering
        own = answering.tool_names.get(event.name, event.name)
        space, name = self._namespaces.get(own, ("", own))
        kind = CustomCall if event.kind == "custom" else WrappedCall if own in self._custom else Call
        id = self._id("fc" if kind is Call else "ctc")
        call_id = self._call_id(whole(event.id))
        call = kind(self._frames, self._begun, id, event.part, call_id=call_id, name=whole(name), space=space)
        return self._opened(call, call.open())

    def _call_id(self, own: str) -> str:
        """Some servers give none, or the same one to every call: the official SDK refuses an answer of twins."""
        call_id = own if own and own not in self._call_ids else f"call_{self.base}_{self._begun}"
        self._call_ids.add(call_id)
        return call_id

    def _carry(self, event: Opaque) -> str:
        """Something that this dialect has no item for."""
        before = self._done.get(event.part)
        if isinstance(before, Call):
            packed = packed_field(event, self._dialect, before.call_id)
            return self._whole(reasoning_item(self._id("rs"), packed))
        value = value_of(event)
        packed = side_channel.pack_opaque(self._dialect, event.type, value)
        shown = _shown(mapping(value))
        return self._whole(reasoning_item(self._id("rs"), packed)) + (self._whole(shown) if shown else "")

    def _picture(self, event: Media) -> str:
        """An image that the model made, as if its tool had; without ``result`` where only the digest is known."""
        item = {"id": self._id("ig"), "type": "image_generation_call", "status": "in_progress", "result": None}
        done = {**item, "status": COMPLETED, "result": event.data or None}
        if format := _FORMATS.get(event.media_type):
            done["output_format"] = format
        at, text = f'"output_index":{self._begun}', dumps(done)
        self._begun += 1
        self.items.append(text)
        place = f'{at},"item_id":"{item["id"]}"'
        return (
            self._frames.event("response.output_item.added", f'{at},"item":{dumps(item)}')
            + self._frames.event("response.image_generation_call.in_progress", place)
            + self._frames.event("response.image_generation_call.completed", place)
            + self._frames.event("response.output_item.done", f'{at},"item":{text}')
        )

    def _whole(self, item: str) -> str:
        """An item that is added and done at once."""
        place = f'"output_index":{self._begun},"item":{item}'
        self._begun += 1
        self.items.append(item)
        return self._frames.event("response.output_item.added", place) + self._frames.event(
            "response.output_item.done", place
        )

    def _id(self, prefix: str) -> str:
        return f"{prefix}_{self.base}_{self._begun}"


def _shown(block: dict[str, object]) -> str:
    """A search that the provider ran itself, as clients show one; "" for anything else."""
    if block.get("type") != "server_tool_use" or block.get("name") != "web_search":
        return ""
    query = string(mapping(block.get("input")).get("query"))
    action = {"type": "search", "query": query, "queries": [query]}
    return dumps(
        {"id": SHOWN + string(block.get("id")), "type": "web_search_call", "status": COMPLETED, "action": action}
    )
