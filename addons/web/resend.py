"""A recorded call as a request again, in its own dialect, for another model to answer.

Strategy: where the request was kept as it came, it is sent as it was. Else it is built anew from the stored
conversation, by the builders that translate. What the record does not hold is said, never made up: a place in the
conversation where something stood says so in words.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from addons.telemetry.queries import Record
from addons.web.replies import Json
from providers.wire import neutral, request
from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect
from providers.wire.notes import Notes
from providers.wire.translate import BUILDERS

PATHS = {
    "chat": "/v1/chat/completions",
    "completions": "/v1/completions",
    "messages": "/v1/messages",
    "responses": "/v1/responses",
}
READ_UP_TO = 4 << 20  # bytes of a kept request that are read only to see whether they can be
_INSTRUCTIONS = ("system", "developer")
# Whoever gets it is asked through Patchbay, which translates where it must: nothing is left out here for a provider.
_EVERYTHING = Capabilities(prefill=True, image_urls=True)
_LEFT_OUT = "[Here stood {} that the record does not hold.]"
_KINDS = {"image": "images", "audio": "audio", "file": "files"}
_ONE = {"image": "an image", "audio": "a recording", "file": "a file"}


@dataclass(frozen=True, slots=True)
class Resend:
    """Whether a call can be made again, whether as it was, and what is missing where not."""

    possible: bool
    complete: bool = False
    missing: tuple[str, ...] = ()

    def shown(self) -> Json:
        """Return it as JSON values."""
        return {"possible": self.possible, "complete": self.complete, "missing": list(self.missing)}


class NotPossibleError(Exception):
    """The call cannot be made again; the message says why."""


def judge(record: Record, body: bytes | None, messages: Sequence[Json]) -> Resend:
    """Say how well a call can be made again. ``body`` is its request as it came, None where it was not kept."""
    if record["operation"] not in PATHS:
        return Resend(possible=False)
    if _read(body) is not None:
        return Resend(possible=True, complete=True)
    if not messages:
        return Resend(possible=False)
    gone = _Rebuilding(messages).missing
    return Resend(possible=True, missing=("settings", "tools", *gone))


def rebuild(record: Record, body: bytes | None, messages: Sequence[Json], model: str) -> Json:
    """Return the path and the body of the call, for ``model`` and streamed. Raises NotPossibleError and Rejected."""
    operation = str(record["operation"])
    if operation not in PATHS:
        raise NotPossibleError(f"A call of {operation} says nothing that could be compared. Resend a conversation.")
    asked = _read(body)
    if asked is None:
        if not messages:
            raise NotPossibleError("Nothing of this call's request was recorded, so it cannot be made again.")
        asked = _completions(messages) if operation == "completions" else _conversation(record, messages)
    if operation in ("chat", "completions"):
        asked.setdefault("stream_options", {"include_usage": True})
    return {"path": PATHS[operation], "body": {**asked, "model": model, "stream": True}}


def _read(body: bytes | None) -> Json | None:
    try:
        value = json.loads(body) if body else None
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _completions(messages: Sequence[Json]) -> Json:
    prompts = ["".join(_texts(message.get("parts"))) for message in messages]
    return {"prompt": prompts[0] if len(prompts) == 1 else prompts}


def _texts(parts: object) -> Iterator[str]:
    return (str(part["text"]) for part in _list(parts) if part.get("text"))


def _list(value: object) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _conversation(record: Record, messages: Sequence[Json]) -> Json:
    dialect = Dialect(str(record["dialect"]))
    built = _Rebuilding(messages)
    asked = neutral.Request(
        dialect=dialect,
        model="",
        turns=tuple(built.turns),
        system=tuple(built.system),
        tools=tuple(neutral.Tool("function", name, schema={"type": "object"}) for name in built.called),
        stream=True,
        include_usage=True,
    )
    return BUILDERS[dialect](asked, _EVERYTHING, Notes())


class _Rebuilding:
    """Stored messages as turns of a request.

    ``missing`` names what is left out, ``called`` the tools that were called: providers want them to be defined.
    """

    def __init__(self, messages: Sequence[Json]) -> None:
        self.turns: list[neutral.Turn] = []
        self.system: list[neutral.Part] = []
        self._called: dict[str, None] = {}
        self._missing: dict[str, None] = {}
        for message in map(request.from_json, map(dict, messages)):
            parts = self._parts(message.parts)
            if message.role in _INSTRUCTIONS and not self.turns:
                self.system += parts
            elif parts:
                self._add(message.role, parts)

    @property
    def called(self) -> tuple[str, ...]:
        """The names of the tools that were called, each once."""
        return tuple(self._called)

    @property
    def missing(self) -> tuple[str, ...]:
        """What is left out, each word once."""
        return tuple(self._missing)

    def _add(self, said_by: str, parts: list[neutral.Part]) -> None:
        role = said_by if said_by in ("assistant", *_INSTRUCTIONS) else "user"
        if self.turns and self.turns[-1].role == role:
            self.turns[-1] = replace(self.turns[-1], parts=(*self.turns[-1].parts, *parts))
        else:
            self.turns.append(neutral.Turn(role, tuple(parts)))

    def _parts(self, parts: Iterable[request.Part]) -> list[neutral.Part]:
        return [part for each in parts for part in _PARTS[type(each)](self, each)]

    def _text(self, part: request.TextPart) -> Iterator[neutral.Part]:
        yield neutral.Text(part.text)

    def _refusal(self, part: request.RefusalPart) -> Iterator[neutral.Part]:
        yield neutral.Refusal(part.text)

    def _reasoning(self, _part: request.ReasoningPart) -> Iterator[neutral.Part]:
        """Only whoever thought it can check its signature; a model that answers anew thinks anew."""
        self._missing["reasoning"] = None
        return iter(())

    def _tool_call(self, part: request.ToolCallPart) -> Iterator[neutral.Part]:
        self._called[part.name] = None
        yield neutral.ToolUse(part.id, part.name, part.arguments, custom=part.kind == "custom")

    def _tool_result(self, part: request.ToolResultPart) -> Iterator[neutral.Part]:
        yield neutral.ToolResult(part.call_id, tuple(self._parts(part.parts)), part.is_error)

    def _media(self, part: request.MediaPart) -> Iterator[neutral.Part]:
        """What stood behind an address can be asked for again; what stood inline was not kept."""
        if part.kind == "image" and part.ref.startswith(("http://", "https://")):
            yield neutral.Image(url=part.ref)
            return
        self._missing[_KINDS.get(part.kind, "files")] = None
        yield neutral.Text(_LEFT_OUT.format(_ONE.get(part.kind, "a file")))

    def _opaque(self, _part: request.OpaquePart) -> Iterator[neutral.Part]:
        self._missing["parts of its dialect alone"] = None
        return iter(())


_PARTS: Mapping[type[request.Part], Callable[[_Rebuilding, Any], Iterator[neutral.Part]]] = {
    request.TextPart: _Rebuilding._text,
    request.RefusalPart: _Rebuilding._refusal,
    request.ReasoningPart: _Rebuilding._reasoning,
    request.ToolCallPart: _Rebuilding._tool_call,
    request.ToolResultPart: _Rebuilding._tool_result,
    request.MediaPart: _Rebuilding._media,
    request.OpaquePart: _Rebuilding._opaque,
}
