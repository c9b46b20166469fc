"""Characters whose two halves come in different pieces: an emoji may be split over two JSON strings."""

from providers.wire.values import whole


class Halves:
    """Joins the pieces of one text."""

    def __init__(self) -> None:
        self._half = ""

    def join(self, text: str) -> str:
        """The text that is whole now, valid Unicode; a first half at its end waits for the next piece."""
        if text.isascii() and not self._half:
            return text
        text = self._half + text
        self._half = ""
        if "\ud800" <= text[-1:] <= "\udbff":
            self._half, text = text[-1], text[:-1]
        return whole(text)

    def rest(self) -> str:
        """What waited and never got its other half: one U+FFFD, or nothing."""
        half, self._half = self._half, ""
        return whole(half)
