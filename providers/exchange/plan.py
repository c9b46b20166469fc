"""The ordered targets that may answer one request, each with the request it would be sent.

Everything an exchange needs to know of a provider stands in here as plain values, so that the state machine knows
neither the registry nor the keys: ``headers`` carry a placeholder where the key will be.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from providers.exchange.price import Price

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


class Server(NamedTuple):
    """One of a provider's servers: its name, and where a target's request goes if it goes there.

    ``number`` counts from 1 where there are several.
    """

    name: str
    scheme: str
    host: str
    port: int
    path: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One provider with the request it is sent.

    ``host``, ``port`` and ``path`` (with its query) are the provider's; ``model`` is what stands in the body, "" if
    nothing. ``external`` tells that the answer's head is filtered for the client; ``our_key`` that the provider judges
    our key, not the client's; ``virtual`` that the answer comes from timers instead of a socket. ``translation`` is
    there where the provider does not speak the client's dialect; ``rewriting`` makes one within the client's dialect,
    for an answer that is no stream where one was asked for, or the reverse. ``resumable``: its stream is written anew
    from the beginning, so that another target can go on with it.

    ``server`` is the name of the provider's server that host, port and path lead to. ``servers`` are all of them, in
    the order to ask them, where calls are counted: where there are several, or at most ``max_in_flight`` calls at once
    are made to each (None: no limit), and ``max_queued`` more wait for each. Empty for all other providers.

    ``instead`` is there where this target has stand-ins of its own, unlike those of the plan (`Plan.instead`).

    ``endpoint`` is the number of ``server`` among several, from 1 on; ``price`` what the registry says that it costs.
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
    resumable: bool = False
    server: str = ""
    servers: tuple[Server, ...] = ()
    max_in_flight: int | None = None
    max_queued: int = 0
    instead: "Mapping[str, tuple[Make, ...]] | None" = field(default=None, repr=False)
    endpoint: int | None = None
    price: Price | None = field(default=None, repr=False)

    def at(self, server: Server) -> Self:
        """Return the same request to another of the provider's servers."""
        name, scheme, host, port, path, number = server
        if name == self.server and number == self.endpoint:
            return self
        return replace(self, server=name, scheme=scheme, host=host, port=port, path=path, endpoint=number)

    def estimate(self) -> bytes | None:
        """The whole answer, where the provider has no way to count a prompt and an estimate is all there is."""
        translation = self.translation
        return translation.estimate() if translation is not None and translation.endpoint is None else None

    def addresses(self) -> list[str]:
        """How the address may stand in the provider's own error texts: a local one is nobody's business outside."""
        return [] if self.external else [f"{self.host}:{self.port}"]


Make = Callable[[], "Target | None"]
# Makes a target that goes on with an answer, of its text so far; it has a translation, whatever it speaks.
GoOn = Callable[[str], "Target | None"]


@dataclass(frozen=True, slots=True)
class Plan:
    """The target that is asked first, those that may be asked after it, and why.

    Most calls are answered by the first one: ``later`` makes the others, in their order, when they are needed, None
    where one cannot be asked this at all. ``instead`` makes those that take over after an error of a class
    (`providers.pool.error_class`), but for targets that have a word of their own on that. ``going_on``, empty or as
    long as ``later``, makes the same ones for an answer that broke off. ``prompt`` estimates the tokens of the call's
    prompt: it reads the whole of it, and is asked only when nobody else has counted them.
    """

    first: Target
    reason: str
    later: tuple[Make, ...] = ()
    instead: Mapping[str, tuple[Make, ...]] = field(default_factory=dict)
    going_on: tuple[GoOn, ...] = ()
    prompt: Callable[[], int] | None = field(default=None, repr=False)
