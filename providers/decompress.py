"""Undoes a request's ``Content-Encoding``, with a ceiling: a few kB can stand for gigabytes."""

import zlib
from collections.abc import Callable

import zstandard

# 16 + 15: gzip framing; ±15 below: zlib framing, then raw deflate, which some clients call deflate too.
_GZIP, _ZLIB, _RAW = 31, 15, -15


class TooLarge(ValueError):
    """The body is larger than allowed once it is unpacked."""


class Unreadable(ValueError):
    """The body is not what its ``Content-Encoding`` says, or the encoding is not known."""


def decompress(data: bytes, encoding: str, limit: int) -> bytes:
    """Unpack ``data``; ``encoding`` is the header's value, ``limit`` in bytes. Raises TooLarge or Unreadable."""
    for name in reversed([part.strip().lower() for part in encoding.split(",")]):
        unpack = _UNPACK.get(name)
        if unpack is None:
            raise Unreadable(f"Content-Encoding {name!r} is not supported; send gzip, deflate, zstd or none")
        data = unpack(data, limit)
        if len(data) > limit:
            raise TooLarge
    return data


def _identity(data: bytes, limit: int) -> bytes:
    return data


def _inflate(data: bytes, limit: int, wbits: int) -> bytes:
    unpacker = zlib.decompressobj(wbits)
    try:
        out = unpacker.decompress(data, limit + 1)
    except zlib.error as error:
        raise Unreadable("the body is not what its Content-Encoding says") from error
    if len(out) <= limit and not unpacker.eof:
        raise Unreadable("the compressed body is incomplete")
    return out


def _gzip(data: bytes, limit: int) -> bytes:
    return _inflate(data, limit, _GZIP)


def _deflate(data: bytes, limit: int) -> bytes:
    try:
        return _inflate(data, limit, _ZLIB)
    except Unreadable:
        return _inflate(data, limit, _RAW)


def _zstd(data: bytes, limit: int) -> bytes:
    out, size = [], 0
    try:
        with zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(data) as reader:
            while size <= limit and (piece := reader.read(1 << 20)):
                out.append(piece)
                size += len(piece)
    except zstandard.ZstdError as error:
        raise Unreadable("the body is not what its Content-Encoding says") from error
    return b"".join(out)


_UNPACK: dict[str, Callable[[bytes, int], bytes]] = {
    "identity": _identity,
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "zstd": _zstd,
}
