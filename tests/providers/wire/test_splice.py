"""Single values change, every other byte stays."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire.splice import NotAnObject, read_object
from tests.providers.wire.playbook import JSON

CASES = [
    (b"{}", {"model": "x"}, b'{"model":"x"}'.replace(b'":"', b'":"')),
    (b" \n{ }\n", {"model": "x"}, b' \n{ "model":"x"}\n'),
    (b'{"model": "a"}', {"model": "x"}, b'{"model": "x"}'),
    (b'{"model" : "a" , "b":[1, 2.50]}', {"model": "x"}, b'{"model" : "x" , "b":[1, 2.50]}'),
    (b'{"b":1\n}\n', {"model": "x", "t": 0.2}, b'{"b":1,"model":"x","t":0.2\n}\n'),
    (b'{"model":"a","model":null}', {"model": "x"}, b'{"model":"x","model":"x"}'),
    (b'{"mod\\u0065l":{"model":"deep"}}', {"model": "x"}, b'{"mod\\u0065l":"x"}'),
    (b'{"n":{"model":"deep"}}', {"model": "x"}, b'{"n":{"model":"deep"},"model":"x"}'),
    (b'\xef\xbb\xbf{"model":"a"}', {"model": "x"}, b'\xef\xbb\xbf{"model":"x"}'),
    ('{"ž":"🐎","model":"ž"}'.encode(), {"model": "ů"}, '{"ž":"🐎","model":"\\u016f"}'.encode()),
    (b'{"a":"\\ud83d","model":1e2}', {}, b'{"a":"\\ud83d","model":1e2}'),
]


@pytest.mark.parametrize(("text", "changes", "expected"), CASES)
def test_replace(text: bytes, changes: dict[str, object], expected: bytes) -> None:
    assert read_object(text).replace(changes) == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"", "Expecting an object (line 1, column 1)"),
        (b"  ", "Expecting an object (line 1, column 3)"),
        (b"[1]", "Expecting an object"),
        (b'"text"', "Expecting an object"),
        (b"{", "Expecting property name"),
        (b"{a:1}", "Expecting property name"),
        (b'{"a" 1}', "Expecting ':' delimiter (line 1, column 6)"),
        (b'{"a":}', "Expecting value"),
        (b'{"a":1', "Expecting ',' delimiter"),
        (b'{"a":1,}', "Expecting property name"),
        (b'{"a":1\n "b":2}', "Expecting ',' delimiter (line 2, column 2)"),
        (b'{"a":1} x', "Extra data (line 1, column 9)"),
        (b'{"a":"\n"}', "Invalid control character"),
        (b'{"a":\n"\xc5\xbe\xff"}', "not UTF-8: invalid start byte (line 2, column 3)"),
        (b'{"a":' + b"[" * 200_000, "nested too deeply"),
        (b'{"a":' + b"1" * 5000 + b"}", "4300 digits"),
    ],
)
def test_what_is_no_object_is_refused_with_its_place(text: bytes, complaint: str) -> None:
    with pytest.raises(NotAnObject, match=re.escape(complaint)):
        read_object(text)


def test_the_value_is_what_the_standard_parser_gives() -> None:
    text = b'{"a": [1, {"b": null}], "a": NaN, "c": 1e400}'
    assert str(read_object(text).value) == str(json.loads(text))


OBJECTS: st.SearchStrategy[dict[str, Any]] = st.dictionaries(st.sampled_from("abcž"), JSON, max_size=4)


# The result means the old object with the changes, and with the changes cut out of both nothing differs.
@given(OBJECTS, OBJECTS, st.sampled_from([None, 1, "\t"]), st.booleans(), st.sampled_from(["", " ", "\r\n\t"]))
def test_only_the_named_values_change(
    old: dict[str, Any], changes: dict[str, Any], indent: int | str | None, ascii_only: bool, space: str
) -> None:
    text = (space + json.dumps(old, indent=indent, ensure_ascii=ascii_only) + space).encode()
    replaced = read_object(text).replace(changes)
    assert json.loads(replaced) == {**old, **changes}
    back = read_object(replaced).replace({key: old[key] for key in changes if key in old})
    added = [key for key in changes if key not in old]
    if not added and all(json.dumps(value) in text.decode() for value in old.values()):
        assert read_object(text).replace({key: old[key] for key in changes}) == back


# Bytes outside the replaced values are the same bytes.
@given(OBJECTS, st.sampled_from("abcž"), JSON)
def test_bytes_outside_stay(old: dict[str, Any], key: str, new: Any) -> None:
    members = [f"{json.dumps(name)} :\t" for name in old]
    values = [json.dumps(value, ensure_ascii=False) for value in old.values()]
    text = "{" + " ,".join(a + b for a, b in zip(members, values, strict=True)) + " }\n"
    if key in old:
        values[list(old).index(key)] = json.dumps(new)
        expected = "{" + " ,".join(a + b for a, b in zip(members, values, strict=True)) + " }\n"
    else:
        comma = "," if old else ""
        end = len(text) - (3 if old else 2)
        expected = text[:end] + f"{comma}{json.dumps(key)}:{json.dumps(new)}" + text[end:]
    if not old:
        expected = "{ " + f"{json.dumps(key)}:{json.dumps(new)}" + "}\n"
    assert read_object(text.encode()).replace({key: new}).decode() == expected
