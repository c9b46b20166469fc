"""One running call, told piece by piece to one listener."""

from collections.abc import Sequence

from addons.relay.feed import Feed
from addons.telemetry.cleaning import Cleaner
from addons.web.growth import Growth, Piece, Veil
from addons.web.replies import Json, event
from providers.exchange.machine import Exchange


class Watch:
    """Tells ``feed`` of the conversation that led to an answer, and of the answer as it grows.

    Where another target has to begin the answer anew, the conversation is told again, and the answer from its start.
    """

    def __init__(self, feed: Feed, exchange: Exchange, messages: Sequence[Json], cleaner: Cleaner) -> None:
        self.feed = feed
        self.exchange = exchange
        self._begun = event("conversation", {"messages": messages, "answer": {"role": "assistant", "parts": []}})
        self._cleaner = cleaner
        self._growth = Growth()
        self._veil = Veil(cleaner)
        feed.tell(self._begun)

    def look(self) -> None:
        """Tell what has come since this was last done."""
        self.exchange.heard.read()
        answer = self.exchange.answer
        if not self._growth.follows(answer):
            self._veil = Veil(self._cleaner)
            self.feed.tell(self._begun)
        for piece in self._growth.news(answer):
            self._tell(self._veil.over(piece))

    def end(self, call: Json) -> None:
        """Tell the rest, and how the call ended."""
        self.look()
        for piece in self._veil.rest():
            self._tell(piece)
        self.feed.tell(event("end", call))
        self.feed.end()

    def _tell(self, piece: Piece) -> None:
        if piece.text or piece.opens:
            shown = {"part": piece.part, "kind": piece.kind, "text": piece.text, "name": piece.name}
            self.feed.tell(event("piece", shown))
