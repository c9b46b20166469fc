"""The shape of ``registry.yaml`` as pydantic models; ``registry.schema.json`` is made from them.

Only shape is judged here. What takes the environment or another entry to judge (a key that is set, a provider that
exists) is judged by the code that puts the registry together.
"""

import json
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from providers.kinds import KINDS
from providers.pool.balance import Balance
from providers.pool.stickiness import Sticky
from providers.registry_entry import PLAIN_NAME, DeadlineEntry, Entry
from providers.registry_price import PriceEntry
from providers.registry_quirks import ProviderQuirksEntry
from providers.registry_routes import ModelEntry
from providers.settings import Settings


class EndpointEntry(Entry):
    """One of several servers that are the same."""

    base_url: str = Field(description="as a provider's")
    weight: int = Field(default=1, ge=1, le=1000, description="its share of the calls, beside the others' weights")


class ProviderEntry(Entry):
    """One upstream."""

    kind: str | None = Field(
        default=None,
        description="which kind of server it is; the built-in names know theirs",
        json_schema_extra={"anyOf": [{"enum": [*KINDS]}, {"type": "null"}]},
    )
    base_url: str | None = Field(default=None, description="with /v1 for OpenAI-like servers, without for Anthropic's")
    endpoints: list[EndpointEntry] | None = Field(
        default=None, min_length=1, description="instead of base_url: several servers with the same models and one key"
    )
    balance: Balance | None = Field(default=None, description="which endpoint is next: by turns, or the least busy")
    sticky: Sticky | None = Field(
        default=None, description="calls that belong together go to one endpoint, whose cache knows their prompt"
    )
    max_in_flight: int | None = Field(default=None, ge=1, description="calls at once at each endpoint; no limit")
    max_queued: int | None = Field(default=None, ge=0, description="calls that wait for each endpoint beyond that; 0")
    api_key: str | None = Field(default=None, description="a reference to a variable, never the key: ${NAME}")
    dialects: list[Literal["chat", "messages", "responses"]] | None = Field(
        default=None, min_length=1, description="what it speaks, if not what its kind speaks"
    )
    models: list[str] | None = Field(default=None, description="listed for it, also where it lists none itself")
    deadlines: DeadlineEntry | None = None
    quirks: ProviderQuirksEntry | None = Field(
        default=None, description="corrections to what is known of its models, for translated requests"
    )
    price: PriceEntry | None = Field(
        default=None, description="what its tokens cost, unless a route says otherwise; free for hardware of one's own"
    )
    organization: str | None = Field(default=None, description="kind openai: the OpenAI-Organization header")
    project: str | None = Field(default=None, description="kind openai: the OpenAI-Project header")
    referer: str | None = Field(default=None, description="kind openrouter: HTTP-Referer, unless the client sends one")
    title: str | None = Field(default=None, description="kind openrouter: X-Title, unless the client sends one")

    @model_validator(mode="after")
    def _one_address_or_several(self) -> "ProviderEntry":
        if self.endpoints is not None and self.base_url is not None:
            raise ValueError("has base_url and endpoints: write the address into endpoints, too")
        for name, value, needed in (
            ("balance", self.balance, "endpoints"),
            ("sticky", self.sticky, "endpoints"),
            ("max_queued", self.max_queued, "max_in_flight"),
        ):
            if value is not None and needed not in self.model_fields_set:
                raise ValueError(f"has {name}, which means nothing without {needed}")
        return self


_SECTIONS = ("providers", "models", "settings")


def _sections_may_be_empty(schema: JsonDict) -> None:
    properties = schema["properties"]
    if isinstance(properties, dict):
        for name in _SECTIONS:
            properties[name] = {"anyOf": [properties[name], {"type": "null"}]}


class RegistryFile(Entry):
    """The whole of registry.yaml. A section without entries (all of them comments) is the same as none."""

    model_config = ConfigDict(json_schema_extra=_sections_may_be_empty)

    default_provider: str | None = Field(
        default=None, description="who answers an unmatched, missing or empty model; local"
    )
    providers: dict[Annotated[str, Field(pattern=PLAIN_NAME)], ProviderEntry] = Field(default={})
    models: dict[str, ModelEntry] = Field(default={}, description="alias or pattern (* ? [..]) → where it leads")
    settings: Settings = Settings()

    @model_validator(mode="before")
    @classmethod
    def _without_empty_sections(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: part for name, part in value.items() if part is not None or name not in _SECTIONS}


def schema_text() -> str:
    """Return the text of ``registry.schema.json``."""
    schema = RegistryFile.model_json_schema()
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Patchbay registry"}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
