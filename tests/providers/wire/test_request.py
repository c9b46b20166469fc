"""Messages as plain JSON values and back."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire import request
from providers.wire.request import (
    MediaPart,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    from_json,
    to_json,
)

TEXT = st.text(max_size=6)
FLAT: st.SearchStrategy[Part] = st.one_of(
    st.builds(TextPart, TEXT),
    st.builds(ReasoningPart, TEXT, TEXT, TEXT, TEXT, TEXT),
    st.builds(RefusalPart, TEXT),
    st.builds(ToolCallPart, TEXT, TEXT, TEXT, st.sampled_from(["function", "custom"])),
    st.builds(MediaPart, TEXT, TEXT, st.integers(0), TEXT),
    st.builds(OpaquePart, TEXT, TEXT),
)
PARTS = st.recursive(
    FLAT,
    lambda inner: st.builds(ToolResultPart, TEXT, st.lists(inner, max_size=3).map(tuple), st.booleans()),
    max_leaves=6,
)


# A message survives the way through JSON text.
@given(st.builds(Message, TEXT, st.lists(PARTS, max_size=4).map(tuple)))
def test_round_trip(message: Message) -> None:
    assert from_json(json.loads(json.dumps(to_json(message)))) == message


def test_empty_fields_are_left_out() -> None:
    message = Message("user", (ReasoningPart("a"), ToolResultPart("c", (TextPart("b"),))))
    assert to_json(message) == {
        "role": "user",
        "parts": [
            {"part": "reasoning", "text": "a"},
            {"part": "tool_result", "call_id": "c", "parts": [{"part": "text", "text": "b"}]},
        ],
    }


@pytest.mark.parametrize("value", [{}, {"role": "x", "parts": [{"part": "new"}]}, {"role": "x", "parts": [{}]}])
def test_what_is_no_message_is_refused(value: dict[str, object]) -> None:
    with pytest.raises(KeyError):
        from_json(value)


def test_every_part_has_a_tag() -> None:
    assert set(request._TAGS.values()) == set(request.Part.__args__)
