"""Whole requests, from parsers that are not ours to the SDK's typed request."""

from typing import Any

import pytest

from providers.wire.chat.parse import parse_request as parse_chat
from providers.wire.endpoints import Dialect
from providers.wire.messages.build import tool_names
from providers.wire.messages.parse import parse_request
from providers.wire.neutral import Cache, Reasoning, Tool, ToolChoice, ToolUse
from providers.wire.responses.parse import parse_request as parse_responses
from tests.providers.wire.messages.building_play import CLAUDE, HI, OLD, assistant, body_of, built, noted, request

CHAT = {
    "model": "m",
    "max_completion_tokens": 100,
    "stream": True,
    "stream_options": {"include_usage": True},
    "user": "u",
    "service_tier": "default",
    "reasoning_effort": "high",
    "seed": 1,
    "stop": "END",
    "messages": [
        {"role": "system", "content": "be nice"},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "image_url", "image_url": {"url": "u"}}]},
        {
            "role": "assistant",
            "content": "ok",
            "tool_calls": [
                {"id": "functions.f:0", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}},
                {"id": "functions.f:1", "type": "function", "function": {"name": "f", "arguments": ""}},
            ],
        },
        {"role": "tool", "tool_call_id": "functions.f:0", "content": "one"},
        {"role": "tool", "tool_call_id": "functions.f:1", "content": ""},
        {"role": "user", "content": "go on"},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
    "tool_choice": "auto",
}


def test_a_chat_request() -> None:
    body, notes = built(parse_chat(dict(CHAT)))
    assert {key: body[key] for key in ("model", "max_tokens", "stream", "service_tier", "metadata")} == {
        "model": "m",
        "max_tokens": 100,
        "stream": True,
        "service_tier": "standard_only",
        "metadata": {"user_id": "u"},
    }
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    results = body["messages"][2]["content"]
    calls = body["messages"][1]["content"][1:]
    assert [block["type"] for block in results] == ["tool_result", "tool_result", "text"]
    assert [block["tool_use_id"] for block in results[:2]] == [block["id"] for block in calls]
    assert calls[1]["input"] == {}
    assert notes.header() == "dropped=seed"


def test_the_functions_of_old() -> None:
    function = {"name": "f", "arguments": "{}"}
    body, _ = built(
        parse_chat(
            {
                "messages": [
                    {"role": "user", "content": "Hi"},
                    {"role": "assistant", "content": None, "function_call": function},
                    {"role": "function", "name": "f", "content": "one"},
                    {"role": "assistant", "content": None, "function_call": function},
                    {"role": "function", "name": "f", "content": "two"},
                ],
                "functions": [{"name": "f", "parameters": {"type": "object", "properties": {}}}],
                "function_call": {"name": "f"},
            }
        )
    )
    said = body["messages"]
    ids = [said[at]["content"][0]["id"] for at in (1, 3)]
    assert [said[at]["content"][0]["tool_use_id"] for at in (2, 4)] == ids
    assert len(set(ids)) == 2
    assert body["tool_choice"] == {"type": "tool", "name": "f", "disable_parallel_tool_use": True}


def test_a_responses_request() -> None:
    body, notes = built(
        parse_responses(
            {
                "model": "m",
                "instructions": "be nice",
                "input": [
                    {"role": "developer", "content": "and brief"},
                    {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
                    {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "E"},
                    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
                    {"type": "function_call_output", "call_id": "c", "output": "one"},
                ],
                "tools": [{"type": "function", "name": "f", "parameters": None, "strict": False}],
                "reasoning": {"effort": "low", "summary": "auto"},
                "include": ["reasoning.encrypted_content"],
                "store": False,
                "text": {"verbosity": "low"},
                "parallel_tool_calls": False,
            }
        )
    )
    assert [block["text"] for block in body["system"]] == ["be nice", "and brief"]
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert body["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert notes.header() == "dropped=input.reasoning,text.verbosity"


def test_there_and_back() -> None:
    """A Messages request that was parsed and built again says the same (where the neutral form has places)."""
    body: dict[str, Any] = {
        "model": "m",
        "max_tokens": 3000,
        "system": [{"type": "text", "text": "be nice", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "S"},
                    {"type": "tool_use", "id": "c", "name": "f", "input": {"x": 1}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "c",
                        "content": [{"type": "text", "text": "a"}],
                        "is_error": True,
                    }
                ],
            },
            {"role": "system", "content": [{"type": "text", "text": "later"}]},
        ],
        "tools": [{"name": "f", "description": "d", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "output_config": {"effort": "high"},
        "stop_sequences": ["END"],
        "metadata": {"user_id": "u"},
        "service_tier": "auto",
        "cache_control": {"type": "ephemeral"},
        "stream": True,
    }
    assert built(parse_request(body))[0] == body


@pytest.mark.parametrize(
    ("tier", "wanted", "note"),
    [("auto", "auto", ""), ("standard_only", "standard_only", ""), ("flex", "auto", "approximated=service_tier")],
)
def test_tiers(tier: str, wanted: str, note: str) -> None:
    assert body_of(service_tier=tier)["service_tier"] == wanted
    assert noted(service_tier=tier) == note


def test_a_mark_on_the_whole() -> None:
    assert body_of(cache=Cache("1h"))["cache_control"] == {"type": "ephemeral", "ttl": "1h"}


def test_names_lead_back() -> None:
    long = "x" * 70
    asked = request(
        HI,
        assistant(ToolUse("c", "a.b", "{}")),
        tools=(Tool("function", long), Tool("function", "f")),
        tool_choice=ToolChoice("tool", (long,)),
    )
    back = tool_names(asked, OLD)
    assert set(back.values()) == {long, "a.b"}
    assert {tool["name"] for tool in built(asked, OLD)[0]["tools"]} == {
        "f",
        next(sent for sent in back if len(sent) == 64),
    }
    assert tool_names(request(tools=(Tool("function", "f"),)), CLAUDE) == {}


def test_the_step_before_is_seen_by_the_next() -> None:
    body = body_of(dialect=Dialect.CHAT, reasoning=Reasoning("high"), temperature=0.2)
    assert "temperature" not in body
