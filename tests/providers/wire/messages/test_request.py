"""Messages of Anthropic requests."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire.media import inline
from providers.wire.messages.reader import MessagesBodyReader
from providers.wire.messages.request import read_request
from providers.wire.request import (
    MediaPart,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    RequestSummary,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from tests.providers.wire.playbook import JSON, answer_of, play

BILLING = {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1; cch=12345;"}


def test_a_conversation() -> None:
    body = {
        "stream": True,
        "metadata": {"user_id": "user_x_account__session_s"},
        "system": [BILLING, {"type": "text", "text": "be nice", "cache_control": {"type": "ephemeral"}}],
        "tools": [{"name": "f"}],
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}]},
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "a", "content": "done", "is_error": True}],
            },
            {"role": "system", "content": "later"},
        ],
    }
    assert read_request(body) == RequestSummary(
        (
            Message("system", (TextPart("be nice"),)),
            Message("user", (TextPart("Hi"),)),
            Message("assistant", (ToolCallPart("a", "f", '{"x": 1}'),)),
            Message("user", (ToolResultPart("a", (TextPart("done"),), True),)),
            Message("system", (TextPart("later"),)),
        ),
        "s",
        True,
    )


@pytest.mark.parametrize("system", [None, "", [], [BILLING]])
def test_no_system_is_no_message(system: object) -> None:
    assert read_request({"system": system, "messages": []}).messages == ()


def source(kind: str, **more: Any) -> dict[str, Any]:
    return {"source": {"type": kind, **more}}


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"type": "text", "text": ""}, ()),
        ({"type": "text", "text": "a", "citations": [{"n": 1}]}, (TextPart("a"), OpaquePart("citation", '{"n":1}'))),
        ({"type": "thinking", "thinking": "hm", "signature": "s"}, (ReasoningPart("hm", "s"),)),
        ({"type": "redacted_thinking", "data": "d"}, (ReasoningPart("", encrypted="d"),)),
        ({"type": "tool_use", "id": "a", "name": "f"}, (ToolCallPart("a", "f", "{}"),)),
        ({"type": "tool_use", "id": "a", "name": "f", "caller": {}}, (ToolCallPart("a", "f", "{}"),)),
        (
            {"type": "tool_use", "id": "a", "name": "f", "caller": {"c": 1}},
            (ToolCallPart("a", "f", "{}"), OpaquePart("caller", '{"c":1}')),
        ),
        ({"type": "tool_result", "tool_use_id": "a"}, (ToolResultPart("a", ()),)),
        (
            {"type": "image", **source("base64", media_type="image/png", data="YWJj")},
            (inline("image", "image/png", "YWJj"),),
        ),
        (
            {"type": "image", **source("url", url="https://x.example")},
            (MediaPart("image", "", 0, "https://x.example"),),
        ),
        ({"type": "document", **source("file", file_id="file_1")}, (MediaPart("file", "", 0, "file_1"),)),
        ({"type": "document", **source("text", media_type="text/plain", data="plain")}, (TextPart("plain"),)),
        ({"type": "document", **source("content", content=[{"type": "text", "text": "a"}])}, (TextPart("a"),)),
        ({"type": "document"}, (OpaquePart("document", '{"type":"document"}'),)),
        (
            {"type": "server_tool_use", "id": "s"},
            (OpaquePart("server_tool_use", '{"type":"server_tool_use","id":"s"}'),),
        ),
    ],
)
def test_blocks(block: dict[str, Any], expected: tuple[Part, ...]) -> None:
    assert read_request({"messages": [{"role": "user", "content": [block]}]}).messages == (Message("user", expected),)


def test_odd_messages_are_kept() -> None:
    assert read_request({"messages": ["odd"]}).messages == (Message("", (OpaquePart("", '"odd"'),)),)


# An answer and the same turn in the next request are the same message.
@given(st.text(min_size=1), st.dictionaries(st.text(), JSON, max_size=2))
def test_an_answer_is_recognised_in_the_history(text: str, arguments: dict[str, Any]) -> None:
    content = [
        {"type": "thinking", "thinking": text, "signature": "s"},
        {"type": "redacted_thinking", "data": "d"},
        {"type": "text", "text": text, "citations": [{"n": 1}]},
        {"type": "tool_use", "id": "a", "name": "f", "input": arguments},
        {"type": "server_tool_use", "id": "b", "input": arguments},
    ]
    answer = answer_of(play(MessagesBodyReader(), [json.dumps({"content": content}).encode()])).message()
    assert read_request({"messages": [{"role": "assistant", "content": content}]}).messages == (answer,)


KEYS = st.sampled_from(
    "messages system role content type text source data media_type input id name tool_use_id citations "
    "metadata user_id".split()
)
ODD = st.recursive(
    JSON | st.sampled_from(["text", "image", "document", "tool_use", "tool_result", "thinking", "base64", "content"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)


# Whatever shape a request has, it is read.
@given(st.dictionaries(KEYS, ODD, max_size=4), st.lists(st.dictionaries(KEYS, ODD, max_size=5), max_size=3))
def test_odd_shapes_never_raise(body: dict[str, Any], messages: list[dict[str, Any]]) -> None:
    read_request(body)
    assert len(read_request({"messages": messages}).messages) == len(messages)
