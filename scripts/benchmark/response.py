"""Reads HTTP/1.1 responses as they come, with as little work as possible: the generator must not be the limit."""

import re

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_HEAD_END = b"\r\n\r\n"


class Response:
    """One response, read piece by piece.

    ``status`` is 0 and ``head`` empty until the head is here. A body has a length or comes in chunks; nothing may
    follow it.
    """

    __slots__ = ("_buffer", "_chunked", "_left", "complete", "head", "status")

    def __init__(self) -> None:
        self.status = 0
        self.head = b""
        self.complete = False
        self._chunked = False
        self._buffer = b""
        self._left = 0  # of the body; or of the current chunk and the line end behind it

    def feed(self, data: bytes) -> bytes:
        """Take what was received and return the piece of the body in it; raises ValueError for what cannot be right."""
        if self.complete:
            raise ValueError("bytes after the end of the response")
        if not self.status:
            head, found, data = (self._buffer + data).partition(_HEAD_END)
            if not found:
                self._buffer = head
                return b""
            self._buffer = b""
            self._read_head(head)
        return self._read_chunks(data) if self._chunked else self._read_length(data)

    def _read_head(self, head: bytes) -> None:
        self.status, self.head = int(head[9:12]), head
        length = _LENGTH.search(head)
        self._chunked = length is None
        if length is not None:
            self._left = int(length[1])
        elif not _CHUNKED.search(head):
            raise ValueError("a response without a length")

    def _read_length(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise ValueError("more body than the response's length")
        self.complete = self._left == 0
        return data

    def _read_chunks(self, data: bytes) -> bytes:
        data = self._buffer + data if self._buffer else data
        at, size, pieces = 0, len(data), []
        while at < size:
            if not self._left:
                line_end = data.find(b"\r\n", at)
                if line_end < 0:
                    break
                length = int(data[at:line_end], 16)
                if not length:
                    at = self._end(data, at, line_end)
                    break
                self._left, at = length + 2, line_end + 2
            stop = at + self._left
            pieces.append(data[at : max(at, min(size, stop - 2))])  # all but the line end
            self._left = max(0, stop - size)
            at = min(stop, size)
        self._buffer = data[at:]
        return b"".join(pieces)

    def _end(self, data: bytes, at: int, line_end: int) -> int:
        """Take the last chunk, if all of it is here."""
        after = data[line_end + 2 : line_end + 4]
        if len(after) < 2:
            return at
        if after != b"\r\n" or len(data) > line_end + 4:
            raise ValueError("bytes after the last chunk")
        self.complete = True
        return len(data)
