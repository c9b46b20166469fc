"""The names of OpenTelemetry's semantic conventions for generative AI, as far as Patchbay's spans use them.

They still change between releases, so they stand here alone (conventions 1.38, read 2026-11-21; a test holds them
against the installed ``opentelemetry-semantic-conventions``). What the conventions have no word for is under
``patchbay.``.
"""

from typing import Final

OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
CONVERSATION: Final = "gen_ai.conversation.id"
REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_STREAM: Final = "gen_ai.request.stream"
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
TIME_TO_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"  # seconds
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
CACHE_READ_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE_TOKENS: Final = "gen_ai.usage.cache_creation.input_tokens"
REASONING_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
# Of the general conventions.
ERROR_TYPE: Final = "error.type"
STATUS_CODE: Final = "http.response.status_code"

# Our operation → the conventions' word for it; what is not here has none, and keeps ours.
_OPERATIONS = {
    "chat": "chat",
    "messages": "chat",
    "responses": "chat",
    "completions": "text_completion",
}
# A provider's name or kind as people write it → the conventions' word; every other one keeps its own name.
_PROVIDERS = {
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "xai": "x_ai",
    "llamacpp": "llama.cpp",
    "local": "llama.cpp",
}


def operation_name(operation: str) -> str:
    """Return the conventions' word for one of our operations."""
    return _OPERATIONS.get(operation, operation)


def provider_name(provider: str, kind: str = "") -> str:
    """Return the conventions' word for a provider: its kind says who it is, unless it is compatible with somebody."""
    who = provider if kind in ("", "compatible") else kind
    return _PROVIDERS.get(who, who)
