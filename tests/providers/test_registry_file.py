"""The registry file as plain data with places."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.registry_file import Document, nearest, parse, read


def parsed(text: str) -> Document:
    document = Document("r.yaml")
    parse(text, document)
    return document


def said(text: str) -> list[str]:
    return [str(problem) for problem in parsed(text).problems]


def test_values_and_lines() -> None:
    document = parsed('a: {b: [x, 1, 2.5, true, ~], "c d": yes}\n# …\n4.5: 2024-01-01\n')
    assert document.problems == []
    assert document.data == {"a": {"b": ["x", 1, 2.5, True, None], "c d": "yes"}, "4.5": "2024-01-01"}
    assert document.line(("a", "b", 1)) == 1
    assert document.line(("4.5",)) == 3
    assert document.line(("a", "nothing", "there")) == 1


@pytest.mark.parametrize("reference", ["${A_B}", "$A_B", "${env.A_B}", "os.environ/A_B"])
@pytest.mark.parametrize("around", ["k: {}", "x: {{k: {}}}", 'x: {{k: "{}"}}', "x: [{}, y]", "x: {{k: {}, y: 1}}"])
def test_references_stand_in_any_kind_of_mapping(reference: str, around: str) -> None:
    document = parsed(around.format(reference))
    assert document.problems == []
    assert reference in str(document.data)


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing but a comment\n", "---\n", "~"])
def test_an_empty_file_is_empty(text: str) -> None:
    document = parsed(text)
    assert (document.data, document.problems) == ({}, [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", "r.yaml:3:1: a: stands twice, first on line 1"),
        ("x:\n  a: 1\n  a: 2\n", "r.yaml:3:3: x.a: stands twice, first on line 2"),
        ("- 1", "r.yaml:1:1: must be a mapping of keys to values"),
        ("text", "r.yaml:1:1: must be a mapping of keys to values"),
        ("? [a]\n: 1", "r.yaml:1:3: has a key that is not text"),
        ("a: !!python/object:os.system x", "r.yaml:1:4: a: has the tag"),
        ("a: &x [*x]", "is nested too deeply"),
        ("a: [", "r.yaml:1:5: is not YAML"),
        ("a: 1\n\tb: 2", "r.yaml:2:1: is not YAML"),
        ("a: 1\n---\nb: 2", "r.yaml:2:1: is not YAML"),
        ("a: 'x", "r.yaml:1:6: is not YAML"),
        ("a: {b: ${X}, c", "is not YAML"),
        ("a: 1\nb: \x00", "r.yaml:2: is not YAML: unacceptable character #x0000"),
        ("a: " + "[" * 3000, "r.yaml: is nested too deeply"),
        ("a: " + "{b: " * 3000 + "}" * 3000, "r.yaml: is nested too deeply"),
        ("a: !!int x", "r.yaml:1:4: a: cannot be read as int"),
        ("a: !!bool x", "r.yaml:1:4: a: cannot be read as bool"),
        ("a: !!float x", "r.yaml:1:4: a: cannot be read as float"),
        ("a: " + "9" * 5000, "r.yaml:1:4: a: cannot be read as int"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, expected: str) -> None:
    assert any(expected in problem for problem in said(text)), said(text)


def test_aliases_of_aliases_end() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    (problem,) = said("\n".join(lines))
    assert "is the 200,000th value" in problem


# Whatever a file holds becomes data or problems, each with its place; nothing is raised.
@given(st.text(st.sampled_from(" \n\t-:?&*!<>|%@`\"'[]{},#~a1.x")) | st.text(max_size=30))
def test_any_text_is_read(text: str) -> None:
    document = parsed(text)
    assert isinstance(document.data, dict)
    assert all(problem.source == "r.yaml" and problem.wrong for problem in document.problems)


def test_every_duplicate_is_told_at_once() -> None:
    assert len(said("a: 1\na: 2\nb: {c: 1, c: 2}\na: 3\n")) == 3


@pytest.mark.parametrize("line", ["k: {}", "# k: {}", 'k: ["x", "{}"]', "{}: 1"])
def test_a_literal_key_is_refused_wherever_it_stands(line: str) -> None:
    key = "sk-ant-api03-0123456789abcdefghij"
    (problem,) = said("a: 1\n" + line.format(key) + "\n")
    assert problem.startswith(("r.yaml:2: holds what looks like a key", "r.yaml:2: k: holds what looks like a key"))
    assert key not in problem


def test_reading_a_file(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert read(path, "r.yaml").data == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "r.yaml: cannot be read: No such file or directory"),
        (b"a: 1\nb: \xff\n", "r.yaml:2: is not UTF-8"),
        (b"#" * (4 * 1024 * 1024 + 1), "r.yaml: is larger than 4194304 bytes"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None, expected: str) -> None:
    if content is not None:
        (tmp_path / "r.yaml").write_bytes(content)
    assert [str(problem) for problem in read(tmp_path / "r.yaml", "r.yaml").problems] == [expected]


@pytest.mark.parametrize(("word", "expected"), [("antropic", "anthropic"), ("OPENAI", "openai"), ("zzz", ""), ("", "")])
def test_nearest(word: str, expected: str) -> None:
    assert nearest(word, ["openai", "anthropic"]) == expected
