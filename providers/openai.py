"""OpenAI: chat completions and responses, a bearer token, and who pays when a key belongs to several organisations."""

from typing import ClassVar

from providers.provider import Provider
from providers.wire.endpoints import Dialect


class OpenAI(Provider):
    """api.openai.com, or what its SDK would take as ``base_url`` (with ``/v1``)."""

    __slots__ = ()
    kind: ClassVar[str] = "openai"
    price_list: ClassVar[str | None] = "openai"
    default_base_url: ClassVar[str] = "https://api.openai.com/v1"
    default_key_name: ClassVar[str] = "OPENAI_API_KEY"
    needs_key: ClassVar[bool] = True
    default_dialects: ClassVar[frozenset[Dialect]] = frozenset((Dialect.CHAT, Dialect.RESPONSES))
    account_fields: ClassVar[dict[str, str]] = {"organization": "OpenAI-Organization", "project": "OpenAI-Project"}
