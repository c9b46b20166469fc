"""What a path asks for."""

import pytest

from providers.wire.endpoints import Dialect, Endpoint, Operation, dialect_of, endpoint_of

CALLS = {
    "/chat/completions": (Dialect.CHAT, Operation.CHAT),
    "/completions": (Dialect.CHAT, Operation.COMPLETIONS),
    "/embeddings": (Dialect.CHAT, Operation.EMBEDDINGS),
    "/rerank": (Dialect.CHAT, Operation.RERANK),
    "/reranking": (Dialect.CHAT, Operation.RERANK),
    "/responses": (Dialect.RESPONSES, Operation.RESPONSES),
    "/responses/input_tokens": (Dialect.RESPONSES, Operation.INPUT_TOKENS),
    "/messages": (Dialect.MESSAGES, Operation.MESSAGES),
    "/messages/count_tokens": (Dialect.MESSAGES, Operation.COUNT_TOKENS),
}
PREFIXES = ("", "/v1", "/api/v1")


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("suffix", CALLS)
@pytest.mark.parametrize("query", ["", "?beta=true", "?a=/v1/models"])
def test_a_call_under_every_prefix(prefix: str, suffix: str, query: str) -> None:
    dialect, operation = CALLS[suffix]
    assert endpoint_of("POST", prefix + suffix + query) == Endpoint(dialect, operation, suffix, prefix)
    assert dialect_of(prefix + suffix + query) is dialect


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("rest", ["", "gpt-5", "vendor/model:free", "a/messages"])
def test_models_with_or_without_an_id(prefix: str, method: str, rest: str) -> None:
    path = f"{prefix}/models/{rest}" if rest else f"{prefix}/models"
    assert endpoint_of(method, path) == Endpoint(Dialect.CHAT, Operation.MODELS, "/models", prefix, rest)
    assert dialect_of(path) is Dialect.CHAT


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/v1"),
        ("GET", ""),
        ("OPTIONS", "*"),
        ("GET", "/v1/chat/completions"),
        ("OPTIONS", "/v1/messages"),
        ("post", "/v1/messages"),
        ("POST", "/models"),
        ("DELETE", "/v1/models/x"),
        ("GET", "/modelsx"),
        ("POST", "/v1/messages/batches"),
        ("POST", "/v1/v1/messages"),
        ("POST", "/v2/messages"),
        ("POST", "/completion"),
        ("GET", "/v1/responses/resp_1"),
    ],
)
def test_everything_else_is_the_local_servers(method: str, path: str) -> None:
    assert endpoint_of(method, path) is None


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("/", Dialect.CHAT),
        ("/v1/messages/batches", Dialect.MESSAGES),
        ("/v1/messages/", Dialect.MESSAGES),
        ("/anthropic/v1/messages", Dialect.MESSAGES),
        ("/v1/v1/messages?x", Dialect.MESSAGES),
        ("/v1/messagesx", Dialect.CHAT),
        ("/v1/responses/resp_1/cancel", Dialect.RESPONSES),
        ("/v1/threads/t/messages", Dialect.CHAT),
        ("/props?next=/v1/messages", Dialect.CHAT),
    ],
)
def test_every_path_has_a_dialect_for_errors(path: str, dialect: Dialect) -> None:
    assert dialect_of(path) is dialect
