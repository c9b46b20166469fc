"""Change single values in a JSON object without touching any other byte: prompt caches key on exact prefixes.

Strategy: the object is parsed once, one top-level member at a time by the standard decoder, which says where each value
ends. Spans are kept in characters of the strictly decoded text; strict UTF-8 there and back gives the same bytes.
"""

import json
from collections.abc import Mapping

_raw_decode = json.JSONDecoder().raw_decode
_SPACE = " \t\n\r"
_BOM = "\ufeff"


class NotAnObject(ValueError):
    """The text is not one JSON object; the message says what is wrong, with line and column."""


class JsonObject:
    """A parsed JSON object that still knows its text. ``value`` is what ``json.loads`` gives."""

    __slots__ = ("_end", "_spans", "_text", "value")

    def __init__(self, text: str, value: dict[str, object], spans: dict[str, list[tuple[int, int]]], end: int) -> None:
        self.value = value
        self._text = text
        self._spans = spans
        self._end = end  # where a new member goes: behind the last value, or before the brace of an empty object

    def replace(self, changes: Mapping[str, object]) -> bytes:
        """The original bytes with these top-level values replaced wherever the key occurs, or added at the end."""
        edits = [(*span, json.dumps(changes[key])) for key in changes for span in self._spans.get(key, ())]
        added = [f"{json.dumps(key)}:{json.dumps(value)}" for key, value in changes.items() if key not in self._spans]
        if added:
            edits.append((self._end, self._end, ("," if self._spans else "") + ",".join(added)))
        pieces: list[str] = []
        at = 0
        for start, end, new in sorted(edits):
            pieces += (self._text[at:start], new)
            at = end
        pieces.append(self._text[at:])
        return "".join(pieces).encode()


def read_object(text: bytes) -> JsonObject:
    """Parse a body that must be one JSON object in UTF-8 (a byte order mark is kept). Raises NotAnObject."""
    decoded = _decode(text)
    try:
        return _scan(decoded)
    except json.JSONDecodeError as error:
        at = f"line {error.lineno}, column {error.colno}"
        raise NotAnObject(f"the body is not a JSON object: {error.msg} ({at})") from error
    except RecursionError as error:
        raise NotAnObject("the body is not a JSON object we can read: it is nested too deeply") from error
    except ValueError as error:  # an integer of thousands of digits
        raise NotAnObject(f"the body is not a JSON object we can read: {error}") from error


def _decode(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        line_start = text.rfind(b"\n", 0, error.start) + 1
        line = text.count(b"\n", 0, error.start) + 1
        column = len(text[line_start : error.start].decode()) + 1
        raise NotAnObject(f"the body is not UTF-8: {error.reason} (line {line}, column {column})") from error


def _scan(text: str) -> JsonObject:
    """Walk the top level; every value is parsed by the standard decoder."""
    value: dict[str, object] = {}
    spans: dict[str, list[tuple[int, int]]] = {}
    at = _expect(text, _skip(text, len(_BOM) if text.startswith(_BOM) else 0), "{", "Expecting an object")
    end = at = _skip(text, at)
    more = not text.startswith("}", at)
    while more:
        key, at = _raw_decode(text, _expect(text, at, '"', "Expecting property name enclosed in double quotes") - 1)
        start = _skip(text, _expect(text, _skip(text, at), ":", "Expecting ':' delimiter"))
        value[key], end = _raw_decode(text, start)
        spans.setdefault(key, []).append((start, end))
        at = _skip(text, end)
        more = text.startswith(",", at)
        at = _skip(text, at + 1) if more else at
    at = _skip(text, _expect(text, at, "}", "Expecting ',' delimiter"))
    if at != len(text):
        raise json.JSONDecodeError("Extra data", text, at)
    return JsonObject(text, value, spans, end)


def _skip(text: str, at: int) -> int:
    length = len(text)
    while at < length and text[at] in _SPACE:
        at += 1
    return at


def _expect(text: str, at: int, char: str, complaint: str) -> int:
    """The position behind ``char``, which must stand at ``at``."""
    if not text.startswith(char, at):
        raise json.JSONDecodeError(complaint, text, at)
    return at + 1
