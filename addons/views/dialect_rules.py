"""What an edited request must still be: the shape that its dialect wants, said with the field that is wrong.

Strategy: rules in a table, by path, for what people mistype; then the dialect's own parser, which knows more. What the
body had before the edit is never complained of: some servers take more than the standards say.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from providers.wire.endpoints import Operation
from providers.wire.notes import Rejected
from providers.wire.translate import PARSERS

Json = dict[str, object]
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is wrong: where, and what should stand there."""

    path: Path
    message: str


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


_KINDS: dict[str, Callable[[object], bool]] = {
    "a text": lambda value: isinstance(value, str),
    "true or false": lambda value: isinstance(value, bool),
    "a number": _is_number,
    "a whole number": _is_count,
    "a list": lambda value: isinstance(value, list),
    "a list of objects": lambda value: isinstance(value, list) and all(isinstance(item, dict) for item in value),
    "a text or a list": lambda value: isinstance(value, str | list),
    "an object": lambda value: isinstance(value, dict),
}
_OPTIONAL = frozenset(("content", "system", "instructions", "tools", "stop", "temperature", "top_p", "max_tokens"))
# Field of the body → what it is. null is the same as absent where the dialects say so.
_FIELDS: dict[str, str] = {
    "model": "a text",
    "stream": "true or false",
    "max_tokens": "a whole number",
    "max_completion_tokens": "a whole number",
    "max_output_tokens": "a whole number",
    "temperature": "a number",
    "top_p": "a number",
    "messages": "a list of objects",
    "input": "a text or a list",
    "prompt": "a text or a list",
    "system": "a text or a list",
    "instructions": "a text or a list",
    "tools": "a list of objects",
    "stop_sequences": "a list",
}
_TURN_FIELDS: dict[str, str] = {"role": "a text", "content": "a text or a list", "tool_calls": "a list of objects"}
_ROLES: dict[Operation, frozenset[str]] = {
    Operation.CHAT: frozenset(("system", "developer", "user", "assistant", "tool", "function")),
    Operation.MESSAGES: frozenset(("user", "assistant", "system")),
    Operation.COUNT_TOKENS: frozenset(("user", "assistant", "system")),
    Operation.RESPONSES: frozenset(("system", "developer", "user", "assistant")),
    Operation.INPUT_TOKENS: frozenset(("system", "developer", "user", "assistant")),
}
_REQUIRED: dict[Operation, str] = {
    Operation.CHAT: "messages",
    Operation.MESSAGES: "messages",
    Operation.COUNT_TOKENS: "messages",
    Operation.COMPLETIONS: "prompt",
}
_STEP = re.compile(r"[.\[\]]+")


def wrong_in(operation: Operation, body: Json, before: Json) -> Wrong | None:
    """Return the first thing that an edit made wrong, None if it is as good as before."""
    known = {(wrong.path[-1:], wrong.message) for wrong in _wrongs(operation, before)}
    new = (wrong for wrong in _wrongs(operation, body) if (wrong.path[-1:], wrong.message) not in known)
    return next(new, None)


def _wrongs(operation: Operation, body: Json) -> Iterator[Wrong]:
    yield from _shaped(_FIELDS, body, ())
    required = _REQUIRED.get(operation)
    if required is not None and required not in body:
        yield Wrong((required,), "this field is required")
    turns = body.get("messages") if "messages" in body else body.get("input")
    for number, turn in enumerate(turns if isinstance(turns, list) else []):
        if isinstance(turn, dict):
            yield from _turn(operation, turn, ("messages" if "messages" in body else "input", number))
    yield from _parsed(operation, body)


def _shaped(kinds: dict[str, str], value: Json, path: Path) -> Iterator[Wrong]:
    for name, kind in kinds.items():
        if name in value and not _KINDS[kind](value[name]) and not (value[name] is None and name in _OPTIONAL):
            yield Wrong((*path, name), f"must be {kind}")


def _turn(operation: Operation, turn: Json, path: Path) -> Iterator[Wrong]:
    role, roles = turn.get("role"), _ROLES.get(operation)
    if roles is not None and isinstance(role, str) and role not in roles:
        yield Wrong((*path, "role"), f"must be one of {', '.join(sorted(roles))}")
    if role is None and "type" not in turn:
        yield Wrong((*path, "role"), "this field is required")
    yield from _shaped(_TURN_FIELDS, turn, path)
    content = turn.get("content")
    for number, part in enumerate(content if isinstance(content, list) else []):
        if not isinstance(part, dict | str):
            yield Wrong((*path, "content", number), "must be an object with a type")
        elif isinstance(part, dict) and not isinstance(part.get("type"), str):
            yield Wrong((*path, "content", number, "type"), "this field is required, and is a text")


def _parsed(operation: Operation, body: Json) -> Iterator[Wrong]:
    """What the dialect's own parser will not have; completions are parsed only to be answered by a chat."""
    if operation is Operation.COMPLETIONS:
        return
    try:
        PARSERS[operation](body)
    except Rejected as rejected:
        yield Wrong(_path(rejected.field), str(rejected))


def _path(field: str) -> Path:
    steps = [step for step in _STEP.split(field) if step]
    return tuple(int(step) if step.isdigit() else step for step in steps)
