"""What every writer is: neutral events in, the bytes of one dialect out, for a stream or for a plain answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from providers.wire.endpoints import Dialect
from providers.wire.events import Event
from providers.wire.notes import Notes


@dataclass(frozen=True, slots=True)
class Answering:
    """What a writer must know of the call it answers.

    ``id`` is ours, used where the provider gives none; ``model`` is what the client asked for, used likewise;
    ``created`` in seconds since the epoch. ``tool_names`` leads from the names the provider was told back to the
    client's own. ``signatures`` is the format of the signatures that the answer's provider makes, "" for none.
    ``request`` is the client's own body: a response object repeats most of it. ``provider`` is the dialect that the
    events come from, None if nobody says: what is carried beside the answer is marked with it. ``notes`` take what the
    client cannot be told; the header that shows them may have left by then, the record has not.
    """

    id: str
    model: str
    created: int
    include_usage: bool = False
    legacy_functions: bool = False
    tool_names: Mapping[str, str] = field(default_factory=dict)
    custom_tools: frozenset[str] = frozenset()
    signatures: str = ""
    request: Mapping[str, object] = field(default_factory=dict)
    provider: Dialect | None = None
    notes: Notes = field(default_factory=Notes, compare=False)


class Writer(Protocol):
    """Takes the events of one answer in order.

    Never raises; what it cannot say goes into the side channel.
    """

    def write(self, event: Event) -> bytes:
        """Return the bytes that the event becomes now, b"" for none."""
        ...

    def close(self) -> bytes:
        """Return what is left after the last event; the whole of a plain answer.

        Not called for an answer that failed.
        """
        ...
