"""The payload of a chunked body (RFC 9112, 7.1): taken out of all that is there at once, not chunk by chunk."""

import re

_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}\Z")
_LINE_LIMIT = 16 * 1024


class ChunkedBody:
    """Takes the payload out of a chunked body, all that is there at once.

    After ``complete`` the ``trailers`` are known and ``rest`` holds what came behind the body. ``flaw`` says how the
    framing is broken, "" if it is not; what came ahead of the flaw is payload all the same.
    """

    def __init__(self) -> None:
        self.complete = False
        self.trailers: list[tuple[bytes, bytes]] = []
        self.rest = b""
        self.flaw = ""
        self._pending = b""  # an incomplete line
        self._left = 0  # bytes of the chunk that are still to come
        self._in_trailers = False
        self._after_chunk = False  # the CRLF behind a chunk's payload is due

    def read(self, data: bytes) -> bytes:
        """Return the payload in the next ``data`` of the connection."""
        payload: list[bytes] = []
        if not self.complete and not self.flaw:
            try:
                self._read(data, payload)
            except ValueError as error:
                self.flaw = str(error)
        return b"".join(payload)

    def _read(self, data: bytes, payload: list[bytes]) -> None:
        """Add the payload piece by piece. Raises ValueError where the framing breaks."""
        if self._pending:
            data, self._pending = self._pending + data, b""
        at, size = 0, len(data)
        while at < size and not self.complete:
            if self._left:
                piece = data[at : at + self._left]
                payload.append(piece)
                at += len(piece)
                self._left -= len(piece)
                self._after_chunk = not self._left
                continue
            end = data.find(b"\n", at)
            if end < 0:
                self._keep(data[at:])
                return
            self._line(data[at:end].removesuffix(b"\r"))
            at = end + 1
        self.rest = data[at:]

    def single(self, data: bytes) -> bytes | None:
        """Return the payload if ``data`` is one whole chunk and nothing else, as a paced event comes; else None."""
        if self._pending or self._left or self._in_trailers or self._after_chunk or self.complete:
            return None
        end = data.find(b"\r\n", 0, 18)
        if end < 1 or not _CHUNK_SIZE.match(data[:end]):
            return None
        size = int(data[:end], 16)
        if not size or len(data) != end + size + 4 or not data.endswith(b"\r\n"):
            return None
        return data[end + 2 : -2]

    def _keep(self, pending: bytes) -> None:
        if len(pending) > _LINE_LIMIT:
            raise ValueError("a chunk's size line is too long")
        self._pending = pending

    def _line(self, line: bytes) -> None:
        if self._after_chunk:
            if line:
                raise ValueError("a chunk is longer than it says")
            self._after_chunk = False
        elif self._in_trailers:
            self._trailer(line)
        else:
            size = line.partition(b";")[0].strip()  # chunk extensions are for nobody
            if not _CHUNK_SIZE.match(size):
                raise ValueError("a chunk's size is no number")
            self._left = int(size, 16)
            self._in_trailers = not self._left

    def _trailer(self, line: bytes) -> None:
        if not line:
            self.complete = True
            return
        name, colon, value = line.partition(b":")
        if not colon or len(self.trailers) >= 100:
            raise ValueError("the trailers are no header lines")
        self.trailers.append((name, value.strip()))
