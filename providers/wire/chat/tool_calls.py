"""Tool calls as chat providers stream them: fragments that are found again by index, by id, or by position.

Strategy: a fragment belongs to the call of its ``index``; without one (Mistral and others) to the call of its ``id``;
without either, to the call begun last, or to a new one if it brings a name; several of those in one list belong to the
calls in their order. A call that came without an index is also found by its number, because a server may begin to count
later. A call is announced when its name and id are known, or when its arguments begin; id and name count once, however
often they are repeated. Interleaved calls keep their own parts.

A first fragment ``{}`` is held back: some servers open every call with it and then send the real arguments.
"""

from collections.abc import Callable

from providers.wire.events import Event, Opaque, ToolArguments, ToolCall
from providers.wire.values import arguments_json, count, mapping, parse, raw_json, sequence, string

_KNOWN = {"index", "id", "type", "function", "custom"}
_EMPTY = "{}"


class _Call:
    __slots__ = ("custom", "held", "id", "name", "part", "pieces")

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.custom = False
        self.part: int | None = None  # known once announced
        self.pieces: list[str] = []  # all arguments so far
        self.held = ""  # arguments that came and were not given on

    def was_told(self, text: str) -> bool:
        """Whether these are all the arguments once more: some servers end with a list of the whole calls."""
        return text == "".join(self.pieces) and self.is_complete()

    def is_complete(self) -> bool:
        try:
            parse("".join(self.pieces))
        except ValueError:
            return False
        return True


class ToolCalls:
    """All tool calls of one answer. ``new_part`` gives the number of the next part."""

    def __init__(self, new_part: Callable[[], int]) -> None:
        self._new_part = new_part
        self._by_key: dict[object, _Call] = {}
        self._calls: list[_Call] = []

    def __bool__(self) -> bool:
        return bool(self._calls)

    def read(self, entries: object, out: list[Event]) -> None:
        """Take the ``tool_calls`` list of one chunk, or of a whole message."""
        listed = sequence(entries) or ([entries] if isinstance(entries, dict) else [])
        told: list[_Call] = []  # what the entries before were fragments of
        for entry in listed:
            if isinstance(entry, dict):
                told.append(self._read_one(entry, told, out, alone=len(listed) == 1))
            else:
                out.append(Opaque(raw_json(entry), "tool_call"))

    def read_legacy(self, function: object, out: list[Event]) -> None:
        """Take the ``function_call`` object of the time before tools: one call, without an id.

        Snowflake puts one with empty strings into every answer: that is no call.
        """
        if any(mapping(function).values()):
            self._read_one({"index": "function_call", "function": function}, [], out, alone=True)

    def finish(self, out: list[Event]) -> None:
        """No more fragments: announce what was never complete enough, give on what was held."""
        for call in self._calls:
            self._announce(call, out)
            self._release(call, out)

    def _read_one(self, entry: dict[str, object], told: list[_Call], out: list[Event], *, alone: bool) -> _Call:
        function = mapping(entry.get("function")) or mapping(entry.get("custom"))
        custom = entry.get("type") == "custom"
        arguments = function.get("input") if custom or "input" in function else function.get("arguments")
        text = "" if arguments is None else arguments if isinstance(arguments, str) else arguments_json(arguments)
        name = string(function.get("name"))
        call = self._find(entry, name, text, told, alone=alone)
        call.id = call.id or string(entry.get("id"))
        call.name = call.name or name
        call.custom = call.custom or custom
        if call.name and (call.id or text):
            self._announce(call, out)
        if text and not (name and call.was_told(text)):
            self._add(call, text, out)
        for key in entry:
            if entry[key] and key not in _KNOWN:  # Gemini's thought signature stands here
                out.append(Opaque(raw_json(entry[key]), key, call.part))
        return call

    def _find(self, entry: dict[str, object], name: str, text: str, told: list[_Call], *, alone: bool) -> _Call:
        index, id_ = entry.get("index"), string(entry.get("id"))
        number = (int(index) if index.isdecimal() else index) if isinstance(index, str) else count(index)
        position, certain = len(told), number is not None
        if not (certain or id_ or name) and self._calls:
            return self._calls[-1 if alone or position >= len(self._calls) else position]
        key: object = number if certain else id_ or f"at {position}"
        call = self._by_key.get(key)
        twin = call in told and not certain  # one list has no two fragments of a call: the server gave an id twice
        if call is None or twin or self._is_another(call, id_, name, text, certain=certain):
            call = self._by_key[key] = _Call()
            if not certain:
                self._by_key.setdefault(len(self._calls), call)
            self._calls.append(call)
        return call

    @staticmethod
    def _is_another(call: _Call, id_: str, name: str, text: str, *, certain: bool) -> bool:
        """Whether this fragment opens a new call under a used key.

        Gemini's compatible endpoint and Ollama give every parallel call the index 0, some gateways without an id; a
        server without index and id can only be understood by a name after complete arguments.
        """
        if not name:
            return False
        if id_:
            return bool(call.id) and call.id != id_
        if certain and (not text or (name == call.name and call.held == _EMPTY)):
            return False
        return call.is_complete()

    def _announce(self, call: _Call, out: list[Event]) -> None:
        if call.part is None:
            call.part = self._new_part()
            out.append(ToolCall(call.part, call.id, call.name, "custom" if call.custom else "function"))

    def _add(self, call: _Call, text: str, out: list[Event]) -> None:
        first = not call.pieces
        call.pieces.append(text)
        if call.part is None or (first and text == _EMPTY):
            call.held += text
            return
        if call.held == _EMPTY and text.lstrip().startswith("{"):
            call.held = ""
            call.pieces = [text]
        self._release(call, out)
        out.append(ToolArguments(call.part, text))

    @staticmethod
    def _release(call: _Call, out: list[Event]) -> None:
        if call.held and call.part is not None:
            out.append(ToolArguments(call.part, call.held))
            call.held = ""
