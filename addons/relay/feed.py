"""Feeds: answers of ours that go on for as long as somebody listens, such as the page's list of calls as they run."""

from collections.abc import Callable

_MOST = 1 << 20  # bytes that wait for a listener who takes nothing


def _nobody() -> None:
    """Nobody waits yet, or no longer."""


class Feed:
    """What one listener is yet to be told. ``left`` is called once, when the listener is gone or has fallen behind.

    A listener who takes nothing is not written for without bound: past ``most`` waiting bytes the feed ends, and the
    listener comes again and is told everything anew (browsers do that by themselves).
    """

    def __init__(self, left: Callable[[], None] = _nobody, most: int = _MOST) -> None:
        self.is_over = False
        self._left = left
        self._most = most
        self._waiting: list[bytes] = []
        self._size = 0
        self._ring = _nobody
        self._rung = False

    def tell(self, data: bytes) -> None:
        """Add what the listener is told next; nothing once the feed is over."""
        if self.is_over or not data:
            return
        self._waiting.append(data)
        self._size += len(data)
        if self._size > self._most:
            self.end()
        else:
            self._wake()

    def end(self) -> None:
        """Tell what waits, and nothing more."""
        if not self.is_over:
            self.is_over = True
            left, self._left = self._left, _nobody
            left()
            self._wake()

    # The relay's side.

    def attach(self, ring: Callable[[], None]) -> None:
        """Let ``ring`` be called when there is something to take: once, until it is taken."""
        self._ring = ring

    def take(self) -> bytes:
        """Take what waits."""
        taken = b"".join(self._waiting)
        self._waiting.clear()
        self._size, self._rung = 0, False
        return taken

    def detach(self) -> None:
        """Note that the listener is gone."""
        self._ring = _nobody
        self._waiting.clear()
        self._size = 0
        self.end()

    def _wake(self) -> None:
        if not self._rung:
            self._rung = True
            self._ring()
