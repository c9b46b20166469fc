import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire import side_channel
from providers.wire.endpoints import Dialect
from providers.wire.events import Event, Media, Opaque, PartEnd, Reasoning, Refusal, Text, ToolArguments, ToolCall
from providers.wire.neutral import Thinking
from providers.wire.responses.parse import parse_request
from providers.wire.writer import Answering
from tests.providers.wire.responses.writer_play import items, told, whole

SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}}


def calls(events: list[Event]) -> list[tuple[str, str, str]]:
    return [
        (item["call_id"], item["name"], item["arguments"]) for item in items(events) if item["type"] == "function_call"
    ]


def test_interleaved_calls_stay_whole() -> None:
    events: list[Event] = [
        ToolCall(0, "a", "f"),
        ToolCall(1, "b", "g"),
        ToolArguments(1, '{"y"'),
        ToolArguments(0, '{"x"'),
        ToolCall(2, "c", "h"),
        ToolArguments(1, ": 2}"),
        ToolArguments(0, ": 1}"),
        PartEnd(1),
        Text("after", 3),
        ToolArguments(2, "{}"),
    ]
    assert calls(events) == [("a", "f", '{"x": 1}'), ("b", "g", '{"y": 2}'), ("c", "h", "{}")]
    assert items(events)[-1]["content"][0]["text"] == "after"


def test_the_open_call_is_live_and_the_others_are_held() -> None:
    live = told([ToolCall(0, "a", "f"), ToolArguments(0, '{"x"'), ToolCall(1, "b", "g"), ToolArguments(1, "{}")])
    open_items = [frame["type"] for frame in live if "output_item" in frame["type"]]
    assert open_items == ["response.output_item.added", "response.output_item.done"] * 2


# Whatever the order in which the pieces of parallel calls arrive, each call has its own arguments, in its place.
@given(st.permutations([0] * 3 + [1] * 3 + [2] * 3))
def test_any_interleaving(order: list[int]) -> None:
    pieces = {part: iter(('{"x":', f'"{part}', '"}')) for part in range(3)}
    begun: set[int] = set()
    events: list[Event] = []
    for part in order:
        if part not in begun:
            begun.add(part)
            events.append(ToolCall(part, f"id{part}", "f"))
        events.append(ToolArguments(part, next(pieces[part])))
    assert sorted(calls(events)) == [(f"id{part}", "f", f'{{"x":"{part}"}}') for part in range(3)]


def test_names_lead_back_to_the_clients_own() -> None:
    tools = [
        {"type": "namespace", "name": "docs", "description": "", "tools": [{"type": "function", "name": "search"}]}
    ]
    answering = Answering("msg_01", "m", 1, tool_names={"short": "docs__search"}, request={"tools": tools})
    (item,) = items([ToolCall(0, "", "short")], answering)
    assert (item["namespace"], item["name"]) == ("docs", "search")
    assert item["call_id"] == "call_01_0"  # the provider gave none


def test_calls_of_one_id_are_told_apart() -> None:
    events: list[Event] = [ToolCall(0, "call_0", "f"), ToolArguments(0, "{}"), ToolCall(1, "call_0", "g")]
    assert [id_ for id_, _, _ in calls(events)] == ["call_0", "call_ours_1"]


def test_custom_tools_are_known_from_the_request() -> None:
    answering = Answering("resp_1", "m", 1, request={"tools": [{"type": "custom", "name": "g"}]})
    assert items([ToolCall(0, "c", "g"), ToolArguments(0, '{"input":"x"}')], answering)[0]["input"] == "x"


def test_arguments_nobody_announced_are_a_call() -> None:
    assert calls([ToolArguments(0, "{}")])[0][1:] == ("", "{}")


def test_arguments_behind_a_call_are_none() -> None:
    assert calls([ToolCall(0, "a", "f"), PartEnd(0), ToolArguments(0, "x"), PartEnd(0)]) == [("a", "f", "{}")]


def test_a_text_goes_on_after_a_call() -> None:
    events: list[Event] = [Text("a", 0), ToolCall(1, "c", "f"), PartEnd(1), Text("b", 0)]
    assert [item["type"] for item in items(events)] == ["message", "function_call", "message"]


def test_a_late_signature_finds_its_text_again() -> None:
    events: list[Event] = [Reasoning("hm", 0), Text("a", 1), Reasoning("", 0, signature="s", format="f")]
    request = parse_request({"input": items(events)})
    assert request.turns[0].parts[0] == Thinking("hm", "s", format="f", summary=("hm",))
    assert len(request.turns[0].parts) == 2


def test_blocks_of_the_provider_are_carried_and_a_search_is_shown() -> None:
    answering = Answering("msg_1", "m", 1, provider=Dialect.MESSAGES)
    events: list[Event] = [
        Opaque(json.dumps(SEARCH), "server_tool_use", 0),
        PartEnd(0),
        Opaque('{"type": "web_search_tool_result", "content": []}', "web_search_tool_result", 1),
        Text("found", 2),
    ]
    done = items(events, answering)
    assert [item["type"] for item in done] == ["reasoning", "web_search_call", "reasoning", "message"]
    assert done[1]["action"] == {"type": "search", "query": "q", "queries": ["q"]}
    parts = parse_request({"input": done}).turns[0].parts
    assert [getattr(part, "raw", None) for part in parts] == [
        SEARCH,
        {"type": "web_search_tool_result", "content": []},
        None,
    ]


def test_an_unknown_piece_of_a_part_is_carried_where_it_stands() -> None:
    done = items([Text("a", 0), Opaque('{"type":"odd_delta"}', "odd_delta", 0), Text("b", 0), Opaque("1", "odd", 0)])
    assert [item["type"] for item in done] == ["message", "reasoning", "message", "reasoning"]
    unpacked = side_channel.unpack(done[1]["encrypted_content"])
    assert unpacked is not None
    assert side_channel.opaque_of(unpacked[1]) is not None


def test_what_is_held_comes_out_at_the_end() -> None:
    events: list[Event] = [ToolCall(0, "a", "f"), ToolArguments(0, '{"x'), Text("t", 1), PartEnd(1), Reasoning("r", 2)]
    assert [item["type"] for item in items(events)] == ["function_call", "message", "reasoning"]


@pytest.mark.parametrize("end", [True, False])
def test_a_citation_without_a_part_stands_on_the_open_text(end: bool) -> None:
    cited = Opaque('{"type":"file_path","file_id":"f","index":0}', "annotation")
    events: list[Event] = [Text("a"), cited, *([PartEnd(0)] if end else [])]
    assert len(items(events)[0]["content"][0]["annotations"]) == 1


TEXT_PART, CALL_PART = st.integers(min_value=0, max_value=1), st.integers(min_value=2, max_value=3)
THOUGHT_PART = st.integers(min_value=4, max_value=5)
PART = TEXT_PART | CALL_PART | THOUGHT_PART
PIECES = st.sampled_from(["", "{", "}", "{}", "a", "\ud83d", "\ude00"])
ANY_EVENT = st.one_of(
    st.builds(Text, PIECES, TEXT_PART),
    st.builds(Refusal, PIECES, TEXT_PART),
    st.builds(Reasoning, PIECES, THOUGHT_PART, PIECES),
    st.builds(ToolCall, CALL_PART, st.sampled_from(["", "a"]), st.just("f"), st.sampled_from(["function", "custom"])),
    st.builds(ToolArguments, CALL_PART, PIECES),
    st.builds(PartEnd, PART),
    st.builds(
        Opaque,
        st.sampled_from(["{}", "x", '{"type":"file_path","file_id":"f","index":0}']),
        st.sampled_from(["annotation", "odd"]),
        PART,
    ),
)


# Whatever comes in whatever order, every frame is of its official type and every text of the parts is told.
@given(st.lists(ANY_EVENT, max_size=12))
def test_any_order(events: list[Event]) -> None:
    done = items(events)
    said = "".join(part.get("text", "") for item in done if item["type"] == "message" for part in item["content"])
    assert said.count("a") == sum(event.text == "a" for event in events if type(event) is Text)


@pytest.mark.parametrize(
    ("events", "types"),
    [
        ([], ["image_generation_call", "message"]),
        ([Text("a", 0)], ["message", "image_generation_call", "message"]),
        ([Text("a", 1)], ["message", "image_generation_call", "message"]),  # on the very part that is open
        ([Reasoning("a", 0)], ["reasoning", "image_generation_call", "message"]),
    ],
)
def test_a_picture_is_an_item_in_its_place(events: list[Event], types: list[str]) -> None:
    picture = Media("image", "image/webp", 3, 1, "blake2b:00", "YWJj")
    done = items([*events, picture, Text("b", 2)])
    assert [item["type"] for item in done] == types
    image = done[-2]
    assert (image["status"], image["result"], image["output_format"]) == ("completed", "YWJj", "webp")


def test_a_picture_of_a_format_that_has_no_word_and_no_bytes_says_neither() -> None:
    (image,) = items([Media("image", "image/bmp", 3, 0, "blake2b:00")])
    assert image["result"] is None
    assert "output_format" not in image


def test_a_calls_field_that_comes_behind_it_leads_back_to_the_call() -> None:
    """Gemini's signatures must come back with the very call."""
    late = Opaque('{"google":{"thought_signature":"s"}}', "extra_content", 0)
    done = items([ToolCall(0, "c", "f"), PartEnd(0), Text("a", 1), late])
    assert [item["type"] for item in done] == ["function_call", "message", "reasoning"]
    unpacked = side_channel.unpack(done[2]["encrypted_content"])
    assert unpacked is not None
    value = {"google": {"thought_signature": "s"}}
    assert side_channel.call_field_of(unpacked[1]) == ("c", "extra_content", value)


@pytest.mark.parametrize("ahead", [[], [ToolCall(0, "c", "f")], [Text("a", 0), ToolCall(1, "c", "f")]])
def test_a_citation_without_an_open_text_is_on_none(ahead: list[Event]) -> None:
    """It stands beside the output then, and no item is made or closed for it."""
    cited = Opaque('{"type":"file_path","file_id":"f","index":0}', "annotation")
    assert items([*ahead, cited]) == items(ahead)
    assert whole([*ahead, cited])["x_patchbay"]["beside"] == [
        {"type": "annotation", "value": {"type": "file_path", "file_id": "f", "index": 0}}
    ]


def test_a_calls_own_field_does_not_end_the_call() -> None:
    field = Opaque('{"google":{"thought_signature":"s"}}', "extra_content", 0)
    events: list[Event] = [ToolCall(0, "c", "f"), ToolArguments(0, '{"x"'), field, ToolArguments(0, ": 1}")]
    call, carried = items(events)
    assert (call["arguments"], carried["type"]) == ('{"x": 1}', "reasoning")
    unpacked = side_channel.unpack(carried["encrypted_content"])
    assert unpacked is not None
    assert side_channel.call_field_of(unpacked[1]) == ("c", "extra_content", {"google": {"thought_signature": "s"}})


def test_texts_and_refusals_in_a_row_are_one_message() -> None:
    (message,) = items([Text("a", 0), Text("b", 1), Refusal("no", 2)])
    assert [part.get("text", part.get("refusal")) for part in message["content"]] == ["a", "b", "no"]
