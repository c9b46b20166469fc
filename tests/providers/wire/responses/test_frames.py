import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire.responses.frames import Frames, Joiner, dumps
from providers.wire.values import whole


def test_events_are_named_and_numbered() -> None:
    frames = Frames()
    opening = frames.opening("x.delta", '"a":1')
    assert frames.event("x.added", '"b":2') == 'event: x.added\ndata: {"type":"x.added","sequence_number":0,"b":2}\n\n'
    assert frames.delta(opening, 'ž"') == (
        'event: x.delta\ndata: {"type":"x.delta","a":1,"sequence_number":1,"delta":"\\u017e\\""}\n\n'
    )
    assert frames.number == 2


def test_json_is_ascii_and_compact() -> None:
    assert dumps({"a": ["ž", 1.0]}) == '{"a":["\\u017e",1.0]}'


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        (["a", "b"], ["a", "b"]),
        (["\ud83d", "\ude00"], ["", "😀"]),
        (["x\ud83d", "\ude00y"], ["x", "😀y"]),
        (["\ud83d", "x"], ["", "\ufffdx"]),
        (["\ude00"], ["\ufffd"]),
    ],
)
def test_a_character_in_two_pieces_is_said_whole(pieces: list[str], said: list[str]) -> None:
    joiner = Joiner()
    assert [joiner.add(piece) for piece in pieces] == said
    assert joiner.end() == ""
    assert joiner.text() == "".join(said)


def test_half_a_character_at_the_end_is_none() -> None:
    joiner = Joiner()
    assert joiner.add("a\ud83d") == "a"
    assert joiner.end() == "\ufffd"
    assert (joiner.text(), joiner.end()) == ("a\ufffd", "")


# What is said piece by piece is the text as it would be said in one, and no piece holds half a character.
@given(st.lists(st.text(st.characters(codec=None, categories=("L", "Cs", "So")), min_size=1, max_size=3), max_size=6))
def test_pieces_are_one_text(pieces: list[str]) -> None:
    joiner = Joiner()
    said = [joiner.add(piece) for piece in pieces]
    said.append(joiner.end())
    for piece in said:
        piece.encode()
        json.loads(dumps(piece))
    assert "".join(said) == joiner.text() == whole("".join(pieces))
