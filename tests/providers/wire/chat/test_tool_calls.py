"""Tool calls in all the ways that chat providers stream them."""

import pytest

from providers.wire.events import Event, Opaque, Text, ToolArguments, ToolCall
from providers.wire.request import ToolCallPart
from tests.providers.wire.chat.chunks import call, chunk, read, read_calls
from tests.providers.wire.playbook import parts_of

CITY = '{"city":"Brno"}'


def calls_of(events: list[Event]) -> list[tuple[str, str, str]]:
    return [(part.id, part.name, part.arguments) for part in parts_of(events) if isinstance(part, ToolCallPart)]


def test_openai_says_id_and_name_once() -> None:
    events = read_calls([call(0, "a", "f", "")], [call(0, arguments='{"ci')], [call(0, arguments='ty":1}')])
    assert events == [ToolCall(0, "a", "f"), ToolArguments(0, '{"ci'), ToolArguments(0, 'ty":1}')]


TWO = [("a", "f", CITY), ("b", "g", "{}")]


@pytest.mark.parametrize(
    "fragments",
    [
        pytest.param(([call(0, "a", "f", CITY)], [call(1, "b", "g", "{}")]), id="one after the other"),
        pytest.param(([call(0, "a", "f", CITY), call(1, "b", "g", "{}")],), id="in one chunk"),
        pytest.param(([call(None, "a", "f", CITY), call(None, "b", "g", "{}")],), id="Mistral, without index"),
        pytest.param(([call(None, "a", "f", CITY)], [call(None, "b", "g", "{}")]), id="without index, two chunks"),
        pytest.param(([call(0, "a", "f", CITY)], [call(0, "b", "g", "{}")]), id="Gemini, every index 0"),
        pytest.param(
            (
                [call(0, "a", "f", '{"ci'), call(1, "b", "g", "{")],
                [call(1, arguments="}"), call(0, arguments='ty":"Brno"}')],
            ),
            id="interleaved",
        ),
        pytest.param(
            ([call(0, "a", "f", '{"ci')], [call(0, "a", "f", 'ty":"Brno"}')], [call(1, "b", "g", "{}")]),
            id="id and name repeated",
        ),
        pytest.param(
            ([call(0, "a", "f", "{}")], [call(0, arguments=CITY)], [call(1, "b", "g", "{}")]),
            id="a first fragment that was not meant",
        ),
        pytest.param(([call(1, "a", "f", CITY)], [call(2, "b", "g", "{}")]), id="indexes from 1"),
        pytest.param(([call(0, "a", "f", {"city": "Brno"})], [call(1, "b", "g", {})]), id="arguments as objects"),
        pytest.param(
            (
                [call(0, arguments='{"city"')],
                [call(0, "a")],
                [call(0, None, "f", ':"Brno"}')],
                [call(1, "b", "g", "{}")],
            ),
            id="arguments before the name",
        ),
        pytest.param(
            (
                [call(None, "a", "f", ""), call(None, "b", "g", "")],
                [call(arguments=CITY), call(arguments="{}")],
            ),
            id="without index, then by position",
        ),
        pytest.param(
            (
                [call(None, "a", "f", '{"ci'), call(None, "b", "g", "{")],
                [call(1, arguments="}"), call(0, arguments='ty":"Brno"}')],
            ),
            id="an index that comes later",
        ),
        pytest.param(
            ([{**call(None, "a", "f", ""), "index": "0"}], [call(0, arguments=CITY)], [call(1, "b", "g", "{}")]),
            id="an index in quotes",
        ),
        pytest.param(
            (
                [call(0, "a", "f", '{"ci')],
                [call(0, "", None, 'ty":"Brno"}')],
                [call(0, "", None, "")],
                [call(1, "b", "g", "{}")],
            ),
            id="Alibaba, empty ids behind the first",
        ),
    ],
)
def test_two_calls_however_they_come(fragments: tuple[list[dict[str, object]], ...]) -> None:
    got = calls_of(
        read(*(chunk({"tool_calls": entries}) for entries in fragments), chunk(finish="tool_calls"), done=True)
    )
    assert [(id_, name, arguments.replace(": ", ":")) for id_, name, arguments in got] == TWO


def test_without_index_or_id_fragments_follow_the_last_call_and_a_name_after_complete_arguments_opens_one() -> None:
    events = read_calls(
        [call(None, None, "f", '{"ci')],
        [call(None, None, None, 'ty":"Brno"}')],
        [call(None, None, "g", "{}")],
        [call(None, None, "g", '{"x":1}')],
    )
    assert calls_of(events) == [("", "f", CITY), ("", "g", "{}"), ("", "g", '{"x":1}')]


def test_under_one_index_without_ids_a_name_after_complete_arguments_opens_a_call() -> None:
    events = read_calls([call(0, "", "f", '{"x":1}'), call(0, "", "g", '{"x":2}')], [call(0, "", "g", '{"x":3}')])
    assert calls_of(events) == [("", "f", '{"x":1}'), ("", "g", '{"x":2}'), ("", "g", '{"x":3}')]


def test_under_one_index_a_repeated_name_is_the_same_call_as_long_as_it_may_be() -> None:
    assert calls_of(read_calls([call(0, "", "f", '{"x":1}')], [call(0, "", "f", "")])) == [("", "f", '{"x":1}')]
    assert calls_of(read_calls([call(0, None, "f", "{}")], [call(0, None, "f", CITY)])) == [("", "f", CITY)]


def test_more_positions_than_calls_belong_to_the_last() -> None:
    events = read_calls([call(0, "a", "f", "{")], [call(arguments='"x":'), call(arguments="1}")])
    assert calls_of(events) == [("a", "f", '{"x":1}')]


def test_one_id_for_two_calls_in_a_list_is_two_calls() -> None:
    entries = [call(None, "call_0", "f", CITY), call(None, "call_0", "f", CITY)]
    assert calls_of(read_calls(entries)) == [("call_0", "f", CITY), ("call_0", "f", CITY)]


def test_whole_calls_behind_their_fragments_are_the_same_calls() -> None:
    whole = [call(0, "a", "f", CITY), call(1, "b", "g", "{}")]
    events = read_calls(
        [call(0, "a", "f", '{"city":')], [call(0, arguments='"Brno"}')], [call(1, "b", "g", "{}")], whole
    )
    assert calls_of(events) == TWO


def test_one_call_without_a_list_is_a_call() -> None:
    assert calls_of(read(chunk({"tool_calls": call(0, "a", "f", CITY)}))) == [("a", "f", CITY)]


def test_a_repeated_name_without_index_or_id_before_the_end_of_the_arguments_is_the_same_call() -> None:
    assert calls_of(read_calls([call(None, None, "f", "{")], [call(None, None, "f", "}")])) == [("", "f", "{}")]


def test_a_call_without_id_is_announced_when_its_arguments_begin_and_one_without_any_at_the_end() -> None:
    assert read_calls([call(0, None, "f", "")]) == [ToolCall(0, "", "f")]
    assert read_calls([call(0, None, "f", "")], [call(0, None, None, "{")]) == [
        ToolCall(0, "", "f"),
        ToolArguments(0, "{"),
    ]
    assert read_calls([call(0, "a", None, "{")]) == [ToolCall(0, "a", ""), ToolArguments(0, "{")]


def test_an_empty_first_fragment_that_was_meant_comes_with_what_follows() -> None:
    events = read_calls([call(0, "a", "f", "{}")], [call(0, arguments=" ")])
    assert events == [ToolCall(0, "a", "f"), ToolArguments(0, "{}"), ToolArguments(0, " ")]


def test_calls_have_parts_of_their_own_among_text() -> None:
    events = read(
        chunk({"content": "Let me"}),
        chunk({"tool_calls": [call(0, "a", "f", "{")]}),
        chunk({"content": "see"}),
        chunk({"tool_calls": [call(0, arguments="}")]}),
    )
    assert events == [
        Text("Let me", 0),
        ToolCall(1, "a", "f"),
        ToolArguments(1, "{"),
        Text("see", 2),
        ToolArguments(1, "}"),
    ]


def test_a_custom_tool_takes_free_text() -> None:
    entry = {"index": 0, "id": "a", "type": "custom", "custom": {"name": "f", "input": "ls -l"}}
    assert read_calls([entry]) == [ToolCall(0, "a", "f", "custom"), ToolArguments(0, "ls -l")]
    more = {"index": 0, "custom": {"input": " /"}}
    assert read_calls([entry], [more])[-1] == ToolArguments(0, " /")


def test_a_legacy_function_call_is_one_call_without_id() -> None:
    events = read(
        chunk({"function_call": {"name": "f", "arguments": "{"}}), chunk({"function_call": {"arguments": "}"}})
    )
    assert calls_of(events) == [("", "f", "{}")]


def test_a_function_call_of_empty_strings_is_none() -> None:
    """Snowflake's answers hold one each, beside the calls that were made."""
    empty = {"name": "", "arguments": ""}
    made = {**call(None, "a", "f", "{}"), "type": "function", "custom": {"name": "", "input": ""}}
    assert read(chunk({"content": "a", "function_call": empty})) == [Text("a")]
    assert calls_of(read(chunk({"function_call": empty, "tool_calls": [made]}), done=True)) == [("a", "f", "{}")]


def test_a_thought_signature_stays_with_its_call() -> None:
    google = {"google": {"thought_signature": "s"}}
    events = read_calls([{**call(0, "a", "f", "{}"), "extra_content": google}])
    assert Opaque('{"google":{"thought_signature":"s"}}', "extra_content", 0) in events


def test_what_is_no_call_stays_opaque() -> None:
    assert read(chunk({"tool_calls": ["odd", None]})) == [Opaque('"odd"', "tool_call"), Opaque("null", "tool_call")]
