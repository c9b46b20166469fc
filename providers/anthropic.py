"""Anthropic: the messages dialect, the key in ``x-api-key``, a base URL without version."""

from typing import ClassVar

from providers.provider import Provider
from providers.quirks import Quirks
from providers.wire.endpoints import Dialect, Endpoint


class Anthropic(Provider):
    """api.anthropic.com, or what its SDK would take as ``base_url`` (without ``/v1``)."""

    __slots__ = ()
    kind: ClassVar[str] = "anthropic"
    price_list: ClassVar[str | None] = "anthropic"
    default_base_url: ClassVar[str] = "https://api.anthropic.com"
    default_key_name: ClassVar[str] = "ANTHROPIC_API_KEY"
    needs_key: ClassVar[bool] = True
    default_dialects: ClassVar[frozenset[Dialect]] = frozenset((Dialect.MESSAGES,))
    quirks: ClassVar[Quirks] = Quirks(models_query="limit=1000")
    surplus_prefix: ClassVar[str] = "/v1"

    def path_for(self, endpoint: Endpoint) -> str:
        """Always under ``/v1``, whatever the client wrote."""
        return "/v1" + Provider.path_for(self, endpoint)

    def _credentials(self, key: str) -> list[tuple[str, str]]:
        return [("x-api-key", key)]
