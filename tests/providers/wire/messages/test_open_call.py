"""Arguments that go out live, and what they are in the end."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire.events import ToolCall
from providers.wire.messages.open_call import OpenCall, WrittenIds, arguments_of
from tests.providers.wire.playbook import JSON

CALL = ToolCall(0, "a", "f")


# In whatever pieces an object comes, it is written as it came, and is complete with its last piece and not before.
@given(st.dictionaries(st.text(max_size=5), JSON), st.integers(1, 9))
def test_an_object_in_pieces(value: dict[str, object], size: int) -> None:
    text = json.dumps(value)
    call = OpenCall(CALL)
    written = []
    for at in range(0, len(text), size):
        assert not call.is_complete()
        written.append(call.add(text[at : at + size]))
    assert "".join(written) + call.rest() == text
    assert call.is_complete()


def test_braces_in_a_text_do_not_end_it() -> None:
    call = OpenCall(CALL)
    call.add('{"a": "}')
    assert not call.is_complete()


def test_white_space_ahead_waits() -> None:
    call = OpenCall(CALL)
    assert call.add(" \n") == ""
    assert call.add("{") == " \n{"


def test_free_text_waits_for_the_end() -> None:
    call = OpenCall(ToolCall(0, "a", "f", "custom"))
    assert call.add("{}") == ""
    assert not call.is_complete()
    assert call.rest() == '{"input":"{}"}'


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", {}),
        ("null", {}),
        ('{"a": 1}', {"a": 1}),
        ("1", {"__raw_arguments": "1"}),
        ('{"a"', {"__raw_arguments": '{"a"'}),
        ("\ud83d", {"__raw_arguments": "\ufffd"}),
    ],
)
def test_arguments(text: str, wanted: dict[str, object]) -> None:
    assert arguments_of(text, custom=False) == wanted


def test_ids() -> None:
    ids = WrittenIds("pb1")
    assert [ids.of(ToolCall(part, own, "f")) for part, own in enumerate(("", "x", "x"))] == [
        "toolu_pb1_0",
        "x",
        "toolu_pb1_2",
    ]
    assert (ids.known(1), ids.known(7), ids.known(None)) == ("x", "", "")


def test_an_object_goes_out_as_it_comes_and_is_complete_when_it_can_be_read() -> None:
    call = OpenCall(CALL)
    steps = [(piece, call.add(piece), call.is_complete()) for piece in ('{"a": ', '{"b": 1}', "} ")]
    assert steps == [('{"a": ', '{"a": ', False), ('{"b": 1}', '{"b": 1}', False), ("} ", "} ", True)]
    assert call.rest() == ""
