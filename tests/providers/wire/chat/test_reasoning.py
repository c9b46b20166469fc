"""Reasoning in its five carriers, counted once."""

from typing import Any

import pytest

from providers.wire.events import Opaque, Reasoning
from providers.wire.request import ReasoningPart, TextPart
from tests.providers.wire.chat.chunks import chunk, read
from tests.providers.wire.playbook import parts_of


def text_detail(text: str | None = None, **more: Any) -> dict[str, Any]:
    return {"type": "reasoning.text", **({} if text is None else {"text": text}), **more}


@pytest.mark.parametrize(
    "delta",
    [
        {"reasoning_content": "hm"},
        {"reasoning": "hm"},
        {"reasoning": "hm", "reasoning_content": "hm"},
        {"reasoning": "hm", "reasoning_details": [text_detail("hm", index=0)]},
        {"reasoning_details": [{"type": "reasoning.summary", "summary": "hm", "index": 0}]},
        {"reasoning_content": "hm", "thinking_blocks": [{"type": "thinking", "thinking": "hm", "signature": None}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "h"}, {"type": "text", "text": "m"}]}]},
        {"content": [{"type": "thinking", "thinking": "hm"}]},
    ],
)
def test_one_text_however_often_it_is_sent(delta: dict[str, Any]) -> None:
    events = read(chunk(delta), chunk({"content": "ok"}))
    assert parts_of(events) == (ReasoningPart("hm"), TextPart("ok"))
    again = read(chunk(delta), chunk({"content": "ok"}), chunk(delta))
    assert "".join(event.text for event in again if isinstance(event, Reasoning)) == "hmhm"


def test_empty_reasoning_opens_nothing() -> None:
    assert read(chunk({"content": "", "reasoning": "", "reasoning_content": None, "reasoning_details": []})) == []


def test_a_signature_comes_by_itself_and_belongs_to_its_index() -> None:
    events = read(
        chunk({"reasoning": "a", "reasoning_details": [text_detail("a", index=0, format="anthropic-claude-v1")]}),
        chunk({"reasoning": "b", "reasoning_details": [text_detail("b", index=1)]}),
        chunk({"reasoning": None, "reasoning_details": [text_detail(signature="s", index=0)]}),
        chunk({"reasoning_details": [text_detail("", index=1)]}),
    )
    assert parts_of(events) == (ReasoningPart("a", "s", format="anthropic-claude-v1"), ReasoningPart("b"))
    assert len(events) == 3


def test_text_streamed_plain_and_repeated_in_signed_details_counts_once() -> None:
    events = read(
        chunk({"reasoning": "one "}),
        chunk({"reasoning": "two"}),
        chunk({"content": "ok"}),
        chunk({"reasoning_details": [text_detail("one two", signature="s", id="r1"), text_detail("more")]}),
    )
    assert parts_of(events) == (ReasoningPart("one two", "s", id="r1"), TextPart("ok"), ReasoningPart("more"))


def test_encrypted_details_beside_plain_text_are_one_part() -> None:
    encrypted = {
        "type": "reasoning.encrypted",
        "data": "xyz",
        "id": "rs_1",
        "index": 0,
        "format": "openai-responses-v1",
    }
    events = read(chunk({"reasoning": "sum"}), chunk({"reasoning_details": [encrypted]}))
    assert parts_of(events) == (ReasoningPart("sum", "", "xyz", "rs_1", "openai-responses-v1"),)
    events = read(chunk({"reasoning": "sum", "reasoning_details": [encrypted]}))
    assert parts_of(events) == (ReasoningPart("sum", "", "xyz", "rs_1", "openai-responses-v1"),)


def test_blocks_without_index_grow_until_they_are_signed() -> None:
    def block(thinking: str, signature: str | None = None) -> dict[str, Any]:
        return chunk({"thinking_blocks": [{"type": "thinking", "thinking": thinking, "signature": signature}]})

    events = read(block("a"), block("b"), block("", "s1"), block("c"), block("", "s2"))
    assert parts_of(events) == (ReasoningPart("ab", "s1"), ReasoningPart("c", "s2"))


def test_a_redacted_block_is_kept() -> None:
    events = read(chunk({"thinking_blocks": [{"type": "redacted_thinking", "data": "d"}]}))
    assert parts_of(events) == (ReasoningPart("", encrypted="d"),)


def test_an_unknown_kind_of_detail_stays_opaque() -> None:
    events = read(chunk({"reasoning_details": [{"type": "reasoning.new"}, 7]}))
    assert events == [Opaque('{"type":"reasoning.new"}', "reasoning_details"), Opaque("7", "reasoning_details")]


def test_mistrals_signed_thinking_keeps_its_signature() -> None:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}], "signature": "s"}
    events = read(chunk({"content": [thinking, {"type": "text", "text": "ok"}]}))
    assert parts_of(events) == (ReasoningPart("hm", "s"), TextPart("ok"))
