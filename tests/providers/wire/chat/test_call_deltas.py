"""Calls as chat deltas: indices, empty arguments, custom tools, functions of old."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire.chat.call_deltas import wrapped
from providers.wire.events import Event, PartEnd, ToolArguments, ToolCall
from tests.providers.wire.chat.written import deltas, finish, message


def function(id_: str, name: str, arguments: str) -> dict[str, object]:
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}


def test_the_index_counts_calls_and_arguments_may_interleave() -> None:
    events = (
        ToolCall(3, "a", "f"),
        ToolCall(7, "b", "g"),
        ToolArguments(7, '{"y"'),
        ToolArguments(3, '{"x": 1}'),
        ToolArguments(7, ": 2}"),
    )
    assert message(*events)["tool_calls"] == [function("a", "f", '{"x": 1}'), function("b", "g", '{"y": 2}')]
    assert finish(*events) == "tool_calls"


@pytest.mark.parametrize("end", [(), (PartEnd(0),), (ToolArguments(0, ""), PartEnd(0), PartEnd(0))])
def test_no_arguments_are_an_empty_object(end: tuple[Event, ...]) -> None:
    assert message(ToolCall(0, "a", "f"), *end)["tool_calls"] == [function("a", "f", "{}")]


def test_names_lead_back_and_a_missing_id_is_made() -> None:
    said = message(ToolCall(0, "", "short"), tool_names={"short": "long"})
    assert said["tool_calls"] == [function("call_ours_0", "long", "{}")]


def test_arguments_that_nobody_announced_are_a_call() -> None:
    assert message(ToolArguments(0, "{}"))["tool_calls"] == [function("call_ours_0", "", "{}")]


def test_half_a_character_in_arguments_waits() -> None:
    events = ToolCall(0, "a", "f"), ToolArguments(0, '{"x": "\ud83d'), ToolArguments(0, '\udc0e"}')
    assert message(*events)["tool_calls"][0]["function"]["arguments"] == '{"x": "🐎"}'


def test_a_custom_tool_is_told_live() -> None:
    events = ToolCall(0, "a", "sh", "custom"), ToolArguments(0, "ls "), ToolArguments(0, "-l"), PartEnd(0)
    assert message(*events)["tool_calls"] == [{"id": "a", "type": "custom", "custom": {"name": "sh", "input": "ls -l"}}]
    assert len(deltas(*events)) == 4
    assert message(ToolCall(0, "a", "sh", "custom"))["tool_calls"][0]["custom"]["input"] == ""


@pytest.mark.parametrize(
    ("arguments", "text"),
    [(wrapped("ls -l\n"), "ls -l\n"), ("ls", "ls"), ('{"input": 1}', '{"input": 1}'), ("", "")],
)
def test_a_custom_tool_that_was_a_function_on_the_way(arguments: str, text: str) -> None:
    events = ToolCall(0, "a", "sh"), ToolArguments(0, arguments[:5]), ToolArguments(0, arguments[5:])
    said = message(*events, custom_tools=frozenset({"sh"}))
    assert said["tool_calls"] == [{"id": "a", "type": "custom", "custom": {"name": "sh", "input": text}}]


def test_a_client_of_the_time_before_tools_gets_one_function_call() -> None:
    events = (
        ToolCall(0, "a", "f"),
        ToolArguments(0, '{"x"'),
        ToolArguments(0, ": 1}"),
        ToolCall(1, "b", "g"),
        ToolArguments(1, "{}"),
    )
    said = message(*events, legacy_functions=True)
    assert said["function_call"] == {"name": "f", "arguments": '{"x": 1}'}
    assert "tool_calls" not in said
    assert said["provider_fields"]["parts"][1] == {"type": "tool_call", "id": "b", "name": "g", "arguments": "{}"}
    assert finish(*events, legacy_functions=True) == "function_call"
    assert message(ToolCall(0, "a", "f"), legacy_functions=True)["function_call"]["arguments"] == "{}"


# However arguments are cut, the client's accumulator has the same text.
@given(st.dictionaries(st.text(), st.text() | st.integers()), st.integers(1, 5), st.booleans())
def test_any_cut_of_arguments(value: dict[str, object], step: int, escaped: bool) -> None:
    text = json.dumps(value, ensure_ascii=escaped)
    pieces = [ToolArguments(0, text[at : at + step]) for at in range(0, len(text), step)]
    (call,) = message(ToolCall(0, "a", "f"), *pieces)["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == value
