"""Output items: grown by deltas, reconciled with what they say when they are done."""

from typing import Any

import pytest

from providers.wire.events import Media, Opaque, PartEnd, Reasoning, Refusal, Text, ToolArguments, ToolCall
from providers.wire.request import OpaquePart, Part, ReasoningPart, RefusalPart, TextPart, ToolCallPart
from providers.wire.responses.reader import ResponsesBodyReader, ResponsesStreamReader
from tests.providers.wire.playbook import FIXTURES, events_of, parts_of
from tests.providers.wire.responses.items_play import CREATED, added, done, ended, event, read

CALL: dict[str, Any] = {"type": "function_call", "id": "fc_1", "call_id": "a", "name": "f"}
HI = {"type": "output_text", "text": "Hi", "annotations": []}
MESSAGE: dict[str, Any] = {"type": "message", "id": "msg_1", "content": [HI]}


def test_text_in_deltas_is_told_once() -> None:
    events = read(
        added(0, type="message", id="msg_1", content=[]),
        event("content_part.added", 0, content_index=0, part={"type": "output_text", "text": ""}),
        event("output_text.delta", 0, content_index=0, delta="H"),
        event("output_text.delta", 0, content_index=0, delta=""),
        event("output_text.delta", 0, content_index=0, delta="i"),
        event("output_text.done", 0, content_index=0, text="Hi"),
        event("content_part.done", 0, content_index=0, part=HI),
        done(0, **MESSAGE),
        ended(output=[MESSAGE]),
    )
    assert events[:3] == [Text("H"), Text("i"), PartEnd(0)]
    assert parts_of(events) == (TextPart("Hi"),)


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([event("output_text.delta", 0, content_index=0, delta="H"), done(0, **MESSAGE)], id="part of it"),
        pytest.param([event("output_text.done", 0, content_index=0, text="Hi")], id="only in done"),
        pytest.param([added(0, type="message", id="m"), done(0, **MESSAGE)], id="only in the item"),
        pytest.param([done(0, **MESSAGE), done(0, **MESSAGE)], id="an item done twice"),
        pytest.param([ended(output=[MESSAGE])], id="only at the end"),
        pytest.param(
            [added(0, **{**MESSAGE, "content": []}), ended(output=[MESSAGE])][1:], id="only at the end, added"
        ),
    ],
)
def test_text_that_comes_late(events: list[dict[str, Any]]) -> None:
    assert parts_of(read(CREATED, *events)) == (TextPart("Hi"),)


def test_a_full_text_that_differs_is_not_believed() -> None:
    events = read(event("output_text.delta", 0, content_index=0, delta="Ho"), event("output_text.done", 0, text="Hi!"))
    assert parts_of(events) == (TextPart("Ho"),)


ARGUMENTS = '{"x":1}'


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(
            [
                added(0, **CALL, arguments=""),
                event("function_call_arguments.delta", 0, item_id="fc_1", delta='{"x"'),
                event("function_call_arguments.delta", 0, item_id="fc_1", delta=":1}"),
                event("function_call_arguments.done", 0, item_id="fc_1", arguments=ARGUMENTS),
                done(0, **CALL, arguments=ARGUMENTS),
            ],
            id="deltas",
        ),
        pytest.param(
            [added(0, **CALL), event("function_call_arguments.done", 0, arguments=ARGUMENTS)], id="only in done"
        ),
        pytest.param([added(0, **CALL), done(0, **CALL, arguments=ARGUMENTS)], id="only in the item"),
        pytest.param([done(0, **CALL, arguments={"x": 1})], id="never added"),
        pytest.param(
            [
                added(0, **{**CALL, "id": "rot_1"}),
                event("function_call_arguments.delta", 0, item_id="rot_2", delta='{"x":1}'),
                done(0, **{**CALL, "id": "rot_3"}, arguments=ARGUMENTS),
            ],
            id="rotating ids",
        ),
        pytest.param(
            [
                added(None, **CALL),
                event("function_call_arguments.delta", item_id="fc_1", delta='{"x":'),
                event("function_call_arguments.delta", delta="1}"),
                done(None, **CALL, arguments=ARGUMENTS),
                ended(output=[{**CALL, "arguments": ARGUMENTS}]),
            ],
            id="without output_index",
        ),
    ],
)
def test_a_call_however_it_comes(events: list[dict[str, Any]]) -> None:
    [call] = parts_of(read(CREATED, *events))
    assert isinstance(call, ToolCallPart)
    assert (call.id, call.name, call.arguments.replace(" ", "")) == ("a", "f", ARGUMENTS)


def test_arguments_of_an_item_that_was_never_added() -> None:
    events = read(event("function_call_arguments.delta", 0, delta="{}"))
    assert events == [ToolCall(0, "", ""), ToolArguments(0, "{}")]


def test_interleaved_calls_and_items_with_an_index_stay_apart() -> None:
    events = read(
        added(0, **CALL),
        added(1, **{**CALL, "call_id": "b"}),
        event("function_call_arguments.delta", 1, delta="{"),
        event("function_call_arguments.delta", 0, delta="{}"),
        event("function_call_arguments.delta", 1, delta="}"),
        ended(output=[{**CALL, "arguments": "{}"}, {**CALL, "call_id": "b", "arguments": "{}"}, MESSAGE]),
    )
    assert parts_of(events) == (ToolCallPart("a", "f", "{}"), ToolCallPart("b", "f", "{}"), TextPart("Hi"))


def test_a_call_waits_for_its_name() -> None:
    unnamed = {"type": "function_call", "id": "fc_1"}
    grown = (added(0, **unnamed), event("function_call_arguments.delta", 0, item_id="fc_1", delta="{}"))
    assert read(*grown, done(0, **CALL)) == [ToolCall(0, "a", "f"), ToolArguments(0, "{}"), PartEnd(0)]
    assert read(*grown) == [ToolCall(0, "", ""), ToolArguments(0, "{}")]


def test_arguments_never_become_a_message() -> None:
    """Without index and id, an event is of the last item, if that is of its kind."""
    events = read(
        added(None, type="message"),
        event("output_text.delta", delta="Hi"),
        event("function_call_arguments.done", arguments="{}"),
        done(None, **{**CALL, "id": None}),
    )
    assert parts_of(events) == (TextPart("Hi"), ToolCallPart("a", "f", "{}"))


def test_items_without_index_and_id_come_one_after_the_other() -> None:
    first, second = ({"type": "message", "content": [{**HI, "text": text}]} for text in ("one", "two"))
    events = read(added(None, type="message"), done(None, **first), added(None, type="message"), done(None, **second))
    assert parts_of(events) == (TextPart("one"), TextPart("two"))


def test_items_of_one_kind_that_share_an_index_are_told_apart_by_id() -> None:
    second = {**CALL, "id": "fc_2", "call_id": "b"}
    events = read(
        added(0, **CALL),
        added(0, **second),
        event("function_call_arguments.delta", 0, item_id="fc_1", delta="{}"),
        event("function_call_arguments.delta", 0, item_id="fc_2", delta="{1}"),
        done(0, **CALL, arguments="{}"),
        done(0, **second, arguments="{1}"),
    )
    assert parts_of(events) == (ToolCallPart("a", "f", "{}"), ToolCallPart("b", "f", "{1}"))


def test_another_item_that_is_done_at_the_same_place_is_told() -> None:
    other = {**MESSAGE, "id": "msg_2", "content": [{**HI, "text": "Ho"}]}
    assert parts_of(read(done(0, **MESSAGE), done(0, **other))) == (TextPart("Hi"), TextPart("Ho"))


def test_an_item_may_be_added_after_its_first_text() -> None:
    events = read(event("output_text.delta", 0, delta="H"), added(0, **{**MESSAGE, "content": []}), done(0, **MESSAGE))
    assert parts_of(events) == (TextPart("Hi"),)


def test_an_item_that_only_had_an_id_may_get_an_index_later() -> None:
    events = read(
        added(None, **{**MESSAGE, "content": []}),
        event("output_text.delta", 3, item_id="msg_1", delta="Hi"),
        done(3, **MESSAGE),
    )
    assert parts_of(events) == (TextPart("Hi"),)


@pytest.mark.parametrize(
    "output",
    [
        pytest.param([{**CALL, "arguments": ARGUMENTS}, MESSAGE], id="the same items"),
        pytest.param([{**CALL, "id": "x", "arguments": ARGUMENTS}, {**MESSAGE, "id": "y"}], id="under other ids"),
        pytest.param([MESSAGE, {**CALL, "arguments": ARGUMENTS}], id="in another order"),
        pytest.param([{**MESSAGE, "id": "y"}, {**CALL, "id": "x", "arguments": ARGUMENTS}], id="both"),
    ],
)
def test_the_end_completes_what_was_begun(output: list[dict[str, Any]]) -> None:
    events = read(
        added(0, **CALL),
        added(1, **{**MESSAGE, "content": []}),
        event("output_text.delta", 1, item_id="msg_1", delta="H"),
        ended(output=output),
    )
    assert parts_of(events) == (ToolCallPart("a", "f", ARGUMENTS), TextPart("Hi"))


def test_an_item_that_the_end_leaves_out_is_told_as_it_was_added() -> None:
    running = {"type": "code_interpreter_call", "id": "ci_1", "code": "1"}
    events = read(added(0, **running), event("output_text.delta", 1, delta="a"), ended())
    assert parts_of(events) == (
        TextPart("a"),
        OpaquePart("code_interpreter_call", '{"type":"code_interpreter_call","id":"ci_1","code":"1"}'),
    )


def test_an_item_of_no_kind_gets_it_when_it_is_done() -> None:
    assert parts_of(read(added(0, id="msg_1"), done(0, **MESSAGE))) == (TextPart("Hi"),)


def test_reasoning_may_bring_a_signature_and_say_whose_it_is() -> None:
    item = {"type": "reasoning", "id": "rs", "summary": [], "signature": "s", "format": "anthropic-claude-v1"}
    assert parts_of(read(done(0, **item))) == (ReasoningPart("", "s", "", "rs", "anthropic-claude-v1"),)


def test_a_custom_call_of_the_provider_itself_is_none_of_the_client() -> None:
    search = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "xs_call_1", "name": "x_user_search"}
    begun = (added(0, **search), event("custom_tool_call_input.delta", 0, item_id="ctc_1", delta="{}"))
    [part] = parts_of(read(*begun, done(0, **search, input="{}")))
    assert isinstance(part, OpaquePart)
    assert part.type == "custom_tool_call"
    assert read(*begun) == []


def test_a_custom_call_takes_free_text() -> None:
    call = {**CALL, "type": "custom_tool_call"}
    events = read(
        added(0, **call), event("custom_tool_call_input.delta", 0, delta="ls"), done(0, **call, input="ls -l")
    )
    assert parts_of(events) == (ToolCallPart("a", "f", "ls -l", "custom"),)


def summary(index: int, delta: str) -> dict[str, Any]:
    return event("reasoning_summary_text.delta", 0, summary_index=index, delta=delta)


def test_summaries_of_one_item_are_one_part() -> None:
    whole = [{"type": "summary_text", "text": "one"}, {"type": "summary_text", "text": "two"}]
    events = read(
        added(0, type="reasoning", id="rs_1", summary=[]),
        event("reasoning_summary_part.added", 0, summary_index=0),
        summary(0, "o"),
        summary(0, "ne"),
        event("reasoning_summary_text.done", 0, summary_index=0, text="one"),
        event("reasoning_summary_part.done", 0, summary_index=0),
        summary(1, "two"),
        done(0, type="reasoning", id="rs_1", summary=whole, encrypted_content="xyz"),
    )
    assert parts_of(events) == (ReasoningPart("one\n\ntwo", "", "xyz", "rs_1"),)
    assert parts_of(read(ended(output=[{"type": "reasoning", "summary": whole}]))) == (ReasoningPart("one\n\ntwo"),)


def test_raw_reasoning_is_a_part_beside_its_summary() -> None:
    events = read(
        event("reasoning_text.delta", 0, content_index=0, delta="raw"),
        done(0, type="reasoning", id="rs", summary=[{"text": "sum"}], content=[{"text": "raw"}]),
    )
    assert parts_of(events) == (ReasoningPart("raw", id="rs"), ReasoningPart("sum"))


@pytest.mark.parametrize(
    ("item", "parts"),
    [
        (
            {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "x"},
            (ReasoningPart("", "", "x", "rs"),),
        ),
        ({"type": "reasoning", "id": "rs", "summary": []}, ()),
        ({"type": "message", "content": [{"type": "refusal", "refusal": "no"}]}, (RefusalPart("no"),)),
        ({"type": "message", "content": [{"type": "new"}]}, (OpaquePart("new", '{"type":"new"}'),)),
        (
            {"type": "message", "content": [{**HI, "annotations": [{"n": 1}]}]},
            (TextPart("Hi"), OpaquePart("annotation", '{"n":1}')),
        ),
        (
            {"type": "web_search_call", "id": "ws"},
            (OpaquePart("web_search_call", '{"type":"web_search_call","id":"ws"}'),),
        ),
        (
            {"type": "image_generation_call", "id": "ig"},
            (OpaquePart("image_generation_call", '{"type":"image_generation_call","id":"ig"}'),),
        ),
    ],
)
def test_whole_items(item: dict[str, Any], parts: tuple[Part, ...]) -> None:
    assert parts_of(read(done(0, **item))) == parts


def test_refusals_come_in_deltas() -> None:
    refused = (
        event("refusal.delta", 0, content_index=0, delta="no"),
        event("refusal.done", 0, content_index=0, refusal="no!"),
    )
    assert read(*refused) == [Refusal("no"), Refusal("!")]


def test_annotations_are_told_once() -> None:
    text = event("output_text.delta", 0, content_index=0, delta="Hi")
    annotation = event("output_text.annotation.added", 0, content_index=0, annotation={"n": 1})
    message = {"type": "message", "content": [{**HI, "annotations": [{"n": 1}]}]}
    events = read(text, annotation, done(0, **message))
    assert [event_ for event_ in events if isinstance(event_, Opaque)] == [Opaque('{"n":1}', "annotation", 0)]


def test_a_picture_is_a_reference() -> None:
    events = read(done(0, type="image_generation_call", id="ig", result="YWJj", output_format="webp"))
    media = events[0]
    assert isinstance(media, Media)
    assert (media.media_type, media.size, media.data) == ("image/webp", 3, "YWJj")
    [drawn, *_] = read(done(0, type="image_generation_call", id="ig", result="YWJj", output_format="svg"))
    assert isinstance(drawn, Media)
    assert drawn.media_type == "image/svg+xml"


def test_odd_items_are_kept() -> None:
    assert read(ended(output=["odd"]))[0] == Opaque('{"type":"","value":"odd"}', "", 0)


def test_without_output_index_an_item_without_id_is_not_told_again() -> None:
    events = read(
        added(None, type="message", id="m"),
        event("output_text.delta", item_id="m", delta="Hi"),
        ended(output=[{"type": "message", "content": [HI]}, {"type": "new", "id": "n"}]),
    )
    assert parts_of(events) == (TextPart("Hi"), OpaquePart("new", '{"type":"new","id":"n"}'))


def test_reasoning_comes_before_its_text() -> None:
    assert read(summary(0, "a"), event("output_text.delta", 1, delta="b")) == [Reasoning("a", 0), Text("b", 1)]


def test_recordings_of_llama_server() -> None:
    tools = events_of(ResponsesStreamReader, (FIXTURES / "llamacpp.responses.USE_TWO_TOOLS.sse").read_bytes())
    assert [type(part) for part in parts_of(tools)] == [ToolCallPart, ToolCallPart]
    think = events_of(ResponsesStreamReader, (FIXTURES / "llamacpp.responses.USE_THINK.sse").read_bytes())
    assert [type(part) for part in parts_of(think)] == [ReasoningPart, TextPart]
    [call] = parts_of(events_of(ResponsesBodyReader, (FIXTURES / "llamacpp.responses.USE_TOOL.json").read_bytes()))
    assert isinstance(call, ToolCallPart)
