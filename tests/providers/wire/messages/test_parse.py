"""Requests of Anthropic clients as neutral ones."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire.endpoints import Dialect
from providers.wire.messages.parse import parse_request
from providers.wire.neutral import Cache, OutputFormat, Reasoning, Request, Text, ToolChoice, Turn
from providers.wire.notes import Rejected
from tests.providers.wire.playbook import JSON

BILLING = {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1; cch=12345;"}
SCHEMA: dict[str, Any] = {"type": "object"}
HI: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi"}]}


def extra(**fields: Any) -> dict[str, object]:
    return dict(parse_request({**HI, **fields}).extra)


def test_a_whole_request() -> None:
    body = {
        "model": "claude",
        "max_tokens": 100,
        "system": [BILLING, {"type": "text", "text": "be nice", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": [{"type": "text", "text": "Hello"}]},
            {"role": "system", "content": "later", "clear_at": "x"},
        ],
        "tools": [],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
        "temperature": 0.5,
        "top_p": 1,
        "top_k": 5,
        "stop_sequences": ["END"],
        "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": SCHEMA}},
        "thinking": {"type": "enabled", "budget_tokens": 2000, "display": "summarized"},
        "metadata": {"user_id": "user_x_account__session_s"},
        "service_tier": "standard_only",
        "cache_control": {"type": "ephemeral", "ttl": "1h"},
        "stream": True,
    }
    assert parse_request(body) == Request(
        dialect=Dialect.MESSAGES,
        model="claude",
        turns=(
            Turn("user", (Text("Hi"),)),
            Turn("assistant", (Text("Hello"),)),
            Turn("system", (Text("later"),), {"clear_at": "x"}),
        ),
        system=(Text("be nice", Cache()),),
        tool_choice=ToolChoice("any"),
        parallel_tool_calls=False,
        max_tokens=100,
        temperature=0.5,
        top_p=1,
        top_k=5,
        stop=("END",),
        output=OutputFormat("json_schema", SCHEMA, "output", strict=True),
        reasoning=Reasoning("high", 2000, "enabled", "auto"),
        stream=True,
        include_usage=True,
        user="user_x_account__session_s",
        session="s",
        service_tier="standard_only",
        cache=Cache("1h"),
    )


def test_the_smallest_request() -> None:
    assert parse_request(HI) == Request(
        dialect=Dialect.MESSAGES, model="", turns=(Turn("user", (Text("Hi"),)),), include_usage=True
    )


def test_zero_is_a_number() -> None:
    request = parse_request({**HI, "max_tokens": 0, "temperature": 0, "top_k": 0})
    assert (request.max_tokens, request.temperature, request.top_k, request.extra) == (0, 0, 0, {})


def test_what_has_no_place_keeps_its_name() -> None:
    assert extra(
        context_management={"edits": []},
        speed="fast",
        container=None,
        output_config={"task_budget": {"total": 1}, "effort": None},
        metadata={"user_id": "u", "team": "t"},
    ) == {
        "context_management": {"edits": []},
        "speed": "fast",
        "output_config.task_budget": {"total": 1},
        "metadata": {"team": "t"},
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_tokens", "many"),
        ("temperature", True),
        ("stop_sequences", [1]),
        ("stop_sequences", "END"),
        ("tool_choice", {"type": "new"}),
        ("thinking", "yes"),
        ("metadata", "u"),
        ("output_format", {"type": "new"}),
    ],
)
def test_what_cannot_be_read_keeps_its_name(name: str, value: object) -> None:
    assert extra(**{name: value}) == {name: value}


def test_an_unknown_format() -> None:
    assert extra(output_config={"format": {"type": "new"}}) == {"output_config.format": {"type": "new"}}


def test_empty_fields_are_absent() -> None:
    assert extra(model="", stop_sequences=[], service_tier="", top_p=None, metadata={}, stream=False) == {}


def test_the_beta_place_of_the_format() -> None:
    request = parse_request({**HI, "output_format": {"type": "json_schema", "schema": SCHEMA}})
    assert request.output == OutputFormat("json_schema", SCHEMA, "output", strict=True)


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"thinking": {"type": "adaptive", "display": "omitted"}}, Reasoning("", None, "adaptive", "omitted")),
        ({"thinking": {"type": "adaptive", "display": "new"}}, Reasoning("", None, "adaptive", "new")),
        ({"thinking": {"type": "disabled"}}, Reasoning(mode="disabled")),
        ({"output_config": {"effort": "low"}}, Reasoning("low")),
    ],
)
def test_reasoning(fields: dict[str, Any], wanted: Reasoning) -> None:
    assert parse_request({**HI, **fields}).reasoning == wanted


def test_parallel_calls() -> None:
    choice = {"type": "auto", "disable_parallel_tool_use": False}
    assert parse_request({**HI, "tool_choice": choice}).parallel_tool_calls is True


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": ["Hi"]}, "messages.0"),
        ({"messages": [{"content": "Hi"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": 1}]}, "messages.0.content"),
        ({"messages": [], "system": 1}, "system"),
    ],
)
def test_what_cannot_mean_anything(body: dict[str, object], field: str) -> None:
    with pytest.raises(Rejected) as refused:
        parse_request(body)
    assert refused.value.field == field


# Any values in any fields are understood, kept under their names, or refused.
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "model",
                "max_tokens",
                "system",
                "tools",
                "tool_choice",
                "thinking",
                "metadata",
                "output_config",
                "stop_sequences",
                "stream",
                "cache_control",
                "temperature",
                "other",
            ]
        ),
        JSON,
    )
)
def test_any_values(fields: dict[str, object]) -> None:
    with suppress(Rejected):
        assert parse_request({**HI, **fields}).dialect is Dialect.MESSAGES
