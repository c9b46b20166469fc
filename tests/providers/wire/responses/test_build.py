import json
from hashlib import sha256
from typing import Any

import pytest

from providers.wire.capabilities import Capabilities
from providers.wire.chat.parse import parse_request as from_chat
from providers.wire.endpoints import Dialect
from providers.wire.messages.parse import parse_request as from_messages
from providers.wire.neutral import Text, Thinking, Turn
from providers.wire.notes import Rejected
from tests.providers.wire.responses.building import OPENAI, STRANGER, built, request

BARE = {
    "model": "m",
    "store": False,
    "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}],
}


def test_the_least_request() -> None:
    assert built(request(), STRANGER) == (BARE, "")
    assert built(request(), OPENAI) == ({**BARE, "include": ["reasoning.encrypted_content"]}, "")


@pytest.mark.parametrize(
    ("dialect", "fields", "target", "expected", "notes"),
    [
        ("chat", {"max_tokens": 100}, OPENAI, {"max_output_tokens": 100}, ""),
        ("chat", {"max_tokens": 5}, OPENAI, {"max_output_tokens": 16}, "approximated=max_tokens"),
        ("chat", {"max_tokens": 5}, STRANGER, {"max_output_tokens": 5}, ""),
        ("chat", {"temperature": 1.5, "top_p": 0.5}, STRANGER, {"temperature": 1.5, "top_p": 0.5}, ""),
        (
            "chat",
            {"temperature": 2},
            Capabilities(temperature_max=1.0),
            {"temperature": 1.0},
            "approximated=temperature",
        ),
        (
            "chat",
            {"temperature": 2, "top_p": 1},
            Capabilities(temperature=False, top_p=False),
            {},
            "dropped=temperature,top_p",
        ),
        ("messages", {"top_k": 5}, STRANGER, {}, "dropped=top_k"),
        ("messages", {"stop": (" ", "")}, STRANGER, {}, "dropped=stop_sequences"),
        ("messages", {"user": "u"}, OPENAI, {"safety_identifier": "u"}, ""),
        ("messages", {"user": "u"}, STRANGER, {"user": "u"}, ""),
        ("messages", {"user": "u" * 129}, OPENAI, {"safety_identifier": sha256(b"u" * 129).hexdigest()}, ""),
        ("messages", {"session": "s"}, OPENAI, {"prompt_cache_key": "s"}, ""),
        ("messages", {"session": "s" * 65}, OPENAI, {"prompt_cache_key": sha256(b"s" * 65).hexdigest()}, ""),
        ("messages", {"session": "s"}, STRANGER, {}, ""),
        ("messages", {"service_tier": "standard_only"}, OPENAI, {"service_tier": "default"}, ""),
        ("messages", {"service_tier": "odd"}, OPENAI, {"service_tier": "auto"}, "approximated=service_tier"),
        ("chat", {"service_tier": "on_demand"}, OPENAI, {"service_tier": "auto"}, "approximated=service_tier"),
        ("chat", {"service_tier": "flex"}, OPENAI, {"service_tier": "flex"}, ""),
        ("chat", {"service_tier": "flex"}, STRANGER, {}, "dropped=service_tier"),
        ("chat", {"stream": True}, STRANGER, {"stream": True}, ""),
    ],
)
def test_each_field_has_its_decision(
    dialect: str, fields: dict[str, Any], target: Capabilities, expected: dict[str, Any], notes: str
) -> None:
    body, said = built(request(Dialect(dialect), **fields), target)
    assert {name: value for name, value in body.items() if name not in BARE and name != "include"} == expected
    assert said == notes


@pytest.mark.parametrize(
    ("dialect", "fields", "field"),
    [
        ("messages", {"stop": ("END",)}, "stop_sequences"),
        ("chat", {"stop": ("END",)}, "stop"),
        ("messages", {"max_tokens": 0}, "max_tokens"),
    ],
)
def test_what_would_change_the_answer_is_refused(dialect: str, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Rejected, match=field) as refused:
        built(request(Dialect(dialect), **fields))
    assert refused.value.field == field


CLAUDE_CODE: dict[str, Any] = {
    "model": "m",
    "max_tokens": 32000,
    "stream": True,
    "system": [
        {"type": "text", "text": "x-anthropic-billing-header: cch=1;"},
        {"type": "text", "text": "You are an agent.", "cache_control": {"type": "ephemeral"}},
    ],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "List"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "foreign"},
                {"type": "text", "text": "I "},
                {"type": "text", "text": "look."},
                {"type": "tool_use", "id": "toolu_1", "name": "mcp__fs__list", "input": {"path": "."}},
                {"type": "tool_use", "id": "toolu_2", "name": "Bash", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "a"},
                {"type": "tool_result", "tool_use_id": "toolu_2", "content": "no", "is_error": True},
                {"type": "text", "text": "Go on", "cache_control": {"type": "ephemeral"}},
            ],
        },
        {"role": "system", "content": "Be brief"},
    ],
    "tools": [
        {
            "name": "mcp__fs__list",
            "description": "d",
            "input_schema": {"type": "object"},
            "eager_input_streaming": True,
        },
        {"name": "Bash", "input_schema": {"type": "object"}},
    ],
    "thinking": {"type": "adaptive"},
    "context_management": {"edits": []},
    "metadata": {"user_id": "user_x_account_y_session_z"},
}


def test_claude_code_asks_openai() -> None:
    body, notes = built(from_messages(CLAUDE_CODE))
    assert [(item["type"], item.get("role")) for item in body["input"]] == [
        ("message", "developer"),
        ("message", "user"),
        ("message", "assistant"),
        ("function_call", None),
        ("function_call", None),
        ("function_call_output", None),
        ("function_call_output", None),
        ("message", "user"),
        ("message", "system"),
    ]
    assert "billing" not in json.dumps(body)
    assert body["input"][2]["content"] == "I look."
    assert body["input"][6]["output"] == "[tool error] no"
    assert [tool["strict"] for tool in body["tools"]] == [False, False]
    assert (body["reasoning"], body["prompt_cache_key"]) == ({"summary": "auto"}, "z")
    assert notes == "dropped=context_management,messages.thinking; approximated=messages.is_error" or notes == (
        "dropped=messages.thinking,context_management; approximated=messages.is_error"
    )


CHAT: dict[str, Any] = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "Be brief"},
        {
            "role": "user",
            "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA", "detail": "low"}}],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "done"},
    ],
    "tools": [{"type": "function", "function": {"name": "f"}}],
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
    "seed": 7,
    "reasoning_effort": "low",
    "verbosity": "low",
    "metadata": {"a": "b"},
}


def test_a_chat_client_asks_openai() -> None:
    body, notes = built(from_chat(CHAT))
    assert body["instructions"] == "Be brief"
    assert body["input"][0]["content"] == [
        {"type": "input_image", "detail": "low", "image_url": "data:image/png;base64,AA"}
    ]
    assert body["input"][1]["arguments"] == "{}"
    assert body["input"][2]["output"] == "done"
    assert body["text"] == {
        "format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}},
        "verbosity": "low",
    }
    assert (body["reasoning"], body["metadata"]) == ({"effort": "low"}, {"a": "b"})
    assert notes == "dropped=seed"


def test_a_big_request_has_its_notes_once() -> None:
    turns = tuple(Turn("assistant", (Thinking("hm"), Text("a"))) for _ in range(3))
    assert built(request(turns=(*turns, *request().turns)))[1] == "dropped=messages.thinking"
