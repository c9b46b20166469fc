"""What a running answer has grown by since it was looked at last, and how much of it there is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from addons.telemetry.cleaning import Cleaner
from providers.wire import events
from providers.wire.answer import Answer

_BYTES = 4  # of text to a token (`providers.wire.estimate`)
_WORD = 256  # characters after which a word is shown although it goes on

_KINDS: dict[type[events.Event], str] = {
    events.Text: "text",
    events.Reasoning: "reasoning",
    events.Refusal: "refusal",
    events.ToolCall: "tool",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """What is new in a part, which is counted in the order of the answer's message."""

    part: int
    kind: str
    text: str
    name: str = ""
    opens: bool = False


class Growth:
    """Follows one answer; another one is followed from its beginning."""

    def __init__(self) -> None:
        self._answer: Answer | None = None
        self._taken: list[int] = []
        self._bytes = 0

    @property
    def tokens(self) -> int:
        """How many tokens there are, by the rule of `providers.wire.estimate`."""
        return -(-self._bytes // _BYTES)

    def follows(self, answer: Answer) -> bool:
        """Whether this is the answer that is followed, or the first one."""
        return self._answer is None or self._answer is answer

    def news(self, answer: Answer) -> list[Piece]:
        """Return what has come since this was last asked, one piece for each part that has grown."""
        if self._answer is not answer:
            self._answer, self._taken, self._bytes = answer, [], 0
        return list(self._pieces(answer))

    def _pieces(self, answer: Answer) -> Iterator[Piece]:
        for part, (first, pieces) in enumerate(answer.growth()):
            opens = part == len(self._taken)
            if opens:
                self._taken.append(0)
            elif self._taken[part] == len(pieces):
                continue
            text = "".join(pieces[self._taken[part] :])
            self._taken[part] = len(pieces)
            self._bytes += len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
            if (kind := _KINDS.get(type(first))) is not None:
                yield Piece(part, kind, text, first.name if isinstance(first, events.ToolCall) else "", opens)


class Veil:
    """Takes keys out of texts that come in pieces: a word is held back until it is whole, for a key is one."""

    def __init__(self, cleaner: Cleaner) -> None:
        self._cleaner = cleaner
        self._held: dict[int, Piece] = {}

    def over(self, piece: Piece) -> Piece:
        """Return what can be shown of a part now."""
        held = self._held.pop(piece.part, None)
        text = (held.text if held else "") + piece.text
        word = "" if not text or text[-1].isspace() else text.rsplit(None, 1)[-1]
        if word and len(word) <= _WORD:
            self._held[piece.part] = replace(piece, text=word, opens=False)
            text = text[: -len(word)]
        return replace(piece, text=self._cleaner.text(text))

    def rest(self) -> list[Piece]:
        """Return what was held back: the answer is over."""
        held, self._held = self._held, {}
        return [replace(piece, text=self._cleaner.text(piece.text)) for piece in held.values()]
