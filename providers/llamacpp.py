"""llama-server: all three dialects if it is new, slow first tokens, usually no key. ``local`` is not external."""

from collections.abc import Mapping
from typing import ClassVar, cast

from pydantic import JsonValue

from providers.provider import LOCAL, Deadlines, Provider
from providers.quirks import Quirks
from providers.wire.endpoints import Dialect, Endpoint
from providers.wire.values import mapping


class LlamaCpp(Provider):
    """A llama-server. Ten minutes for the head: it is silent while it loads a model or reads a long prompt."""

    __slots__ = ()
    kind: ClassVar[str] = "llamacpp"
    default_base_url: ClassVar[str] = "http://127.0.0.1:8080"
    default_dialects: ClassVar[frozenset[Dialect]] = frozenset(Dialect)
    # A server of July 2025 has neither responses (its issue 14702) nor messages (its pull request 17570, of November).
    recent_dialects: ClassVar[frozenset[Dialect]] = frozenset((Dialect.MESSAGES, Dialect.RESPONSES))
    default_deadlines: ClassVar[Deadlines] = Deadlines(head=600.0, first_content=600.0)
    quirks: ClassVar[Quirks] = Quirks(health_path="/health", slots_path="/slots")
    surplus_prefix: ClassVar[str] = "/v1"

    @property
    def external(self) -> bool:
        """Only the local one is trusted with what the client sent; one elsewhere is a provider like others."""
        return self.name != LOCAL

    def continuing_params(self, body: Mapping[str, object]) -> dict[str, JsonValue]:
        """It goes on with a text only if it does not think.

        A server of early 2026 answers 400 "Assistant response prefill is incompatible with enable_thinking", which is
        on by default. One of October 2026 (xllamacpp 2026.10.11549, tried on 2026-11-20) takes the text either way:
        switched off, its template closes the thought as the model knows it; left on, it is closed behind the opening
        of a new one. The pieces of its streams are the rest alone, in all dialects; a plain answer, and the whole texts
        at the end of a responses stream, repeat what it was told. It refuses two assistant messages at the end.
        """
        own = cast("dict[str, JsonValue]", mapping(body.get("chat_template_kwargs")))
        return {"chat_template_kwargs": {**own, "enable_thinking": False}}

    def path_for(self, endpoint: Endpoint) -> str:
        """As the client wrote it (llama-server knows bare paths too); OpenRouter's ``/api/v1`` it does not know."""
        prefix = "/v1" if endpoint.prefix == "/api/v1" else endpoint.prefix
        return prefix + Provider.path_for(self, endpoint)
