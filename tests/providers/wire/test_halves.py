"""Characters that come in halves."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from providers.wire.halves import Halves
from providers.wire.values import whole


# The joined pieces are the text, wherever it was cut, also between the halves of a character.
@given(st.text(), st.lists(st.integers(0, 100)))
def test_any_cut_gives_the_same_text(text: str, places: list[int]) -> None:
    units = text.encode("utf-16-le", "surrogatepass")
    points = sorted({0, len(units), *(place * 2 % (len(units) + 2) for place in places)})
    pieces = [units[a:b].decode("utf-16-le", "surrogatepass") for a, b in pairwise(points)]
    halves = Halves()
    assert "".join([*map(halves.join, pieces), halves.rest()]) == whole(text)


def test_a_half_that_stays_alone_is_replaced() -> None:
    halves = Halves()
    assert halves.join("a\ud83d") == "a"
    assert halves.join("b") == "\ufffdb"
    assert halves.join("\ud83d") == ""
    assert (halves.rest(), halves.rest()) == ("\ufffd", "")
