"""An edited text, read back."""

import pytest

from addons.views.kept import Kept
from addons.views.refused import EditRefused
from addons.views.yaml_reading import read_edit, spelled

KEPT = [Kept({"a": 1}, "1 fields"), Kept([1, 2, 3], "the first 3 of 9", is_run=True), Kept('{"a":  1}', None)]


def test_values_as_json_has_them() -> None:
    text = "a: 1\nb: 1.0\nc: 1e3\nd: null\ne: ~\nf: TRUE\ng: false\nh: 2026-01-01\ni: yes\nj: [x, {y: z}]\nk: -0\n"
    value = read_edit(text, []).value
    assert value == {
        "a": 1, "b": 1.0, "c": 1000.0, "d": None, "e": None, "f": True, "g": False, "h": "2026-01-01", "i": "yes",
        "j": ["x", {"y": "z"}], "k": 0,
    }  # fmt: skip


def test_what_was_kept_comes_back() -> None:
    edit = read_edit('a: !kept.1 1 fields\nb:\n- !kept.2 "the first 3 of 9"\n- 4\n- !kept.1 1 fields\n', KEPT)
    assert edit.value == {"a": {"a": 1}, "b": [1, 2, 3, 4, {"a": 1}]}


def test_laid_out_json_becomes_its_text_again() -> None:
    assert read_edit("a: !json.3\n  a: 1\n", KEPT).value == {"a": '{"a":  1}'}
    assert read_edit("a: !json.3\n  a: 2\n", KEPT).value == {"a": '{"a":  2}'}
    assert read_edit("a: !json [1]\nb: !json x\n", []).value == {"a": "[1]", "b": '"x"'}


def test_lines_are_known() -> None:
    edit = read_edit("a: 1\nb:\n- x\n- c: 2\n", [])
    assert edit.lines[("b", 1, "c")] == 4
    assert str(edit.refusal("no", ("b", 1, "c"))) == "line 4, b[1].c: no"
    assert str(edit.refusal("no", ("b", 1, "d", 5))) == "line 4, b[1].d[5]: no"
    assert str(edit.refusal("no", ("x",))) == "line 1, x: no"
    assert str(read_edit("", []).refusal("no", ())) == "no"
    assert spelled(()) == ""


REFUSED = {
    "a: [1": "line 1: this is not YAML: ",
    "a: *x": "line 1: this is not YAML: found undefined alias",
    "a: &x [*x]": "line 1, a: anchors",
    "a: \x00": "this is not YAML: ",
    "a: " + "[" * 150 + "]" * 150: "nested too deeply",
    "a: " + "[" * 1_000: "this is not YAML: ",
    "a: !kept.0 x": "line 1, a: there is no such number",
    "a: !kept.4 x": "line 1, a: there is no such number",
    "a: !kept.1 other": "line 1, a: !kept stands for",
    "a: !kept.1 {}": "line 1, a: !kept stands for",
    "a: !kept.3 x": "line 1, a: !kept stands for",
    "a: !json.9 {}": "line 1, a: there is no such number",
    "a: !mine x": "line 1, a: the tag !mine means nothing here",
    "a: !!set {x}": "line 1, a: the tag tag:yaml.org,2002:set means nothing here",
    "a: 0x1f": "line 1, a: 0x1f is no number that JSON has",
    "a: .nan": "line 1, a: .nan is no number that JSON has",
    "a: 1e999": "line 1, a: 1e999 is no number that JSON has",
    "[a]: 1": "line 1: the name of a field is a text",
    "a: 1\na: 2": "line 2, a: this field stands here twice",
}


@pytest.mark.parametrize("text", REFUSED, ids=range(len(REFUSED)))
def test_what_json_has_no_place_for(text: str) -> None:
    with pytest.raises(EditRefused) as refused:
        read_edit(text, KEPT)
    assert REFUSED[text] in str(refused.value)
