"""Input items of a Responses request as neutral turns.

Strategy: items in a row that the model made (reasoning, its messages, its calls) are one turn, as the answer was that
they come from; outputs of tools in a row, and the user's message behind them, are one turn, too: other dialects want
them together. What an earlier answer carried in ``encrypted_content`` is unpacked to what it was.
"""

from collections.abc import Callable

from providers.wire import side_channel
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Json, Opaque, Part, Thinking, ToolResult, ToolUse, Turn
from providers.wire.notes import Rejected
from providers.wire.responses.carried import restore
from providers.wire.responses.offered import flat_name
from providers.wire.responses.parse_parts import content_parts
from providers.wire.values import arguments_json, mapping, sequence, string, whole

ASSISTANT, USER = "assistant", "user"
_BETWEEN = "\n\n"
_REFERENCE = "item_reference"
_KNOWN_OF_MESSAGE = frozenset(("type", "role", "content", "id", "status"))
# Items that are not the model's, beside those whose type ends with "_output".
_NOT_THE_MODELS = frozenset(
    ("mcp_approval_response", "additional_tools", "compaction_trigger", "configuration_update", "")
)


def read_input(value: object) -> tuple[Turn, ...]:
    """The turns of an input; what it refers to without having it (``item_reference``) stays opaque in its place."""
    if value is None or isinstance(value, str):
        return (Turn(USER, content_parts(value)),) if value else ()
    if not isinstance(value, list):
        raise Rejected("input", "input must be a text or a list of items")
    turns: list[Turn] = []
    for at, entry in enumerate(value):
        if not isinstance(entry, dict):
            raise Rejected(f"input[{at}]", f"input[{at}] must be an object")
        kind = string(entry.get("type")) or ("message" if "role" in entry else _REFERENCE if "id" in entry else "")
        _add(turns, _turn(kind, entry))
    return tuple(restore(turn) if turn.role == ASSISTANT else turn for turn in turns)


def _add(turns: list[Turn], turn: Turn) -> None:
    last = turns[-1] if turns else None
    if last is not None and last.role == turn.role and (turn.role == ASSISTANT or _is_results(last)):
        turns[-1] = Turn(turn.role, last.parts + turn.parts, last.extra | turn.extra)
    else:
        turns.append(turn)


def _is_results(turn: Turn) -> bool:
    return turn.role == USER and bool(turn.parts) and all(isinstance(part, ToolResult) for part in turn.parts)


def _turn(kind: str, item: Json) -> Turn:
    if kind == "message":
        extra = {key: value for key, value in item.items() if key not in _KNOWN_OF_MESSAGE and value is not None}
        return Turn(string(item.get("role")) or USER, content_parts(item.get("content")), extra)
    if reader := _ITEMS.get(kind):
        role, read = reader
        return Turn(role, (read(item),))
    role = USER if kind.endswith("_output") or kind in _NOT_THE_MODELS else ASSISTANT
    return Turn(role, (Opaque(Dialect.RESPONSES, kind, item),))


def _reasoning(item: Json) -> Part:
    summary = tuple(whole(string(mapping(part).get("text"))) for part in sequence(item.get("summary")))
    content = tuple(whole(string(mapping(part).get("text"))) for part in sequence(item.get("content")))
    text = _BETWEEN.join(text for text in content or summary if text)
    encrypted = string(item.get("encrypted_content"))
    packed = side_channel.unpack(encrypted)
    if packed is not None:
        format, payload = packed
        if format == side_channel.OPAQUE or payload.get("late"):
            return Opaque(Dialect.RESPONSES, format, payload)  # `restore` puts it where it belongs
        return side_channel.thinking_of(text, format, payload)
    if encrypted.startswith(side_channel.PREFIX):
        encrypted = ""  # broken, or of a later version: nobody else can read it
    format = side_channel.OPENAI if encrypted else ""
    return Thinking(text, "", encrypted, string(item.get("id")), format, False, summary)


def _call(field: str, *, custom: bool) -> Callable[[Json], Part]:
    def read(item: Json) -> Part:
        arguments = item.get(field)
        return ToolUse(
            id=whole(string(item.get("call_id"))),
            name=flat_name(whole(string(item.get("namespace"))), whole(string(item.get("name")))),
            arguments="" if arguments is None else arguments_json(arguments),
            custom=custom,
        )

    return read


def _output(*, custom: bool) -> Callable[[Json], Part]:
    def read(item: Json) -> Part:
        return ToolResult(whole(string(item.get("call_id"))), content_parts(item.get("output")), custom=custom)

    return read


_ITEMS: dict[str, tuple[str, Callable[[Json], Part]]] = {
    "reasoning": (ASSISTANT, _reasoning),
    "function_call": (ASSISTANT, _call("arguments", custom=False)),
    "custom_tool_call": (ASSISTANT, _call("input", custom=True)),
    "function_call_output": (USER, _output(custom=False)),
    "custom_tool_call_output": (USER, _output(custom=True)),
}
