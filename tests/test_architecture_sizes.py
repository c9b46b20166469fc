"""How large things may get: a file 300 lines, a function 30 (DESIGN, section 2).

An exception is a dated line with a ceiling in a list here. Ceilings only sink: what has become short enough, or ten
lines shorter than its ceiling, fails until its line is taken out or lowered.
"""

import ast
import re
from collections.abc import Iterator

from tests.source_tree import PRODUCT, Module, modules

FILE_LINES, FUNCTION_LINES, LONGEST_FUNCTION = 300, 30, 60

# path or path::function → (ceiling in lines, since, why it is clearer in one piece)
TOO_LONG: dict[str, tuple[int, str, str]] = {}


def functions(module: Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield f"{module.place}::{node.name}", node.end_lineno - node.lineno + 1


def sizes() -> dict[str, tuple[int, int]]:
    """Every file and function of the product: its lines, and how many it may have."""
    found = {module.place: (len(module.text.splitlines()), FILE_LINES) for module in modules(*PRODUCT)}
    for module in modules(*PRODUCT):
        for name, lines in functions(module):
            found[name] = (max(lines, found.get(name, (0, 0))[0]), FUNCTION_LINES)
    return found


def test_nothing_is_too_long_but_what_is_listed() -> None:
    wrong = [
        f"{place} has {lines} lines; {limit} is what we aim at"
        for place, (lines, limit) in sizes().items()
        if lines > (TOO_LONG[place][0] if place in TOO_LONG else limit)
    ]
    assert not wrong, "\n".join(wrong)


def test_the_list_of_long_things_shrinks() -> None:
    found = sizes()
    for place, (ceiling, since, why) in TOO_LONG.items():
        lines, limit = found.get(place, (0, FILE_LINES))
        assert lines > limit, f"{place} is short enough now: take it off the list"
        assert lines > ceiling - 10, f"{place} has {lines} lines now: lower its ceiling"
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", since)
        assert why


def test_no_function_is_over_sixty_lines() -> None:
    """No list of exceptions here; tests are held to it, too."""
    wrong = [
        f"{name} has {lines} lines"
        for module in modules(*PRODUCT, "tests")
        for name, lines in functions(module)
        if lines > LONGEST_FUNCTION
    ]
    assert not wrong, "\n".join(wrong)
