from providers.wire import side_channel
from providers.wire.endpoints import Dialect
from providers.wire.events import Event, Opaque, PartEnd, Text, ToolArguments, ToolCall
from providers.wire.responses.frames import Frames
from providers.wire.responses.open_calls import Call, value_of
from providers.wire.writer import Answering
from tests.providers.wire.responses.writer_play import items, told

CUSTOM = Answering("resp_ours", "m", 1, custom_tools=frozenset(("apply_patch",)), tool_names={"ap": "apply_patch"})


def deltas(events: list[Event], answering: Answering = CUSTOM) -> list[str]:
    return [frame["delta"] for frame in told(events, answering) if "delta" in frame]


def test_a_call_has_all_its_events() -> None:
    out = told([ToolCall(0, "c", "f"), ToolArguments(0, '{"x"'), ToolArguments(0, ": 1}"), PartEnd(0)])
    assert [frame["type"].removeprefix("response.") for frame in out] == [
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
    ]
    item = {"id": "fc_ours_0", "type": "function_call", "call_id": "c", "name": "f"}
    assert out[0]["item"] == {**item, "status": "in_progress", "arguments": ""}
    assert out[-1]["item"] == {**item, "status": "completed", "arguments": '{"x": 1}'}
    assert out[3]["arguments"] == '{"x": 1}'


def test_no_arguments_are_an_empty_object() -> None:
    assert deltas([ToolCall(0, "c", "f"), ToolArguments(0, ""), PartEnd(0)]) == ["{}"]
    assert items([ToolCall(0, "c", "f"), Text("a", 1)])[0]["arguments"] == "{}"


def test_a_custom_call_is_free_text() -> None:
    events: list[Event] = [ToolCall(0, "c", "g", "custom"), ToolArguments(0, "a"), ToolArguments(0, "b"), PartEnd(0)]
    (item,) = items(events)
    assert (item["type"], item["input"], item["id"]) == ("custom_tool_call", "ab", "ctc_ours_0")
    assert items([ToolCall(0, "c", "g", "custom")])[0]["input"] == ""


def test_a_wrapped_custom_call_is_unwrapped() -> None:
    events: list[Event] = [ToolCall(0, "c", "ap"), ToolArguments(0, '{"input": "*** Beg'), ToolArguments(0, 'in\\n"}')]
    (item,) = items(events, CUSTOM)
    assert (item["type"], item["name"], item["input"]) == ("custom_tool_call", "apply_patch", "*** Begin\n")
    assert deltas(events) == ["*** Begin\n"]


def test_what_is_no_wrapping_is_the_text_itself() -> None:
    for text in ("*** Begin", '{"other": 1}', ""):
        events: list[Event] = [ToolCall(0, "c", "ap"), ToolArguments(0, text), PartEnd(0)]
        assert items(events, CUSTOM)[0]["input"] == text


def test_when_a_call_may_be_whole() -> None:
    call = Call(Frames(), 0, "fc", 0, call_id="c", name="f", space="")
    seen = []
    for piece in ("", '{"a": {', "}", " } "):
        call.add(ToolArguments(0, piece))
        seen.append(call.may_close())
    assert seen == [False, False, False, True]
    assert call.add(PartEnd(0)) == call.end_part() == ""


def test_wrapped_calls_in_parallel() -> None:
    events: list[Event] = [
        ToolCall(0, "a", "ap"),
        ToolCall(1, "b", "ap"),
        ToolArguments(1, '{"input":"2"}'),
        ToolArguments(0, '{"input":'),
        ToolArguments(0, '"1"}'),
        PartEnd(9),
    ]
    assert [(item["call_id"], item["input"]) for item in items(events, CUSTOM)] == [("a", "1"), ("b", "2")]


def test_fields_of_a_call_come_back_with_it() -> None:
    extra = Opaque('{"google": {"thought_signature": "s"}}', "extra_content", 0)
    answering = Answering("resp_ours", "m", 1, provider=Dialect.CHAT)
    call, carried = items([ToolCall(0, "c", "f"), extra, ToolArguments(0, "{}")], answering)
    assert (call["type"], carried["type"], carried["summary"]) == ("function_call", "reasoning", [])
    unpacked = side_channel.unpack(carried["encrypted_content"])
    assert unpacked is not None
    assert side_channel.call_field_of(unpacked[1]) == ("c", "extra_content", {"google": {"thought_signature": "s"}})
    late = items([ToolCall(0, "c", "f"), ToolArguments(0, "{}"), PartEnd(0), extra], answering)
    assert late == [call, carried]


def test_what_is_no_json_is_text() -> None:
    assert value_of(Opaque("{", "x")) == "{"
    assert value_of(Opaque("[1]", "x")) == [1]


def test_a_custom_call_holds_the_others_until_its_end() -> None:
    events: list[Event] = [ToolCall(0, "a", "g", "custom"), ToolArguments(0, "{}"), Text("t", 1), ToolArguments(0, "!")]
    assert [item["type"] for item in items([*events, PartEnd(0)])] == ["custom_tool_call", "message"]
    assert items(events)[0]["input"] == "{}!"
