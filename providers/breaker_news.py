"""Breaker news: who is left alone from now on and why, and who answers again, for people.

Strategy: a breaker that flaps is told once. An opening is told if the last one that was told is a minute ago or more,
and the one before has closed or was for another cause; a closing, if the opening was told. One that opens within that
minute and does not close is told when its probe has failed after it: nobody stays open for long without a word.

Nothing here knows an address or a key: who is told makes the words. Times in monotonic µs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from providers.pool.breaker import Circuit
from providers.pool.trouble import Trouble

_AGAIN = 60_000_000  # µs
# What is told: {who}, and {seconds} until it is tried again.
WORDS: MappingProxyType[Trouble, str] = MappingProxyType(
    {
        Trouble.REFUSED: "{who} cannot be reached",
        Trouble.RESET: "{who} breaks connections off",
        Trouble.TIMEOUT: "{who} does not answer in time",
        Trouble.SERVER_ERROR: "{who} answers with server errors",
        Trouble.OVERLOAD: "{who} says that it is overloaded",
        Trouble.RATE_LIMIT: "{who} limits our rate",
        Trouble.SPEND_LIMIT: "{who} says that the money or the quota is spent",
        Trouble.AUTH: "{who} refuses the key",
    }
)
UNTIL = " ({cause}): it is left alone and tried again in {seconds} s."
AGAIN = "{who} answers again."


@dataclass(slots=True)
class _Told:
    at: int
    cause: Trouble
    is_open: bool = True


class BreakerNews:
    """``tell_open`` is called with circuit, cause and the wait in µs; ``tell_closed`` with the circuit."""

    def __init__(self) -> None:
        self.tell_open: Callable[[Circuit, Trouble, int], object] = lambda *_: None
        self.tell_closed: Callable[[Circuit], object] = lambda _: None
        self._told: dict[Circuit, _Told] = {}

    def opened(self, circuit: Circuit, cause: Trouble, now: int, until: int) -> None:
        """A breaker has opened, or stays open for longer."""
        told = self._told.get(circuit)
        if told is not None and (now - told.at < _AGAIN or (told.is_open and told.cause is cause)):
            return
        self._told[circuit] = _Told(now, cause)
        self.tell_open(circuit, cause, until - now)

    def closed(self, circuit: Circuit) -> None:
        """A breaker has closed."""
        told = self._told.get(circuit)
        if told is not None and told.is_open:
            told.is_open = False
            self.tell_closed(circuit)

    def forget(self, provider: str) -> None:
        """Begin anew with a provider that was changed: what happens from now on is news."""
        for circuit in [circuit for circuit in self._told if circuit.provider == provider]:
            del self._told[circuit]


def opened(who: str, cause: Trouble, wait_us: int) -> str:
    """Say that somebody is left alone; ``wait_us`` counts up to whole seconds."""
    return WORDS[cause].format(who=who) + UNTIL.format(cause=cause.value, seconds=-(-wait_us // 1_000_000))
