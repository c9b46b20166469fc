"""Limits, sampling, reasoning, output form and caller, for targets that take them and targets that do not."""

from typing import Any

import pytest

from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect
from providers.wire.neutral import OutputFormat, Reasoning, Text
from providers.wire.notes import Rejected
from tests.providers.wire.chat.building_play import OPENAI, PLAIN, ROUTER, built, request, user

HI = user(Text("Hi"))


def setting(name: str, target: Capabilities = PLAIN, **asked: Any) -> tuple[Any, str]:
    body, notes = built(request(HI, **asked), target)
    return body.get(name), notes.header()


CASES: list[tuple[str, Capabilities, dict[str, Any], Any, str]] = [
    ("max_tokens", PLAIN, {"max_tokens": 5}, 5, ""),
    ("max_completion_tokens", OPENAI, {"max_tokens": 5}, 5, ""),
    ("stop", PLAIN, {"stop": ("a", "b")}, ["a", "b"], ""),
    ("temperature", PLAIN, {"temperature": 0}, 0, ""),
    ("temperature", Capabilities(temperature_max=1.0), {"temperature": 2}, 1.0, "approximated=temperature"),
    (
        "temperature",
        Capabilities(temperature_max=1.0, temperature=False),
        {"temperature": 2},
        None,
        "dropped=temperature",
    ),
    ("top_p", PLAIN, {"top_p": 0.5}, 0.5, ""),
    ("top_p", Capabilities(top_p=False), {"top_p": 0.5}, None, "dropped=top_p"),
    ("top_k", PLAIN, {"top_k": 5}, 5, ""),
    ("top_k", Capabilities(top_k=False), {"top_k": 5}, None, "dropped=top_k"),
    # reasoning
    ("reasoning_effort", PLAIN, {"reasoning": Reasoning("high", 10)}, "high", ""),
    ("reasoning_effort", PLAIN, {"reasoning": Reasoning("xhigh")}, "high", "approximated=output_config.effort"),
    ("reasoning_effort", PLAIN, {"reasoning": Reasoning("minimal")}, "low", "approximated=output_config.effort"),
    ("reasoning_effort", PLAIN, {"reasoning": Reasoning("newest")}, None, "dropped=output_config.effort"),
    (
        "reasoning_effort",
        Capabilities(effort=()),
        {"reasoning": Reasoning("high")},
        None,
        "dropped=output_config.effort",
    ),
    (
        "reasoning_effort",
        Capabilities(effort=()),
        {"reasoning": Reasoning("new")},
        None,
        "dropped=output_config.effort",
    ),
    ("reasoning_effort", PLAIN, {"reasoning": Reasoning(mode="disabled")}, None, "dropped=thinking.type"),
    ("reasoning_effort", Capabilities(effort=("none", "low")), {"reasoning": Reasoning(mode="disabled")}, "none", ""),
    (
        "reasoning_effort",
        Capabilities(effort=("none", "low")),
        {"reasoning": Reasoning(mode="between_tools")},
        "none",
        "approximated=thinking.type",
    ),
    (
        "reasoning_effort",
        Capabilities(effort=("minimal", "low")),
        {"reasoning": Reasoning(mode="disabled")},
        "minimal",
        "approximated=thinking.type",
    ),
    ("reasoning_effort", PLAIN, {"reasoning": Reasoning(mode="adaptive")}, None, ""),
    (
        "reasoning_effort",
        PLAIN,
        {"reasoning": Reasoning(budget=5000, mode="enabled")},
        "medium",
        "approximated=thinking.budget_tokens",
    ),
    (
        "reasoning_effort",
        PLAIN,
        {"reasoning": Reasoning(budget=50000)},
        "high",
        "approximated=thinking.budget_tokens",
    ),
    (
        "reasoning_effort",
        PLAIN,
        {"reasoning": Reasoning(budget=800), "max_tokens": 1000},
        "high",
        "approximated=thinking.budget_tokens",
    ),
    ("reasoning", ROUTER, {"reasoning": Reasoning(budget=800)}, {"max_tokens": 800}, ""),
    ("reasoning", ROUTER, {"reasoning": Reasoning("low", 800)}, {"effort": "low"}, ""),
    # who asks
    ("user", PLAIN, {"user": "u"}, "u", ""),
    ("safety_identifier", OPENAI, {"user": "u"}, "u", ""),
    (
        "user",
        PLAIN,
        {"user": "u" * 129},
        "c08f8c61f51d43b7b2f7f4a0d2fd1f9f7c7b8fbd",
        "approximated=metadata.user_id",
    ),
    ("prompt_cache_key", OPENAI, {"session": "s"}, "s", ""),
    ("prompt_cache_key", PLAIN, {"session": "s"}, None, ""),
    ("service_tier", OPENAI, {"service_tier": "standard_only"}, "default", ""),
    ("service_tier", OPENAI, {"service_tier": "flex"}, None, "dropped=service_tier"),
    ("service_tier", OPENAI, {"service_tier": "flex", "dialect": Dialect.RESPONSES}, "flex", ""),
    ("service_tier", PLAIN, {"service_tier": "standard_only"}, None, "dropped=service_tier"),
    ("service_tier", PLAIN, {"service_tier": "auto"}, None, ""),
    # streams
    ("stream_options", PLAIN, {"stream": True}, {"include_usage": True}, ""),
    ("stream_options", Capabilities(include_usage=False), {"stream": True}, None, ""),
    ("stream", PLAIN, {}, None, ""),
]


@pytest.mark.parametrize(("name", "target", "asked", "value", "note"), CASES)
def test_each_setting(name: str, target: Capabilities, asked: dict[str, Any], value: Any, note: str) -> None:
    said, notes = setting(name, target, **asked)
    if isinstance(value, str) and len(value) == 40:  # a hash: its form is what matters
        assert len(said) == 64
        assert int(said, 16)
    else:
        assert said == value
    assert notes == note


@pytest.mark.parametrize(
    ("asked", "target", "path"),
    [
        ({"max_tokens": 0}, PLAIN, "max_tokens"),
        ({"stop": tuple("abcde")}, PLAIN, "stop_sequences"),
        ({"stop": ("a",)}, Capabilities(stop_most=0), "stop_sequences"),
    ],
)
def test_what_would_change_the_answer_is_refused(asked: dict[str, Any], target: Capabilities, path: str) -> None:
    with pytest.raises(Rejected) as caught:
        setting("stop", target, **asked)
    assert caught.value.field == path


CLOSED = {
    "type": "object",
    "properties": {"a": {"type": "array", "items": {"type": ["string", "null"], "enum": ["x"]}}},
    "required": ["a"],
    "additionalProperties": False,
}
OPEN = {"type": "object", "properties": {"a": CLOSED}, "additionalProperties": False}
SCHEMA = OutputFormat("json_schema", CLOSED, "output", strict=True)


def test_a_schema() -> None:
    said, note = setting("response_format", output=SCHEMA)
    assert said == {"type": "json_schema", "json_schema": {"name": "output", "schema": CLOSED, "strict": True}}
    assert note == ""
    named = OutputFormat("json_schema", OPEN, "n", "d", None)
    said, _ = setting("response_format", output=named, dialect=Dialect.RESPONSES)
    assert said["json_schema"] == {"name": "n", "description": "d", "schema": OPEN}


@pytest.mark.parametrize("schema", [OPEN, {"anyOf": [OPEN]}, {**CLOSED, "additionalProperties": True}])
def test_a_schema_that_openai_would_not_call_strict_is_not(schema: dict[str, Any]) -> None:
    said, note = setting("response_format", output=OutputFormat("json_schema", schema, strict=True))
    assert "strict" not in said["json_schema"]
    assert note == "approximated=output_config.format.schema"


@pytest.mark.parametrize(
    ("output", "best", "form", "words"),
    [
        (OutputFormat("text"), "json_schema", None, ""),
        (OutputFormat("json_object"), "json_schema", {"type": "json_object"}, ""),
        (SCHEMA, "json_object", {"type": "json_object"}, "JSON schema"),
        (SCHEMA, "", None, "JSON schema"),
        (OutputFormat("json_object"), "", None, "one JSON object"),
    ],
)
def test_what_the_target_cannot_keep_to_is_said_in_words(
    output: OutputFormat, best: str, form: Any, words: str
) -> None:
    body, notes = built(request(HI, output=output, system=(Text("You"),)), Capabilities(structured=best))
    assert body.get("response_format") == form
    system = body["messages"][0]["content"]
    assert (system == "You") if not words else words in system[-1]["text"]
    assert notes.header() == ("approximated=output_config.format" if words else "")
