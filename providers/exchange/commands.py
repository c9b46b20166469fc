"""What an exchange asks its driver to do, in the order in which it asks."""

from dataclasses import dataclass
from enum import StrEnum

from providers.exchange.plan import Target


class Timer(StrEnum):
    """The deadlines an exchange keeps. Setting a timer again replaces it."""

    PHASE = "phase"  # connect, then head, then first content, then the gap between chunks
    TOTAL = "total"
    HOLD = "hold"  # how long a stream's head waits for its first content, then for its next sign of life
    RETRY = "retry"  # until the next try
    PLACE = "place"  # never set: a call in line is told with it that there is a place for it now


@dataclass(frozen=True, slots=True)
class Dial:
    """Get a connection to the target; ``fresh`` means that an idle one must not be reused."""

    target: Target
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Send:
    """Send the target's request on the connection that was opened."""

    target: Target


@dataclass(frozen=True, slots=True)
class Hangup:
    """Close the upstream connection; nothing that it still says is listened to."""


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Call ``timer(name)`` after so many seconds."""

    name: Timer
    seconds: float


@dataclass(frozen=True, slots=True)
class Head:
    """The answer's head for the client, without framing headers: those are the driver's."""

    status: int
    headers: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Data:
    """A piece of the answer's body for the client."""

    data: bytes


@dataclass(frozen=True, slots=True)
class End:
    """The answer is complete."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The answer cannot be completed and has no way to say so: close the client's connection without a clean end."""


Command = Dial | Send | Hangup | SetTimer | Head | Data | End | Cut
