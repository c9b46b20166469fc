"""What a provider's model can be told, as facts: a builder asks here and never for a provider's name (specs 1.6).

The defaults are those of an unknown server that speaks OpenAI's Chat as most do; a kind of provider, the registry and a
model override them.
"""

from dataclasses import dataclass

ANY_ID = r"[\s\S]+"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The facts of one target.

    ``token_limit``        the field that bounds the answer: max_tokens (most servers) or max_completion_tokens (OpenAI)
    ``default_max_tokens`` what Anthropic is told where the client sets no bound; it wants one
    ``temperature_max``    larger values are cut to it
    ``temperature`` ``top_p`` ``top_k``  whether the sampling parameter is accepted
    ``stop_most``          how many stop sequences are accepted, 0 for none
    ``system_role``        what a leading instruction is called in Chat: system or developer
    ``mid_system``         whether a system message may stand between turns
    ``prefill``            whether a trailing assistant message is continued
    ``effort``             the reasoning efforts that are accepted, lowest first; empty: none is sent
    ``adaptive_thinking``  whether the model knows Anthropic's ``thinking: adaptive`` and ``output_config.effort``
    ``thinking_disabled``  whether ``thinking: disabled`` is accepted; else the lowest effort is asked for
    ``reasoning_back``     the field in which earlier reasoning is sent back in Chat: reasoning_content, reasoning, ""
    ``reasoning_details``  whether OpenRouter's list is understood too
    ``signatures``         the format of signatures that this target made itself and accepts, "" for none
    ``tool_id`` ``tool_id_length``  what a tool call's id must match, and its greatest length
    ``tool_name_length``   the longest tool name
    ``cache_marks``        anthropic (cache_control on parts), openai (prompt_cache_breakpoint), "" (none)
    ``structured``         json_schema, json_object or "" : the best output format that is kept to
    ``image_urls``         whether it downloads images and files itself; where not, we do, and send them inline
    ``include_usage``      whether stream_options.include_usage is understood
    ``openai_extras``      whether OpenAI's own newer fields are accepted (safety_identifier, prompt_cache_key, …)
    ``completions``        whether OpenAI's older text completions are answered too; where not, they become chat
    """

    token_limit: str = "max_tokens"
    default_max_tokens: int = 8192
    temperature_max: float = 2.0
    temperature: bool = True
    top_p: bool = True
    top_k: bool = True
    stop_most: int = 4
    system_role: str = "system"
    mid_system: bool = True
    prefill: bool = False
    effort: tuple[str, ...] = ("low", "medium", "high")
    adaptive_thinking: bool = False
    thinking_disabled: bool = True
    reasoning_back: str = "reasoning_content"
    reasoning_details: bool = False
    signatures: str = ""
    tool_id: str = ANY_ID
    tool_id_length: int = 64
    tool_name_length: int = 64
    cache_marks: str = ""
    structured: str = "json_schema"
    image_urls: bool = False
    include_usage: bool = True
    openai_extras: bool = False
    completions: bool = True
