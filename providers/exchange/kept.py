"""The beginning of a body, kept while the body passes."""


class Kept:
    """The first ``limit`` bytes of what was added; ``whole`` tells whether that is all."""

    __slots__ = ("_pieces", "_room", "whole")

    def __init__(self, limit: int) -> None:
        self.whole = True
        self._pieces: list[bytes] = []
        self._room = limit

    def add(self, data: bytes) -> None:
        """Take the next piece, as far as there is room."""
        if len(data) <= self._room:
            self._pieces.append(data)
            self._room -= len(data)
        elif self.whole:
            self._pieces.append(data[: self._room])
            self._room = 0
            self.whole = False

    def content(self) -> bytes:
        """Join what was kept."""
        return b"".join(self._pieces)
