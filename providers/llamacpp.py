"""llama-server: all three dialects if it is new, slow first tokens, usually no key. ``local`` is not external."""

from typing import ClassVar

from providers.provider import LOCAL, Deadlines, Provider
from providers.wire.endpoints import Dialect, Endpoint


class LlamaCpp(Provider):
    """A llama-server. Ten minutes for the head: it is silent while it loads a model or reads a long prompt."""

    __slots__ = ()
    kind: ClassVar[str] = "llamacpp"
    default_base_url: ClassVar[str] = "http://127.0.0.1:8080"
    default_dialects: ClassVar[frozenset[Dialect]] = frozenset(Dialect)
    # A server of July 2025 has neither responses (its issue 14702) nor messages (its pull request 17570, of November).
    recent_dialects: ClassVar[frozenset[Dialect]] = frozenset((Dialect.MESSAGES, Dialect.RESPONSES))
    default_deadlines: ClassVar[Deadlines] = Deadlines(head=600.0, first_content=600.0)
    surplus_prefix: ClassVar[str] = "/v1"

    @property
    def external(self) -> bool:
        """Only the local one is trusted with what the client sent; one elsewhere is a provider like others."""
        return self.name != LOCAL

    def path_for(self, endpoint: Endpoint) -> str:
        """As the client wrote it (llama-server knows bare paths too); OpenRouter's ``/api/v1`` it does not know."""
        prefix = "/v1" if endpoint.prefix == "/api/v1" else endpoint.prefix
        return prefix + Provider.path_for(self, endpoint)
