"""What was said, as the conventions write it."""

import json
from typing import Any

import pytest

from addons.telemetry.span_content import LONGEST, input_messages, output_messages
from providers.wire.answer import Answer
from providers.wire.endpoints import Operation
from providers.wire.readers import reader_for
from tests.fake_dialects import chat_events

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGVsbG8="}}
ASKED: list[dict[str, Any]] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "What is it?"}, IMAGE, {"type": "odd", "x": 1}]},
    {
        "role": "assistant",
        "reasoning_content": "Hm",
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "c1", "content": "a cat"},
]


def asked(*messages: dict[str, Any]) -> Any:
    text = input_messages("chat", {"model": "m", "messages": list(messages)})
    return json.loads(text) if text else None


def test_every_part_has_its_form_and_what_is_odd_has_none() -> None:
    assert asked(*ASKED) == [
        {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
        {
            "role": "user",
            "parts": [
                {"type": "text", "content": "What is it?"},
                {"type": "media", "modality": "image", "mime_type": "image/png"},
            ],
        },
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Hm"},
                {"type": "tool_call", "id": "c1", "name": "look", "arguments": "{}"},
            ],
        },
        {
            "role": "tool",
            "parts": [
                {"type": "tool_call_response", "id": "c1", "response": [{"type": "text", "content": "a cat"}]},
            ],
        },
    ]


def answer(*events: bytes) -> Answer:
    reader, heard = reader_for(Operation.CHAT, True), Answer()
    for event in (*reader.feed(b"".join(events)), *reader.close()):
        heard.add(event)
    return heard


def test_an_answer_says_why_it_ended() -> None:
    assert json.loads(output_messages(answer(*chat_events(("Hel", "lo"))))) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "Hello"}], "finish_reason": "stop"}
    ]


def test_a_cut_one_does_not() -> None:
    assert json.loads(output_messages(answer(*chat_events(("Hel", "lo"))[:2]))) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "Hel"}]}
    ]


@pytest.mark.parametrize("heard", [None, Answer()])
def test_nothing_is_nothing(heard: Answer | None) -> None:
    assert output_messages(heard) == ""
    assert input_messages("chat", None) == ""
    assert asked() is None


def test_reasoning_that_is_hidden_is_left_out() -> None:
    hidden = {"role": "assistant", "content": [{"type": "redacted_thinking", "data": "xyz"}]}
    text = input_messages("messages", {"messages": [hidden]})
    assert json.loads(text) == [{"role": "assistant", "parts": []}]


def test_of_a_long_conversation_the_newest_is_told_and_of_a_long_text_the_beginning() -> None:
    told = asked(*({"role": "user", "content": f"{number} {'x' * 20_000}"} for number in range(100)))
    texts = [message["parts"][0]["content"] for message in told]
    assert texts[-1].startswith("99 xxx")
    assert texts[-1].endswith("x… (cut: 20,003 characters in all)")
    assert len(told) == 3
    assert len(json.dumps(told)) <= LONGEST + 100
