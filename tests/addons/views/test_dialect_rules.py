"""What an edit made wrong, and what was so before."""

import pytest

from addons.views.dialect_rules import Wrong, wrong_in
from providers.wire.endpoints import Operation

GOOD: dict[Operation, dict[str, object]] = {
    Operation.CHAT: {"model": "m", "messages": [{"role": "user", "content": "hi"}]},
    Operation.MESSAGES: {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]},
    Operation.COUNT_TOKENS: {"model": "m", "messages": [{"role": "user", "content": "hi"}]},
    Operation.RESPONSES: {"model": "m", "input": [{"role": "user", "content": "hi"}, {"type": "reasoning"}]},
    Operation.INPUT_TOKENS: {"model": "m", "input": "hi"},
    Operation.COMPLETIONS: {"model": "m", "prompt": "hi", "echo": True},
}
WRONG: list[tuple[Operation, dict[str, object], tuple[str | int, ...], str]] = [
    (Operation.CHAT, {"stream": "yes"}, ("stream",), "must be true or false"),
    (Operation.CHAT, {"temperature": "hot"}, ("temperature",), "must be a number"),
    (Operation.CHAT, {"max_tokens": True}, ("max_tokens",), "must be a whole number"),
    (Operation.CHAT, {"max_tokens": -1}, ("max_tokens",), "must be a whole number"),
    (Operation.CHAT, {"tools": [1]}, ("tools",), "must be a list of objects"),
    (Operation.CHAT, {"messages": "hi"}, ("messages",), "must be a list of objects"),
    (Operation.MESSAGES, {"stop_sequences": "x"}, ("stop_sequences",), "must be a list"),
    (Operation.MESSAGES, {"system": 5}, ("system",), "must be a text or a list"),
    (Operation.RESPONSES, {"input": {}}, ("input",), "must be a text or a list"),
    (Operation.CHAT, {"messages": [{"role": "user", "content": [{"type": 5}]}]}, ("messages", 0, "content", 0, "type"),
     "this field is required, and is a text"),
]  # fmt: skip


@pytest.mark.parametrize("operation", GOOD)
def test_what_is_good(operation: Operation) -> None:
    assert wrong_in(operation, GOOD[operation], GOOD[operation]) is None
    absent = {**GOOD[operation], "temperature": None, "max_tokens": None}
    assert wrong_in(operation, absent, GOOD[operation]) is None


@pytest.mark.parametrize(("operation", "change", "path", "message"), WRONG)
def test_what_is_wrong(
    operation: Operation, change: dict[str, object], path: tuple[str | int, ...], message: str
) -> None:
    body = {**GOOD[operation], **change}
    assert wrong_in(operation, body, GOOD[operation]) == Wrong(path, message)
    assert wrong_in(operation, body, body) is None


def test_the_parsers_word_counts() -> None:
    """What no table holds, the dialect's own parser knows."""
    body = {**GOOD[Operation.RESPONSES], "text": {"format": {"type": "poem"}}}
    wrong = wrong_in(Operation.RESPONSES, body, GOOD[Operation.RESPONSES])
    assert wrong is not None
    assert wrong.path == ("text", "format")
    assert wrong.message.startswith("text.format.type must be one of ")


@pytest.mark.parametrize("operation", GOOD)
@pytest.mark.parametrize("turns", [[1], ["x"], [[]], [None], [{"role": 7}], [{"role": "user", "content": {}}]])
def test_no_shape_raises(operation: Operation, turns: list[object]) -> None:
    name = "input" if "input" in GOOD[operation] else "messages"
    wrong_in(operation, {**GOOD[operation], name: turns}, GOOD[operation])
