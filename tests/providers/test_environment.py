"""The environment: which value counts, where it came from, what is said about it."""

from pathlib import Path

import pytest

from providers.environment import VARIABLES, gather


def write(folder: Path, text: str | bytes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / ".env").write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


def test_real_variables_win_then_the_working_folder_then_the_repository(tmp_path: Path) -> None:
    folder = write(tmp_path / "work", "A=work\nB=work\n")
    root = write(tmp_path / "root", "A=root\nB=root\nC=root\n")
    environ = {"A": "real"}
    found = gather(environ, folder, root)
    assert [found.variables[name].value for name in "ABC"] == ["real", "work", "root"]
    assert [found.variables[name].source for name in "ABC"] == ["environment", ".env", str(root / ".env")]
    assert list(found.files) == [folder / ".env", root / ".env"]
    assert environ == {"A": "real"}


def test_no_file_is_no_problem(tmp_path: Path) -> None:
    found = gather({}, tmp_path, tmp_path)
    assert (found.variables, found.problems, found.files) == ({}, [], {tmp_path / ".env": None})


def test_dotenv_syntax_and_lines(tmp_path: Path) -> None:
    text = "\ufeff# comment\n\nA=1\nexport B=\"two words\"\nC='${A}'\nD=${A}$x\nA=last\nE\nF=\n"
    found = gather({}, write(tmp_path, text), None)
    said = {name: (variable.value, variable.line) for name, variable in found.variables.items()}
    assert said == {
        "A": ("last", 7),
        "B": ("two words", 4),
        "C": ("${A}", 5),
        "D": ("${A}$x", 6),
        "F": ("", 9),
    }
    assert found.get("F") is None


def test_a_broken_line_is_told_and_passed_over(tmp_path: Path) -> None:
    found = gather({}, write(tmp_path, 'A=1\nB="hunter2\nC=3\n'), None)
    assert found.variables["C"].value == "3"
    assert found.notices == [".env:2: this line is not NAME=value and was passed over"]


@pytest.mark.parametrize(("content", "says"), [(b"A=\xff", "is not UTF-8"), (None, "cannot be read")])
def test_an_unreadable_file_is_a_problem(tmp_path: Path, content: bytes | None, says: str) -> None:
    if content is None:
        (tmp_path / ".env").mkdir()
    else:
        write(tmp_path, content)
    assert [problem.wrong.partition(":")[0] for problem in gather({}, tmp_path, None).problems] == [says]


def test_key_from_a_variable_or_from_the_file_it_names(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-file\n")
    environ = {
        "A": "from-variable",
        "A_FILE": "secret",
        "B_FILE": "secret",
        "C_FILE": str(tmp_path / "secret"),
        "C": "changeme",
    }
    found = gather(environ, tmp_path, None)
    keys = [key.get_secret_value() for name in "ABC" if (key := found.key(name))]
    assert keys == ["from-variable", "from-file", "from-file"]
    assert found.files.keys() == {tmp_path / ".env", tmp_path / "secret"}
    assert found.notices == ["C is empty or a placeholder, so it counts as not set"]


def test_key_that_is_missing_blank_or_a_placeholder_is_none_and_named(tmp_path: Path) -> None:
    found = gather({"B": ""}, write(tmp_path, "C=sk-xxx\n"), None)
    assert [found.key(name) for name in "ABC"] == [None, None, None]
    assert found.notices == [
        "B is empty or a placeholder, so it counts as not set",
        ".env:1: C is empty or a placeholder, so it counts as not set",
    ]


def test_key_that_cannot_be_one_is_a_problem_that_names_the_variable_only(tmp_path: Path) -> None:
    found = gather({"A": "hunter2 x", "B_FILE": "gone"}, tmp_path, None)
    assert found.key("A") is found.key("B") is None
    said = [str(problem) for problem in found.problems]
    assert said[0] == "environment: A: has white space inside: a key is one word"
    assert said[1].startswith("environment: B_FILE: names ")
    assert "hunter2" not in "".join(said) + repr(found)


def test_unknown_settings_are_told_with_the_nearest(tmp_path: Path) -> None:
    found = gather({"PATCHBAY_BODYS": "all", "PATCHBAY_QQ": "1", "PATCHBAY_MY_KEY": "k1", "OTHER": "1"}, tmp_path, None)
    found.key("PATCHBAY_MY_KEY")
    found.tell_unknown()
    assert found.notices == [
        "PATCHBAY_BODYS is no setting; did you mean PATCHBAY_BODIES?",
        "PATCHBAY_QQ is no setting",
    ]


def test_clients_own_variables_are_never_ours() -> None:
    assert not {"ANTHROPIC_BASE_URL", "OPENAI_BASE_URL"} & VARIABLES
    assert all(name.startswith("PATCHBAY_") for name in VARIABLES)
