"""The beginning of a body is kept, whatever the pieces."""

from hypothesis import given
from hypothesis import strategies as st

from providers.exchange.kept import Kept


# What is kept is the beginning of the whole, and it says whether it is all of it.
@given(st.lists(st.binary(max_size=8)), st.integers(0, 30))
def test_the_beginning_is_kept(pieces: list[bytes], limit: int) -> None:
    kept, body = Kept(limit), b"".join(pieces)
    for piece in pieces:
        kept.add(piece)
    assert kept.content() == body[:limit]
    assert kept.whole is (len(body) <= limit)
