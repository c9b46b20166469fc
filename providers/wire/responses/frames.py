"""Events of a Responses stream as bytes' text: named, numbered, and safe for every JSON parser.

Strategy: everything is written as ASCII with JSON escapes. A character outside the basic plane whose two halves come in
two pieces is put together first, because strict parsers refuse a lone half.
"""

import json
from json.encoder import encode_basestring_ascii as encode
from typing import Final

from providers.wire.values import whole

__all__ = ["Frames", "Joiner", "dumps", "encode"]

_ENCODER: Final = json.JSONEncoder(separators=(",", ":"))


def dumps(value: object) -> str:
    """JSON text of a value, ASCII and compact."""
    return _ENCODER.encode(value)


class Frames:
    """Gives each event of one stream its ``sequence_number``."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = 0

    def event(self, kind: str, members: str) -> str:
        """One event; ``members`` is the inside of its JSON object, without type and number."""
        number = self.number
        self.number = number + 1
        return f'event: {kind}\ndata: {{"type":"{kind}","sequence_number":{number},{members}}}\n\n'

    @staticmethod
    def opening(kind: str, members: str) -> str:
        """What all events of one kind at one place begin with, up to their number."""
        return f'event: {kind}\ndata: {{"type":"{kind}",{members},"sequence_number":'

    def delta(self, opening: str, piece: str) -> str:
        """One event with a ``delta``."""
        number = self.number
        self.number = number + 1
        return f'{opening}{number},"delta":{encode(piece)}}}\n\n'


class Joiner:
    """One text that comes in pieces."""

    __slots__ = ("_half", "pieces")

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self._half = ""

    def add(self, piece: str) -> str:
        """Take the next piece; return what can be said of the text now ("" if only half a character came)."""
        if self._half or not piece.isascii():
            piece = self._half + piece
            self._half = piece[-1] if "\ud800" <= piece[-1] <= "\udbff" else ""
            piece = whole(piece[:-1] if self._half else piece)
        if piece:
            self.pieces.append(piece)
        return piece

    def end(self) -> str:
        """What is left at the end: a half character is none, and says so."""
        if not self._half:
            return ""
        self._half = ""
        self.pieces.append("\ufffd")
        return "\ufffd"

    def text(self) -> str:
        """All of it so far."""
        return "".join(self.pieces)
