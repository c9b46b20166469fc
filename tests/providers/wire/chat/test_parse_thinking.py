"""Reasoning that clients send back, in every carrier."""

from typing import Any

import pytest

from providers.wire.chat.parse_thinking import thinking_of
from providers.wire.neutral import Thinking

CLAUDE, OPENAI = "anthropic-claude-v1", "openai-responses-v1"


def text(index: int | None, piece: str, **more: Any) -> dict[str, Any]:
    place = {} if index is None else {"index": index}
    return {"type": "reasoning.text", "text": piece, **place, **more}


CASES: list[tuple[dict[str, Any], list[Thinking]]] = [
    ({}, []),
    ({"reasoning_content": "hm"}, [Thinking("hm")]),
    ({"reasoning": "hm"}, [Thinking("hm")]),
    # fragments as a stream had them, merged
    (
        {
            "reasoning_content": "hm",
            "reasoning_details": [
                text(0, "h", format=CLAUDE),
                text(0, "m"),
                {"type": "reasoning.text", "signature": "s", "index": 0},
                {"type": "reasoning.encrypted", "data": "e", "index": 1, "format": CLAUDE},
            ],
        },
        [Thinking("hm", "s", format=CLAUDE), Thinking(encrypted="e", format=CLAUDE, redacted=True)],
    ),
    # without an index each is one
    ({"reasoning_details": [text(None, "a"), text(None, "b")]}, [Thinking("a"), Thinking("b")]),
    # text beside a signature that has none
    (
        {"reasoning": "hm", "reasoning_details": [text(0, "", signature="s")]},
        [Thinking("hm", "s")],
    ),
    (
        {"reasoning": "hm", "reasoning_details": [{"type": "reasoning.encrypted", "data": "e"}]},
        [Thinking("hm"), Thinking(encrypted="e", redacted=True)],
    ),
    # a Responses item: a summary and its sealed form
    (
        {
            "reasoning_details": [
                {"type": "reasoning.summary", "summary": "sum", "index": 0},
                {"type": "reasoning.encrypted", "data": "e", "id": "rs", "format": OPENAI, "index": 1},
            ]
        },
        [Thinking("sum", encrypted="e", id="rs", format=OPENAI, summary=("sum",))],
    ),
    (
        {
            "reasoning_details": [
                text(0, "a", id="other"),
                {"type": "reasoning.encrypted", "data": "e", "id": "rs", "format": OPENAI, "index": 1},
            ]
        },
        [Thinking("a", id="other"), Thinking(encrypted="e", id="rs", format=OPENAI)],
    ),
    (
        {"reasoning_details": [{"type": "reasoning.encrypted", "data": "e", "id": "rs"}]},
        [Thinking(encrypted="e", id="rs")],
    ),
    # LiteLLM's blocks are Anthropic's own
    (
        {
            "thinking_blocks": [
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "redacted_thinking", "data": "e"},
                {"type": "unknown"},
                1,
            ]
        },
        [Thinking("hm", "s", format=CLAUDE), Thinking(encrypted="e", format=CLAUDE, redacted=True)],
    ),
]


@pytest.mark.parametrize(("message", "thinking"), CASES)
def test_each_carrier(message: dict[str, Any], thinking: list[Thinking]) -> None:
    assert thinking_of(message) == thinking
