"""Two answers side by side."""

import json

import pytest
from mitmproxy.http import HTTPFlow
from mitmproxy.test import tflow

from addons.flows.comparison import Side, compare, side_of
from addons.flows.marks import tell
from tests.addons.flows.test_client_call import shown
from tests.addons.flows.test_marks import WHOLE
from tests.addons.telemetry.test_metrics import account
from tests.fake_dialects import chat_body, chat_events

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGVsbG8="}}


def answered(content: bytes, **known: object) -> HTTPFlow:
    flow = shown()
    assert flow.response
    flow.response.data.content = content
    tell(flow, account(**known))
    return flow


def message(**fields: object) -> bytes:
    return json.dumps({"choices": [{"message": {"role": "assistant", **fields}}]}).encode()


def test_numbers_stand_above_and_answers_below() -> None:
    one = Side("a/b", {"outcome": "ok", "tokens in": "1,204"}, "Hello\n\nYou")
    other = Side("c/d", {"outcome": "rate_limited"}, "word " * 30)
    lines = compare([one, other]).splitlines()
    assert [line[:11].strip() for line in lines[:4]] == ["", "outcome", "tokens in", "─" * 11]
    assert "rate_limited" in lines[1]
    assert len({len(line) for line in lines}) == 1
    assert len(lines[0]) <= 120
    assert "Hello" in lines[4]
    assert "You" in lines[6]
    assert sum(line.count("word") for line in lines) == 30


def test_facts_are_what_the_flow_knows() -> None:
    side = side_of(answered(b"{}", **WHOLE))
    assert side.title == "anthropic/claude-9"
    assert side.facts == {
        "outcome": "ok",
        "tokens in": "1,204",
        "cached": "1,100",
        "tokens out": "356",
        "first token": "320 ms",
        "duration": "7.7 s",
        "cost": "$0.0123",
    }
    assert side_of(answered(b"{}")).facts == {"outcome": "ok"}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (json.dumps(chat_body(("Hel", "lo"))).encode(), "Hello"),
        (b"".join(chat_events(("Hel", "lo"))), "Hello"),
        (message(content=None, refusal="No."), "No."),
        (message(content="Yes.", reasoning_content="Hm, hm"), "(thinking: 6 characters)\n\nYes."),
        (
            message(tool_calls=[{"id": "1", "type": "function", "function": {"name": "ls", "arguments": '{"a":1}'}}]),
            '→ ls({"a":1})',
        ),
        (message(content="Look:", images=[PICTURE]), "Look:\n\n(image, image/png)"),
        (b"{}", "(nothing was said)"),
        (b"no json, no event", "(failed: no json, no event)"),
        (b'data: {"error":{"message":"overloaded"}}\n\n', "(failed: overloaded)"),
        (message(content="x" * 20_001), "x" * 20_000 + "\n(cut here: 20,001 characters in all)"),
    ],
)
def test_it_reads_answers_of_every_form(content: bytes, text: str) -> None:
    assert side_of(answered(content)).text == text


def test_what_is_odd_is_left_out() -> None:
    blocks = [{"type": "odd", "x": 1}, {"type": "text", "text": "Hello"}]
    flow = answered(json.dumps({"type": "message", "role": "assistant", "content": blocks}).encode())
    flow.metadata["patchbay.client_request"] = "POST /v1/messages"
    assert side_of(flow).text == "Hello"


def test_what_the_client_saw_counts() -> None:
    flow = answered(b"something of another dialect")
    flow.metadata["patchbay.client_body"] = json.dumps(chat_body(("Hel", "lo"))).encode().decode()
    assert side_of(flow).text == "Hello"


def test_where_no_answer_came_it_says_why() -> None:
    flow = answered(b"")
    assert side_of(flow).text == "(no answer)"
    flow.response, flow.error = None, tflow.terr("upstream_refused: no")
    assert side_of(flow).text == "upstream_refused: no"


def test_a_call_that_was_refused_has_no_name() -> None:
    assert side_of(answered(b"", provider="", model="")).title == "not answered"
