"""Chunked bodies in any cut: payload, trailers, what comes behind, and what is broken."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addons.relay.chunks import ChunkedBody
from tests.providers.wire.playbook import cut

pieces = st.lists(st.binary(min_size=1, max_size=20), max_size=6)
extensions = st.sampled_from([b"", b";a", b';a="b"', b" ; x=1"])
line_ends = st.sampled_from([b"\r\n", b"\n"])
trailers = st.lists(st.sampled_from([(b"x-checksum", b"abc"), (b"Server-Timing", b"a;dur=1, b:2"), (b"e", b"")]))
places = st.lists(st.integers(0, 400), max_size=10)


def written(
    payload: list[bytes],
    extension: bytes = b"",
    end: bytes = b"\r\n",
    trailing: list[tuple[bytes, bytes]] | None = None,
) -> bytes:
    chunks = (b"%X%s%s%s%s" % (len(piece), extension, end, piece, end) for piece in payload)
    last = (b"%s: %s%s" % (name, value, end) for name, value in trailing or [])
    return b"".join((*chunks, b"000", extension, end, *last, end))


# Any cut of a chunked body gives the joined payload, its trailers and what came behind it.
@given(pieces, extensions, line_ends, trailers, st.binary(max_size=20), places)
def test_a_chunked_body_in_any_cut(
    payload: list[bytes],
    extension: bytes,
    end: bytes,
    trailing: list[tuple[bytes, bytes]],
    rest: bytes,
    cuts: list[int],
) -> None:
    body, got, behind = ChunkedBody(), b"", b""
    for piece in cut(written(payload, extension, end, trailing) + rest, cuts):
        if body.complete:
            behind += piece
        else:
            got += body.read(piece)
            behind += body.rest
    assert body.complete
    assert (got, body.trailers, behind) == (b"".join(payload), trailing, rest)


# Whatever comes, nothing is raised, a broken body gives no more than came, and no cut of it gives another payload.
@given(st.lists(st.sampled_from([b"5", b"\r\n", b"\n", b"0", b";", b"-", b"x", b"abcde", b":", b" "])), places)
def test_garbage_gives_what_stands_ahead_of_its_flaw(garbage: list[bytes], cuts: list[int]) -> None:
    body, at_once, stream = ChunkedBody(), ChunkedBody(), b"".join(garbage)
    got = b"".join(map(body.read, cut(stream, cuts)))
    assert len(got) <= len(stream)
    assert (got, body.flaw, body.complete) == (at_once.read(stream), at_once.flaw, at_once.complete)


@pytest.mark.parametrize(
    "broken",
    [
        b"\r\n",
        b"x\r\n",
        b"-1\r\n",
        b"+1\r\n",
        b"0x1\r\n",
        b"1_0\r\n",
        b"11111111111111111\r\n",
        b"\xd9\xa1\r\n",
        b"1\r\nab\r\n",
        b"0\r\nno colon\r\n",
        b"0\r\n" + b"a: b\r\n" * 101,
        b"1" * 20_000,
        b"1;" + b"x" * 20_000,
        b"0\r\nx: " + b"x" * 20_000,
    ],
    ids=range(14),
)
def test_broken_framing(broken: bytes) -> None:
    body = ChunkedBody()
    assert body.read(b"4\r\ngood\r\n" + broken) == b"good" + (b"a" if b"ab" in broken else b"")
    assert re.search("chunk|trailers", body.flaw)
    assert (body.read(b"4\r\nmore\r\n"), body.complete) == (b"", False)


def test_a_size_line_that_never_ends_is_not_kept() -> None:
    body = ChunkedBody()
    for _ in range(16 * 1024):
        body.read(b"1")
    body.read(b"1")
    assert "too long" in body.flaw
