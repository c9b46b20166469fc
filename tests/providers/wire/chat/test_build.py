"""Whole requests of the two other dialects, built for several targets and judged by the SDK's types."""

from typing import Any

import pytest

from providers.wire.capabilities import Capabilities
from providers.wire.chat.build import tool_names
from providers.wire.endpoints import Dialect
from providers.wire.messages.parse import parse_request as parse_messages
from providers.wire.neutral import Request, Text, Tool, ToolUse
from providers.wire.responses.parse import parse_request as parse_responses
from tests.providers.wire.chat.building_play import OPENAI, ROUTER, assistant, built, messages, noted, request, user

LONG = "mcp__a_server_with_a_long_name__" + "x" * 60
MESSAGES: dict[str, Any] = {
    "model": "m",
    "max_tokens": 100,
    "stream": True,
    "system": [
        {"type": "text", "text": "x-anthropic-billing-header: cc_version=1; cch=abc;"},
        {"type": "text", "text": "You"},
        {"type": "text", "text": "are", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
    ],
    "messages": [
        {"role": "user", "content": "Hi"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "text", "text": "One"},
                {"type": "text", "text": " sentence"},
                {"type": "tool_use", "id": "t1", "name": "f", "input": {"x": "é"}},
                {"type": "tool_use", "id": "t2", "name": LONG, "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "and then"},
                {"type": "tool_result", "tool_use_id": "t1", "content": "r1", "is_error": True},
                {
                    "type": "tool_result",
                    "tool_use_id": "t2",
                    "content": [
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
                    ],
                },
            ],
        },
        {"role": "system", "content": "be brief"},
    ],
    "tools": [{"name": "f", "input_schema": {"type": "object"}}, {"name": LONG, "input_schema": {}}],
    "tool_choice": {"type": "tool", "name": LONG, "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 50},
    "metadata": {"user_id": "u"},
    "context_management": {"edits": []},
    "temperature": 1,
    "top_k": 5,
    "stop_sequences": ["END"],
}
RESPONSES: dict[str, Any] = {
    "model": "m",
    "instructions": "You are",
    "stream": True,
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"role": "assistant", "content": [{"type": "output_text", "text": "Let me"}], "phase": "commentary"},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"x": 1}'},
        {"type": "custom_tool_call", "call_id": "c2", "name": "patch", "input": "*** Begin"},
        {"type": "function_call_output", "call_id": "c1", "output": "r1"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "r2"},
    ],
    "tools": [
        {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": False},
        {"type": "custom", "name": "patch", "format": {"type": "grammar", "syntax": "lark", "definition": "start: X"}},
        {"type": "web_search"},
    ],
    "tool_choice": "auto",
    "parallel_tool_calls": False,
    "reasoning": {"effort": "high", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
    "store": False,
    "prompt_cache_key": "session",
    "text": {"verbosity": "low"},
}
TARGETS = {
    "unknown": Capabilities(),
    "openai": OPENAI,
    "router": ROUTER,
    "strict": Capabilities(mid_system=False, tool_id="[a-zA-Z0-9]{9}", tool_id_length=9, reasoning_back="", effort=()),
}


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@pytest.mark.parametrize("asked", [parse_messages(MESSAGES), parse_responses(RESPONSES)], ids=["messages", "responses"])
def test_the_sdk_takes_it(asked: Request, target: Capabilities) -> None:
    body, _ = built(asked, target)
    assert body["model"] == "m"
    assert [message["role"] for message in body["messages"]].count("tool") == 2
    calls = [call["id"] for message in body["messages"] for call in message.get("tool_calls", ())]
    assert calls == [message["tool_call_id"] for message in body["messages"] if message["role"] == "tool"]


def test_a_messages_request() -> None:
    body, notes = built(parse_messages(MESSAGES))
    assert [(m["role"], m["content"]) for m in body["messages"]] == [
        ("system", [{"type": "text", "text": "You"}, {"type": "text", "text": "are"}]),
        ("user", "Hi"),
        ("assistant", "One sentence"),
        ("tool", "[tool error] r1"),
        ("tool", "The result is shown in the next message."),
        (
            "user",
            [
                {"type": "text", "text": "Result of the tool call t2:"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                {"type": "text", "text": "and then"},
            ],
        ),
        ("system", "be brief"),
    ]
    assert body["messages"][2]["reasoning_content"] == "hm"
    assert body["stream_options"] == {"include_usage": True}
    assert (body["max_tokens"], body["temperature"], body["top_k"], body["stop"]) == (100, 1, 5, ["END"])
    assert notes.header() == (
        "dropped=cache_control,messages.thinking.signature,context_management; approximated="
        "messages.tool_result.is_error,messages.tool_result.content,thinking.budget_tokens"
    )


def test_a_responses_request() -> None:
    body, notes = built(parse_responses(RESPONSES))
    assert [m["role"] for m in body["messages"]] == ["system", "user", "assistant", "tool", "tool"]
    turn = body["messages"][2]
    assert (turn["content"], turn["reasoning_content"]) == ("Let me", "hm")
    assert turn["tool_calls"][1]["function"] == {"name": "patch", "arguments": '{"input":"*** Begin"}'}
    assert [tool["function"]["name"] for tool in body["tools"]] == ["f", "patch"]
    assert body["reasoning_effort"] == "high"
    assert notes.header() == (
        "dropped=tools.web_search,input.phase,prompt_cache_key,text.verbosity; approximated=tools.custom"
    )


def test_a_responses_request_to_openai_itself() -> None:
    body, _ = built(parse_responses(RESPONSES), OPENAI)
    assert body["messages"][2]["tool_calls"][1]["custom"] == {"name": "patch", "input": "*** Begin"}
    assert body["tools"][1]["custom"]["format"]["grammar"] == {"syntax": "lark", "definition": "start: X"}
    assert (body["verbosity"], body["prompt_cache_key"]) == ("low", "session")


def test_long_names_are_short_everywhere_and_lead_back() -> None:
    asked = parse_messages(MESSAGES)
    body, _ = built(asked)
    (sent,) = tool_names(asked, Capabilities())
    assert tool_names(asked, Capabilities()) == {sent: LONG}
    assert len(sent) == 64
    assert body["tools"][1]["function"]["name"] == sent
    assert body["tool_choice"] == {"type": "function", "function": {"name": sent}}
    assert body["messages"][2]["tool_calls"][1]["function"]["name"] == sent


def test_a_name_of_the_history_alone_is_short_too() -> None:
    asked = request(user(Text("Hi")), assistant(ToolUse("a", LONG, "{}")), tools=(Tool("function", "f"),))
    assert set(tool_names(asked, Capabilities()).values()) == {LONG}


def test_the_model_goes_as_it_is() -> None:
    assert built(request(user(Text("Hi"))))[0] == {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


def test_notes_speak_of_the_clients_own_fields() -> None:
    said = Text("Hi", citations=({"type": "x"},))
    assert noted(user(Text("Hi")), assistant(said), user(Text("so"))) == "dropped=messages.citations"
    both = noted(user(Text("Hi")), assistant(said), user(Text("so")), dialect=Dialect.RESPONSES)
    assert both == "dropped=input.citations"
    assert len(messages(user(Text("Hi")), assistant(said))) == 2
