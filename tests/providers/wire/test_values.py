"""JSON values of any shape."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire import values
from tests.providers.wire.playbook import JSON


@pytest.mark.parametrize(
    ("value", "expected"),
    [(3, 3), (3.0, 3), (3.5, None), (True, None), ("3", None), (None, None), (float("inf"), None)],
)
def test_count(value: object, expected: int | None) -> None:
    assert values.count(value) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a", "a"), ("ž", "ž"), ("\ud83d\ude00", "😀"), ("a\ud83d", "a\ufffd"), ("\ude00\ud83d", "\ufffd\ufffd")],
)
def test_whole(text: str, expected: str) -> None:
    assert values.whole(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, False),
        (0.5, True),
        ("", False),
        ("a", True),
        (None, False),
        ({"a": 0, "b": [None, {}]}, False),
        ({"a": [{"b": 1}]}, True),
    ],
)
def test_says_something(value: object, *, expected: bool) -> None:
    assert values.says_something(value) is expected


# The wanted type comes out, whatever goes in.
@given(JSON)
def test_accessors_never_raise(value: object) -> None:
    assert isinstance(values.mapping(value), dict)
    assert isinstance(values.sequence(value), list)
    assert isinstance(values.string(value), str)


# JSON text reads back as the value, and can always be stored as UTF-8.
@given(JSON | st.text(st.characters(categories=["Cs", "L"])))
def test_raw_json_reads_back(value: object) -> None:
    text = values.raw_json(value)
    text.encode()
    assert values.parse(text) == value


def test_arguments_are_text_or_written_as_text() -> None:
    assert values.arguments_json('{"a" :1}') == '{"a" :1}'
    assert values.arguments_json({"a": "ž", "b": [1]}) == '{"a": "ž", "b": [1]}'
    assert values.arguments_json({"a": "\ud83d"}) == '{"a": "\\ud83d"}'


@pytest.mark.parametrize("text", ["", "{", "[" * 200_000, "1" * 5000])
def test_parse_raises_value_error_alone(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        values.parse(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [({"a": ["ž", 1.5]}, '{"a":["ž",1.5]}'), ({"ž": "\ud83d"}, '{"\\u017e":"\\ud83d"}')],
)
def test_raw_json_is_readable_as_long_as_it_can_be_stored(value: object, text: str) -> None:
    assert values.raw_json(value) == text
