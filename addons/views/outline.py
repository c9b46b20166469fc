"""A JSON body as YAML to read and to edit: a pure function of its value, so that it can be made again to read an edit.

Strategy: the body's own fields in their own order; what has no place in a text is named (`addons.views.kept`). The text
is bounded by what it may hold, not by cutting it: where there is no room left, values are named, and of a conversation
that is too long the oldest turns are one line. So each text can be edited, and nothing of the body is lost.
"""

from itertools import islice

from addons.views import yaml_lines
from addons.views.kept import MOST_MEMBERS, Kept, described, laid_out, outlined
from providers.redaction import redact
from providers.wire.values import sequence

ROOM = 80_000  # characters for all fields but the conversation
_TURNS_ROOM = 160_000
_TURNS = ("messages", "input")
_DEEPEST = 30  # levels
_INLINE = 90  # characters of a line
_SAID = frozenset(("role", "content", "text"))  # objects of these names have lines of their own


class Outline:
    """One body. ``text`` is what is shown, ``kept`` the values behind the numbers in it.

    ``is_whole``: nothing of the body is left out of it; otherwise it cannot be edited.
    """

    def __init__(self, body: dict[str, object]) -> None:
        self.kept: list[Kept] = []
        self._room = ROOM
        self._depth = 0
        lines: list[str] = []
        shown = {name: body[name] for name in islice(body, MOST_MEMBERS) if yaml_lines.is_key(name)}
        for name, value in shown.items():
            self._room, before = (_TURNS_ROOM, self._room) if name in _TURNS else (self._room, 0)
            lines += self._member(name, value, body, 0)
            self._room = before if name in _TURNS else self._room
        if len(shown) < len(body):
            lines.append(f"# {len(body) - len(shown):,} more fields are not shown")
        text = "\n".join(lines or ["{}"]) + "\n"
        self.text = redact(text)
        self.is_whole = self.text == text and len(shown) == len(body)

    def _member(self, name: str, value: object, parent: object, indent: int) -> list[str]:
        said = yaml_lines.key(name)
        head, below = self._node(value, name, parent, indent)
        self._room -= indent + len(said) + len(head) + 3
        return [f"{' ' * indent}{said}: {head}".rstrip(" "), *below]

    def _node(self, value: object, name: str, parent: object, indent: int) -> tuple[str, list[str]]:
        """Return what stands behind a name, and the lines below it."""
        if (shown := self._named(value, name, parent, indent)) is not None:
            return self._keep(Kept(value, shown), indent)
        if (arguments := laid_out(value, name, parent)) is not None:
            head, _ = self._keep(Kept(value, None), indent)
            return head, self._below(arguments, indent + 2)
        if isinstance(value, str):
            return self._text(value, indent)
        if not isinstance(value, dict | list):
            return yaml_lines.one_line(value), []
        small = yaml_lines.inline(value, _INLINE) if self._is_plain(value) else None
        if small is not None:
            return small, []
        is_turns = indent == 0 and name in _TURNS
        return "", self._below(value, indent + 2, is_turns=is_turns)

    def _named(self, value: object, name: str, parent: object, indent: int) -> str | None:
        """Say what stands for a value that is not shown, None for one that is."""
        if self._room <= 0 and (isinstance(value, dict | list) or len(str(value)) > _INLINE):
            return outlined(value)
        if isinstance(value, dict) and not all(map(yaml_lines.is_key, value)):
            return outlined(value)
        if isinstance(value, dict | list) and value and self._depth > _DEEPEST:
            return outlined(value)
        return None if indent == 0 and name in _TURNS and isinstance(value, list) else described(value, name, parent)

    def _keep(self, kept: Kept, indent: int) -> tuple[str, list[str]]:
        self.kept.append(kept)
        number = len(self.kept)
        if kept.shown is None:
            return f"!json.{number}", []
        head, below = self._text(kept.shown, indent)
        return f"!kept.{number} {head}", below

    def _text(self, text: str, indent: int) -> tuple[str, list[str]]:
        head, below = yaml_lines.text_lines(text, indent + 2)
        self._room -= sum(map(len, below)) + len(below)
        return head, below

    def _is_plain(self, value: dict[str, object] | list[object]) -> bool:
        """Whether a small value is better on one line: nothing to name, and nothing that is said by anybody."""
        if len(value) > _INLINE // 2 or (isinstance(value, dict) and not _SAID.isdisjoint(value)):
            return False
        items = value.items() if isinstance(value, dict) else [("", item) for item in value]
        return all(not isinstance(item, dict | list) or not item for _, item in items) and all(
            described(item, name, value) is None and laid_out(item, name, value) is None for name, item in items
        )

    def _below(self, value: object, indent: int, *, is_turns: bool = False) -> list[str]:
        self._depth += 1
        lines = self._parts(value, indent, is_turns=is_turns)
        self._depth -= 1
        return lines

    def _parts(self, value: object, indent: int, *, is_turns: bool) -> list[str]:
        if isinstance(value, dict):
            return [line for name in value for line in self._member(name, value[name], value, indent)]
        items, lines, at = sequence(value), [], " " * (indent - 2)
        first = _first_shown(items) if is_turns else 0
        if first:
            self.kept.append(Kept(items[:first], f"the first {first:,} of {len(items):,}", is_run=True))
            lines.append(f"{at}- !kept.{len(self.kept)} {yaml_lines.quoted(self.kept[-1].shown or '')}")
        for item in items[first:]:
            lines += self._item(item, items, indent)
        return lines

    def _item(self, item: object, parent: object, indent: int) -> list[str]:
        at = " " * (indent - 2)
        head, below = self._node(item, "", parent, indent - 2)
        self._room -= indent + len(head)
        if head:
            return [f"{at}- {head}", *below]
        if isinstance(item, dict):
            return [f"{at}- {below[0].lstrip(' ')}", *below[1:]]
        return [f"{at}-", *(f"  {line}" for line in below)]


def _first_shown(items: list[object]) -> int:
    """From which turn on a conversation has room, counted from its end; the last one is always shown."""
    room, first = _TURNS_ROOM, len(items)
    while first and room > 0:
        first -= 1
        room -= _weight(items[first], room)
    return first if room > 0 or first == len(items) - 1 else first + 1


def _weight(value: object, limit: int) -> int:
    """About how many characters a value takes, and not more than about ``limit``."""
    weight, ahead = 0, [value]
    while ahead and weight < limit:
        item = ahead.pop()
        weight += 20 + (min(len(item), 20_000) if isinstance(item, str) else 0)
        if isinstance(item, dict | list):
            ahead += (item.values() if isinstance(item, dict) else item) if len(item) <= 500 else []
    return weight
