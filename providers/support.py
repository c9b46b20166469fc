"""Which versions of what Patchbay stands on are supported: one table, asked at each start and by `patchbay doctor`.

Strategy: what is older than the oldest that works is refused, what is newer than anything it was tried with is told.
mitmproxy is refused either way: the relay extends internals of it (docs/adr/0001-relay.md). Versions are read, nothing
of all this is imported. SQLite's rare race is told by the doctor alone: it is no reason to warn at every start.
"""

import re
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

Level = Literal["ok", "warning", "wrong"]
Numbers = tuple[int, ...]


class Unsupported(Exception):
    """Patchbay cannot run with what is installed: str() says what, and what to do, line by line."""


@dataclass(frozen=True)
class Finding:
    """What was found out about one thing; ``advice`` says what to do, "" where there is nothing to be done."""

    about: str
    level: Level
    said: str
    advice: str = ""

    def __str__(self) -> str:
        """Everything but the level, in one line."""
        return f"{self.about}: {self.said}" + (f". {self.advice}" if self.advice else "")


@dataclass(frozen=True)
class Package:
    """A package: ``oldest`` works, ``below`` is the first version that is not known to; ``beyond`` is what that means.

    The bounds from below are those of pyproject.toml.
    """

    name: str
    oldest: Numbers
    below: Numbers
    beyond: Level = "warning"


PYTHON = Package("Python", (3, 12), (3, 14))
PACKAGES = (
    Package("mitmproxy", (12, 2), (12, 3), "wrong"),
    Package("httpx", (0, 28), (1,)),
    Package("pydantic", (2, 11), (3,)),
    Package("python-dotenv", (1, 1), (2,)),
    Package("sqlite-utils", (3, 39), (5,)),
    Package("ruamel.yaml", (0, 18), (1,)),
    Package("click", (8, 1), (9,)),
    Package("zstandard", (0, 23), (1,)),
    Package("prometheus-client", (0, 22), (1,)),
    Package("genai-prices", (0, 2), (1,)),
)
# Upserts are there since 3.24, `remove_diacritics 2` since 3.27, FILTER behind an aggregate since 3.30.
OLDEST_SQLITE: Numbers = (3, 30)
# Two programs that write at the very same moment may damage the file (sqlite.org/wal.html, "The WAL-Reset Bug"):
# mended in these, each for its own line, and in all from the last one on.
SAFE_SQLITE: tuple[Numbers, ...] = ((3, 44, 6), (3, 50, 7), (3, 51, 3))

_INSTALL = "`pip install -r requirements.lock` brings what fits; `scripts/serve` does so by itself"
_OTHER_SQLITE = "A Python that brings a newer SQLite mends it"


def numbers(text: str) -> Numbers:
    """Return the numbers that a version begins with: 12.2.3rc1 → (12, 2, 3)."""
    found = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(map(int, found[0].split("."))) if found else ()


def judged(package: Package, installed: str | None, advice: str = _INSTALL) -> Finding:
    """Judge the version of a package; None: it is not installed."""
    tested = f"Patchbay runs with {_told(package.oldest)} and newer ones, tested below {_told(package.below)}"
    if package.beyond == "wrong":
        tested = f"Patchbay runs with {_told(package.oldest)} alone, since it extends internals of it"
    if installed is None:
        return Finding(package.name, "wrong", "is not installed", advice)
    if numbers(installed) < package.oldest:
        return Finding(package.name, "wrong", f"{installed} is too old: {tested}", advice)
    if numbers(installed) >= package.below:
        return Finding(
            package.name, package.beyond, f"{installed} is newer than what is known to work: {tested}", advice
        )
    return Finding(package.name, "ok", installed)


def judged_sqlite(installed: Numbers, *, searches: bool) -> Finding:
    """Judge the SQLite library; ``searches``: it has the full-text search FTS5."""
    name, told = "SQLite", _told(installed)
    if installed < OLDEST_SQLITE:
        return Finding(name, "wrong", f"{told} is too old: the record needs {_told(OLDEST_SQLITE)}", _OTHER_SQLITE)
    if not searches:
        return Finding(name, "wrong", f"{told} comes without FTS5, which the record needs", _OTHER_SQLITE)
    if not (installed >= SAFE_SQLITE[-1] or any(safe <= installed < (*safe[:1], safe[1] + 1) for safe in SAFE_SQLITE)):
        race = f"{told} may, very rarely, damage the record when two programs write it at the very same moment"
        mended = ", ".join(map(_told, SAFE_SQLITE))
        return Finding(
            name, "warning", f"{race} (mended in {mended})", f"{_OTHER_SQLITE}; until then use `forget` at rest"
        )
    return Finding(name, "ok", told)


def findings() -> Iterator[Finding]:
    """Judge everything that is installed here."""
    own = ".".join(map(str, sys.version_info[:3]))
    yield judged(PYTHON, own, "Python 3.12 and 3.13 are tested")
    for package in PACKAGES:
        yield judged(package, _installed(package.name))
    yield judged_sqlite(sqlite3.sqlite_version_info, searches=_searches())


def check_start(found: Sequence[Finding] | None = None) -> list[str]:
    """Return what is to be warned of at a start, a line each; raises Unsupported. ``found``: instead of `findings`."""
    every = list(findings() if found is None else found)
    if wrong := [str(one) for one in every if one.level == "wrong"]:
        raise Unsupported("\n".join(wrong))
    return [str(one) for one in every if one.level == "warning" and one.about != "SQLite"]


def _told(version: Numbers) -> str:
    return ".".join(map(str, version))


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _searches() -> bool:
    with closing(sqlite3.connect(":memory:")) as nothing:
        try:
            nothing.execute("CREATE VIRTUAL TABLE one USING fts5 (text)")
        except sqlite3.OperationalError:
            return False
        return True
