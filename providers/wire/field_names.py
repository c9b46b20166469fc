"""What a neutral request field is called by the client: notes and refusals speak of the client's own fields."""

from providers.wire.endpoints import Dialect

# Neutral name → its name in chat, messages and responses, where one differs. A missing dialect uses the neutral name.
_NAMES: dict[str, dict[Dialect, str]] = {
    "turns": {Dialect.CHAT: "messages", Dialect.MESSAGES: "messages", Dialect.RESPONSES: "input"},
    "system": {Dialect.CHAT: "messages", Dialect.RESPONSES: "instructions"},
    "max_tokens": {Dialect.RESPONSES: "max_output_tokens"},
    "stop": {Dialect.MESSAGES: "stop_sequences"},
    "output": {
        Dialect.CHAT: "response_format",
        Dialect.MESSAGES: "output_config.format",
        Dialect.RESPONSES: "text.format",
    },
    "reasoning": {Dialect.CHAT: "reasoning_effort", Dialect.MESSAGES: "thinking"},
    "reasoning.effort": {Dialect.CHAT: "reasoning_effort", Dialect.MESSAGES: "output_config.effort"},
    "reasoning.budget": {
        Dialect.CHAT: "reasoning.max_tokens",
        Dialect.MESSAGES: "thinking.budget_tokens",
        Dialect.RESPONSES: "reasoning",
    },
    "reasoning.mode": {Dialect.CHAT: "reasoning", Dialect.MESSAGES: "thinking.type", Dialect.RESPONSES: "reasoning"},
    "reasoning.summary": {Dialect.CHAT: "reasoning", Dialect.MESSAGES: "thinking.display"},
    "parallel_tool_calls": {Dialect.MESSAGES: "tool_choice.disable_parallel_tool_use"},
    "include_usage": {Dialect.CHAT: "stream_options.include_usage"},
    "legacy_functions": {Dialect.CHAT: "functions"},
    "user": {Dialect.MESSAGES: "metadata.user_id", Dialect.RESPONSES: "safety_identifier"},
    "session": {
        Dialect.CHAT: "prompt_cache_key",
        Dialect.MESSAGES: "metadata.user_id",
        Dialect.RESPONSES: "prompt_cache_key",
    },
    "cache": {
        Dialect.CHAT: "prompt_cache_breakpoint",
        Dialect.MESSAGES: "cache_control",
        Dialect.RESPONSES: "prompt_cache_breakpoint",
    },
}


def field_name(dialect: Dialect, neutral_name: str) -> str:
    """The client's name of a field of `neutral.Request`; what has the same name everywhere is given back."""
    return _NAMES.get(neutral_name, {}).get(dialect, neutral_name)
