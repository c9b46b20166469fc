"""Counting a prompt's tokens: ``messages/count_tokens`` and ``responses/input_tokens`` (specs: translation, 11).

A request to count is a request to answer with some fields left out; the answer is one number.
"""

from providers.wire.endpoints import Operation
from providers.wire.events import Event, Usage
from providers.wire.values import raw_json

# What the counting endpoints take by the SDKs' types (anthropic 2.11, openai 3.52, 2026-11-20); more is an error there.
_TAKEN: dict[Operation, frozenset[str]] = {
    Operation.COUNT_TOKENS: frozenset(
        "messages model cache_control output_config speed system thinking tool_choice tools".split()
    ),
    Operation.INPUT_TOKENS: frozenset(
        "conversation input instructions model parallel_tool_calls personality previous_response_id reasoning text "
        "tool_choice tools truncation".split()
    ),
}
COUNTING = frozenset(_TAKEN)


def countable(operation: Operation, body: dict[str, object]) -> dict[str, object]:
    """The part of a request's body that its counting endpoint takes."""
    taken = _TAKEN[operation]
    return {name: value for name, value in body.items() if name in taken}


def count_body(operation: Operation, tokens: int) -> bytes:
    """The answer to the client of ``operation``."""
    kind = {"object": "response.input_tokens"} if operation is Operation.INPUT_TOKENS else {}
    return raw_json({**kind, "input_tokens": tokens}).encode()


class CountWriter:
    """Writes a count as the client's endpoint answers it; a provider that gave no number is answered for with 0."""

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self._tokens = 0

    def write(self, event: Event) -> bytes:
        """Take the number; an answer of one number has nothing to send before its end."""
        if isinstance(event, Usage) and event.input is not None:
            self._tokens = event.input
        return b""

    def close(self) -> bytes:
        """The whole answer."""
        return count_body(self._operation, self._tokens)
