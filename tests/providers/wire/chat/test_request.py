"""Messages of chat, completions, embeddings and rerank requests."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire.chat.reader import ChatBodyReader
from providers.wire.chat.request import read_request
from providers.wire.media import inline
from providers.wire.request import (
    MediaPart,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    RequestSummary,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from tests.providers.wire.playbook import JSON, answer_of, play

CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x" :1}'}}


def parts_of(**message: Any) -> tuple[Part, ...]:
    [read] = read_request({"messages": [message]}).messages
    return read.parts


def test_a_conversation() -> None:
    body = {
        "stream": True,
        "prompt_cache_key": "s",
        "tools": [{"type": "function"}],
        "messages": [
            {"role": "developer", "content": "be nice"},
            {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
            {"role": "assistant", "content": None, "tool_calls": [CALL], "refusal": None},
            {"role": "tool", "tool_call_id": "a", "content": "done"},
            {"role": "function", "name": "f", "content": "done"},
        ],
    }
    assert read_request(body) == RequestSummary(
        (
            Message("developer", (TextPart("be nice"),)),
            Message("user", (TextPart("Hi"),)),
            Message("assistant", (ToolCallPart("a", "f", '{"x" :1}'),)),
            Message("tool", (ToolResultPart("a", (TextPart("done"),)),)),
            Message("function", (ToolResultPart("f", (TextPart("done"),)), OpaquePart("name", '"f"'))),
        ),
        "s",
        True,
    )


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}, TextPart("a")),
        (
            {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}},
            MediaPart("image", "", 0, "https://x.example/a.png"),
        ),
        ({"type": "image_url", "image_url": "data:image/png;base64,YWJj"}, inline("image", "image/png", "YWJj")),
        (
            {"type": "input_audio", "input_audio": {"format": "wav", "data": "YWJj"}},
            inline("audio", "audio/wav", "YWJj"),
        ),
        (
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,YWJj"}},
            inline("file", "application/pdf", "YWJj"),
        ),
        ({"type": "file", "file": {"file_data": "YWJj"}}, inline("file", "", "YWJj")),
        ({"type": "file", "file": {"file_id": "file_1"}}, MediaPart("file", "", 0, "file_1")),
        ({"type": "file", "file": {"odd": 1}}, MediaPart("file", "", 0, '{"odd":1}')),
        ({"type": "refusal", "refusal": "no"}, RefusalPart("no")),
        (
            {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}], "signature": "s"},
            ReasoningPart("hm", "s"),
        ),
        ({"type": "thinking", "thinking": "hm"}, ReasoningPart("hm")),
        ({"type": "new"}, OpaquePart("new", '{"type":"new"}')),
    ],
)
def test_content_parts(part: dict[str, Any], expected: Part) -> None:
    assert parts_of(role="user", content=[part]) == (expected,)


def test_a_message_in_the_order_of_an_answer() -> None:
    custom = {"id": "b", "type": "custom", "custom": {"name": "g", "input": "ls"}}
    google = {**CALL, "extra_content": {"google": 1}, "function": {"name": "f"}}
    assert parts_of(
        role="assistant",
        tool_calls=[custom, google, "odd"],
        function_call={"name": "h", "arguments": "{}"},
        refusal="no",
        content="a",
        annotations=[1],
        reasoning_content="hm",
        reasoning="hm",
        new=True,
    ) == (
        ReasoningPart("hm"),
        TextPart("a"),
        OpaquePart("annotation", "1"),
        RefusalPart("no"),
        ToolCallPart("", "h", "{}"),
        ToolCallPart("b", "g", "ls", "custom"),
        ToolCallPart("a", "f", ""),
        OpaquePart("extra_content", '{"google":1}'),
        OpaquePart("tool_call", '"odd"'),
        OpaquePart("new", "true"),
    )


def detail(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": f"reasoning.{kind}", **more}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            {
                "reasoning": "ab",
                "reasoning_details": [
                    detail("text", text="a", index=0, format="f"),
                    detail("text", text="b", index=0),
                    detail("text", signature="s", index=0),
                    detail("encrypted", data="d", index=1, id="r"),
                ],
            },
            (ReasoningPart("ab", "s", format="f"), ReasoningPart("", "", "d", "r")),
        ),
        (
            {"reasoning": "sum", "reasoning_details": [detail("encrypted", data="d", id="r"), detail("new")]},
            (ReasoningPart("sum", "", "d", "r"), OpaquePart("reasoning.new", '{"type":"reasoning.new"}')),
        ),
        (
            {"reasoning": "sum", "reasoning_details": ["odd"]},
            (ReasoningPart("sum"), OpaquePart("reasoning_details", '"odd"')),
        ),
        (
            {
                "thinking_blocks": [
                    {"type": "thinking", "thinking": "a", "signature": "s"},
                    {"type": "redacted_thinking", "data": "d"},
                ]
            },
            (ReasoningPart("a", "s"), ReasoningPart("", encrypted="d")),
        ),
    ],
)
def test_reasoning_carriers(message: dict[str, Any], expected: tuple[Part, ...]) -> None:
    assert parts_of(role="assistant", **message) == expected


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        ({"prompt": "a"}, ["a"]),
        ({"prompt": ["a", "b"]}, ["a", "b"]),
        ({"input": "a"}, ["a"]),
        ({"query": "a", "documents": ["b", {"text": "c"}]}, ["a", "b", "c"]),
        ({}, []),
    ],
)
def test_what_is_no_chat(body: dict[str, Any], texts: list[str]) -> None:
    assert read_request(body).messages == tuple(Message("user", (TextPart(text),)) for text in texts)


def test_token_numbers_and_odd_documents_are_kept() -> None:
    assert read_request({"prompt": [1, 2]}).messages == (Message("user", (OpaquePart("prompt", "[1,2]"),)),)
    assert read_request({"documents": [{"image": 1}]}).messages == (
        Message("user", (OpaquePart("documents", '{"image":1}'),)),
    )


def test_odd_messages_are_kept() -> None:
    assert read_request({"messages": ["odd"]}).messages == (Message("", (OpaquePart("", '"odd"'),)),)
    assert read_request({"messages": "odd"}) == RequestSummary((), None, False)


# An answer and the same turn in the next request are the same message.
@given(st.text(min_size=1), st.text(min_size=1), st.text(), st.booleans())
def test_an_answer_is_recognised_in_the_history(text: str, reasoning: str, arguments: str, with_details: bool) -> None:
    message: dict[str, Any] = {"role": "assistant", "content": text, "reasoning": reasoning}
    message["tool_calls"] = [{"id": "a", "type": "function", "function": {"name": "f", "arguments": arguments}}]
    if with_details:
        message["reasoning_details"] = [detail("text", text=reasoning, signature="s", index=0, format="f")]
    body = json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).encode()
    answer = answer_of(play(ChatBodyReader(), [body])).message()
    assert read_request({"messages": [message]}).messages == (answer,)


KEYS = st.sampled_from(
    "messages role content type text image_url input_audio file thinking refusal tool_calls function "
    "custom arguments name reasoning reasoning_details thinking_blocks tool_call_id function_call prompt "
    "input query documents metadata".split()
)
ODD = st.recursive(
    JSON | st.sampled_from(["text", "image_url", "input_audio", "file", "thinking", "tool", "reasoning.text"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)


# Whatever shape a request has, it is read.
@given(st.dictionaries(KEYS, ODD, max_size=4), st.lists(st.dictionaries(KEYS, ODD, max_size=5), max_size=3))
def test_odd_shapes_never_raise(body: dict[str, Any], messages: list[dict[str, Any]]) -> None:
    read_request(body)
    assert len(read_request({"messages": messages}).messages) == len(messages)
