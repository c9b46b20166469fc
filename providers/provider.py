"""One configured upstream: where it is, which key it gets, what it speaks, how long we wait for it.

A kind of provider is a subclass that sets class variables (see `providers.compatible`): facts are data, and the few
methods here read them. Instances are immutable; a reload makes new ones, so a call keeps the provider it began with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from pydantic import JsonValue, SecretStr

from providers import headers
from providers.addresses import BaseUrl, parse_base_url
from providers.exchange.price import Price
from providers.model_facts import Facts
from providers.pool.balance import Balance
from providers.pool.stickiness import Sticky
from providers.quirks import NO_FACTS, UNKNOWN, Quirks, capabilities
from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect, Endpoint

LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long an upstream may take, in seconds. Each starts when the one before it was met, ``total`` with the call.

    ``connect``        until the connection stands
    ``head``           until the answer's status and headers are here
    ``first_content``  until a stream says something that the user sees
    ``gap``            between two pieces of an answer
    ``total``          for the whole call
    """

    connect: float = 5.0
    head: float = 60.0
    first_content: float = 60.0
    gap: float = 120.0
    total: float = 3600.0


class Destination(NamedTuple):
    """Where a request goes; ``path`` carries the query, ``host`` has no brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """The same as one text."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"


@dataclass(frozen=True, slots=True)
class Replica:
    """One of a provider's servers, which are all the same: where it is, and its share of the calls."""

    url: BaseUrl
    weight: int = 1

    @property
    def name(self) -> str:
        """Its base URL, which tells it from the others."""
        return str(self.url)


@dataclass(frozen=True, slots=True)
class Sharing:
    """How calls are shared among a provider's servers.

    ``balance``        which of them is next
    ``sticky``         what keeps calls at one of them; None: nothing does
    ``max_in_flight``  calls at once at each of them, None: no limit is set; ``max_queued`` calls that wait for each
    """

    balance: Balance = "round_robin"
    sticky: Sticky | None = None
    max_in_flight: int | None = None
    max_queued: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A provider of some kind; the class variables are the kind's facts.

    ``base_url``      scheme, host, port and path, without a slash at its end; "" for a virtual provider
    ``endpoints``     its servers, where the registry lists several; ``base_url`` is then the first of them
    ``sharing``       how calls are shared among them
    ``key``           None where none is configured; ``key_name`` is the variable that holds it or would hold it
    ``problem``       why it cannot be used ("no key: set OPENAI_API_KEY"), "" if it can
    ``uncertain``     those of ``dialects`` that only newer versions speak: found out (`providers.dialect_probe`) before
                      they are relied on; empty where the registry says what it speaks
    ``models``        names that the registry lists for it
    ``attribution``   headers of its own that the client may replace (OpenRouter: ``HTTP-Referer``, ``X-Title``)
    ``account``       headers of its own that the client may not replace (OpenAI: organisation, project)
    ``like``          the row of `providers.model_facts.SERVERS` that describes it, "" for its kind's
    ``facts``         what the registry says that its models can be told, over that row
    ``price``         what the registry says that its tokens cost, None where it does not
    """

    kind: ClassVar[str]
    default_base_url: ClassVar[str] = ""
    # The variable of the provider that carries the kind's own name; a second one of the kind names its variable itself.
    default_key_name: ClassVar[str] = ""
    needs_key: ClassVar[bool] = False
    default_dialects: ClassVar[frozenset[Dialect]] = frozenset((Dialect.CHAT,))
    # Those of them that its older versions lack.
    recent_dialects: ClassVar[frozenset[Dialect]] = frozenset()
    default_deadlines: ClassVar[Deadlines] = Deadlines()
    quirks: ClassVar[Quirks] = UNKNOWN
    virtual: ClassVar[bool] = False
    # A server of this kind whose name is known (`groq`) is taken for that one.
    known_by_name: ClassVar[bool] = False
    # A version prefix that people write at the end of the base URL although this kind's paths bring their own.
    surplus_prefix: ClassVar[str] = ""
    # Whose public list of prices its models stand in (`providers.price_table`); "": its address decides, None: in none.
    price_list: ClassVar[str | None] = None
    # Registry field → the header it becomes.
    attribution_fields: ClassVar[dict[str, str]] = {}
    account_fields: ClassVar[dict[str, str]] = {}

    name: str
    base_url: str = ""
    endpoints: tuple[Replica, ...] = ()
    sharing: Sharing = Sharing()
    key: SecretStr | None = None
    key_name: str = ""
    problem: str = ""
    dialects: frozenset[Dialect] = frozenset((Dialect.CHAT,))
    uncertain: frozenset[Dialect] = frozenset()
    deadlines: Deadlines = Deadlines()
    models: tuple[str, ...] = ()
    attribution: tuple[tuple[str, str], ...] = ()
    account: tuple[tuple[str, str], ...] = ()
    like: str = ""
    facts: Facts = field(default_factory=lambda: NO_FACTS, hash=False)
    price: Price | None = None
    _url: BaseUrl | None = field(init=False, repr=False, compare=False, default=None)
    _replicas: tuple[Replica, ...] = field(init=False, repr=False, compare=False, default=())

    def __post_init__(self) -> None:
        if self.base_url:
            url = parse_base_url(self.base_url)
            object.__setattr__(self, "_url", url)
            object.__setattr__(self, "_replicas", self.endpoints or (Replica(url),))

    @property
    def replicas(self) -> tuple[Replica, ...]:
        """Its servers: at least one, none for a virtual provider."""
        return self._replicas

    @property
    def ready(self) -> bool:
        """It can be asked: whatever it needs is configured (not: it is up)."""
        return not self.problem

    @property
    def external(self) -> bool:
        """It is not the local llama-server, so it gets rebuilt headers and none of the client's credentials."""
        return True

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port, or None for a virtual provider."""
        return None if self._url is None else (self._url.host, self._url.port)

    def url_for(self, endpoint: Endpoint, query: str = "", at: Replica | None = None) -> Destination:
        """Where a call of ``endpoint`` goes: to the server ``at``, else to the first.

        ``query`` is the client's, without ``?``; keys in it are cut off.
        """
        if self.external or self.key is not None:
            query = headers.without_keys(query)
        path = self.path_for(endpoint) + (f"?{query}" if query else "")
        url = self._url if at is None else at.url
        if url is None:
            return Destination("http", f"{self.name}.invalid", 80, path)
        return Destination(url.scheme, url.host, url.port, url.path + path)

    def destination(self, path: str) -> Destination:
        """Where a request that is no call goes, as it is: ``path`` carries its query. Not for a virtual provider."""
        if self._url is None:
            raise ValueError(f"{self.name} has no address")
        return Destination(self._url.scheme, self._url.host, self._url.port, self._url.path + path)

    def path_for(self, endpoint: Endpoint) -> str:
        """The path behind the base URL, which in most kinds already ends with the version."""
        return endpoint.suffix + (f"/{endpoint.rest}" if endpoint.rest else "")

    def capabilities(self, model: str, facts: Facts = NO_FACTS) -> Capabilities:
        """What ``model`` (the name it has here) can be told; ``facts`` are the route's own word on it."""
        return capabilities(self.kind, model, (self.facts, facts), like=self.like)

    def continuing_params(self, body: Mapping[str, object]) -> dict[str, JsonValue]:
        """What must be set so that the answer goes on with the last turn; ``body`` is the client's."""
        return {}

    def auth_headers(self) -> list[tuple[str, str]]:
        """The real credentials, for the bytes that leave and nothing else; empty without a key."""
        return [] if self.key is None else self._credentials(self.key.get_secret_value())

    def placeholder_headers(self) -> list[tuple[str, str]]:
        """The same headers with the variable's name in place of the key: what flows, records and exports show."""
        return [] if self.key is None else self._credentials(f"<{self.key_name}>")

    def _credentials(self, key: str) -> list[tuple[str, str]]:
        return [("authorization", f"Bearer {key}")]

    def request_headers(self, client_headers: Sequence[tuple[str, str]], *, dialect: Dialect) -> list[tuple[str, str]]:
        """What the provider is told on a recognised call, without our credentials, ``host``, ``content-length``."""
        if not self.external:
            return headers.for_local(client_headers, own_key=self.key is not None)
        allowed = {name.lower() for name in self.attribution_fields.values()}
        sent = headers.for_external(
            client_headers, dialect=dialect, spoken=self.dialects, also=allowed, defaults=self.attribution
        )
        return [*sent, *self.account]
