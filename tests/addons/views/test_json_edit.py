"""JSON made to say another value: what is the same keeps its bytes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addons.views.json_edit import edited, same

CASES: dict[str, tuple[str, object, str]] = {
    "nothing": ('{"a" : 1.50}', {"a": 1.5}, '{"a" : 1.50}'),
    "a number": ('{"a" : 1.50,"b":2}', {"a": 1.5, "b": 3}, '{"a" : 1.50,"b":3}'),
    "its type": ('{"a": 1}', {"a": 1.0}, '{"a": 1.0}'),
    "a truth": ("[1]", [True], "[true]"),
    "deep": ('{"a": [1, {"b": "x"}],\n "c": 1e3}', {"a": [1, {"b": 7}], "c": 1e3}, '{"a": [1, {"b": 7}],\n "c": 1e3}'),
    "a member more": ('{"a":1e0}', {"a": 1.0, "b": [1, 2]}, '{"a":1e0,"b":[1,2]}'),
    "a member more, spaced": ('{"a": 1e0}', {"a": 1.0, "b": [1, 2]}, '{"a": 1e0, "b": [1, 2]}'),
    "a member less": ('{"a":1e0, "b":2, "c":3}', {"a": 1.0, "c": 3}, '{"a":1e0, "c":3}'),
    "another order": ('{"a":1e0,"b":2}', {"b": 2, "a": 1.0}, '{"b":2,"a":1e0}'),
    "the last member": ('{ "a":1 }', {}, "{}"),
    "the first member": ("{ }", {"a": 1}, '{ "a":1}'),
    "an item in the middle": ("[1e0, 2e0, 3e0]", [1.0, 9, 2.0, 3.0], "[1e0, 9, 2e0, 3e0]"),
    "an item less": ("[1e0,2e0,3e0]", [1.0, 3.0], "[1e0,3e0]"),
    "the first item": ("[]", ["é"], '["é"]'),
    "the last item": ("[ 1 ]", [], "[]"),
    "items that changed and came": ('[1e0,{"a":1e0,"b":2}]', [1.0, {"a": 1.0, "b": 3}, 5], '[1e0,{"a":1e0,"b":3},5]'),
    "another kind": ('{"a": [1]}', {"a": "x"}, '{"a": "x"}'),
    "said twice": ('{"a":1,"a":2,"b":3}', {"a": 2, "b": 4}, '{"a":2,"b":4}'),
    "around it": (' \n{"a":1}\n', {"a": 2}, ' \n{"a":2}\n'),
    "a byte order mark": ('\ufeff{"a":1}', {"a": 2}, '\ufeff{"a":2}'),
    "half a character": ('{"a":1}', {"a": "\ud800é"}, '{"a":"\\ud800\\u00e9"}'),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_changes(case: str) -> None:
    text, value, expected = CASES[case]
    assert edited(text, value) == expected


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        edited("nothing", {})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=5),
    max_leaves=15,
)


# Any JSON text can be made to say any value, and says that and nothing else.
@given(VALUES, VALUES, st.sampled_from([None, (",", ":"), (" , ", " : ")]), st.sampled_from([None, 1]))
def test_any_value(old: object, new: object, separators: tuple[str, str] | None, indent: int | None) -> None:
    text = json.dumps(old, separators=separators, indent=indent)
    assert same(json.loads(edited(text, new)), json.loads(json.dumps(new)))
    assert edited(text, json.loads(text)) == text
