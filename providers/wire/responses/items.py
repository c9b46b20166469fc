"""Output items of a Responses answer: added, grown, done in; events out.

Strategy: an item is found by ``output_index``, because some providers rotate item ids between events; without one
(llama-server) by its id. Every text has a ``done`` form after its deltas, and the item a whole form after that: each is
reconciled, so that what came only there (arguments, mostly) is not lost and what came before is not told twice. A
message's content parts, a reasoning item's summary and its raw content, and each call are parts of their own, numbered
with their first event.
"""

from providers.wire.events import Event, Media, Opaque, PartEnd, Reasoning, Refusal, Text, ToolArguments, ToolCall
from providers.wire.media import inline
from providers.wire.values import arguments_json, count, mapping, raw_json, sequence, string

_CALLS = {"function_call": ("function", "arguments"), "custom_tool_call": ("custom", "input")}
_BETWEEN_SUMMARIES = "\n\n"


class _Item:
    __slots__ = ("done", "kind", "parts", "said")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.parts: dict[object, int] = {}  # which text of the item → its part
        self.said: dict[object, list[str]] = {}  # which text of the item → its pieces so far
        self.done = False


class Items:
    """All output items of one answer."""

    def __init__(self) -> None:
        self.called = False
        self.refused = False
        self._parts = 0
        self._items: dict[object, _Item] = {}
        self._indexed = False  # events carry output_index
        self._key_of_id: dict[str, object] = {}
        self._last: object = None

    def added(self, event: dict[str, object], out: list[Event]) -> None:
        """Take ``response.output_item.added``."""
        item = mapping(event.get("item"))
        known = self._item(event, item)
        if known.kind in _CALLS:
            self._call(known, item, out)

    def done(self, event: dict[str, object], out: list[Event]) -> None:
        """Take ``response.output_item.done``: the whole item."""
        item = mapping(event.get("item"))
        self._whole(self._item(event, item), item, out)

    def rest(self, output: object, out: list[Event]) -> None:
        """Take the output list of the whole answer; only items that never came as events say something new."""
        streamed = bool(self._items)
        for index, entry in enumerate(sequence(output)):
            item = mapping(entry)
            event: dict[str, object] = {"output_index": index} if self._indexed or not streamed else {}
            if self._key(event, item) in self._items or (streamed and not self._indexed and not item.get("id")):
                continue
            self._whole(self._item(event, item), item or {"type": "", "value": entry}, out)

    def grow(self, what: str, event: dict[str, object], out: list[Event]) -> None:
        """Take a ``….delta`` of a text: ``what`` is its name in the event's type."""
        piece = event.get("delta")
        if piece and isinstance(piece, str):
            self._say(self._item(event, {}), _TEXTS[what], event, piece, out)

    def settle(self, what: str, event: dict[str, object], out: list[Event]) -> None:
        """Take a ``….done`` of a text: what it says more than its deltas did."""
        field = _WHOLE_IN.get(what, "text")
        self._reconcile(self._item(event, {}), _TEXTS[what], event, event.get(field), out)

    def annotated(self, event: dict[str, object], out: list[Event]) -> None:
        """Take ``response.output_text.annotation.added``."""
        item = self._item(event, {})
        part = self._part(item, ("text", count(event.get("content_index")) or 0))
        item.said.setdefault("annotations", []).append("")
        out.append(Opaque(raw_json(event.get("annotation")), "annotation", part))

    def _key(self, event: dict[str, object], item: dict[str, object]) -> object:
        index = count(event.get("output_index"))
        if index is not None:
            return index
        id_ = string(event.get("item_id")) or string(item.get("id"))
        return self._key_of_id.get(id_, id_) if id_ else self._last

    def _item(self, event: dict[str, object], item: dict[str, object]) -> _Item:
        key = self._last = self._key(event, item)
        self._indexed = self._indexed or isinstance(key, int)
        if id_ := string(event.get("item_id")) or string(item.get("id")):
            self._key_of_id[id_] = key
        known = self._items.get(key)
        if known is None:
            known = self._items[key] = _Item("")
        known.kind = known.kind or string(item.get("type"))
        return known

    def _part(self, item: _Item, which: object) -> int:
        part = item.parts.get(which)
        if part is None:
            part = item.parts[which] = self._parts
            self._parts += 1
        return part

    def _call(self, item: _Item, whole: dict[str, object], out: list[Event]) -> None:
        """Announce a call, once; llama-server may know its name and id only in the item."""
        if "call" not in item.parts:
            self.called = True
            kind, _ = _CALLS[item.kind]
            part = self._part(item, "call")
            out.append(ToolCall(part, string(whole.get("call_id")), string(whole.get("name")), kind))

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
                if "call" not in item.parts:  # the item was never added
                    item.kind = item.kind or "function_call"
                    self._call(item, {}, out)
                out.append(ToolArguments(self._part(item, "call"), piece))
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
        match item.kind:
            case "message":
                self._message(item, whole, out)
            case "reasoning":
                self._reasoning(item, whole, out)
            case kind if kind in _CALLS:
                self._call(item, whole, out)
                arguments = whole.get(_CALLS[kind][1])
                self._reconcile(item, "call", {}, arguments_json(arguments) if arguments else "", out)
            case "image_generation_call" if whole.get("result"):
                kind = f"image/{string(whole.get('output_format')) or 'png'}"
                media = inline("image", kind, string(whole["result"]))
                out.append(Media(media.kind, media.media_type, media.size, self._part(item, "image"), media.ref))
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
        encrypted, id_ = string(whole.get("encrypted_content")), string(whole.get("id"))
        if encrypted or item.parts:
            part = next(iter(item.parts.values())) if item.parts else self._part(item, "summary")
            out.append(Reasoning("", part, encrypted=encrypted, id=id_))


# The name of a text in event types → what it is here.
_TEXTS = {
    "output_text": "text",
    "refusal": "refusal",
    "reasoning_summary_text": "summary",
    "reasoning_summary": "summary",
    "reasoning_text": "content",
    "reasoning": "content",
    "function_call_arguments": "call",
    "custom_tool_call_input": "call",
}
_WHOLE_IN = {"refusal": "refusal", "function_call_arguments": "arguments", "custom_tool_call_input": "input"}
TEXTS = frozenset(_TEXTS)
