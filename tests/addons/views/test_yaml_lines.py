"""JSON values as YAML that is pleasant to read."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from addons.views.yaml_lines import inline, is_key, key, one_line, quoted, text_lines

ONE_LINE = {
    "hello": "hello",
    "Say hello": "Say hello",
    "claude-opus-4.8": "claude-opus-4.8",
    "": '""',
    "yes": '"yes"',
    "NULL": '"NULL"',
    "1": '"1"',
    "2026-01-01": '"2026-01-01"',
    "a: b": '"a: b"',
    "a, b": '"a, b"',
    " a": '" a"',
    'é "x"': '"é \\"x\\""',
    "\x7f\x85\u2028\ufeff": '"\\u007f\\u0085\\u2028\\ufeff"',
    "\ud800": '"\\ud800"',
}


@pytest.mark.parametrize("text", ONE_LINE, ids=range(len(ONE_LINE)))
def test_a_text_on_one_line(text: str) -> None:
    assert one_line(text) == ONE_LINE[text]


def test_other_values_on_one_line() -> None:
    values: list[object] = [None, True, 1.5, {}, []]
    assert list(map(one_line, values)) == ["null", "true", "1.5", "{}", "[]"]


def test_names() -> None:
    assert [key(name) for name in ("role", "x-a.b/c", "y", "1", "a b")] == ["role", "x-a.b/c", '"y"', '"1"', '"a b"']
    assert is_key("k" * 500)
    assert not is_key("k" * 501)


BLOCKS = {
    "a\nb": ("|-", ["  a", "  b"]),
    "a\nb\n": ("|", ["  a", "  b"]),
    "a\nb\n\n": ("|+", ["  a", "  b", ""]),
    "\na\nb": ("|2-", ["", "  a", "  b"]),
    " a\n\nb": ("|2-", ["   a", "", "  b"]),
    "a\n": ('"a\\n"', []),
    "a\r\nb": ('"a\\r\\nb"', []),
    "a\n\x00": ('"a\\n\\u0000"', []),
}


@pytest.mark.parametrize("text", BLOCKS, ids=range(len(BLOCKS)))
def test_a_text_of_several_lines(text: str) -> None:
    assert text_lines(text, 2) == BLOCKS[text]


def test_small_values_stand_on_one_line() -> None:
    assert inline({"type": "ephemeral"}, 80) == "{type: ephemeral}"
    assert inline([1, "a", None], 80) == "[1, a, null]"
    assert inline({"a": {}, "b": []}, 80) == "{a: {}, b: []}"
    assert inline({"a": [1]}, 80) is None
    assert inline([[1]], 80) is None
    assert inline({"a": "x" * 80}, 80) is None
    assert inline(["x" * 80], 80) is None


# Every text comes back from YAML as it was, on one line and as a block.
@given(st.text() | st.text("a \n\t#-:'\"|>!&*%@`{}[],\\", max_size=12))
def test_every_text_comes_back(text: str) -> None:
    head, below = text_lines(text, 2)
    read = YAML(typ="safe", pure=True).load(io.StringIO("\n".join((f"x: {head}", *below)) + "\n"))
    assert read == {"x": text}
    assert (
        YAML(typ="safe", pure=True).load(io.StringIO(f"{quoted(text)[:400]}" if len(text) < 50 else '"x"')) is not None
    )
