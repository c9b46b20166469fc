"""Tool calls of any provider as chat deltas.

Strategy: the index counts calls, not parts. Chat keeps calls apart by it, so interleaved arguments need no holding. A
call without arguments gets ``{}``, because clients choke on nothing. A client of the time before tools gets one
``function_call``; further ones stay in the side channel (it was asked for one only). A custom tool that its provider
knows as a function with one text ``input`` is given back as what it is, when its arguments are whole.
"""

from typing import Any

from providers.wire.chat.provider_fields import Record
from providers.wire.events import ToolCall
from providers.wire.halves import Halves
from providers.wire.values import mapping, parse, raw_json, whole
from providers.wire.writer import Answering

WRAPPED = "input"
"""The one property of a function that stands for a custom tool."""


class _Call:
    __slots__ = ("custom", "ended", "halves", "index", "legacy", "pieces", "record", "said", "unwrap")

    def __init__(self, index: int, record: Record) -> None:
        self.index = index
        self.record = record
        self.custom = False
        self.unwrap = False
        self.legacy = False
        self.said = False
        self.ended = False
        self.halves = Halves()
        self.pieces: list[str] = []  # what is held


class CallDeltas:
    """All calls of one answer."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._calls: dict[int, _Call] = {}

    @property
    def sent(self) -> bool:
        """Whether the client was given a call."""
        return bool(self._calls)

    @property
    def finish_word(self) -> str:
        """What the finish reason is called after a call."""
        return "function_call" if self._answering.legacy_functions else "tool_calls"

    def knows(self, part: int) -> bool:
        """Whether this part is a call."""
        return part in self._calls

    def begin(self, event: ToolCall, record: Record, delta: dict[str, Any]) -> None:
        """A call begins."""
        call = self._calls[event.part] = _Call(len(self._calls), record)
        name = whole(self._answering.tool_names.get(event.name, event.name))
        call.legacy = self._answering.legacy_functions
        call.custom = event.kind == "custom" or name in self._answering.custom_tools
        call.unwrap = call.custom and event.kind != "custom"
        id_ = whole(event.id) or f"call_{self._answering.id}_{call.index}"
        if call.legacy:
            self._begin_legacy(call, id_, name, delta)
        elif call.custom:
            self._say(call, {"id": id_, "type": "custom", "custom": {"name": name, "input": ""}}, delta)
        else:
            self._say(call, {"id": id_, "type": "function", "function": {"name": name, "arguments": ""}}, delta)

    def grow(self, part: int, text: str, delta: dict[str, Any]) -> None:
        """Arguments come."""
        call = self._calls[part]
        text = call.halves.join(text)
        if call.unwrap or (call.legacy and call.index):
            call.pieces.append(text)
        elif text:
            self._argue(call, text, delta)

    def end_one(self, part: int, delta: dict[str, Any]) -> None:
        """A call is whole."""
        self._end(self._calls[part], delta)

    def end(self, delta: dict[str, Any]) -> None:
        """The answer is whole."""
        for call in self._calls.values():
            self._end(call, delta)

    def _begin_legacy(self, call: _Call, id_: str, name: str, delta: dict[str, Any]) -> None:
        if call.index:
            call.record.said.update(id=id_, name=name)
        else:
            delta["function_call"] = {"name": name, "arguments": ""}

    def _end(self, call: _Call, delta: dict[str, Any]) -> None:
        if call.ended:
            return
        call.ended = True
        text = "".join(call.pieces) + call.halves.rest()
        if call.legacy and call.index:
            call.record.said["arguments"] = text
        elif call.unwrap:
            self._argue(call, _unwrapped(text), delta)
        elif text or not (call.said or call.custom):
            self._argue(call, text or "{}", delta)

    def _argue(self, call: _Call, text: str, delta: dict[str, Any]) -> None:
        call.said = True
        if call.legacy:
            before = delta.get("function_call", {"arguments": ""})
            delta["function_call"] = {**before, "arguments": before["arguments"] + text}
        elif call.custom:
            self._say(call, {"custom": {"input": text}}, delta)
        else:
            self._say(call, {"function": {"arguments": text}}, delta)

    @staticmethod
    def _say(call: _Call, fragment: dict[str, Any], delta: dict[str, Any]) -> None:
        delta.setdefault("tool_calls", []).append({"index": call.index, **fragment})


def wrapped(text: str) -> str:
    """The arguments of a function that stands for a custom tool called with ``text``."""
    return raw_json({WRAPPED: text})


def _unwrapped(arguments: str) -> str:
    """The free text inside of wrapped arguments; anything else as it stands."""
    try:
        text = mapping(parse(arguments)).get(WRAPPED)
    except ValueError:
        return arguments
    return text if isinstance(text, str) else arguments
