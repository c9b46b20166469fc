"""An edited text back into JSON values; whatever JSON has no place for is refused, with its line and field.

Strategy: ruamel.yaml makes nodes, which know their lines; the values are made here. What stands under ``!kept.N`` is
the value it was made of, what stands under ``!json.N`` becomes the text that it was laid out from, with the edits in
it; a call that was added may say ``!json`` without a number. Anchors are refused: nobody needs them here, and they can
be knotted.
"""

import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from addons.views.json_edit import edited
from addons.views.kept import Kept
from addons.views.refused import EditRefused
from providers.wire.values import raw_json, string

Path = tuple[str | int, ...]
_TAG = re.compile(r"!(kept|json)(?:\.(\d+))?")
_INT = re.compile(r"-?(?:0|[1-9][0-9]*)")
_DEEPEST = 100  # levels


def spelled(path: Path) -> str:
    """A path as people write it: ``messages[1].role``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


@dataclass(slots=True)
class Edit:
    """What was read: ``value``, and on which line (from 1) each of its values stands."""

    value: object
    lines: Mapping[Path, int]

    def refusal(self, message: str, path: Path) -> EditRefused:
        """Make the error for a value, or for the nearest one around it."""
        around = next((path[:size] for size in range(len(path), -1, -1) if path[:size] in self.lines), ())
        return EditRefused(message, line=self.lines.get(around), field=spelled(path))


def read_edit(text: str, kept: Sequence[Kept]) -> Edit:
    """Read an edited text. Raises EditRefused."""
    try:
        root = YAML(typ="safe", pure=True).compose(io.StringIO(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else None
        raise EditRefused(f"this is not YAML: {error.problem or error.context}", line=line) from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise EditRefused(f"this is not YAML: {' '.join(str(error).split())[:200]}") from error
    reading = _Reading(kept)
    return Edit(reading.value(root, ()) if root is not None else None, reading.lines)


@dataclass(slots=True)
class _Reading:
    kept: Sequence[Kept]
    lines: dict[Path, int] = field(default_factory=dict)

    def value(self, node: Node, path: Path) -> object:
        self.lines[path] = node.start_mark.line + 1
        if len(path) > _DEEPEST:
            raise self._refusal("this is nested too deeply", path)
        if node.anchor:
            raise self._refusal("anchors (&name, *name) are not understood here: write the value out", path)
        if tag := _TAG.fullmatch(node.tag or ""):
            return _TAGGED[tag[1]](self, node, tag[2], path)
        return self._plain(node, path)

    def _plain(self, node: Node, path: Path) -> object:
        kind = str(node.tag).removeprefix("tag:yaml.org,2002:")
        if isinstance(node, MappingNode) and kind == "map":
            return self._mapping(node, path)
        if isinstance(node, SequenceNode) and kind == "seq":
            return self._sequence(node, path)
        reader = _SCALARS.get(kind) if isinstance(node, ScalarNode) else None
        if reader is None:
            raise self._refusal(f"the tag {node.tag} means nothing here", path)
        try:
            return reader(node.value)
        except ValueError:
            raise self._refusal(f"{node.value} is no number that JSON has", path) from None

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, object]:
        found: dict[str, object] = {}
        for name, value in node.value:
            if not isinstance(name, ScalarNode):
                raise self._refusal("the name of a field is a text", path)
            step = (*path, name.value)
            if name.value in found:
                self.lines[step] = name.start_mark.line + 1
                raise self._refusal("this field stands here twice", step)
            found[name.value] = self.value(value, step)
        return found

    def _sequence(self, node: SequenceNode, path: Path) -> list[object]:
        found: list[object] = []
        for item in node.value:
            value = self.value(item, (*path, len(found)))
            run = _TAG.fullmatch(item.tag or "")
            if run and run[1] == "kept" and self.kept[int(run[2]) - 1].is_run and isinstance(value, list):
                found += value
            else:
                found.append(value)
        return found

    def _known(self, number: str | None, path: Path) -> Kept:
        if number is None or not 0 < int(number) <= len(self.kept):
            raise self._refusal("there is no such number in this text", path)
        return self.kept[int(number) - 1]

    def _unchanged(self, node: Node, number: str | None, path: Path) -> object:
        kept = self._known(number, path)
        said = node.value if isinstance(node, ScalarNode) else None
        if kept.shown is None or said is None or _bare(said) != _bare(kept.shown):
            about = "!kept stands for a value as it is; to replace it, take the tag away and write the new value"
            raise self._refusal(about, path)
        return kept.value

    def _json(self, node: Node, number: str | None, path: Path) -> str:
        value: object = node.value
        if isinstance(node, MappingNode):
            value = self._mapping(node, path)
        elif isinstance(node, SequenceNode):
            value = self._sequence(node, path)
        return raw_json(value) if number is None else edited(string(self._known(number, path).value), value)

    def _refusal(self, message: str, path: Path) -> EditRefused:
        return EditRefused(message, line=self.lines.get(path), field=spelled(path))


def _bare(text: str) -> str:
    """A text without what editors take from the ends of lines."""
    return "\n".join(line.rstrip() for line in text.split("\n")).rstrip()


def _int(text: str) -> int:
    if not _INT.fullmatch(text):
        raise ValueError(text)
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


# The kinds that YAML gives scalars → the JSON value. A date is a text to JSON.
_SCALARS: dict[str, Callable[[str], object]] = {
    "str": str,
    "timestamp": str,
    "null": lambda _text: None,
    "bool": lambda text: text.lower() == "true",
    "int": _int,
    "float": _float,
}
_TAGGED: dict[str, Callable[[_Reading, Node, str | None, Path], object]] = {
    "kept": _Reading._unchanged,
    "json": _Reading._json,
}
