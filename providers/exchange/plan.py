"""The ordered targets that may answer one request, each with the request it would be sent.

Everything an exchange needs to know of a provider stands in here as plain values, so that the state machine knows
neither the registry nor the keys: ``headers`` carry a placeholder where the key will be.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from providers.wire.translate import Translation


class Deadlines(Protocol):
    """Seconds; each starts when the one before it was met, ``total`` when the exchange begins."""

    @property
    def connect(self) -> float:
        """Until the connection stands."""

    @property
    def head(self) -> float:
        """Until the answer's head is here."""

    @property
    def first_content(self) -> float:
        """Until a stream says something that the user sees."""

    @property
    def gap(self) -> float:
        """Between two pieces of an answer."""

    @property
    def total(self) -> float:
        """For the whole call."""


@dataclass(frozen=True, slots=True)
class Target:
    """One provider with the request it is sent.

    ``host``, ``port`` and ``path`` (with its query) are the provider's; ``model`` is what stands in the body, "" if
    nothing. ``external`` tells that the answer's head is filtered for the client; ``our_key`` that the provider judges
    our key, not the client's; ``virtual`` that the answer comes from timers instead of a socket. ``translation`` is
    there where the provider does not speak the client's dialect; ``rewriting`` makes one within the client's dialect,
    for an answer that is no stream where one was asked for, or the reverse.
    """

    provider: str
    kind: str
    model: str
    deadlines: Deadlines
    scheme: str
    host: str
    port: int
    path: str
    headers: list[tuple[str, str]] = field(repr=False)
    body: bytes = field(repr=False)
    external: bool = True
    our_key: bool = True
    virtual: bool = False
    translation: "Translation | None" = field(default=None, repr=False)
    rewriting: "Callable[[], Translation | None] | None" = field(default=None, repr=False)

    def estimate(self) -> bytes | None:
        """The whole answer, where the provider has no way to count a prompt and an estimate is all there is."""
        translation = self.translation
        return translation.estimate() if translation is not None and translation.endpoint is None else None

    def addresses(self) -> list[str]:
        """How the address may stand in the provider's own error texts: a local one is nobody's business outside."""
        return [] if self.external else [f"{self.host}:{self.port}"]


Make = Callable[[], "Target | None"]


@dataclass(frozen=True, slots=True)
class Plan:
    """The targets in the order in which they are asked, and why.

    Most calls are answered by the first one: ``later`` makes the others when they are needed, None where one cannot be
    asked this at all. ``instead`` makes those that take over after an error of a class (`providers.pool.error_class`).
    """

    targets: tuple[Target, ...]
    reason: str
    later: tuple[Make, ...] = ()
    instead: Mapping[str, tuple[Make, ...]] = field(default_factory=dict)
