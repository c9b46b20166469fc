"""The table of readers."""

import pytest

from providers.wire import readers
from providers.wire.endpoints import Operation
from providers.wire.readers import reader_for


def test_every_operation_has_its_readers() -> None:
    assert readers._READERS.keys() == set(Operation)


@pytest.mark.parametrize(
    ("operation", "stream", "name"),
    [
        (Operation.CHAT, True, "ChatStreamReader"),
        (Operation.CHAT, False, "ChatBodyReader"),
        (Operation.COMPLETIONS, True, "CompletionsStreamReader"),
        (Operation.MESSAGES, True, "MessagesStreamReader"),
        (Operation.COUNT_TOKENS, True, "TokenCountReader"),
        (Operation.RESPONSES, False, "ResponsesBodyReader"),
        (Operation.RERANK, False, "RerankBodyReader"),
    ],
)
def test_reader_for(operation: Operation, stream: bool, name: str) -> None:
    reader = reader_for(operation, stream)
    assert type(reader).__name__ == name
    assert reader is not reader_for(operation, stream)
