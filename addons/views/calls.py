"""Which LLM call a flow shows, by what it says itself: also for a flow out of a file, from wherever it came.

A provider's path stands under any base (``/openai/v1/chat/completions``), so the path's end decides; behind no version
it counts only where it is all of the path.
"""

import re

from providers.wire.endpoints import Operation, endpoint_of

_BASED = re.compile(
    r".*(?:/v\d+\w*(?:/openai)?|/api|/openai(?:/deployments/[^/]+)?)"
    r"(/(?:chat/completions|completions|embeddings|rerank|reranking"
    r"|messages|messages/count_tokens|responses|responses/input_tokens))"
)
# What people say to a model; a list of vectors is better read as what it is.
SPOKEN = frozenset(
    (
        Operation.CHAT,
        Operation.COMPLETIONS,
        Operation.MESSAGES,
        Operation.COUNT_TOKENS,
        Operation.RESPONSES,
        Operation.INPUT_TOKENS,
    )
)


def operation_of(method: str, path: str) -> Operation | None:
    """Say what ``method path`` asks a model for, None for anything else."""
    bare = path.partition("?")[0]
    based = _BASED.fullmatch(bare)
    endpoint = endpoint_of(method, f"/v1{based[1]}" if based else bare)
    return endpoint.operation if endpoint is not None and endpoint.operation in SPOKEN else None
