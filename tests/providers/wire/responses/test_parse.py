from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire.endpoints import Dialect
from providers.wire.neutral import OutputFormat, Reasoning, Request, Text, ToolChoice, Turn
from providers.wire.notes import Rejected
from providers.wire.responses.parse import parse_request
from tests.providers.wire.playbook import JSON

SCHEMA: dict[str, object] = {"type": "object"}


def parse(**body: Any) -> Request:
    return parse_request({"model": "m", "input": "Hi", **body})


def test_a_text_is_a_users_turn() -> None:
    assert parse() == Request(Dialect.RESPONSES, "m", (Turn("user", (Text("Hi"),)),))


@pytest.mark.parametrize(
    ("body", "place", "value"),
    [
        ({"max_output_tokens": 9}, "max_tokens", 9),
        ({"temperature": 0.5}, "temperature", 0.5),
        ({"top_p": 1}, "top_p", 1),
        ({"top_k": 40}, "top_k", 40),
        ({"parallel_tool_calls": False}, "parallel_tool_calls", False),
        ({"stream": True}, "stream", True),
        ({"stream": True}, "include_usage", True),
        ({"stream": None}, "stream", False),
        ({"service_tier": "flex"}, "service_tier", "flex"),
        ({"user": "u"}, "user", "u"),
        ({"safety_identifier": "s", "user": "u"}, "user", "s"),
        ({"prompt_cache_key": "k"}, "session", "k"),
        ({"reasoning": {"effort": "low", "summary": "auto"}}, "reasoning", Reasoning("low", summary="auto")),
        ({"reasoning": {"generate_summary": "concise"}}, "reasoning", Reasoning(summary="concise")),
        ({"text": {"format": {"type": "text"}}}, "output", OutputFormat("text")),
        ({"text": {"format": {"type": "json_object"}}}, "output", OutputFormat("json_object")),
        (
            {
                "text": {
                    "format": {"type": "json_schema", "name": "n", "description": "d", "schema": SCHEMA, "strict": True}
                }
            },
            "output",
            OutputFormat("json_schema", SCHEMA, "n", "d", True),
        ),
        (
            {"text": {"format": {"type": "json_schema", "schema": SCHEMA}}},
            "output",
            OutputFormat("json_schema", SCHEMA),
        ),
        ({"text": {"format": None}}, "output", None),
        ({"tool_choice": "none"}, "tool_choice", ToolChoice("none")),
    ],
)
def test_fields_have_their_place(body: dict[str, Any], place: str, value: object) -> None:
    assert getattr(parse(**body), place) == value


def test_what_has_no_place_keeps_its_name() -> None:
    body = {
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "k",
        "background": True,
        "conversation": {"id": "conv_1"},
        "client_metadata": {"x": "y"},
        "text": {"verbosity": "low", "format": None},
        "reasoning": {"effort": "low", "context": "all_turns"},
        "metadata": None,
    }
    assert parse(**body).extra == {
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "k",
        "background": True,
        "conversation": {"id": "conv_1"},
        "client_metadata": {"x": "y"},
        "text.verbosity": "low",
        "reasoning.context": "all_turns",
    }


def message(role: str, text: str) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]}


def test_what_the_input_begins_with_joins_the_instructions() -> None:
    items = [message("developer", "b"), message("system", "c"), message("user", "d"), message("developer", "e")]
    request = parse(instructions="a", input=items)
    assert request.system == (Text("a"), Text("b"), Text("c"))
    assert [turn.role for turn in request.turns] == ["user", "developer"]
    assert request.system_role == "system"
    assert parse(input=items).system_role == "developer"


@pytest.mark.parametrize("name", ["prompt", "previous_response_id", "conversation", "instructions"])
def test_something_else_may_stand_for_the_input(name: str) -> None:
    request = parse_request({"model": "m", name: "x"})
    assert request.turns == ()
    assert request.extra == ({} if name == "instructions" else {name: "x"})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"input": None}, "input"),
        ({"max_output_tokens": "many"}, "max_output_tokens"),
        ({"temperature": True}, "temperature"),
        ({"top_p": "high"}, "top_p"),
        ({"stream": "yes"}, "stream"),
        ({"text": {"format": {"type": "xml"}}}, "text.format"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format.schema"),
    ],
)
def test_what_cannot_mean_anything_is_refused(body: dict[str, Any], field: str) -> None:
    with pytest.raises(Rejected) as refused:
        parse(**body)
    assert refused.value.field == field


ITEM_TYPES = st.sampled_from(
    ["message", "reasoning", "function_call", "function_call_output", "input_image", "input_file"]
)
ITEM = st.dictionaries(
    st.sampled_from(
        ["role", "content", "summary", "call_id", "name", "arguments", "output", "id", "encrypted_content"]
    ),
    JSON,
)
BODIES = st.fixed_dictionaries(
    {"input": JSON | st.lists(st.builds(lambda kind, item: {"type": kind, **item}, ITEM_TYPES, ITEM))},
    optional={name: JSON for name in ("tools", "tool_choice", "text", "reasoning", "instructions", "model", "other")},
)


# Whatever a body holds, it is understood or refused.
@given(BODIES)
def test_nothing_but_a_refusal_is_raised(body: dict[str, Any]) -> None:
    with suppress(Rejected):
        assert parse_request(body).dialect is Dialect.RESPONSES
