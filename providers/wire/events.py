"""The neutral stream events: what every dialect's reader yields and every writer takes.

Strategy: one ordered vocabulary for streams and plain answers alike, so that there is one mapping per dialect, not one
per pair. An answer is ``Begin``, then parts, then ``Finish`` and ``Terminal``; usage may come anywhere and overwrites.
Parts are keyed by ``part``, a dense integer in order of first appearance; deltas of different parts may interleave.
What a reader does not understand becomes ``Opaque`` and keeps its raw text: a reader never raises and never filters.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class FinishReason(StrEnum):
    """Why the model stopped, in neutral words (specs: translation 4.1)."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    STOP_SEQUENCE = "stop_sequence"
    REFUSAL = "refusal"
    PAUSE = "pause"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Begin:
    """The answer has started; nothing the user sees yet. It comes again if the provider names the model only later."""

    id: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer's text."""

    text: str
    part: int = 0


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A piece of the model's reasoning; ``signature`` or ``encrypted`` when this piece carries one.

    ``id`` is the item's id where the dialect has one (responses, OpenRouter's details), ``format`` says whose signature
    it is where the provider says so (OpenRouter's ``anthropic-claude-v1``); each stands on one piece of the part.
    """

    text: str
    part: int = 0
    signature: str = ""
    encrypted: str = ""
    id: str = ""
    format: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A piece of a refusal text (chat ``refusal``, responses ``refusal`` parts)."""

    text: str
    part: int = 0


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call begins: its name is known, and its id ("" when the provider gives none).

    ``kind`` is ``function``, or ``custom`` for a call whose arguments are free text instead of JSON.
    """

    part: int
    id: str
    name: str
    kind: str = "function"


@dataclass(frozen=True, slots=True)
class ToolArguments:
    """A piece of a tool call's arguments, JSON text exactly as the provider wrote it."""

    part: int
    text: str


@dataclass(frozen=True, slots=True)
class PartEnd:
    """A part is complete (only dialects that say so)."""

    part: int


@dataclass(frozen=True, slots=True)
class Media:
    """An image or audio in the answer. ``size`` in bytes, 0 if unknown.

    ``ref`` is a URL, a file id, or ``blake2b:<hex>`` of the decoded bytes when they stood inline. Then ``data`` is what
    stood there, in base64, for a writer to pass on; the record keeps the reference alone.
    """

    kind: str
    media_type: str
    size: int
    part: int = 0
    ref: str = ""
    data: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts, cumulative: the later one overwrites field by field; None means the provider did not say.

    ``input`` is the whole prompt including cached tokens in every dialect (Anthropic's three counters are added up),
    ``output`` includes ``reasoning``, ``cache_write`` includes ``cache_write_1h`` (kept for an hour, at another price).
    ``searches`` are web searches that the provider ran. ``cost`` is the provider's own figure in US dollars; ``terms``
    say how the call was served where that changes its price (`providers.wire.charges`), None for the usual way.
    """

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    cache_write_1h: int | None = None
    searches: int | None = None
    cost: float | None = None
    terms: str | None = None

    @property
    def counts(self) -> bool:
        """Whether any tokens were counted."""
        return not (
            self.input is self.output is self.cache_read is self.cache_write is self.reasoning is None
        )  # the others are parts of these, or no tokens

    def over(self, old: "Usage") -> "Usage":
        """What is known after ``old`` was told, then this: a later number overwrites, None never does."""
        return Usage(
            old.input if self.input is None else self.input,
            old.output if self.output is None else self.output,
            old.cache_read if self.cache_read is None else self.cache_read,
            old.cache_write if self.cache_write is None else self.cache_write,
            old.reasoning if self.reasoning is None else self.reasoning,
            old.cache_write_1h if self.cache_write_1h is None else self.cache_write_1h,
            old.searches if self.searches is None else self.searches,
            old.cost if self.cost is None else self.cost,
            old.terms if self.terms is None else self.terms,
        )


NO_USAGE = Usage()
"""Nothing was said of it."""


@dataclass(frozen=True, slots=True)
class Finish:
    """The model stopped; ``raw`` is the provider's own word, ``sequence`` the stop sequence it met, if known."""

    reason: FinishReason
    raw: str
    sequence: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """The provider said that it failed, inside a 200 answer. ``type`` and ``code`` are the provider's own words.

    ``raw`` is the whole error as JSON text ("" when there is no more to it than the message).
    """

    message: str
    type: str = ""
    code: str = ""
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Timings:
    """llama-server's own measure of its work: µs and tokens of prompt and of decoding, prompt tokens from its cache."""

    prompt_us: int | None = None
    decode_us: int | None = None
    prompt: int | None = None
    decoded: int | None = None
    cached: int | None = None


@dataclass(frozen=True, slots=True)
class Vectors:
    """Embeddings or rerank results arrived: how many, and their dimensions (0 if unknown)."""

    count: int
    dimensions: int = 0


@dataclass(frozen=True, slots=True)
class Comment:
    """An SSE comment line or a ping: the provider is alive, nothing more."""

    text: str


@dataclass(frozen=True, slots=True)
class Opaque:
    """Something this reader does not know, kept as JSON text (or as the text that was no JSON).

    ``type`` is the provider's word for it (a block type, an event type, a key). With a ``part`` it belongs to the
    answer's content: a block of its own (a server tool's call), or something on the part of that number (a citation);
    without one it stands beside the content.
    """

    raw: str
    type: str = ""
    part: int | None = None


@dataclass(frozen=True, slots=True)
class Terminal:
    """The dialect's end was seen: ``[DONE]``, ``message_stop``, ``response.completed``, or a whole JSON body."""


Event = (
    Begin
    | Text
    | Reasoning
    | Refusal
    | ToolCall
    | ToolArguments
    | PartEnd
    | Media
    | Usage
    | Finish
    | Failure
    | Timings
    | Vectors
    | Comment
    | Opaque
    | Terminal
)

# What counts as "first content" for the commit point and for time to first token: something the user's program acts on.
CONTENT = (Text, Reasoning, Refusal, ToolCall, ToolArguments, Media, Vectors, Finish, Terminal)
