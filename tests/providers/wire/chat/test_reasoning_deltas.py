"""Reasoning as plain text and as details that lose nothing."""

from providers.wire.events import Reasoning
from tests.providers.wire.chat.written import deltas, message

CLAUDE = "anthropic-claude-v1"


def test_a_signed_block() -> None:
    said = message(Reasoning("h"), Reasoning("m"), Reasoning("", 0, "s"))
    assert said["reasoning_content"] == "hm"
    assert said["reasoning_details"] == [
        {"type": "reasoning.text", "text": "hm", "format": CLAUDE, "index": 0, "signature": "s"}
    ]


def test_constants_come_once() -> None:
    first, second, _ = deltas(Reasoning("h", id="r", format="f"), Reasoning("m", id="r", format="f"))
    assert first["reasoning_details"][0].keys() == {"type", "text", "id", "format", "index"}
    assert second["reasoning_details"] == [{"type": "reasoning.text", "text": "m", "index": 0}]


def test_every_block_has_its_entry() -> None:
    said = message(
        Reasoning("a"),
        Reasoning("", 1, encrypted="e"),
        Reasoning("", 2, "s"),
        Reasoning("b", 3),
        Reasoning("", 3, encrypted="f", id="rs_1", format="openai-responses-v1"),
        signatures="",
    )
    assert said["reasoning_details"] == [
        {"type": "reasoning.text", "text": "a", "index": 0},
        {"type": "reasoning.encrypted", "data": "e", "index": 1},
        {"type": "reasoning.text", "text": "", "signature": "s", "index": 2},
        {"type": "reasoning.text", "text": "b", "index": 3},
        {"type": "reasoning.encrypted", "id": "rs_1", "format": "openai-responses-v1", "data": "f", "index": 4},
    ]
    assert said["reasoning_content"] == "ab"


def test_half_a_character_waits() -> None:
    assert message(Reasoning("a\ud83d"), Reasoning("\udc0e"))["reasoning_content"] == "a🐎"
    assert message(Reasoning("\ud83d"))["reasoning_content"] == "\ufffd"
