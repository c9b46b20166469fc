"""Neutral messages: what a request holds and what an answer becomes, in every dialect's own order of parts.

Strategy: a message is a role and an ordered list of parts. Bytes of images and files never enter a part; their digest
does. ``to_json`` leaves empty fields out, so that a field added later does not change how an old message is stored.
"""

from dataclasses import dataclass, fields

from providers.wire.values import mapping, sequence


@dataclass(frozen=True, slots=True)
class TextPart:
    """Text that was written or answered."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningPart:
    """The model's reasoning; ``encrypted`` stands alone for redacted blocks. ``format`` says whose signature it is."""

    text: str
    signature: str = ""
    encrypted: str = ""
    id: str = ""
    format: str = ""


@dataclass(frozen=True, slots=True)
class RefusalPart:
    """Why the model would not."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallPart:
    """A call of a client's tool. ``arguments`` is JSON text as the model wrote it, free text if ``kind`` is custom."""

    id: str
    name: str
    arguments: str
    kind: str = "function"


@dataclass(frozen=True, slots=True)
class MediaPart:
    """An image, audio clip or file, as a reference. ``kind`` is image, audio or file; ``size`` in bytes, 0 if unknown.

    ``ref`` is a URL, a file id, or ``blake2b:<hex>``: the 32-byte digest of the decoded inline data.
    """

    kind: str
    media_type: str
    size: int
    ref: str


@dataclass(frozen=True, slots=True)
class OpaquePart:
    """Something the reader does not know: its type in the provider's words, and its JSON text."""

    type: str
    raw: str


@dataclass(frozen=True, slots=True)
class ToolResultPart:
    """What a tool gave back, matched to its call by ``call_id``."""

    call_id: str
    parts: "tuple[Part, ...]"
    is_error: bool = False


Part = TextPart | ReasoningPart | RefusalPart | ToolCallPart | ToolResultPart | MediaPart | OpaquePart


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. ``role`` is the client's own word: system, developer, user, assistant, tool."""

    role: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class RequestSummary:
    """What the record keeps of a request: the conversation so far, its session, whether it asked for a stream."""

    messages: tuple[Message, ...]
    session_id: str | None
    stream: bool


_TAGS: dict[str, type[Part]] = {
    "text": TextPart,
    "reasoning": ReasoningPart,
    "refusal": RefusalPart,
    "tool_call": ToolCallPart,
    "tool_result": ToolResultPart,
    "media": MediaPart,
    "opaque": OpaquePart,
}
_TAG_OF = {part: tag for tag, part in _TAGS.items()}
# A part may have a field called type or kind of its own, so the tag has a name that no field has.
_TAG = "part"


def to_json(message: Message) -> dict[str, object]:
    """Plain JSON values of a message; ``from_json`` gives the same message back."""
    return {"role": message.role, "parts": [_part_to_json(part) for part in message.parts]}


def from_json(value: dict[str, object]) -> Message:
    """Read what ``to_json`` wrote. Raises KeyError or TypeError for anything else."""
    return Message(str(value["role"]), tuple(_part_from_json(mapping(part)) for part in sequence(value["parts"])))


def _part_to_json(part: Part) -> dict[str, object]:
    value: dict[str, object] = {_TAG: _TAG_OF[type(part)]}
    for field in fields(part):
        content = object.__getattribute__(part, field.name)
        if content != field.default:
            value[field.name] = content
    if isinstance(part, ToolResultPart):
        value["parts"] = [_part_to_json(inner) for inner in part.parts]
    return value


def _part_from_json(value: dict[str, object]) -> Part:
    content: dict[str, object] = {name: item for name, item in value.items() if name != _TAG}
    if "parts" in content:
        content["parts"] = tuple(_part_from_json(mapping(part)) for part in sequence(content["parts"]))
    make: type = _TAGS[str(value[_TAG])]
    part: Part = make(**content)
    return part
