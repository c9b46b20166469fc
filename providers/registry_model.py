"""The shape of ``registry.yaml`` as pydantic models; ``registry.schema.json`` is made from them.

Only shape is judged here. What takes the environment or another entry to judge (a key that is set, a provider that
exists) is judged by the code that puts the registry together.
"""

import json
import math
import re
from typing import Annotated, Any, Literal, cast, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic.config import JsonDict

from providers.kinds import KINDS
from providers.model_facts import Facts
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


_ACCEPTS = "accepts_"
Server = Literal[
    "llamacpp", "anthropic", "openai", "openrouter", "cerebras", "deepseek", "groq", "mistral", "moonshot", "ollama",
    "together", "vllm", "xai", "zai",
]  # fmt: skip
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from error
    return text


class QuirksEntry(_Entry):
    """What a model can be told in a translated request, where the built-in table is wrong about it."""

    token_limit: Literal["max_tokens", "max_completion_tokens"] | None = Field(
        default=None, description="the field that bounds an answer in chat"
    )
    default_max_tokens: int | None = Field(
        default=None, ge=1, description="the bound in messages where the client sets none, in tokens"
    )
    temperature_max: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="larger temperatures are cut to it"
    )
    accepts_temperature: bool | None = None
    accepts_top_p: bool | None = None
    accepts_top_k: bool | None = None
    stop_most: int | None = Field(default=None, ge=0, description="how many stop sequences it takes; 0: none")
    system_role: Literal["system", "developer"] | None = Field(
        default=None, description="the role of leading instructions in chat"
    )
    accepts_mid_system: bool | None = Field(default=None, description="a system message between the turns")
    accepts_prefill: bool | None = Field(default=None, description="a trailing assistant message is continued")
    effort: list[Effort] | None = Field(default=None, description="the reasoning efforts it knows; []: none is sent")
    accepts_adaptive_thinking: bool | None = Field(default=None, description="messages: thinking adaptive and effort")
    accepts_thinking_disabled: bool | None = Field(default=None, description="messages: thinking disabled")
    reasoning_back: Literal["reasoning_content", "reasoning", ""] | None = Field(
        default=None, description="the chat field for the reasoning of earlier turns; '': none is sent"
    )
    accepts_reasoning_details: bool | None = Field(default=None, description="chat: OpenRouter's reasoning_details")
    signatures: str | None = Field(
        default=None, description="the format of signed reasoning that it made itself, such as anthropic-claude-v1"
    )
    tool_id: Annotated[str, AfterValidator(_pattern)] | None = Field(
        default=None, description="what a tool call's whole id must match"
    )
    tool_id_length: int | None = Field(default=None, ge=9, description="the longest id of a tool call")
    tool_name_length: int | None = Field(default=None, ge=64, description="the longest name of a tool")
    cache_marks: Literal["anthropic", "openai", ""] | None = Field(
        default=None, description="how parts of the prompt are marked for its cache; '': not at all"
    )
    structured: Literal["json_schema", "json_object", ""] | None = Field(
        default=None, description="the best output format that it keeps to"
    )
    accepts_image_urls: bool | None = Field(default=None, description="it fetches images by itself")
    accepts_include_usage: bool | None = Field(default=None, description="chat: stream_options.include_usage")
    accepts_openai_extras: bool | None = Field(
        default=None, description="OpenAI's newer fields: safety_identifier, prompt_cache_key, …"
    )
    accepts_completions: bool | None = Field(
        default=None, description="it answers OpenAI's older text completions; false: they are asked as chat"
    )

    def facts(self) -> Facts:
        """What is given here, under the names of `Capabilities`."""
        given = self.model_dump(exclude_none=True, exclude={"like"})
        made = {name.removeprefix(_ACCEPTS): value for name, value in given.items()}
        if "effort" in made:
            made["effort"] = tuple(effort for effort in get_args(Effort) if effort in made["effort"])
        return cast(Facts, made)


class ProviderQuirksEntry(QuirksEntry):
    """The same for all models of a provider."""

    like: Server | None = Field(
        default=None, description="whose row of the built-in table fits; a compatible provider of such a name has it"
    )


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
    quirks: ProviderQuirksEntry | None = Field(
        default=None, description="corrections to what is known of its models, for translated requests"
    )
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
    quirks: QuirksEntry | None = Field(default=None, description="as a provider's, for this route alone")

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
