"""Tool calls in the making: functions, custom tools, and custom tools that the provider was told as functions.

Strategy: arguments go on as they come, but a wrapped custom tool's, whose free text stands inside a JSON object and is
known when that is whole. No arguments at all are ``{}``.
"""

from providers.wire import side_channel
from providers.wire.endpoints import Dialect
from providers.wire.events import Event, Opaque, ToolArguments
from providers.wire.responses.frames import Frames, Joiner, dumps, encode
from providers.wire.responses.open_items import OpenItem
from providers.wire.values import mapping, parse

_EMPTY = "{}"


class Call(OpenItem):
    """A call of a function. ``beside`` is what must come back with this very call, as packed strings."""

    kind = "function_call"
    field = "arguments"
    delta = "response.function_call_arguments"
    if_empty = _EMPTY

    def __init__(self, frames: Frames, index: int, id: str, part: int, *, call_id: str, name: str, space: str) -> None:
        super().__init__(frames, index, id, part)
        self.call_id = call_id
        self.beside: list[str] = []
        self.text = Joiner()
        self._names = f'"call_id":{encode(call_id)},"name":{encode(name)}' + (
            f',"namespace":{encode(space)}' if space else ""
        )
        self._opening = Frames.opening(f"{self.delta}.delta", self.place())

    def open(self) -> str:
        """Begin."""
        return self.added(self._item("in_progress", ""))

    def add(self, event: Event) -> str:
        """Take a piece of the arguments."""
        if not isinstance(event, ToolArguments) or not event.text:
            return ""
        return self.say(self.text.add(event.text))

    def say(self, piece: str) -> str:
        """The frame of a piece."""
        return self.frames.delta(self._opening, piece) if piece else ""

    def keep(self, event: Opaque, dialect: Dialect) -> None:
        """Take a field of the call that this dialect does not have."""
        self.beside.append(packed_field(event, dialect, self.call_id))

    def end_part(self) -> str:
        """Nothing of its own: a call ends with its item."""
        return ""

    def may_close(self) -> bool:
        """Whether the arguments are a whole JSON value."""
        pieces = self.text.pieces
        if not pieces or not pieces[-1].rstrip().endswith("}"):
            return False
        try:
            parse(self.text.text())
        except ValueError:
            return False
        return True

    def close(self, status: str) -> str:
        """Finish the call."""
        out = self.say(self.text.end())
        if self.if_empty and not self.text.text().strip():
            out += self.say(self.text.add(self.if_empty))
        text = self.text.text()
        out += self.frames.event(f"{self.delta}.done", f'{self.place()},"{self.field}":{encode(text)}{self._named()}')
        return out + self.finished(self._item(status, text))

    def _named(self) -> str:
        return f",{self._names}"

    def _item(self, status: str, text: str) -> str:
        return (
            f'{{"id":"{self.id}","type":"{self.kind}","status":"{status}",{self._names},"{self.field}":{encode(text)}}}'
        )


class CustomCall(Call):
    """A call of a custom tool: free text, of which nobody sees the end before it is said."""

    kind = "custom_tool_call"
    field = "input"
    delta = "response.custom_tool_call_input"
    if_empty = ""

    def may_close(self) -> bool:
        """Only its end says so."""
        return False

    def _named(self) -> str:
        return ""


class WrappedCall(CustomCall):
    """A call of a custom tool that the provider knows as a function with one string, ``input``."""

    def __init__(self, frames: Frames, index: int, id: str, part: int, *, call_id: str, name: str, space: str) -> None:
        super().__init__(frames, index, id, part, call_id=call_id, name=name, space=space)
        self._wrapped = Joiner()

    def add(self, event: Event) -> str:
        """Take a piece of the object; nothing can be said yet."""
        if isinstance(event, ToolArguments) and event.text:
            self._wrapped.add(event.text)
        return ""

    def may_close(self) -> bool:
        """Whether the object is whole."""
        return bool(self._wrapped.pieces) and _unwrapped(self._wrapped.text()) is not None

    def close(self, status: str) -> str:
        """Say the free text, in one piece; what is no such object is the text itself."""
        self._wrapped.end()
        wrapped = self._wrapped.text()
        inside = _unwrapped(wrapped)
        text = wrapped if inside is None else inside
        return (self.say(self.text.add(text)) if text else "") + super().close(status)


def _unwrapped(text: str) -> str | None:
    try:
        value = mapping(parse(text)).get("input")
    except ValueError:
        return None
    return value if isinstance(value, str) else None


def packed_field(event: Opaque, dialect: Dialect, call_id: str) -> str:
    """A field of a call as a string that comes back."""
    return side_channel.pack_opaque(dialect, event.type, value_of(event), call_id)


def value_of(event: Opaque) -> object:
    """What an opaque event holds, as a JSON value; text that is no JSON stays text."""
    try:
        return parse(event.raw)
    except ValueError:
        return event.raw


def reasoning_item(id: str, packed: str) -> str:
    """An item without a text whose ``encrypted_content`` carries something for the next turn."""
    return f'{{"id":"{id}","type":"reasoning","summary":[],"encrypted_content":{dumps(packed)}}}'
