"""A request body is unpacked up to a ceiling, and what is not what it says is refused."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from providers.decompress import TooLarge, Unreadable, decompress

LIMIT = 1000


def raw_deflate(data: bytes) -> bytes:
    press = zlib.compressobj(wbits=-15)
    return press.compress(data) + press.flush()


PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "GZip": gzip.compress,
    "deflate": zlib.compress,
    " deflate ": raw_deflate,
    "zstd": zstandard.ZstdCompressor().compress,
    "identity": bytes,
    "identity, gzip": gzip.compress,
    "gzip, zstd": lambda data: zstandard.ZstdCompressor().compress(gzip.compress(data)),
}
PACKED = [name for name in PACK if name != "identity"]


# What was packed comes back, under every name.
@given(st.sampled_from(sorted(PACK)), st.binary(max_size=LIMIT))
def test_what_was_packed_comes_back(encoding: str, body: bytes) -> None:
    assert decompress(PACK[encoding](body), encoding, 10 * LIMIT) == body


@pytest.mark.parametrize("encoding", PACK)
def test_the_limit_is_what_may_come_out(encoding: str) -> None:
    body = bytes(LIMIT)
    assert decompress(PACK[encoding](body), encoding, LIMIT) == body
    with pytest.raises(TooLarge):
        decompress(PACK[encoding](body + b"x"), encoding, LIMIT)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_a_bomb_costs_no_more_than_the_limit(encoding: str) -> None:
    bomb = PACK[encoding](bytes(100_000_000))
    tracemalloc.start()
    with pytest.raises(TooLarge):
        decompress(bomb, encoding, 1_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000


@pytest.mark.parametrize("encoding", PACKED)
def test_what_is_not_what_it_says(encoding: str) -> None:
    with pytest.raises(Unreadable):
        decompress(b"plain text, no header of any kind", encoding, LIMIT)


@pytest.mark.parametrize("encoding", [name for name in PACKED if "zstd" not in name])
def test_what_breaks_off(encoding: str) -> None:
    packed = PACK[encoding](b"some text that is packed, some text that is packed")
    for size in range(1, len(packed)):
        with pytest.raises(Unreadable):
            decompress(packed[:size], encoding, LIMIT)


@pytest.mark.parametrize("encoding", ["br", "compress", "gzip, br", "x", "", ","])
def test_what_nobody_sends(encoding: str) -> None:
    with pytest.raises(Unreadable, match="not supported"):
        decompress(gzip.compress(b"x"), encoding, LIMIT)


# Whatever the bytes, the answer is a body within the limit, TooLarge or Unreadable.
@given(st.sampled_from(sorted(PACK)), st.binary(max_size=100))
def test_garbage_raises_nothing_else(encoding: str, garbage: bytes) -> None:
    try:
        assert len(decompress(garbage, encoding, LIMIT)) <= LIMIT
    except (TooLarge, Unreadable):
        pass
