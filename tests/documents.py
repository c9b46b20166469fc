"""Reads the documents for the tests that hold them to the truth: headings, tables, blocks and spans of code."""

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCS = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/adr/0001-relay.md",
    "docs/adr/0002-who-is-asked-again.md",
    "docs/adr/0003-numbers.md",
    "docs/adr/0004-page.md",
)
TEXTS = (*DOCS, ".env.example", "registry.yaml")


@cache
def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


README = text_of("README.md")


def fences(text: str, language: str) -> list[str]:
    """The fenced blocks of one language."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [str(block) for block in found]


def section(heading: str) -> str:
    """The README below one heading, up to the next one of the same or a higher level."""
    found = re.search(rf"^(##+) {heading}\n", README, re.MULTILINE)
    assert found, heading
    rest = README[found.end() :]
    following = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: following.start()] if following else rest


def table(*heads: str) -> list[list[str]]:
    """The rows of the README's table whose header begins with these words; each row is its cells, as written."""
    for block in re.findall(r"^\|.*?\n(?!\|)", README, re.MULTILINE | re.DOTALL):
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()]
        if [bare(cell) for cell in rows[0][: len(heads)]] == [*heads]:
            assert {len(row) for row in rows} == {len(rows[0])}, f"a row of {heads} lacks a cell, or has one too many"
            return rows[2:]
    raise AssertionError(f"the README has no table {heads}")


def bare(cell: str) -> str:
    """A cell without the backticks around it."""
    return cell.strip("`")


def codes(cell: str) -> list[str]:
    """The spans of code in a cell."""
    return re.findall(r"`([^`]+)`", cell)
