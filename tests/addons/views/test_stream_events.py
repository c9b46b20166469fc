"""A stream's body cut into events with their times."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addons.views.stream_events import Cut, cut_events


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r"])
def test_events_end_at_blank_lines(end: bytes) -> None:
    body = b"data: 1" + end + b"data: 2" + end + b"data: 3"
    assert [cut.raw for cut in cut_events(body)] == [b"data: 1" + end, b"data: 2" + end, b"data: 3"]


def test_an_event_came_when_its_last_byte_did() -> None:
    body = b"data: 1\n\ndata: 2\n\ndata: 3\n\n"
    pieces = [(4, 10), (14, 20), (2, 30), (6, 40)]
    assert cut_events(body, pieces) == [Cut(b"data: 1\n\n", 20), Cut(b"data: 2\n\n", 20), Cut(b"data: 3\n\n", None)]


def test_nothing_has_no_events() -> None:
    assert cut_events(b"") == []


# No byte is lost, whatever the body.
@given(st.text("da:\r\n 1").map(str.encode))
def test_nothing_is_lost(body: bytes) -> None:
    assert b"".join(cut.raw for cut in cut_events(body)) == body
