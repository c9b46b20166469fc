"""Content blocks of a Messages answer: starts, deltas and stops in, events out.

Strategy: a block is found by its ``index`` alone, because llama-server opens the text block before it stops the
thinking block. A delta that does not fit its block (SGLang sends text to the index of an open call, seen 2026-05) is a
part for itself. A part gets its number with its first event, so an empty block is no part. Blocks that are not for the
client to act on (server tools and their results, compaction, anything new) are put together as the SDK does it and
given as one ``Opaque`` when they stop.
"""

from providers.wire.events import Event, Opaque, PartEnd, Reasoning, Text, ToolArguments, ToolCall
from providers.wire.values import arguments_json, mapping, parse, raw_json, sequence, string

_CALL = "tool_use"


class _Block:
    __slots__ = ("argued", "kind", "opaque", "part", "partial_json", "start")

    def __init__(self, start: dict[str, object]) -> None:
        self.start = start
        self.kind = string(start.get("type"))
        self.part: int | None = None
        self.argued = False  # tool_use: arguments came as deltas
        self.opaque: dict[str, object] | None = None  # a block that is put together here
        self.partial_json: list[str] = []


class Blocks:
    """All blocks of one answer."""

    def __init__(self) -> None:
        self.called = False  # a tool of the client's was called
        self._parts = 0
        self._open: dict[object, _Block] = {}
        self._strays: dict[tuple[object, str], _Block] = {}  # what does not fit the block of its index, by kind

    def whole(self, content: object, out: list[Event]) -> None:
        """Take finished blocks: the content of a plain answer, or of a ``message_start`` that is already filled."""
        for block in sequence(content):
            self.start("whole", mapping(block) or {"type": "", "value": block}, out)
            self.stop("whole", out)

    def start(self, index: object, start: dict[str, object], out: list[Event]) -> None:
        """A block begins; what its start already holds counts."""
        block = self._open[_key(index)] = _Block(start)
        match block.kind:
            case "text":
                self._text(block, start, out)
                for citation in sequence(start.get("citations")):
                    self._citation(block, citation, out)
            case "thinking":
                self._thinking(block, start, out)
                self._signature(block, start, out)
            case "redacted_thinking":
                out.append(Reasoning("", self._part(block), encrypted=string(start.get("data"))))
            case "tool_use":
                self.called = True
                out.append(ToolCall(self._part(block), string(start.get("id")), string(start.get("name"))))
                if start.get("caller") not in _BY_ITSELF:  # programmatic tool calling: who called is part of the block
                    out.append(Opaque(raw_json(start["caller"]), "caller", block.part))
            case _:
                self._part(block)
                block.opaque = dict(start)

    def delta(self, index: object, delta: dict[str, object], out: list[Event]) -> None:
        """A block grows. A delta for a block that never began opens the one that it fits."""
        kind = string(delta.get("type"))
        block = self._open.get(index if type(index) is int else _key(index))
        handle, of = _DELTAS.get(kind, (None, ""))
        if block is None:
            self.start(index, {"type": of if of != _CALL else ""}, out)
            block = self._open[_key(index)]
        if block.kind == of and handle is not None:  # nearly every event
            handle(self, block, delta, out)
        elif block.opaque is not None:
            _grow(block, block.opaque, kind, delta)
        elif handle is None or of == _CALL:
            out.append(Opaque(raw_json(delta), kind, self._part(block)))
        else:
            handle(self, self._strays.setdefault((_key(index), of), _Block({"type": of})), delta, out)

    def stop(self, index: object, out: list[Event]) -> None:
        """A block is complete."""
        block = self._open.pop(_key(index), None)
        if block is None:
            return
        for stray in [key for key in self._strays if key[0] == _key(index)]:
            del self._strays[stray]
        if block.opaque is not None:
            self._put_together(block, block.opaque, out)
        elif block.kind == _CALL and not block.argued:  # arguments only in the start, or none at all
            out.append(ToolArguments(self._part(block), arguments_json(block.start.get("input") or {})))
        if block.part is not None:
            out.append(PartEnd(block.part))

    def cut(self, out: list[Event]) -> None:
        """The answer has ended: what was being put together is given as far as it came."""
        for block in self._open.values():
            if block.opaque is not None:
                self._put_together(block, block.opaque, out)
        self._open.clear()

    def _part(self, block: _Block) -> int:
        if block.part is None:
            block.part = self._parts
            self._parts += 1
        return block.part

    def _text(self, block: _Block, delta: dict[str, object], out: list[Event]) -> None:
        text = delta.get("text")
        if text and isinstance(text, str):
            out.append(Text(text, self._part(block)))

    def _thinking(self, block: _Block, delta: dict[str, object], out: list[Event]) -> None:
        text = delta.get("thinking")
        if text and isinstance(text, str):
            out.append(Reasoning(text, self._part(block)))

    def _signature(self, block: _Block, delta: dict[str, object], out: list[Event]) -> None:
        signature = string(delta.get("signature"))
        if signature:
            out.append(Reasoning("", self._part(block), signature))

    def _arguments(self, block: _Block, delta: dict[str, object], out: list[Event]) -> None:
        text = delta.get("partial_json")
        if text and isinstance(text, str):
            block.argued = True
            out.append(ToolArguments(self._part(block), text))

    def _citation(self, block: _Block, citation: object, out: list[Event]) -> None:
        out.append(Opaque(raw_json(citation), "citation", self._part(block)))

    def _cited(self, block: _Block, delta: dict[str, object], out: list[Event]) -> None:
        self._citation(block, delta.get("citation"), out)

    def _put_together(self, block: _Block, opaque: dict[str, object], out: list[Event]) -> None:
        if block.partial_json:
            text = "".join(block.partial_json)
            try:
                opaque["input"] = parse(text)
            except ValueError:  # cut in the middle
                opaque["partial_json"] = text
        out.append(Opaque(raw_json(opaque), block.kind, block.part))


def _grow(block: _Block, opaque: dict[str, object], kind: str, delta: dict[str, object]) -> None:
    """Merge a delta into a block that nobody here knows: text is appended, anything else replaces."""
    if kind == "input_json_delta":
        block.partial_json.append(string(delta.get("partial_json")))
        return
    for key, value in delta.items():
        before = opaque.get(key)
        if key != "type":
            opaque[key] = before + value if isinstance(before, str) and isinstance(value, str) else value


def _key(index: object) -> object:
    """An index, or one key for all that have none: then blocks come one at a time."""
    return index if isinstance(index, int | str) else None


# A call's caller when the model itself called, which newer answers say each time.
_BY_ITSELF: tuple[object, ...] = (None, {}, {"type": "direct"})
# The type of a delta → who takes it, and the kind of block that it belongs to.
_DELTAS = {
    "text_delta": (Blocks._text, "text"),
    "thinking_delta": (Blocks._thinking, "thinking"),
    "signature_delta": (Blocks._signature, "thinking"),
    "input_json_delta": (Blocks._arguments, _CALL),
    "citations_delta": (Blocks._cited, "text"),
}
