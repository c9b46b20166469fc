"""The corrections that ``registry.yaml`` may make to what is known of a provider's models."""

import re
from typing import Annotated, Literal, cast, get_args

from pydantic import AfterValidator, Field

from providers.model_facts import Facts
from providers.registry_entry import Entry

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


class QuirksEntry(Entry):
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
    accepts_image_urls: bool | None = Field(
        default=None, description="it downloads images and files itself; false: Patchbay does, and sends them inline"
    )
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
