"""Tolerant reads of parsed JSON: what a provider sends may have any shape, and a reader never raises.

Each function takes any JSON value and gives the wanted type or that type's empty value, so that a reader can walk a
path of keys without asking at each step.
"""

import json

_loads = json.JSONDecoder().decode


def parse(text: str) -> object:
    """Parse one JSON value. Raises ValueError for anything else, also for nesting that is too deep to parse."""
    try:
        return _loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def mapping(value: object) -> dict[str, object]:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[object]:
    """The list, or an empty one."""
    return value if isinstance(value, list) else []


def string(value: object) -> str:
    """The string, or an empty one."""
    return value if isinstance(value, str) else ""


def count(value: object) -> int | None:
    """A whole number (tokens, bytes, an index), or None. Some servers count in floats."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, float) and value.is_integer() else None


def says_something(value: object) -> bool:
    """Whether there is anything in a value but zeros, nulls, false and empty text."""
    if isinstance(value, dict):
        return any(says_something(inner) for inner in value.values())
    return any(says_something(inner) for inner in value) if isinstance(value, list) else bool(value)


def raw_json(value: object) -> str:
    """JSON text of a parsed value: readable, compact, and always encodable as UTF-8."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if _encodable(text) else json.dumps(value, separators=(",", ":"))


def arguments_json(value: object) -> str:
    """A tool call's arguments as text: text stays as it is, an object is written as Anthropic's streams write it."""
    if isinstance(value, str):
        return whole(value)
    text = json.dumps(value, ensure_ascii=False)
    return text if _encodable(text) else json.dumps(value)


def whole(text: str) -> str:
    """The text with surrogate halves joined to their character, and lone ones replaced by U+FFFD.

    A character outside the basic plane may be split over two JSON strings; what is stored must be valid Unicode.
    """
    if _encodable(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _encodable(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
