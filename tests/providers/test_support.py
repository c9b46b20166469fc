"""The table of versions: what is refused, what is told, and that it is the one of pyproject.toml."""

import re
import sqlite3
import tomllib
from pathlib import Path

import pytest

from providers import support
from providers.support import (
    PACKAGES,
    PYTHON,
    Finding,
    Package,
    Unsupported,
    check_start,
    judged,
    judged_sqlite,
    numbers,
)

PROJECT = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text())["project"]
BY_NAME = {package.name: package for package in (PYTHON, *PACKAGES)}


@pytest.mark.parametrize(
    ("text", "expected"), [("12.2.3", (12, 2, 3)), ("3.14.0rc1", (3, 14, 0)), ("0.29.dev0", (0, 29)), ("main", ())]
)
def test_a_version_is_the_numbers_that_it_begins_with(text: str, expected: tuple[int, ...]) -> None:
    assert numbers(text) == expected


def test_the_table_has_the_bounds_of_the_project() -> None:
    assert PYTHON.oldest == numbers(PROJECT["requires-python"].removeprefix(">="))
    declared = {}
    for line in PROJECT["dependencies"]:
        name, bound = re.split(r"[=>]=", line)
        declared[name] = numbers(bound)
    assert {package.name for package in PACKAGES} == declared.keys()
    for package in PACKAGES:
        assert package.oldest == declared[package.name][: len(package.oldest)], package.name


@pytest.mark.parametrize(
    ("package", "installed", "level", "said"),
    [
        ("mitmproxy", "12.2.3", "ok", "12.2.3"),
        ("mitmproxy", "12.2.99", "ok", "12.2.99"),
        ("mitmproxy", "12.1.2", "wrong", "12.1.2 is too old: Patchbay runs with 12.2 alone"),
        ("mitmproxy", "12.3.0", "wrong", "12.3.0 is newer than what is known to work: Patchbay runs with 12.2 alone"),
        ("mitmproxy", "13.0.0.dev", "wrong", "13.0.0.dev is newer"),
        ("mitmproxy", None, "wrong", "is not installed"),
        ("httpx", "0.27.2", "wrong", "0.27.2 is too old: Patchbay runs with 0.28 and newer ones"),
        ("httpx", "1.0.0", "warning", "1.0.0 is newer than what is known to work"),
        ("Python", "3.11.9", "wrong", "3.11.9 is too old"),
        ("Python", "3.12.0", "ok", "3.12.0"),
        ("Python", "3.14.0", "warning", "3.14.0 is newer"),
        ("pydantic", "unknown", "wrong", "unknown is too old"),
    ],
)
def test_what_is_installed_is_judged(package: str, installed: str | None, level: str, said: str) -> None:
    found = judged(BY_NAME[package], installed)
    assert (found.about, found.level) == (package, level)
    assert found.said.startswith(said)
    assert bool(found.advice) == (level != "ok")


@pytest.mark.parametrize(
    ("installed", "level"),
    [
        ((3, 29, 0), "wrong"),
        ((3, 30, 0), "warning"),
        ((3, 44, 5), "warning"),
        ((3, 44, 6), "ok"),
        ((3, 45, 0), "warning"),
        ((3, 50, 6), "warning"),
        ((3, 50, 7), "ok"),
        ((3, 51, 0), "warning"),
        ((3, 51, 2), "warning"),
        ((3, 51, 3), "ok"),
        ((3, 53, 0), "ok"),
        ((4, 0, 0), "ok"),
    ],
)
def test_a_sqlite_is_judged(installed: tuple[int, ...], level: str) -> None:
    assert judged_sqlite(installed, searches=True).level == level


def test_a_sqlite_without_full_text_search_is_no_use() -> None:
    assert judged_sqlite((3, 53, 0), searches=False).said == "3.53.0 comes without FTS5, which the record needs"


def test_what_is_not_there_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(support, "PACKAGES", (Package("no-such-package-of-ours", (1,), (2,)),))

    class Plain(sqlite3.Connection):
        """One that knows no full-text search."""

        def execute(self, *_arguments: object) -> sqlite3.Cursor:
            raise sqlite3.OperationalError("no such module: fts5")

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path: connect(path, factory=Plain))
    found = {one.about: one.said for one in support.findings()}
    assert found["no-such-package-of-ours"] == "is not installed"
    assert "without FTS5" in found["SQLite"]


def test_this_environment_may_start() -> None:
    assert [one for one in support.findings() if one.level == "wrong"] == []
    assert [line for line in check_start() if not line.startswith("Python")] == []


def test_a_start_tells_what_is_new_and_refuses_what_is_wrong() -> None:
    new, rare = Finding("httpx", "warning", "1.0 is newer"), Finding("SQLite", "warning", "is old", "mend it")
    assert check_start([new, rare, Finding("click", "ok", "8.5")]) == ["httpx: 1.0 is newer"]
    wrong = [
        Finding("mitmproxy", "wrong", "is not installed", "Install it"),
        Finding("click", "wrong", "7.0 is too old"),
    ]
    with pytest.raises(Unsupported, match=r"^mitmproxy: is not installed\. Install it\nclick: 7\.0 is too old$"):
        check_start([new, *wrong])
