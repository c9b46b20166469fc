"""``registry.yaml`` as plain data that remembers the line of each key.

Strategy: the text is composed to nodes, which carry their places, and walked once; so each duplicate is found with
both its lines, and any later finding can be told with file and line. No YAML tag creates anything but text, numbers
and truth values.
"""

import difflib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StringMark
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from providers.errors import Problem
from providers.redaction import looks_like_key

Place = tuple[str | int, ...]

# ${NAME} cannot stand in `{api_key: ${NAME}}`: braces end a plain scalar there. Two private characters take their
# place while the text is parsed; the length stays, so that columns stay true.
_BRACED = re.compile(r"\$\{([A-Za-z_][\w.]*)\}", re.ASCII)
_OPEN, _CLOSE = "\ue000", "\ue001"
_DEEPEST = 20
_LARGEST = 4 * 1024 * 1024
_MOST = 200_000  # values, an anchored one counted wherever it stands: aliases of aliases grow without end
_SCALAR_TAGS = ("null", "bool", "int", "float")


@dataclass
class Document:
    """One file: ``data`` as plain values, ``marks`` (line, column) by place, ``problems`` found on the way."""

    source: str
    data: dict[str, object] = field(default_factory=dict)
    marks: dict[Place, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, place: Place, wrong: str, allowed: str = "", nearest: str = "") -> Problem:
        """Make a problem at ``place``, or at the nearest place above it that is known."""
        line, column = self._mark(place)
        return Problem(self.source, line, ".".join(map(str, place)), wrong, allowed, nearest, column)

    def line(self, place: Place) -> int:
        """Return the line of ``place``, counted from 1, or 0 when not even the file has one."""
        return self._mark(place)[0]

    def _mark(self, place: Place) -> tuple[int, int]:
        inner = (place[:length] for length in range(len(place), 0, -1))
        return next((self.marks[part] for part in inner if part in self.marks), (0, 0))


def nearest(word: str, allowed: Collection[str]) -> str:
    """Return the closest spelling of ``word`` among ``allowed``, or ""."""
    lower = {name.lower(): name for name in allowed}
    return next((lower[found] for found in difflib.get_close_matches(word.lower(), lower, 1, 0.6)), "")


def read(path: Path, source: str) -> Document:
    """Read ``path``; every finding is in the result's ``problems``, nothing is raised for what stands in the file."""
    document = Document(source)
    try:
        raw = path.read_bytes()
        if len(raw) > _LARGEST:
            document.problems.append(Problem(source, 0, "", f"is larger than {_LARGEST} bytes"))
            return document
        text = raw.decode("utf-8-sig")
    except OSError as error:
        document.problems.append(Problem(source, 0, "", f"cannot be read: {error.strerror}"))
        return document
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        document.problems.append(Problem(source, line, "", "is not UTF-8"))
        return document
    parse(text, document)
    return document


def parse(text: str, document: Document) -> None:
    """Fill ``document`` from the text of a file."""
    document.problems.extend(_literal_keys(text, document.source))
    yaml = YAML(typ="safe", pure=True)
    try:
        node = yaml.compose(_BRACED.sub(rf"${_OPEN}\1{_CLOSE}", text))
        data = {} if node is None else _Walk(document, yaml).value(node, ())
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = _restored(" ".join(part for part in (error.context, error.problem) if part))
        line, column = _counted(mark) if mark else (0, 0)
        document.problems.append(Problem(document.source, line, "", f"is not YAML: {said}", column=column))
    except RecursionError:  # the parser calls itself for each level
        document.problems.append(Problem(document.source, 0, "", "is nested too deeply"))
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        document.problems.append(Problem(document.source, line, "", f"is not YAML: {str(error).splitlines()[0]}"))
    else:
        if isinstance(data, dict):
            document.data = data
        elif data is not None:
            document.problems.append(Problem(document.source, 1, "", "must be a mapping of keys to values", column=1))


def _key_of(line: str) -> str:
    """Return the YAML key that the line's value belongs to, "" if the line shows none."""
    found = re.search(r"([A-Za-z_][\w-]*)\s*:\s*[^:,{]*$", line.split("sk-")[0]) or re.search(
        r"([A-Za-z_][\w-]*)\s*:", line
    )
    return found.group(1) if found and not looks_like_key(found.group(1)) else ""


def _literal_keys(text: str, source: str) -> Iterator[Problem]:
    """Find keys by their look, in values and in comments alike: a file that is shared never holds one."""
    for number, line in enumerate(text.splitlines(), 1):
        if looks_like_key(line):
            yield Problem(
                source,
                number,
                _key_of(line),
                "holds what looks like a key: put it into .env and name its variable here",
            )


def _restored(text: str) -> str:
    return text.replace(_OPEN, "{").replace(_CLOSE, "}")


def _counted(mark: StringMark) -> tuple[int, int]:
    """Return line and column as people count them."""
    return mark.line + 1, mark.column + 1


class _Walk:
    """Turns nodes into plain values and notes where each came from."""

    def __init__(self, document: Document, yaml: YAML) -> None:
        self._document = document
        self._constructor = yaml.constructor
        self._left = _MOST

    def value(self, node: Node, place: Place) -> object:
        self._left -= 1
        if len(place) > _DEEPEST:
            self._refuse(node, place, "is nested too deeply")
            return None
        if self._left <= 0:
            if self._left == 0:  # told once
                self._refuse(node, place, f"is the {_MOST:,}th value: that is more than a configuration has")
            return None
        self._document.marks.setdefault(place, _counted(node.start_mark))
        if isinstance(node, MappingNode):
            return self._mapping(node, place)
        if isinstance(node, SequenceNode):
            return [self.value(item, (*place, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, place) if isinstance(node, ScalarNode) else None

    def _mapping(self, node: MappingNode, place: Place) -> dict[str, object]:
        found: dict[str, object] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self._refuse(key_node, place, "has a key that is not text")
                continue
            key = _restored(key_node.value)  # as written: a model called 4.5 or 007 keeps its name
            inner = (*place, key)
            if key in found:
                self._refuse(key_node, inner, f"stands twice, first on line {self._document.line(inner)}")
                continue
            self._document.marks[inner] = _counted(key_node.start_mark)
            found[key] = self.value(value_node, inner)
        return found

    def _scalar(self, node: ScalarNode, place: Place) -> object:
        kind = str(node.tag).rpartition(":")[2]
        if kind in _SCALAR_TAGS:
            return self._number(node, place, kind)
        if kind not in ("str", "timestamp"):
            self._refuse(node, place, f"has the tag {node.tag}, which means nothing here")
            return None
        return _restored(node.value)

    def _number(self, node: ScalarNode, place: Place, kind: str) -> object:
        try:
            value: object = self._constructor.construct_object(node)
        except (KeyError, ValueError):  # `!!int x`, `!!bool x`, a whole number of more than 4,300 digits
            self._refuse(node, place, f"cannot be read as {kind}")
            return None
        return value

    def _refuse(self, node: Node, place: Place, wrong: str) -> None:
        line, column = _counted(node.start_mark)
        name = ".".join(map(str, place))
        self._document.problems.append(Problem(self._document.source, line, name, wrong, column=column))
