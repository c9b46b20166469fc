"""A recorded call becomes a request of its own dialect again; what the record lacks is named."""

import json
from typing import Any

import pytest

from addons.web.resend import NotPossibleError, judge, rebuild
from providers.wire.request import (
    MediaPart,
    Message,
    OpaquePart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    to_json,
)

CONVERSATION = [
    Message("system", (TextPart("be brief"),)),
    Message("user", (TextPart("weather?"), MediaPart("image", "image/png", 9, "blake2b:00"))),
    Message("assistant", (ReasoningPart("hm"), TextPart("I look."), ToolCallPart("c1", "get", '{"city":"Bergen"}'))),
    Message("tool", (ToolResultPart("c1", (TextPart("rain"),)),)),
    Message("assistant", (RefusalPart("no"), OpaquePart("x", "{}"))),
    Message("user", (TextPart("why?"), MediaPart("image", "image/png", 0, "https://example.invalid/a.png"))),
    Message("user", (MediaPart("file", "", 0, "f1"), MediaPart("video", "", 0, "v1"))),
]
SAID = [to_json(message) for message in CONVERSATION]
HELLO = [to_json(Message("user", (TextPart("hello"),)))]
DIALECTS = ("chat", "messages", "responses")


def call(dialect: str = "chat", operation: str = "") -> dict[str, object]:
    return {"dialect": dialect, "operation": operation or dialect}


def body_of(told: dict[str, object]) -> Any:
    return told["body"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_request_that_was_kept_is_sent_as_it_was(dialect: str) -> None:
    kept = {"model": "old", "temperature": 0.5, "tools": [1], "stream": False}
    body = json.dumps(kept).encode()
    assert judge(call(dialect), body, []).shown() == {"possible": True, "complete": True, "missing": []}
    told = body_of(rebuild(call(dialect), body, [], "new"))
    assert {**kept, "model": "new", "stream": True}.items() <= told.items()
    assert ("stream_options" in told) == (dialect == "chat")


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("body", [None, b"", b"{", b"[1]", b"\x1f\x8b packed", b"[" * 100_000])
def test_else_it_is_built_from_the_conversation(dialect: str, body: bytes | None) -> None:
    judged = judge(call(dialect), body, SAID).shown()
    missing = ["settings", "tools", "images", "reasoning", "parts of its dialect alone", "files"]
    assert judged == {"possible": True, "complete": False, "missing": missing}
    told = body_of(rebuild(call(dialect), body, SAID, "new"))
    text = json.dumps(told)
    assert (told["model"], told["stream"]) == ("new", True)
    for word in ("be brief", "weather?", "I look.", "get", "Bergen", "rain", "why?", "example.invalid/a.png"):
        assert word in text, word
    assert "[Here stood an image that the record does not hold.]" in text
    assert "hm" not in text.replace("example", "")
    assert len(told["tools"]) == 1


def test_the_paths_and_the_shapes() -> None:
    for dialect, path in (
        ("chat", "/v1/chat/completions"),
        ("messages", "/v1/messages"),
        ("responses", "/v1/responses"),
    ):
        assert rebuild(call(dialect), None, HELLO, "m")["path"] == path
    assert body_of(rebuild(call(), None, HELLO, "m"))["messages"] == [{"role": "user", "content": "hello"}]
    assert body_of(rebuild(call("messages"), None, SAID, "m"))["system"]


def test_completions_are_prompts() -> None:
    assert body_of(rebuild(call("chat", "completions"), None, HELLO, "m"))["prompt"] == "hello"
    assert body_of(rebuild(call("chat", "completions"), None, HELLO * 2, "m"))["prompt"] == ["hello", "hello"]
    assert body_of(rebuild(call("chat", "completions"), None, [{"role": "user"}], "m"))["prompt"] == ""


def test_a_message_of_which_nothing_is_left_is_left_out() -> None:
    said = [*HELLO, to_json(Message("assistant", (ReasoningPart("hm"),)))]
    assert len(body_of(rebuild(call(), None, said, "m"))["messages"]) == 1


def test_instructions_in_the_middle_stay_there() -> None:
    said = [*HELLO, to_json(Message("system", (TextPart("now in French"),))), *HELLO]
    messages = body_of(rebuild(call(), None, said, "m"))["messages"]
    assert [message["role"] for message in messages] == ["user", "system", "user"]


def test_what_cannot_be_made_again() -> None:
    for operation in ("embeddings", "count_tokens"):
        assert not judge(call(operation=operation), b"{}", SAID).possible
        with pytest.raises(NotPossibleError, match=operation):
            rebuild(call(operation=operation), b"{}", SAID, "m")
    assert not judge(call(), None, []).possible
    with pytest.raises(NotPossibleError, match="Nothing of this call"):
        rebuild(call(), None, [], "m")
