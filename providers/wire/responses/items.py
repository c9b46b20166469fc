"""Output items of a Responses answer: added, grown, done in; events out.

Strategy: an item is found by ``output_index``, because some providers rotate item ids between events; without one
(llama-server) by its id; without either it is the last one. What is found must be of the kind that the event speaks of:
some gateways give several items the same index. Every text has a ``done`` form after its deltas, the item a whole form
after that, and the answer's end repeats all items: each is reconciled, so that what came only there (arguments, mostly)
is not lost and what came before is not told twice. A message's content parts, a reasoning item's summary and its raw
content, and each call are parts of their own, numbered with their first event. A call whose name is not known yet waits
with its arguments.
"""

from providers.wire.events import Event, Opaque, PartEnd, Reasoning, Refusal, Text, ToolArguments, ToolCall
from providers.wire.media import answered
from providers.wire.values import arguments_json, count, mapping, raw_json, sequence, string

_CALLS = {"function_call": ("function", "arguments"), "custom_tool_call": ("custom", "input")}
_BETWEEN_SUMMARIES = "\n\n"


class _Item:
    __slots__ = ("added", "done", "first", "id", "index", "kind", "parts", "said")

    def __init__(self, kind: str, id_: str, index: int | None) -> None:
        self.kind = kind
        self.id = id_
        self.index = index
        self.first: dict[str, object] = {}  # the item as it was added
        self.parts: dict[object, int] = {}  # which text of the item → its part
        self.said: dict[object, list[str]] = {}  # which text of the item → its pieces so far
        self.added = False
        self.done = False


class Items:
    """All output items of one answer."""

    def __init__(self) -> None:
        self.called = False
        self.refused = False
        self._parts = 0
        self._items: list[_Item] = []
        self._at: dict[int, list[_Item]] = {}  # output_index → the items that claim it
        self._of_id: dict[str, _Item] = {}

    def added(self, event: dict[str, object], out: list[Event]) -> None:
        """Take ``response.output_item.added``."""
        item = mapping(event.get("item"))
        id_, kind = string(item.get("id")), string(item.get("type"))
        known = self._find(event, id_, kind) if id_ or "output_index" in event else None
        if known is None or (known.added and known.id != id_):
            known = self._new(event, id_, kind)
        known.added, known.first = True, item
        if kind in _CALLS and item.get("name") and not _runs_there(item):
            self._call(known, item, out)

    def done(self, event: dict[str, object], out: list[Event]) -> None:
        """Take ``response.output_item.done``: the whole item."""
        item = mapping(event.get("item"))
        id_, kind = string(item.get("id")), string(item.get("type"))
        known = self._find(event, id_, kind)
        if known is None or (known.done and known.id != id_):
            known = self._new(event, id_, kind)
        self._whole(known, item, out)

    def rest(self, output: object, out: list[Event]) -> None:
        """Take the output list of the whole answer: what never came as an event, and what never came to an end."""
        entries = [(mapping(entry) or {"type": "", "value": entry}) for entry in sequence(output)]
        streamed = list(self._items)
        of_entry: list[_Item | None] = [None] * len(entries)
        for matches in (self._same_id, self._same_place, self._same_kind):
            for index, item in enumerate(entries):
                if of_entry[index] is None and (found := matches(index, item, streamed)):
                    of_entry[index] = found
                    streamed.remove(found)
        for item, known in zip(entries, of_entry, strict=True):
            self._whole(known or self._new({}, string(item.get("id")), string(item.get("type"))), item, out)
        for left in streamed:  # the end is silent about it
            self._whole(left, left.first or {"type": left.kind}, out)

    def cut(self, out: list[Event]) -> None:
        """The bytes have ended: give the calls that wait for their name."""
        for item in self._items:
            if item.kind in _CALLS and item.said and not _runs_there(item.first):
                self._call(item, item.first, out)

    def grow(self, what: str, event: dict[str, object], out: list[Event]) -> None:
        """Take a ``….delta`` of a text: ``what`` is its name in the event's type."""
        piece = event.get("delta")
        if piece and isinstance(piece, str):
            text, kind = _TEXTS[what]
            self._say(self._item(event, kind), text, event, piece, out)

    def settle(self, what: str, event: dict[str, object], out: list[Event]) -> None:
        """Take a ``….done`` of a text: what it says more than its deltas did."""
        text, kind = _TEXTS[what]
        self._reconcile(self._item(event, kind), text, event, event.get(_WHOLE_IN.get(what, "text")), out)

    def annotated(self, event: dict[str, object], out: list[Event]) -> None:
        """Take ``response.output_text.annotation.added``."""
        item = self._item(event, "message")
        part = self._part(item, ("text", count(event.get("content_index")) or 0))
        item.said.setdefault("annotations", []).append("")
        out.append(Opaque(raw_json(event.get("annotation")), "annotation", part))

    def _find(self, event: dict[str, object], id_: str, kind: str) -> _Item | None:
        """The item that an event speaks of, if there is one of its kind."""
        index = count(event.get("output_index"))
        named = self._of_id.get(id_)
        if index is None:
            candidates = [named] if named is not None else [] if id_ else self._items[-1:]
        elif there := self._at.get(index):
            candidates = sorted(there, key=lambda item: item.id == id_)
        else:
            candidates = [named] if named is not None and named.index is None else []
        return next((item for item in reversed(candidates) if _is(item, kind)), None)

    def _new(self, event: dict[str, object], id_: str, kind: str) -> _Item:
        index = count(event.get("output_index"))
        item = _Item(kind, id_, index)
        self._items.append(item)
        if index is not None:
            self._at.setdefault(index, []).append(item)
        if id_:
            self._of_id[id_] = item
        return item

    def _item(self, event: dict[str, object], kind: str) -> _Item:
        """The item that a text belongs to; one that was never added begins with its text."""
        index = event.get("output_index")
        there = self._at.get(index, ()) if type(index) is int else ()
        if len(there) == 1 and there[0].kind == kind:  # nearly every event
            return there[0]
        id_ = string(event.get("item_id"))
        return self._find(event, id_, kind) or self._new(event, id_, kind)

    @staticmethod
    def _same_id(index: int, item: dict[str, object], streamed: list[_Item]) -> _Item | None:
        id_, kind = string(item.get("id")), string(item.get("type"))
        found = [one for one in streamed if id_ and one.id == id_ and _is(one, kind)]
        return next((one for one in found if one.index == index), found[0] if found else None)

    def _same_place(self, index: int, item: dict[str, object], streamed: list[_Item]) -> _Item | None:
        there = (one for one in self._at.get(index, ()) if one in streamed)
        return next((one for one in there if _is(one, string(item.get("type")))), None)

    @staticmethod
    def _same_kind(_index: int, item: dict[str, object], streamed: list[_Item]) -> _Item | None:
        return next((one for one in streamed if _is(one, string(item.get("type")))), None)

    def _part(self, item: _Item, which: object) -> int:
        part = item.parts.get(which)
        if part is None:
            part = item.parts[which] = self._parts
            self._parts += 1
        return part

    def _call(self, item: _Item, whole: dict[str, object], out: list[Event]) -> None:
        """Announce a call, once, and give the arguments that waited for it."""
        if "call" in item.parts:
            return
        self.called = True
        part = self._part(item, "call")
        out.append(ToolCall(part, string(whole.get("call_id")), string(whole.get("name")), _CALLS[item.kind][0]))
        if waited := item.said.get(("call", 0)):
            out.append(ToolArguments(part, "".join(waited)))

    def _say(self, item: _Item, kind: str, event: dict[str, object], piece: str, out: list[Event]) -> None:
        """Append one piece of one text of an item, in the event that its kind has."""
        index = count(event.get("summary_index" if kind == "summary" else "content_index")) or 0
        which: object = (kind, index)
        match kind:
            case "text":
                out.append(Text(piece, self._part(item, which)))
            case "refusal":
                self.refused = True
                out.append(Refusal(piece, self._part(item, which)))
            case "call":
                if "call" in item.parts:
                    out.append(ToolArguments(item.parts["call"], piece))
            case _:
                self._reason(item, kind, which, piece, out)
        item.said.setdefault(which, []).append(piece)

    def _reason(self, item: _Item, kind: str, which: object, piece: str, out: list[Event]) -> None:
        """Several summaries of one item are one part, with an empty line between."""
        gap = _BETWEEN_SUMMARIES if kind in item.parts and which not in item.said else ""
        out.append(Reasoning(gap + piece, self._part(item, kind)))

    def _reconcile(self, item: _Item, kind: str, event: dict[str, object], full: object, out: list[Event]) -> None:
        """Say what the full text has beyond the pieces; a full text that differs is not believed."""
        index = count(event.get("summary_index" if kind == "summary" else "content_index")) or 0
        said = "".join(item.said.get((kind, index), ()))
        text = string(full)
        if len(text) > len(said) and text.startswith(said):
            self._say(item, kind, event, text[len(said) :], out)

    def _whole(self, item: _Item, whole: dict[str, object], out: list[Event]) -> None:
        if item.done:
            return
        item.done = True
        item.kind = item.kind or string(whole.get("type"))
        match item.kind:
            case "message":
                self._message(item, whole, out)
            case "reasoning":
                self._reasoning(item, whole, out)
            case kind if kind in _CALLS and not _runs_there(whole):
                self._call(item, whole, out)
                arguments = whole.get(_CALLS[kind][1])
                self._reconcile(item, "call", {}, arguments_json(arguments) if arguments else "", out)
            case "image_generation_call" if whole.get("result"):
                kind = f"image/{string(whole.get('output_format')) or 'png'}".replace("/svg", "/svg+xml")
                out.append(answered("image", kind, string(whole["result"]), self._part(item, "image")))
            case kind:
                out.append(Opaque(raw_json(whole), kind, self._part(item, "opaque")))
        out.extend(PartEnd(part) for part in item.parts.values())

    def _message(self, item: _Item, whole: dict[str, object], out: list[Event]) -> None:
        for index, entry in enumerate(sequence(whole.get("content"))):
            content = mapping(entry)
            event: dict[str, object] = {"content_index": index}
            match content.get("type"):
                case "output_text" | "text":
                    self._reconcile(item, "text", event, content.get("text"), out)
                    if "annotations" not in item.said:
                        for annotation in sequence(content.get("annotations")):
                            part = self._part(item, ("text", index))
                            out.append(Opaque(raw_json(annotation), "annotation", part))
                case "refusal":
                    self._reconcile(item, "refusal", event, content.get("refusal"), out)
                case kind:
                    out.append(Opaque(raw_json(entry), string(kind), self._part(item, ("opaque", index))))

    def _reasoning(self, item: _Item, whole: dict[str, object], out: list[Event]) -> None:
        for field, kind, place in (("summary", "summary", "summary_index"), ("content", "content", "content_index")):
            for index, entry in enumerate(sequence(whole.get(field))):
                self._reconcile(item, kind, {place: index}, mapping(entry).get("text"), out)
        seals = {name: string(whole.get(field)) for name, field in _SEALS.items()}
        if item.parts or seals["encrypted"] or seals["signature"]:
            part = next(iter(item.parts.values())) if item.parts else self._part(item, "summary")
            out.append(Reasoning("", part, **seals, id=string(whole.get("id"))))


def _is(item: _Item, kind: str) -> bool:
    return item.kind == kind or not item.kind


def _runs_there(item: dict[str, object]) -> bool:
    """Whether a custom call is the provider's own: xAI's searches of X look like one (seen 2025-12)."""
    return item.get("type") == "custom_tool_call" and string(item.get("call_id")).startswith("xs_call_")


# The opaque half of reasoning; OpenRouter tells whose it is, and gives Anthropic's signatures a field of their own.
_SEALS = {"encrypted": "encrypted_content", "signature": "signature", "format": "format"}
# The name of a text in event types → what it is here, and the kind of item that has it.
_TEXTS = {
    "output_text": ("text", "message"),
    "refusal": ("refusal", "message"),
    "reasoning_summary_text": ("summary", "reasoning"),
    "reasoning_summary": ("summary", "reasoning"),
    "reasoning_text": ("content", "reasoning"),
    "reasoning": ("content", "reasoning"),
    "function_call_arguments": ("call", "function_call"),
    "custom_tool_call_input": ("call", "custom_tool_call"),
}
_WHOLE_IN = {"refusal": "refusal", "function_call_arguments": "arguments", "custom_tool_call_input": "input"}
TEXTS = frozenset(_TEXTS)
