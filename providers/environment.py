"""The environment a registry is made from: real variables, then ``.env`` of the working folder, then the repository's.

``os.environ`` is passed in and never written. Each value remembers where it came from, so that an error can say so.
"""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dotenv.parser import parse_stream

from providers.errors import Problem
from providers.file_signature import Signature, signature
from providers.registry_file import nearest
from providers.secrets import Key, read_key_file, usable_key
from providers.settings import Settings

PREFIX = "PATCHBAY_"
# Provider → registry field → the variable that says the same; the variable wins.
PROVIDER_VARIABLES: dict[str, dict[str, str]] = {
    "local": {"base_url": "PATCHBAY_LOCAL_BASE_URL"},
    "anthropic": {"base_url": "PATCHBAY_ANTHROPIC_BASE_URL"},
    "openai": {
        "base_url": "PATCHBAY_OPENAI_BASE_URL",
        "organization": "PATCHBAY_OPENAI_ORGANIZATION",
        "project": "PATCHBAY_OPENAI_PROJECT",
    },
    "openrouter": {
        "base_url": "PATCHBAY_OPENROUTER_BASE_URL",
        "referer": "PATCHBAY_OPENROUTER_REFERER",
        "title": "PATCHBAY_OPENROUTER_TITLE",
    },
}
REGISTRY, ROUTES, DEFAULT_PROVIDER = "PATCHBAY_REGISTRY", "PATCHBAY_ROUTES", "PATCHBAY_DEFAULT_PROVIDER"
VARIABLES = frozenset(
    (
        *(PREFIX + name.upper() for name in Settings.model_fields),
        *(name for fields in PROVIDER_VARIABLES.values() for name in fields.values()),
        *(REGISTRY, ROUTES, DEFAULT_PROVIDER),
    )
)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable's value and its place: ``source`` is ``environment`` or a file, ``line`` 0 or the line in it."""

    name: str
    value: str = field(repr=False)
    source: str
    line: int = 0

    @property
    def place(self) -> str:
        """``.env:3: ``, or nothing for a real variable."""
        return f"{self.source}:{self.line}: " if self.line else ""

    def problem(self, wrong: str, allowed: str = "", nearest: str = "") -> Problem:
        """Make a problem that names this variable."""
        return Problem(self.source, self.line, self.name, wrong, allowed, nearest)


@dataclass
class Environment:
    """All variables that count. ``files`` are those that were read, or would be if they were there, as they were."""

    folder: Path
    variables: dict[str, Variable] = field(default_factory=dict, repr=False)
    files: dict[Path, Signature | None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    # A registry may keep its keys in variables of any name, also one that begins like a setting.
    _key_names: set[str] = field(default_factory=set)

    def watch(self, path: Path) -> None:
        """Note a file that counts, before it is read: the earliest state of it is the one to compare with."""
        self.files.setdefault(path, signature(path))

    def get(self, name: str) -> Variable | None:
        """Return the variable, or None where it is not set or blank: an empty line in a .env file says nothing."""
        found = self.variables.get(name)
        return found if found and found.value.strip() else None

    def key(self, name: str) -> Key | None:
        """Return the key in ``name``, or in the file that ``name_FILE`` names; None where there is none to use.

        A blank or a placeholder is told as a notice, a key that cannot be one as a problem. Neither shows the value.
        """
        self._key_names.update((name, f"{name}_FILE"))
        for variable in (self.variables.get(name), self.get(f"{name}_FILE")):
            if variable is None:
                continue
            try:
                key = usable_key(variable.value if variable.name == name else self._key_file(variable))
            except ValueError as error:
                self.problems.append(variable.problem(str(error)))
                return None
            if key is not None:
                return key
            self.notices.append(f"{variable.place}{variable.name} is empty or a placeholder, so it counts as not set")
        return None

    def _key_file(self, variable: Variable) -> str:
        path = self.folder / Path(variable.value.strip()).expanduser()
        self.watch(path)
        return read_key_file(path)

    def tell_unknown(self) -> None:
        """Notice each PATCHBAY_ variable that does not exist, with the nearest one that does."""
        for name in sorted(self.variables):
            if name.startswith(PREFIX) and name not in VARIABLES and name not in self._key_names:
                close = nearest(name.removeprefix(PREFIX), [known.removeprefix(PREFIX) for known in VARIABLES])
                self.notices.append(f"{name} is no setting" + (f"; did you mean {PREFIX}{close}?" if close else ""))


def gather(environ: Mapping[str, str], folder: Path, root: Path | None) -> Environment:
    """Collect the variables; ``root`` is the repository's folder (None: there is none)."""
    found = Environment(folder)
    found.variables.update({name: Variable(name, value, "environment") for name, value in environ.items()})
    for place in dict.fromkeys(path.resolve() for path in (folder, root) if path is not None):
        file = place / ".env"
        found.watch(file)
        for variable in _dotenv(file, ".env" if place == folder.resolve() else str(file), found):
            found.variables.setdefault(variable.name, variable)
    return found


def _dotenv(path: Path, source: str, found: Environment) -> Iterator[Variable]:
    """Yield the variables of one .env file, the last one of a name winning; no ``${…}`` in a value is replaced."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        found.problems.append(Problem(source, 0, "", f"cannot be read: {error.strerror}"))
        return
    except UnicodeDecodeError:
        found.problems.append(Problem(source, 0, "", "is not UTF-8"))
        return
    last: dict[str, Variable] = {}
    for binding in parse_stream(io.StringIO(text)):
        # A binding's text begins with the blank lines above it.
        blank = len(binding.original.string) - len(binding.original.string.lstrip())
        line = binding.original.line + binding.original.string[:blank].count("\n")
        if binding.error:
            found.notices.append(f"{source}:{line}: this line is not NAME=value and was passed over")
        elif binding.key is not None and binding.value is not None:
            last[binding.key] = Variable(binding.key, binding.value, source, line)
    yield from last.values()
