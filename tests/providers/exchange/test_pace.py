"""When the pieces of a stream came: as a text, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.exchange.pace import Pace, read_pace


# What was noted is what is read.
@given(st.lists(st.tuples(st.integers(0, 1 << 30), st.integers(0, 1 << 40))))
def test_it_comes_back(pieces: list[tuple[int, int]]) -> None:
    pace = Pace()
    for size, at in pieces:
        pace.add(size, at)
    assert read_pace(pace.told()) == pieces


def test_it_is_short() -> None:
    pace = Pace()
    pace.add(250, 320_000)
    pace.add(251, 340_000)
    assert pace.told() == "250:320000 251:20000"


def test_so_many_pieces_and_no_more() -> None:
    pace = Pace()
    for number in range(20_010):
        pace.add(1, number)
    assert len(read_pace(pace.told())) == 20_000


@pytest.mark.parametrize("told", [None, 5, "", "x", "1", "1:", ":1", "1:x", "-1:1", "1:--1"])
def test_garbage_is_nothing(told: object) -> None:
    assert read_pace(told) == []


def test_what_comes_before_garbage_counts() -> None:
    assert read_pace("1:2 3:4 x 5:6") == [(1, 2), (3, 6)]
