"""Chat messages → the neutral turns, and the system parts before them.

Strategy: the leading run of system and developer messages is the system prompt, later ones stay in their place. Results
of tools are parts of a user's turn: those in a row are one turn, with what the user says after them. An assistant's
parts come in the order in which chat tells them (reasoning, text, refusal, calls), unless the client brought our
``provider_fields`` back, which knows the true one.
"""

from collections.abc import Callable
from dataclasses import replace

from providers.wire.chat.call_ids import CallIds
from providers.wire.chat.parse_cache import cache_of
from providers.wire.chat.parse_parts import content_of
from providers.wire.chat.parse_thinking import thinking_of
from providers.wire.chat.restore import restored
from providers.wire.neutral import Audio, Image, Json, Part, Refusal, Text, ToolResult, ToolUse, Turn
from providers.wire.values import arguments_json, mapping, sequence, string, whole

_SYSTEM = ("system", "developer")
_READ_HERE = frozenset(
    "role content refusal reasoning_content reasoning reasoning_details thinking_blocks tool_calls tool_call_id"
    " function_call annotations audio cache_control provider_fields images".split()
)
_CALL_READ_HERE = frozenset(("id", "type", "function", "custom", "index", "cache_control"))


class History:
    """Takes the messages of one request in order."""

    def __init__(self) -> None:
        self.system_role = "system"
        self.extra: Json = {}  # what the leading instructions say beside their text
        self._system: list[Part] = []
        self._turns: list[Turn] = []
        self._results: list[Part] = []  # of tools, until the turn that they belong to is whole
        self._ids = CallIds()

    def add(self, message: Json) -> None:
        """Take the next message."""
        role = string(message.get("role"))
        reader = _ROLES.get(role, History._user)
        reader(self, role, message)

    def system(self) -> tuple[Part, ...]:
        """What stands before all turns."""
        return tuple(self._system)

    def turns(self) -> tuple[Turn, ...]:
        """All turns, when the last message has been taken."""
        self._close_results()
        return tuple(self._turns)

    def _instructions(self, role: str, message: Json) -> None:
        parts = _marked(content_of(message.get("content")), message)
        if self._turns or self._results:
            self._close_results()
            self._turns.append(Turn(role, tuple(parts), _beside(message)))
            return
        if not self._system:
            self.system_role = role
        self._system += parts
        self.extra.update({f"messages.{name}": value for name, value in _beside(message).items()})

    def _user(self, role: str, message: Json) -> None:
        parts = _marked(content_of(message.get("content")), message)
        results, self._results = self._results, []
        unknown: Json = {} if role in ("user", "") else {"role": whole(role)}
        self._turns.append(Turn("user", (*results, *parts), {**_beside(message), **unknown}))

    def _tool(self, _role: str, message: Json) -> None:
        said = string(message.get("tool_call_id")) or string(message.get("name"))
        parts = content_of(message.get("content"))
        self._results.append(ToolResult(self._ids.result(whole(said)), tuple(parts), cache=cache_of(message)))

    def _assistant(self, role: str, message: Json) -> None:
        self._close_results()
        parts: list[Part] = [*thinking_of(message), *_marked(_said(message), message)]
        call = mapping(message.get("function_call"))
        if any(call.values()):  # some servers put one with empty strings into every answer
            parts.append(self._call({"function": call}, legacy=True))
        parts += [self._call(mapping(entry)) for entry in sequence(message.get("tool_calls"))]
        parts = restored(parts, mapping(message.get("provider_fields")))
        self._turns.append(Turn(role, tuple(parts), _beside(message)))

    def _call(self, call: Json, *, legacy: bool = False) -> ToolUse:
        custom = call.get("type") == "custom"
        function = mapping(call.get("custom" if custom else "function"))
        name = whole(string(function.get("name")))
        arguments = function.get("input" if custom else "arguments")
        text = "" if arguments is None else arguments_json(arguments)
        id_ = self._ids.call(whole(string(call.get("id"))), name if legacy else "")
        extra = {key: value for key, value in call.items() if value and key not in _CALL_READ_HERE}
        return ToolUse(id_, name, text, custom, cache_of(call), extra)

    def _close_results(self) -> None:
        if self._results:
            self._turns.append(Turn("user", tuple(self._results)))
            self._results = []


_ROLES: dict[str, Callable[[History, str, Json], None]] = {
    "system": History._instructions,
    "developer": History._instructions,
    "assistant": History._assistant,
    "tool": History._tool,
    "function": History._tool,
}


def _said(message: Json) -> list[Part]:
    """What an assistant said: text and refusal, a reference to its voice, and pictures."""
    parts = content_of(message.get("content"))
    if annotations := tuple(entry for entry in sequence(message.get("annotations")) if isinstance(entry, dict)):
        at = next((number for number, part in enumerate(parts) if isinstance(part, Text)), None)
        if at is not None and isinstance(text := parts[at], Text):
            parts[at] = replace(text, citations=annotations)
    if refusal := whole(string(message.get("refusal"))):
        parts.append(Refusal(refusal))
    if id_ := whole(string(mapping(message.get("audio")).get("id"))):
        parts.append(Audio(id=id_))
    pictures = content_of(sequence(message.get("images")))
    return parts + [picture for picture in pictures if isinstance(picture, Image)]


def _marked(parts: list[Part], message: Json) -> list[Part]:
    """The parts with the message's own cache mark on the last of them that can carry one."""
    mark = cache_of(message)
    if mark is None:
        return parts
    for number in range(len(parts) - 1, -1, -1):
        part = parts[number]
        if isinstance(part, Text | Image) and (not isinstance(part, Text) or part.text):
            parts[number] = replace(part, cache=part.cache or mark)
            break
    return parts


def _beside(message: Json) -> Json:
    return {name: value for name, value in message.items() if value and name not in _READ_HERE}
