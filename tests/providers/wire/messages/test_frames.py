"""Events as bytes: ASCII, one data line, the name that the data's type says."""

import json

from hypothesis import given
from hypothesis import strategies as st

from providers.wire.messages import frames


# A delta's text comes back as it was, in whatever characters, halves of characters included.
@given(st.text(st.characters(exclude_categories=())))
def test_a_delta(text: str) -> None:
    data = frames.delta(frames.delta_head(3, "text_delta", "text"), text)
    name, line, *rest = data.split(b"\n")
    assert name == b"event: content_block_delta"
    assert json.loads(line.removeprefix(b"data: ")) == {
        "type": "content_block_delta",
        "index": 3,
        "delta": {"type": "text_delta", "text": text},
    }
    assert rest == [b"", b""]


def test_blocks() -> None:
    assert frames.block_start(0, {"type": "text"}) == (
        b"event: content_block_start\n"
        b'data: {"type":"content_block_start","index":0,"content_block":{"type":"text"}}\n\n'
    )
    assert frames.block_stop(0) == b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
    assert frames.body({"é": "\ud83d"}) == b'{"\\u00e9":"\\ud83d"}'


def test_a_comment_is_one_line() -> None:
    assert frames.comment("a\r\nb\u2028c \ud83d") == b": a b c ?\n\n"
