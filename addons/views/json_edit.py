"""A JSON text made to say another value, with every byte kept that need not change.

Strategy: walk text, old value and new value side by side, and go only where the two differ; what is the same is copied
as it stands (numbers as they were written, order, white space, fields written twice). New values are written in the
text's own style. Prompt caches key on exact prefixes: an edit of the last turn must leave the first ones alone.
"""

import json
import re

_decode = json.JSONDecoder().raw_decode
_SPACE = re.compile(r"[ \t\n\r]*")


def edited(text: str, value: object) -> str:
    """Return ``text``, which is JSON, with as little changed as makes it say ``value``. Raises ValueError if it is not.

    ``value`` itself holds JSON values alone.
    """
    start = _skip(text, 1 if text.startswith("\ufeff") else 0)
    old, end = _decode(text, start)
    return text[:start] + _Editor(text).piece(start, old, value) + text[end:]


def same(one: object, other: object) -> bool:
    """Whether two JSON values are the same, also by type: 1 is neither 1.0 nor true."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


class _Editor:
    """One text. ``start`` is always where a value begins, ``old`` that value."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._comma = ", " if re.search(r'[^\\]": ', text[:1000]) else ","
        self._colon = ": " if self._comma == ", " else ":"

    def piece(self, start: int, old: object, new: object) -> str:
        """The text of ``new`` in the place of ``old``."""
        if not same(old, new):
            if isinstance(old, dict) and isinstance(new, dict):
                return self._object(start, new)
            if isinstance(old, list) and isinstance(new, list):
                return self._list(start, new)
            return self._new(new)
        return self._text[start : _decode(self._text, start)[1]]

    def _new(self, value: object) -> str:
        text = json.dumps(value, ensure_ascii=False, separators=(self._comma, self._colon))
        try:
            text.encode()
        except UnicodeEncodeError:  # half a character: JSON can say it, UTF-8 cannot
            return json.dumps(value, separators=(self._comma, self._colon))
        return text

    def _object(self, start: int, new: dict[str, object]) -> str:
        members, gaps = self._members(start)
        by_name = {name: (at, value) for name, _, at, value in members}
        if list(by_name) == list(new) and len(by_name) == len(members):
            pieces = [head + self.piece(at, value, new[name]) for (name, head, at, value) in members]
            return _joined(pieces, gaps)
        heads = {name: head for name, head, _, _ in members}
        pieces = [
            heads[name] + self.piece(*by_name[name], value)
            if name in by_name
            else f"{self._new(name)}{self._colon}{self._new(value)}"
            for name, value in new.items()
        ]
        return self._rejoined(pieces, gaps)

    def _list(self, start: int, new: list[object]) -> str:
        items, gaps = self._items(start)
        if len(items) == len(new):
            return _joined([self.piece(at, old, value) for (at, old), value in zip(items, new, strict=True)], gaps)
        ahead = _common([value for _, value in items], new)
        behind = _common([value for _, value in items[ahead:]][::-1], new[ahead:][::-1])
        old_middle = items[ahead : len(items) - behind]
        middle = new[ahead : len(new) - behind]
        pieces = [self.piece(at, value, value) for at, value in items[:ahead]]
        pieces += [
            self.piece(*old_middle[number], value) if number < len(old_middle) else self._new(value)
            for number, value in enumerate(middle)
        ]
        pieces += [self.piece(at, value, value) for at, value in items[len(items) - behind :]]
        return self._rejoined(pieces, gaps)

    def _rejoined(self, pieces: list[str], gaps: list[str]) -> str:
        """Join another number of pieces with the gaps that were there: the first, one between, the last."""
        between = gaps[1] if len(gaps) > 2 else self._comma
        if not pieces:
            return gaps[0][:1] + gaps[-1][-1:]
        return gaps[0] + between.join(pieces) + gaps[-1]

    def _members(self, start: int) -> tuple[list[tuple[str, str, int, object]], list[str]]:
        """Name, text up to the value, where the value begins and what it is, of each member; and what is between."""
        text, members, gaps = self._text, [], []
        gap, at = start, _skip(text, start + 1)
        while text[at] != "}":
            gaps.append(text[gap:at])
            name, end = _decode(text, at)
            begin = _skip(text, _skip(text, end) + 1)
            value, gap = _decode(text, begin)
            members.append((name, text[at:begin], begin, value))
            at = _skip(text, gap)
            at = _skip(text, at + 1) if text[at] == "," else at
        return members, [*(gaps or [text[start:at]]), text[gap if members else at : at + 1]]

    def _items(self, start: int) -> tuple[list[tuple[int, object]], list[str]]:
        """Where each item begins and what it is; and what is between them."""
        text, items, gaps = self._text, [], []
        gap, at = start, _skip(text, start + 1)
        while text[at] != "]":
            gaps.append(text[gap:at])
            value, gap = _decode(text, at)
            items.append((at, value))
            at = _skip(text, gap)
            at = _skip(text, at + 1) if text[at] == "," else at
        return items, [*(gaps or [text[start:at]]), text[gap if items else at : at + 1]]


def _joined(pieces: list[str], gaps: list[str]) -> str:
    """Each piece behind its gap, and the last gap behind all."""
    return "".join(gap + piece for gap, piece in zip(gaps, pieces, strict=False)) + gaps[-1]


def _common(one: list[object], other: list[object]) -> int:
    """How many values two lists have in common at their beginning."""
    most = min(len(one), len(other))
    return next((number for number in range(most) if not same(one[number], other[number])), most)


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
