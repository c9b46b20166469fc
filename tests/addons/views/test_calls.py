"""Which call a path is, under any provider's base."""

import pytest

from addons.views.calls import operation_of
from providers.wire.endpoints import Operation

PATHS: dict[str, Operation | None] = {
    "/v1/chat/completions": Operation.CHAT,
    "/chat/completions": Operation.CHAT,
    "/openai/v1/chat/completions?x=1": Operation.CHAT,
    "/openrouter/api/v1/chat/completions": Operation.CHAT,
    "/v1beta/openai/chat/completions": Operation.CHAT,
    "/openai/deployments/gpt/chat/completions": Operation.CHAT,
    "/v1/completions": Operation.COMPLETIONS,
    "/anthropic/v1/messages": Operation.MESSAGES,
    "/anthropic/v1/messages/count_tokens": Operation.COUNT_TOKENS,
    "/openai/v1/responses": Operation.RESPONSES,
    "/v1/responses/input_tokens": Operation.INPUT_TOKENS,
    "/v1/embeddings": None,
    "/v1/rerank": None,
    "/v1/messages/batches": None,
    "/inbox/messages": None,
    "/props": None,
    "/": None,
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path(path: str) -> None:
    assert operation_of("POST", path) is PATHS[path]


def test_only_a_post_asks() -> None:
    assert operation_of("GET", "/v1/chat/completions") is None
    assert operation_of("GET", "/v1/models") is None
