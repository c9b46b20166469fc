"""The top-level fields of a chat request."""

from typing import Any

import pytest
from hypothesis import given
from openai.types.chat.completion_create_params import CompletionCreateParamsBase
from openai.types.completion_create_params import CompletionCreateParamsBase as CompletionsParams

from providers.wire.chat.completions_parse import parse_completions
from providers.wire.chat.parse import parse_request
from providers.wire.endpoints import Dialect
from providers.wire.neutral import Cache, OutputFormat, Reasoning, Request, Text, Turn
from providers.wire.notes import Rejected
from tests.providers.wire.playbook import JSON

HI = [{"role": "user", "content": "Hi"}]
SCHEMA: dict[str, Any] = {"type": "object", "properties": {}}


def parsed(**body: Any) -> Request:
    return parse_request({"model": "m", "messages": HI, **body})


def test_a_request_that_says_nothing_else() -> None:
    assert parsed() == Request(Dialect.CHAT, "m", (Turn("user", (Text("Hi"),)),))
    assert parsed(n=1, store=False, modalities=["text"], logprobs=False, metadata={}, seed=None) == parsed()


CASES: list[tuple[dict[str, Any], str, Any]] = [
    ({"max_tokens": 5}, "max_tokens", 5),
    ({"max_tokens": 5, "max_completion_tokens": 6.0}, "max_tokens", 6),
    ({"temperature": 0, "top_p": 0.5}, "temperature", 0),
    ({"temperature": True}, "temperature", None),
    ({"top_p": 0.5}, "top_p", 0.5),
    ({"top_k": 5}, "top_k", 5),
    ({"stop": None}, "stop", ()),
    ({"stop": "a"}, "stop", ("a",)),
    ({"stop": ["a", 1, "b"]}, "stop", ("a", "b")),
    ({"stream": True}, "stream", True),
    ({"stream": "yes"}, "stream", False),
    ({"stream_options": {"include_usage": True}}, "include_usage", True),
    ({"user": "u"}, "user", "u"),
    ({"user": "u", "safety_identifier": "s"}, "user", "s"),
    ({"service_tier": "flex"}, "service_tier", "flex"),
    ({"prompt_cache_key": "k"}, "session", "k"),
    ({"cache_control": {"type": "ephemeral", "ttl": "1h"}}, "cache", Cache("1h")),
    ({"parallel_tool_calls": False}, "parallel_tool_calls", False),
    ({"parallel_tool_calls": "no"}, "parallel_tool_calls", None),
    ({"functions": [{"name": "f"}]}, "parallel_tool_calls", False),
    ({"functions": [{"name": "f"}]}, "legacy_functions", True),
    # the form of the answer
    ({"response_format": {"type": "text"}}, "output", OutputFormat("text")),
    ({"response_format": {"type": "json_object"}}, "output", OutputFormat("json_object")),
    ({"response_format": {}}, "output", None),
    (
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "n", "description": "d", "schema": SCHEMA, "strict": True},
            }
        },
        "output",
        OutputFormat("json_schema", SCHEMA, "n", "d", True),
    ),
    # reasoning
    ({"reasoning_effort": "low"}, "reasoning", Reasoning("low")),
    ({"reasoning": {"effort": "high", "summary": "auto"}}, "reasoning", Reasoning("high", summary="auto")),
    ({"reasoning": {"max_tokens": 99}}, "reasoning", Reasoning(budget=99)),
    ({"reasoning": {"enabled": False}}, "reasoning", Reasoning("none")),
    ({"reasoning": {"enabled": True}}, "reasoning", Reasoning("medium")),
    ({"reasoning": {"enabled": True, "max_tokens": 9}}, "reasoning", Reasoning(budget=9)),
    ({"reasoning": {"exclude": False}}, "reasoning", None),
    ({"thinking": {"type": "enabled", "budget_tokens": 9}}, "reasoning", Reasoning(budget=9, mode="enabled")),
]


@pytest.mark.parametrize(("body", "name", "value"), CASES)
def test_a_field_that_has_a_place(body: dict[str, Any], name: str, value: Any) -> None:
    request = parsed(**body)
    assert {field: getattr(request, field) for field in (name,)} == {name: value}
    assert not request.extra or name in ("session",)


@pytest.mark.parametrize(
    ("body", "extra"),
    [
        ({"seed": 7, "n": 2}, {"seed": 7, "n": 2}),
        ({"logprobs": True, "top_logprobs": 3}, {"logprobs": True, "top_logprobs": 3}),
        ({"never_heard_of": {"a": 1}}, {"never_heard_of": {"a": 1}}),
        ({"prompt_cache_key": "k"}, {"prompt_cache_key": "k"}),
        ({"stream_options": {"include_obfuscation": True}}, {"stream_options.include_obfuscation": True}),
        ({"reasoning": {"exclude": True}}, {"reasoning.exclude": True}),
        ({"modalities": ["text", "audio"]}, {"modalities": ["text", "audio"]}),
    ],
)
def test_every_other_field_keeps_its_name(body: dict[str, Any], extra: dict[str, Any]) -> None:
    assert parsed(**body).extra == extra


@pytest.mark.parametrize("params", [CompletionCreateParamsBase, CompletionsParams], ids=["chat", "completions"])
def test_no_documented_field_is_lost(params: Any) -> None:
    """A field that says something is in its place, or in extra: a new one of the SDK cannot vanish."""
    samples: dict[str, Any] = {
        "messages": HI,
        "functions": [{"name": "f"}],
        "function_call": {"name": "f"},
        "tools": [{"type": "function", "function": {"name": "f"}}],
        "tool_choice": "auto",
        "response_format": {"type": "json_object"},
        "stream_options": {"include_usage": True},
        "prompt": "p",
        "temperature": 1,
        "top_p": 1,
        "max_tokens": 1,
        "max_completion_tokens": 1,
        "parallel_tool_calls": True,
        "best_of": 2,
    }
    refused = {"suffix", "echo", "logprobs", "best_of"}
    for name in params.__annotations__:
        body: dict[str, Any] = {"prompt": "p", "messages": HI}
        parse = parse_request if params is CompletionCreateParamsBase else parse_completions
        changed = {**body, name: samples.get(name, "x")}
        if parse is parse_completions and name in refused:
            with pytest.raises(Rejected):
                parse(changed)
        elif name not in body:
            assert parse(changed) != parse(body), name


@pytest.mark.parametrize(
    ("messages", "path"),
    [(None, "messages"), ("Hi", "messages"), ([{"role": "user"}, "Hi"], "messages[1]")],
)
def test_what_is_no_conversation_is_refused(messages: Any, path: str) -> None:
    with pytest.raises(Rejected) as caught:
        parse_request({"model": "m", "messages": messages})
    assert caught.value.field == path


# Any JSON in any field is understood, or refused by name: nothing else is raised.
@given(JSON, JSON, JSON)
def test_any_json(first: Any, second: Any, third: Any) -> None:
    body = {name: value for name in CompletionCreateParamsBase.__annotations__ for value in (first,)}
    message = {"role": "assistant", "content": second, "tool_calls": third, "reasoning_details": [first, second]}
    fields = {"parts": [first, {"type": "text", "length": second, "citations": third}], "dialect": "messages"}
    message["provider_fields"] = fields
    messages = [message, {"role": "tool", "content": [first, second, third]}, {"role": first, "content": third}]
    parse_request({**body, "messages": messages})
    file, image = {"type": "file", "file": third}, {"type": "image_url", "image_url": second}
    parse_request({"messages": [{"role": "user", "content": [first, file, image]}]})
