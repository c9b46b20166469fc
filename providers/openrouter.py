"""OpenRouter: many vendors' models under ``vendor/model``, all three dialects, attribution by two headers.

Messages and responses: https://openrouter.ai/docs/api/api-reference (read 2026-11-20).
"""

from typing import ClassVar

from providers.provider import Provider
from providers.quirks import Quirks
from providers.wire.endpoints import Dialect


class OpenRouter(Provider):
    """openrouter.ai (base URL with ``/v1``); two headers say who calls, and the client's own win."""

    __slots__ = ()
    kind: ClassVar[str] = "openrouter"
    price_list: ClassVar[str | None] = "openrouter"
    default_base_url: ClassVar[str] = "https://openrouter.ai/api/v1"
    default_key_name: ClassVar[str] = "OPENROUTER_API_KEY"
    needs_key: ClassVar[bool] = True
    default_dialects: ClassVar[frozenset[Dialect]] = frozenset(Dialect)
    # Its model list is public, so a list says nothing about the key.
    quirks: ClassVar[Quirks] = Quirks(probe_path="/key")
    attribution_fields: ClassVar[dict[str, str]] = {"referer": "HTTP-Referer", "title": "X-Title"}
