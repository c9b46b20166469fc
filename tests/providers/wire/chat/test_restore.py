"""The true order of an answer's parts, brought back by the client, and believed only where it fits."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire.chat.parse import parse_request
from providers.wire.chat.restore import restored
from providers.wire.chat.writer import BodyWriter
from providers.wire.endpoints import Dialect
from providers.wire.events import Event, Opaque, Reasoning, Refusal, Text, ToolArguments, ToolCall
from providers.wire.messages.reader import MessagesStreamReader
from providers.wire.neutral import Audio, Cache, Part, Thinking, ToolUse
from providers.wire.neutral import Opaque as OpaquePart
from providers.wire.neutral import Refusal as RefusalPart
from providers.wire.neutral import Text as TextPart
from providers.wire.request import ReasoningPart, ToolCallPart
from providers.wire.request import TextPart as AnswerText
from tests.providers.wire import lookalikes_messages
from tests.providers.wire.chat.written import answering, write
from tests.providers.wire.playbook import events_of, parts_of

CITATION: dict[str, Any] = {"type": "page_location", "document_index": 0}
BLOCK: dict[str, Any] = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
EVENTS: tuple[Event, ...] = (
    Reasoning("a", 0),
    Reasoning("", 0, "s1"),
    Text("ž🐎", 1),
    ToolCall(2, "i", "f"),
    ToolArguments(2, "{}"),
    Reasoning("b", 3),
    Opaque(json.dumps(BLOCK), "server_tool_use", 4),
    Opaque(json.dumps(CITATION), "citation", 5),
    Text("late", 5),
    Refusal("no", 6),
)
CLAUDE = "anthropic-claude-v1"
PARTS: tuple[Part, ...] = (
    Thinking("a", "s1", format=CLAUDE),
    TextPart("ž🐎"),
    ToolUse("i", "f", "{}"),
    Thinking("b", format=CLAUDE),
    OpaquePart(Dialect.MESSAGES, "server_tool_use", BLOCK),
    TextPart("late", citations=(CITATION,)),
    RefusalPart("no"),
)


def answered(*events: Event, **more: Any) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(write(BodyWriter(answering(**more)), events))["choices"][0]["message"]
    return message


def parsed(message: dict[str, Any]) -> tuple[Part, ...]:
    return parse_request({"model": "m", "messages": [message]}).turns[0].parts


def test_a_client_that_sends_all_of_it_back() -> None:
    assert parsed(answered(*EVENTS)) == PARTS


def test_a_mark_stands_at_the_end_of_the_text() -> None:
    marked = parsed({**answered(*EVENTS), "cache_control": {"type": "ephemeral"}})
    assert marked[1] == TextPart("ž🐎")
    assert marked[5] == TextPart("late", Cache(), (CITATION,))


@pytest.mark.parametrize(
    "change",
    [
        {"content": "ž🐎lat"},
        {"content": "ž🐎later"},
        {"content": None},
        {"tool_calls": None},
        {"tool_calls": [{"id": id_, "function": {"name": "f", "arguments": "{}"}} for id_ in "ab"]},
    ],
)
def test_a_message_that_was_changed_is_taken_as_it_is(change: dict[str, Any]) -> None:
    message = {**answered(*EVENTS), **change}
    bare = {key: value for key, value in message.items() if key != "provider_fields"}
    assert parsed(message) == parsed(bare)


def test_a_block_of_nobody_is_left_out() -> None:
    """Who made it is not known: no provider can be given it."""
    message = answered(*EVENTS, provider=None)
    assert parsed(message) == tuple(part for part in PARTS if not isinstance(part, OpaquePart))


def test_what_the_order_does_not_name_comes_last() -> None:
    assert restored([Audio(id="a"), TextPart("b")], {"parts": [{"type": "text", "length": 1}]}) == [
        TextPart("b"),
        Audio(id="a"),
    ]
    odd: dict[str, Any] = {
        "parts": [{"type": "text"}, {"type": "opaque", "value": 1}, {"type": "image"}],
        "dialect": "messages",
    }
    assert restored([], odd) == []


def told(part: object) -> tuple[str, str]:
    """Kind and text of a part, the same for an answer's and a history's."""
    match part:
        case TextPart() | AnswerText():
            return "text", part.text
        case Thinking() | ReasoningPart():
            return "reasoning", part.text
        case ToolUse() | ToolCallPart():
            return "call", part.id
        case _:
            return "text", ""


@pytest.mark.parametrize("name", lookalikes_messages.STREAMS)
def test_anthropics_own_order_comes_back(name: str) -> None:
    """Text, reasoning and calls of a Messages stream are, from the client's history, in the order that they had."""
    events = events_of(MessagesStreamReader, lookalikes_messages.STREAMS[name])
    assert joined(list(map(told, parsed(answered(*events))))) == joined(list(map(told, parts_of(events))))


def joined(parts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Texts in a row are one: only what stands between them keeps them apart."""
    out: list[tuple[str, str]] = []
    for kind, text in parts:
        if kind == "text" and out and out[-1][0] == "text":
            out[-1] = (kind, out[-1][1] + text)
        elif kind != "text" or text:
            out.append((kind, text))
    return out


# Whatever a client sends as provider_fields, its own text is all there.
@given(st.lists(st.integers(-3, 9)), st.text(max_size=8))
def test_no_text_is_lost(lengths: list[int], text: str) -> None:
    fields: dict[str, object] = {"parts": [{"type": "text", "length": length} for length in lengths]}
    parts = restored([TextPart(text)], fields)
    assert "".join(part.text for part in parts if isinstance(part, TextPart)) == text
