"""The shape of ``registry.yaml`` as pydantic models; ``registry.schema.json`` is made from them.

Only shape is judged here. What takes the environment or another entry to judge (a key that is set, a provider that
exists) is judged by the code that puts the registry together.
"""

import json
import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic.config import JsonDict

from providers.kinds import KINDS
from providers.provider import Deadlines
from providers.settings import Settings

# Set by the route itself, so a parameter of these names would contradict it.
_RESERVED_PARAMS = ("model", "stream")
PROVIDER_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("must be a number of seconds")
    return value


Seconds = Annotated[float, Field(gt=0), AfterValidator(_finite)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class DeadlineEntry(_Entry):
    """Seconds; what is not given comes from the provider, and there from its kind. `head` also sets `first_content`."""

    connect: Seconds | None = Field(default=None, description="until the connection stands")
    head: Seconds | None = Field(default=None, description="until the answer's headers are here")
    first_content: Seconds | None = Field(
        default=None, description="until a stream says something; as `head` if not given"
    )
    gap: Seconds | None = Field(default=None, description="between two pieces of an answer")
    total: Seconds | None = Field(default=None, description="for the whole call")

    def over(self, base: Deadlines) -> Deadlines:
        """Return ``base`` with what is given here."""
        given = self.model_dump(exclude_none=True)
        if "head" in given:
            given.setdefault("first_content", given["head"])
        return Deadlines(**({name: getattr(base, name) for name in Deadlines.__slots__} | given))


class ProviderEntry(_Entry):
    """One upstream."""

    kind: str | None = Field(
        default=None,
        description="which kind of server it is; the built-in names know theirs",
        json_schema_extra={"anyOf": [{"enum": [*KINDS]}, {"type": "null"}]},
    )
    base_url: str | None = Field(default=None, description="with /v1 for OpenAI-like servers, without for Anthropic's")
    api_key: str | None = Field(default=None, description="a reference to a variable, never the key: ${NAME}")
    dialects: list[Literal["chat", "messages", "responses"]] | None = Field(
        default=None, min_length=1, description="what it speaks, if not what its kind speaks"
    )
    models: list[str] | None = Field(default=None, description="listed for it, also where it lists none itself")
    deadlines: DeadlineEntry | None = None
    organization: str | None = Field(default=None, description="kind openai: the OpenAI-Organization header")
    project: str | None = Field(default=None, description="kind openai: the OpenAI-Project header")
    referer: str | None = Field(default=None, description="kind openrouter: HTTP-Referer, unless the client sends one")
    title: str | None = Field(default=None, description="kind openrouter: X-Title, unless the client sends one")


def _string_or_object(schema: JsonDict) -> None:
    """A bare ``provider/model`` stands for ``{target: provider/model}``."""
    inner = dict(schema)
    schema.clear()
    schema["anyOf"] = [{"type": "string"}, inner]


class ModelEntry(_Entry):
    """Where a name or a pattern leads."""

    model_config = ConfigDict(json_schema_extra=_string_or_object)

    target: str = Field(min_length=1, description="provider/model, a provider alone (name unchanged), or an alias")
    params: dict[str, JsonValue] = Field(default={}, description="set in the request's body, replacing the client's")
    deadlines: DeadlineEntry | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"target": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _without_reserved(self) -> "ModelEntry":
        for name in _RESERVED_PARAMS:
            if name in self.params:
                raise ValueError(f"params cannot hold {name!r}: the route or the client sets it")
        return self


_SECTIONS = ("providers", "models", "settings")


def _sections_may_be_empty(schema: JsonDict) -> None:
    properties = schema["properties"]
    if isinstance(properties, dict):
        for name in _SECTIONS:
            properties[name] = {"anyOf": [properties[name], {"type": "null"}]}


class RegistryFile(_Entry):
    """The whole of registry.yaml. A section without entries (all of them comments) is the same as none."""

    model_config = ConfigDict(json_schema_extra=_sections_may_be_empty)

    default_provider: str | None = Field(
        default=None, description="who answers an unmatched, missing or empty model; local"
    )
    providers: dict[Annotated[str, Field(pattern=PROVIDER_NAME)], ProviderEntry] = Field(default={})
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
