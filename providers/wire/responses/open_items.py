"""Output items in the making: each takes its events and becomes the frames of a stream and, at last, the whole item.

Strategy: an item is added with its first event, grows, and is done once; a message holds several content parts, of
which one is open. ``done`` keeps the JSON text of the finished item, which the response object repeats.
"""

from abc import ABC, abstractmethod

from providers.wire import side_channel
from providers.wire.events import Event, Opaque, Reasoning, Refusal, Text
from providers.wire.responses.annotations import Cited
from providers.wire.responses.frames import Frames, Joiner, dumps, encode

COMPLETED = "completed"


class OpenItem(ABC):
    """One output item. ``part`` is the neutral part that it takes events of now."""

    def __init__(self, frames: Frames, index: int, id: str, part: int) -> None:
        self.frames = frames
        self.index = index
        self.id = id
        self.part = part
        self.done = ""

    @abstractmethod
    def add(self, event: Event) -> str:
        """Take an event of the part that is open; return the frames that it becomes."""

    @abstractmethod
    def end_part(self) -> str:
        """The open part is complete; the item may go on with another, or not."""

    @abstractmethod
    def close(self, status: str) -> str:
        """No more events; ``status`` is completed or incomplete."""

    def accepts(self, event: Event) -> bool:
        """Whether an event of another part belongs into this item, too."""
        return False

    def may_close(self) -> bool:
        """Whether all of it may be here, as far as one can see."""
        return True

    def place(self, inside: str = "") -> str:
        """The members that say where an event of this item happened."""
        return f'"item_id":"{self.id}","output_index":{self.index}{inside}'

    def added(self, item: str) -> str:
        """The frame that begins the item, from its JSON text."""
        return self.frames.event("response.output_item.added", f'"output_index":{self.index},"item":{item}')

    def finished(self, item: str) -> str:
        """The frame that ends the item."""
        self.done = item
        return self.frames.event("response.output_item.done", f'"output_index":{self.index},"item":{item}')


class Message(OpenItem):
    """An assistant's message: texts and refusals, one content part for each neutral part."""

    def __init__(self, frames: Frames, index: int, id: str, part: int) -> None:
        super().__init__(frames, index, id, part)
        self._parts: list[str] = []  # finished content parts
        self._kind = ""
        self._text = Joiner()
        self._opening = ""
        self._cited = Cited()

    def open(self) -> str:
        """Begin."""
        return self.added(self._item("in_progress"))

    def accepts(self, event: Event) -> bool:
        """A message takes every text and what stands on it."""
        return isinstance(event, Text | Refusal) or (isinstance(event, Opaque) and Cited.knows(event))

    def add(self, event: Event) -> str:
        """Take a text, a refusal, or a citation."""
        if isinstance(event, Text | Refusal):
            kind = "output_text" if isinstance(event, Text) else "refusal"
            ahead = "" if self._kind == kind and self.part == event.part else self._begin(kind, event.part)
            piece = self._text.add(event.text) if event.text else ""
            return ahead + self.frames.delta(self._opening, piece) if piece else ahead
        if not isinstance(event, Opaque):
            return ""
        part = self.part if event.part is None else event.part
        ahead = "" if self._kind == "output_text" and self.part == part else self._begin("output_text", part)
        return ahead + self._annotate(self._cited.take(event))

    def end_part(self) -> str:
        """Finish the content part that is open."""
        if not self._kind:
            return ""
        out = self._rest()
        out += self._annotate(self._cited.at_end(len(self._text.text())))
        text, part = encode(self._text.text()), self._content_part()
        field, logprobs = ("text", ',"logprobs":[]') if self._kind == "output_text" else ("refusal", "")
        out += self.frames.event(f"response.{self._kind}.done", f'{self._here()},"{field}":{text}{logprobs}')
        out += self.frames.event("response.content_part.done", f'{self._here()},"part":{part}')
        self._parts.append(part)
        self._kind = ""
        return out

    def close(self, status: str) -> str:
        """Finish the message."""
        return self.end_part() + self.finished(self._item(status))

    def _begin(self, kind: str, part: int) -> str:
        out = self.end_part()
        self._kind, self.part, self._text, self._cited = kind, part, Joiner(), Cited()
        logprobs = ',"logprobs":[]' if kind == "output_text" else ""
        self._opening = Frames.opening(f"response.{kind}.delta", self._here() + logprobs)
        return out + self.frames.event("response.content_part.added", f'{self._here()},"part":{self._content_part()}')

    def _here(self) -> str:
        return self.place(f',"content_index":{len(self._parts)}')

    def _rest(self) -> str:
        rest = self._text.end()
        return self.frames.delta(self._opening, rest) if rest else ""

    def _annotate(self, annotations: list[dict[str, object]]) -> str:
        first = len(self._cited.all) - len(annotations)
        return "".join(
            self.frames.event(
                "response.output_text.annotation.added",
                f'{self._here()},"annotation_index":{first + at},"annotation":{dumps(annotation)}',
            )
            for at, annotation in enumerate(annotations)
        )

    def _content_part(self) -> str:
        text = encode(self._text.text())
        if self._kind == "refusal":
            return f'{{"type":"refusal","refusal":{text}}}'
        beside = f',"x_patchbay":{{"citations":{dumps(self._cited.kept)}}}' if self._cited.kept else ""
        return f'{{"type":"output_text","annotations":{dumps(self._cited.all)},"logprobs":[],"text":{text}{beside}}}'

    def _item(self, status: str) -> str:
        content = ",".join(self._parts)
        return f'{{"id":"{self.id}","type":"message","status":"{status}","role":"assistant","content":[{content}]}}'


class Thought(OpenItem):
    """A reasoning item: its text is one summary part, its opaque half is packed into ``encrypted_content``.

    ``format`` is whose signature it is where the event doesn't say; ``late`` that the text stands in an earlier item.
    """

    def __init__(self, frames: Frames, index: int, id: str, part: int, format: str, *, late: bool) -> None:
        super().__init__(frames, index, id, part)
        self._format = format
        self._late = late
        self._text = Joiner()
        self._opening = ""
        self._signature = self._encrypted = self._own_id = ""

    def open(self) -> str:
        """Begin."""
        return self.added(f'{{"id":"{self.id}","type":"reasoning","summary":[]}}')

    def add(self, event: Event) -> str:
        """Take a piece of reasoning."""
        if not isinstance(event, Reasoning):
            return ""
        self._signature = event.signature or self._signature
        self._encrypted = event.encrypted or self._encrypted
        self._own_id = event.id or self._own_id
        self._format = event.format or self._format
        if not event.text:
            return ""
        ahead = ""
        if not self._opening:
            self._opening = Frames.opening("response.reasoning_summary_text.delta", self._here())
            ahead = self._framed("response.reasoning_summary_part.added", _summary(""))
        piece = self._text.add(event.text)
        return ahead + self.frames.delta(self._opening, piece) if piece else ahead

    def end_part(self) -> str:
        """Nothing of its own: reasoning ends with its item."""
        return ""

    def close(self, status: str) -> str:
        """Finish; reasoning has no status of its own."""
        out, summary = "", ""
        if self._opening:
            rest = self._text.end()
            out = self.frames.delta(self._opening, rest) if rest else ""
            text = self._text.text()
            summary = _summary(text)
            out += self.frames.event("response.reasoning_summary_text.done", f'{self._here()},"text":{encode(text)}')
            out += self._framed("response.reasoning_summary_part.done", summary)
        return out + self.finished(f'{{"id":"{self.id}","type":"reasoning","summary":[{summary}]{self._packed()}}}')

    def _packed(self) -> str:
        if not (self._signature or self._encrypted):
            return ""
        packed = side_channel.pack_reasoning(
            self._format, signature=self._signature, encrypted=self._encrypted, id=self._own_id, late=self._late
        )
        return f',"encrypted_content":"{packed}"'

    def _here(self) -> str:
        return self.place(',"summary_index":0')

    def _framed(self, kind: str, part: str) -> str:
        return self.frames.event(kind, f'{self._here()},"part":{part}')


def _summary(text: str) -> str:
    return f'{{"type":"summary_text","text":{encode(text)}}}'
