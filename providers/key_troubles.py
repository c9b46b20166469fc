"""Key troubles: a provider refuses our key, or says that the money is spent. People mend that, so people are told.

Counted for each failed try, told once an hour for each provider, and anew once its key was changed. Nothing here knows
a key: who is told makes the words. Times in monotonic µs.
"""

from collections import Counter
from collections.abc import Callable
from types import MappingProxyType

from providers.pool.error_class import ErrorClass

_AGAIN = 3_600_000_000  # µs
# What is told: {provider}, and {key}, the variable that holds its key.
WORDS: MappingProxyType[ErrorClass, str] = MappingProxyType(
    {
        ErrorClass.AUTH: "{provider} refuses the key in {key}: put a valid one there, it counts at once.",
        ErrorClass.SPEND_LIMIT: "{provider} says that the money or the quota behind the key in {key} is spent: top it "
        "up, raise its limit, or put another key there.",
    }
)
NO_KEY = "{provider} wants an API key: name its variable under api_key in registry.yaml, and set it."


def _nobody(_provider: str, _kind: ErrorClass) -> None:
    """Tell nobody."""


class KeyTroubles:
    """``counts`` are by provider and kind since the start, for metrics; ``tell`` is called with the same two."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, ErrorClass]] = Counter()
        self.tell: Callable[[str, ErrorClass], None] = _nobody
        self._told: dict[str, int] = {}

    def note(self, provider: str, kind: ErrorClass, now: int) -> None:
        """Take note of a failed try, if it is such a trouble."""
        if kind not in WORDS:
            return
        self.counts[provider, kind] += 1
        told = self._told.get(provider)
        if told is None or now - told >= _AGAIN:
            self._told[provider] = now
            self.tell(provider, kind)

    def forget(self, provider: str) -> None:
        """Begin anew with a provider whose key was changed: if that is bad, too, it is news."""
        self._told.pop(provider, None)
