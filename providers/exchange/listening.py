"""What is heard of an answer while it passes: read for the record, kept for the flow, never altered.

Strategy: until the first content every piece is read at once, because the commit waits for it. Afterwards pieces are
only collected and read in slices, so that a streamed event costs an append; the end reads the rest.

Where something came that begins like an object and cannot be read, something of the answer is lost: it is `garbled`.
An answer that is written anew stops there, so that nobody takes what follows for the next word.
"""

from collections.abc import Callable

from providers.exchange.account import Outcome
from providers.exchange.kept import Kept
from providers.exchange.pace import Pace
from providers.wire import events
from providers.wire.answer import Answer
from providers.wire.reader import Reader
from providers.wire.values import parse

_SLICE = 16 * 1024  # bytes read at once: under 1 ms of work
_BODY_LIMIT = 8 << 20  # a plain answer longer than this is passed on, but not read


class Listening:
    """Reads one attempt's answer.

    ``answer`` is what was understood, ``kept`` the first ``keep_limit`` bytes, ``pace`` when the pieces of a stream
    came, ``size`` the number of bytes that came, ``content_seen`` whether the user has got something, ``garbled``
    whether a part of it cannot be read.
    """

    def __init__(self, keep_limit: int) -> None:
        self.answer = Answer()
        self.kept = Kept(keep_limit)
        self.pace = Pace()
        self.size = 0
        self.content_seen = False
        self.garbled = False
        self.is_events = False
        self._reader: Reader | None = None
        self._unread: list[bytes] = []
        self._unread_size = 0
        self._write: Callable[[events.Event], bytes] | None = None
        self._written: list[bytes] = []

    @property
    def flaw(self) -> Outcome:
        """Why an answer is not whole."""
        return Outcome.UPSTREAM_PROTOCOL_ERROR if self.garbled else Outcome.UPSTREAM_TRUNCATED

    def write_with(self, write: Callable[[events.Event], bytes]) -> None:
        """Have every event written as it is read; then each piece is read at once."""
        self._write = write

    def take_written(self) -> bytes:
        """Return what was written since this was last asked."""
        written, self._written = b"".join(self._written), []
        return written

    def start(self, reader: Reader, *, is_events: bool) -> None:
        """The head has come: this is how the body is read."""
        self._reader = reader
        self.is_events = is_events

    def keep(self, data: bytes) -> None:
        """Keep a piece as the provider sent it, unread."""
        self.size += len(data)
        self.kept.add(data)

    def hear(self, data: bytes) -> None:
        """Take a piece in; it is read now or later."""
        self.keep(data)
        self._unread.append(data)
        self._unread_size += len(data)
        hurry = self._write is not None or (self.is_events and not self.content_seen)
        if hurry or self._unread_size >= _SLICE:
            self.read()

    def read(self) -> None:
        """Read what was collected."""
        if not self._unread or self._reader is None:
            return
        unread, self._unread, self._unread_size = self._unread, [], 0
        if self._write is None and not self.is_events and self.size > _BODY_LIMIT:
            self._reader = None
            return
        self._take(self._reader.feed(b"".join(unread)))

    def close(self) -> None:
        """Nothing more will come."""
        self.read()
        if self._reader is not None:
            self._take(self._reader.close(), ended=True)
            self._reader = None

    def _take(self, read: list[events.Event], *, ended: bool = False) -> None:
        for event in read:
            if isinstance(event, events.Opaque) and not (ended and self.is_events):  # its last event may be cut
                self.garbled = self.garbled or _is_broken(event)
            if self.garbled and self._write is not None:
                return
            self.answer.add(event)
            if self._write is not None:
                self._written.append(self._write(event))
            if not self.content_seen and isinstance(event, events.CONTENT):
                self.content_seen = True


def _is_broken(event: events.Opaque) -> bool:
    """Whether it begins like an object and is none; what is nested too deeply to be read may be good."""
    if event.type != "malformed" or not event.raw.startswith("{"):
        return False
    try:
        parse(event.raw)
    except ValueError as error:
        return not isinstance(error.__cause__, RecursionError)
    return False
