"""The neutral request: what a request of any dialect means, as one ordered list of typed parts.

Strategy: each dialect has a parser into this form and a builder out of it, so there are three of each and not six
converters. Messages and Responses are ordered lists already, only Chat is not: what cannot be ordered there is lost
in one place, its builder, and said in a note. What a dialect knows and the neutral form does not stays in ``raw`` of
the part or in ``Request.extra``, with the dialect it came from: the same dialect gets it back, another decides by its
table. This is the form for translation; `providers.wire.request` is the smaller one for the record.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from providers.wire.endpoints import Dialect

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Cache:
    """A mark: the prompt up to here is to be cached. ``ttl`` in Anthropic's words, "" for the default."""

    ttl: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text; ``citations`` as the dialect wrote them."""

    text: str
    cache: Cache | None = None
    citations: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class Image:
    """An image: exactly one of ``data`` (base64), ``url`` and ``file_id``; ``media_type`` with ``data``."""

    media_type: str = ""
    data: str = ""
    url: str = ""
    file_id: str = ""
    detail: str = ""
    cache: Cache | None = None
    raw: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """A document: one of ``data`` (base64), ``text``, ``url``, ``file_id`` or ``parts`` (flattened content)."""

    media_type: str = ""
    data: str = ""
    text: str = ""
    url: str = ""
    file_id: str = ""
    title: str = ""
    context: str = ""
    citations: bool = False
    parts: tuple["Part", ...] = ()
    cache: Cache | None = None
    raw: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Audio:
    """Audio input: base64 ``data`` in ``format``, or a reference to an earlier answer's audio."""

    data: str = ""
    format: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Thinking:
    """Reasoning of an earlier turn.

    ``signature`` and ``encrypted`` are opaque and valid for the provider that made them: ``format`` says which
    (`anthropic-claude-v1`, `openai-responses-v1`, …, "" if unknown). ``redacted`` means that there never was a text.
    """

    text: str = ""
    signature: str = ""
    encrypted: str = ""
    id: str = ""
    format: str = ""
    redacted: bool = False
    summary: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the model refused with."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A call of a tool. ``arguments`` is the JSON text as it was written (free text for a custom tool).

    ``extra`` are opaque fields that must come back with this very call (Gemini's thought signatures).
    """

    id: str
    name: str
    arguments: str
    custom: bool = False
    cache: Cache | None = None
    extra: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool answered; text, images and documents in order."""

    call_id: str
    parts: tuple["Part", ...]
    is_error: bool = False
    custom: bool = False
    cache: Cache | None = None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A search result given to the model as context."""

    title: str
    source: str
    parts: tuple[Text, ...]
    cache: Cache | None = None
    raw: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Opaque:
    """A part of one dialect that has no neutral meaning (server tools, compaction, …): ``type`` and all of it."""

    dialect: Dialect
    type: str
    raw: Json


Part = Text | Image | Document | Audio | Thinking | Refusal | ToolUse | ToolResult | SearchResult | Opaque


@dataclass(frozen=True, slots=True)
class Turn:
    """One message. ``role`` is system, developer, user or assistant; tool results are parts of a user turn.

    ``extra`` are the message's own fields beside role and content (``name``, ``phase``, …), with ``dialect`` theirs.
    """

    role: str
    parts: tuple[Part, ...]
    extra: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool on offer. ``kind`` is function, custom (free text), client (schema built into the model) or server.

    ``raw`` is the dialect's own definition; for client and server tools it is all that is known beside ``name``.
    """

    kind: str
    name: str
    description: str = ""
    schema: Json | None = None
    strict: bool | None = None
    cache: Cache | None = None
    dialect: Dialect = Dialect.CHAT
    raw: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """Which tool is to be called.

    ``mode`` is auto, any, tool (``names`` has one), none or allowed (one of ``names``, or none if not ``required``).
    """

    mode: str
    names: tuple[str, ...] = ()
    required: bool = False
    custom: bool = False


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """The shape of the answer: ``kind`` is text, json_object or json_schema."""

    kind: str
    schema: Json | None = None
    name: str = ""
    description: str = ""
    strict: bool | None = None


@dataclass(frozen=True, slots=True)
class Reasoning:
    """How much the model is to think.

    ``effort`` is none, minimal, low, medium, high, xhigh or max; ``budget`` in tokens; ``mode`` is Anthropic's word
    (enabled, adaptive, disabled, between_tools); ``summary`` whether and how it is shown.
    """

    effort: str = ""
    budget: int | None = None
    mode: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One call of a model. None and "" mean that the client did not say.

    ``system`` comes before all turns; ``extra`` holds every top-level field that has no place here, under its own name:
    a builder decides on each by its table, so that nothing is lost in silence.
    """

    dialect: Dialect
    model: str
    turns: tuple[Turn, ...]
    system: tuple[Part, ...] = ()
    system_role: str = "system"
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    max_tokens: int | None = None
    temperature: float | int | None = None
    top_p: float | int | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    output: OutputFormat | None = None
    reasoning: Reasoning | None = None
    stream: bool = False
    include_usage: bool = False
    legacy_functions: bool = False
    user: str = ""
    session: str = ""
    service_tier: str = ""
    cache: Cache | None = None
    extra: Mapping[str, object] = field(default_factory=dict)
