"""The names are those of the conventions that are installed."""

import pytest
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes as conventions
from opentelemetry.semconv.attributes import error_attributes, http_attributes

from addons.telemetry import genai_names as names

SAME = {
    "OPERATION": conventions.GEN_AI_OPERATION_NAME,
    "PROVIDER": conventions.GEN_AI_PROVIDER_NAME,
    "CONVERSATION": conventions.GEN_AI_CONVERSATION_ID,
    "REQUEST_MODEL": conventions.GEN_AI_REQUEST_MODEL,
    "REQUEST_STREAM": conventions.GEN_AI_REQUEST_STREAM,
    "FINISH_REASONS": conventions.GEN_AI_RESPONSE_FINISH_REASONS,
    "TIME_TO_FIRST_CHUNK": conventions.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK,
    "INPUT_TOKENS": conventions.GEN_AI_USAGE_INPUT_TOKENS,
    "OUTPUT_TOKENS": conventions.GEN_AI_USAGE_OUTPUT_TOKENS,
    "CACHE_READ_TOKENS": conventions.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
    "CACHE_WRITE_TOKENS": conventions.GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS,
    "REASONING_TOKENS": conventions.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
    "INPUT_MESSAGES": conventions.GEN_AI_INPUT_MESSAGES,
    "OUTPUT_MESSAGES": conventions.GEN_AI_OUTPUT_MESSAGES,
    "ERROR_TYPE": error_attributes.ERROR_TYPE,
    "STATUS_CODE": http_attributes.HTTP_RESPONSE_STATUS_CODE,
}


@pytest.mark.parametrize("name", sorted(name for name in vars(names) if name.isupper() and name[0] != "_"))
def test_each_name_is_the_conventions(name: str) -> None:
    assert getattr(names, name) == SAME[name]


@pytest.mark.parametrize(
    ("operation", "word"),
    [("chat", "chat"), ("messages", "chat"), ("responses", "chat"), ("completions", "text_completion")],
)
def test_operations(operation: str, word: str) -> None:
    assert names.operation_name(operation) == word
    assert word in {each.value for each in conventions.GenAiOperationNameValues}


def test_an_operation_without_a_word_keeps_ours() -> None:
    assert names.operation_name("rerank") == "rerank"


@pytest.mark.parametrize(
    ("provider", "kind", "word"),
    [
        ("mine", "anthropic", "anthropic"),
        ("local", "llamacpp", "llama.cpp"),
        ("local", "", "llama.cpp"),
        ("mistral", "compatible", "mistral_ai"),
        ("groq", "compatible", "groq"),
        ("acme", "compatible", "acme"),
    ],
)
def test_providers(provider: str, kind: str, word: str) -> None:
    assert names.provider_name(provider, kind) == word
