"""Messages of Responses requests."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from providers.wire.responses.reader import ResponsesBodyReader
from providers.wire.responses.request import read_request
from tests.providers.wire.playbook import JSON, answer_of, play


def test_a_conversation() -> None:
    body = {
        "stream": True,
        "prompt_cache_key": "s",
        "previous_response_id": "resp_1",
        "instructions": "be nice",
        "input": [
            {"role": "developer", "content": "dev"},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
            {"type": "reasoning", "id": "rs", "summary": [{"text": "a"}, {"text": "b"}], "encrypted_content": "x"},
            {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
            {"type": "web_search_call", "id": "ws"},
            {"type": "function_call_output", "call_id": "a", "output": "done"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "ok"}]},
        ],
    }
    assert read_request(body) == RequestSummary(
        (
            Message("system", (TextPart("be nice"),)),
            Message("developer", (TextPart("dev"),)),
            Message("user", (TextPart("Hi"),)),
            Message(
                "assistant",
                (
                    ReasoningPart("a\n\nb", "", "x", "rs"),
                    ToolCallPart("a", "f", "{}"),
                    OpaquePart("web_search_call", '{"type":"web_search_call","id":"ws"}'),
                ),
            ),
            Message("tool", (ToolResultPart("a", (TextPart("done"),)),)),
            Message("assistant", (TextPart("ok"),)),
        ),
        "s",
        True,
    )


@pytest.mark.parametrize(
    ("conversation", "session"),
    [("conv_1", "conv_1"), ({"id": "conv_1"}, "conv_1"), (None, None), ({"id": 1}, None)],
)
def test_a_conversation_is_a_session_and_a_previous_response_is_none(conversation: object, session: str | None) -> None:
    body = {"input": "Hi", "conversation": conversation, "previous_response_id": "resp_1"}
    assert read_request(body) == RequestSummary((Message("user", (TextPart("Hi"),)),), session, False)


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            {"type": "output_text", "text": "a", "annotations": [{"n": 1}]},
            (TextPart("a"), OpaquePart("annotation", '{"n":1}')),
        ),
        ({"type": "refusal", "refusal": "no"}, (RefusalPart("no"),)),
        ({"type": "input_image", "image_url": "https://x.example"}, (MediaPart("image", "", 0, "https://x.example"),)),
        (
            {"type": "input_image", "image_url": {"url": "data:image/png;base64,YWJj"}},
            (inline("image", "image/png", "YWJj"),),
        ),
        ({"type": "input_image", "file_id": "file_1"}, (MediaPart("image", "", 0, "file_1"),)),
        ({"type": "input_image"}, (MediaPart("image", "", 0, '{"type":"input_image"}'),)),
        (
            {"type": "input_file", "file_data": "data:application/pdf;base64,YWJj"},
            (inline("file", "application/pdf", "YWJj"),),
        ),
        ({"type": "input_file", "file_data": "YWJj"}, (inline("file", "", "YWJj"),)),
        ({"type": "input_file", "file_url": "https://x.example"}, (MediaPart("file", "", 0, "https://x.example"),)),
        ({"type": "input_file"}, (MediaPart("file", "", 0, '{"type":"input_file"}'),)),
        (
            {"type": "input_audio", "input_audio": {"format": "wav", "data": "YWJj"}},
            (inline("audio", "audio/wav", "YWJj"),),
        ),
        ({"type": "new"}, (OpaquePart("new", '{"type":"new"}'),)),
    ],
)
def test_content_parts(part: dict[str, Any], expected: tuple[Part, ...]) -> None:
    assert read_request({"input": [{"role": "user", "content": [part]}]}).messages == (Message("user", expected),)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (
            {"type": "custom_tool_call", "call_id": "a", "name": "f", "input": "ls"},
            Message("assistant", (ToolCallPart("a", "f", "ls", "custom"),)),
        ),
        ({"type": "function_call", "call_id": "a", "name": "f"}, Message("assistant", (ToolCallPart("a", "f", ""),))),
        (
            {"type": "custom_tool_call_output", "call_id": "a", "output": [{"type": "input_text", "text": "x"}]},
            Message("tool", (ToolResultPart("a", (TextPart("x"),)),)),
        ),
        ({"type": "reasoning", "content": [{"text": "raw"}]}, Message("assistant", (ReasoningPart("raw"),))),
        (
            {"type": "reasoning", "summary": [{"text": "s"}], "content": [{"text": "raw"}]},
            Message("assistant", (ReasoningPart("s"), ReasoningPart("raw"))),
        ),
        ({"type": "reasoning", "encrypted_content": "x"}, Message("assistant", (ReasoningPart("", "", "x"),))),
        (
            {"type": "computer_call_output"},
            Message("tool", (OpaquePart("computer_call_output", '{"type":"computer_call_output"}'),)),
        ),
        ({"type": "item_reference"}, Message("", (OpaquePart("item_reference", '{"type":"item_reference"}'),))),
    ],
)
def test_items(item: dict[str, Any], expected: Message) -> None:
    assert read_request({"input": [item]}).messages == (expected,)


def test_odd_items_are_kept() -> None:
    assert read_request({"input": ["odd"]}).messages == (Message("", (OpaquePart("", '"odd"'),)),)
    assert read_request({"input": {"odd": 1}}).messages == ()


# An answer and the same turn in the next request are the same message.
@given(st.text(min_size=1), st.text())
def test_an_answer_is_recognised_in_the_history(text: str, arguments: str) -> None:
    output = [
        {"type": "reasoning", "id": "rs", "summary": [{"text": text}, {"text": text}], "encrypted_content": "x"},
        {
            "type": "message",
            "id": "m",
            "role": "assistant",
            "content": [{"type": "output_text", "text": text, "annotations": [1]}],
        },
        {"type": "function_call", "id": "fc", "call_id": "a", "name": "f", "arguments": arguments},
        {"type": "web_search_call", "id": "ws"},
    ]
    body = json.dumps({"status": "completed", "output": output}).encode()
    answer = answer_of(play(ResponsesBodyReader(), [body])).message()
    assert read_request({"input": output}).messages == (answer,)


KEYS = st.sampled_from(
    "input instructions role content type text image_url file_data output summary arguments call_id id "
    "name conversation".split()
)
ODD = st.recursive(
    JSON
    | st.sampled_from(["message", "reasoning", "function_call", "function_call_output", "input_image", "input_text"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)


# Whatever shape a request has, it is read.
@given(st.dictionaries(KEYS, ODD, max_size=4), st.lists(st.dictionaries(KEYS, ODD, max_size=5), max_size=3))
def test_odd_shapes_never_raise(body: dict[str, Any], items: list[dict[str, Any]]) -> None:
    read_request(body)
    read_request({"input": items})
