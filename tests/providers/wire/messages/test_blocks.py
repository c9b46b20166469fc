"""Content blocks: text, thinking, tools, and everything that is not for the client to act on."""

import pytest

from providers.wire.events import Event, Opaque, PartEnd, Reasoning, Text, ToolArguments, ToolCall
from providers.wire.messages.reader import MessagesBodyReader, MessagesStreamReader
from providers.wire.request import OpaquePart, ReasoningPart, TextPart, ToolCallPart
from tests.providers.wire.messages.blocks_play import delta, read, start, stop
from tests.providers.wire.playbook import FIXTURES, events_of, parts_of


def test_text_comes_in_pieces_and_an_empty_block_is_no_part() -> None:
    events = read(
        start(0, type="text", text=""),
        stop(0),
        start(1, type="text", text="H"),
        delta(1, "text_delta", text="i"),
        delta(1, "text_delta", text=""),
        stop(1),
    )
    assert events == [Text("H", 0), Text("i", 0), PartEnd(0)]


def test_thinking_is_signed_and_may_be_empty() -> None:
    events = read(
        start(0, type="thinking", thinking="", signature=""),
        delta(0, "thinking_delta", thinking="hm"),
        delta(0, "signature_delta", signature="s1"),
        stop(0),
        start(1, type="thinking", thinking="", signature=""),
        delta(1, "thinking_delta", thinking=""),
        delta(1, "signature_delta", signature="s2"),
        stop(1),
        start(2, type="redacted_thinking", data="d"),
        stop(2),
    )
    assert parts_of(events) == (ReasoningPart("hm", "s1"), ReasoningPart("", "s2"), ReasoningPart("", encrypted="d"))


def tool(index: int, id_: str, *pieces: str, **more: object) -> list[dict[str, object]]:
    return [
        start(index, type="tool_use", id=id_, name="f", input={}, **more),
        *(delta(index, "input_json_delta", partial_json=piece) for piece in pieces),
        stop(index),
    ]


def test_tool_arguments_come_in_pieces_or_are_empty() -> None:
    events = read(*tool(0, "a", "", '{"x"', ": 1}"), *tool(1, "b"), *tool(2, "c", ""))
    assert events[:4] == [ToolCall(0, "a", "f"), ToolArguments(0, '{"x"'), ToolArguments(0, ": 1}"), PartEnd(0)]
    assert parts_of(events)[1:] == (ToolCallPart("b", "f", "{}"), ToolCallPart("c", "f", "{}"))


def test_arguments_that_stand_only_in_the_start() -> None:
    events = read(start(0, type="tool_use", id="a", name="f", input={"city": "Brno"}), stop(0))
    assert parts_of(events) == (ToolCallPart("a", "f", '{"city": "Brno"}'),)


def test_who_called_stays_with_the_call() -> None:
    events = read(*tool(0, "a", "{}", caller={"type": "code_execution_20250825"}))
    assert parts_of(events)[1:] == (OpaquePart("caller", '{"type":"code_execution_20250825"}'),)


def test_overlapping_blocks_stay_apart() -> None:
    """llama-server opens the text block before it stops the thinking block (observed 2026-11)."""
    events = read(
        start(0, type="thinking", thinking=""),
        delta(0, "thinking_delta", thinking="a"),
        start(1, type="text", text=""),
        delta(1, "text_delta", text="b"),
        delta(0, "thinking_delta", thinking="c"),
        stop(0),
        stop(1),
    )
    assert events == [Reasoning("a", 0), Text("b", 1), Reasoning("c", 0), PartEnd(0), PartEnd(1)]


def test_citations_stay_with_their_text() -> None:
    events = read(
        start(0, type="text", text="", citations=[]),
        delta(0, "citations_delta", citation={"n": 1}),
        delta(0, "text_delta", text="cited"),
        stop(0),
        start(1, type="text", text="x", citations=[{"n": 2}]),
        stop(1),
    )
    assert parts_of(events) == (
        TextPart("cited"),
        OpaquePart("citation", '{"n":1}'),
        TextPart("x"),
        OpaquePart("citation", '{"n":2}'),
    )


def test_server_tools_are_opaque_blocks_and_no_calls() -> None:
    events = read(
        start(0, type="server_tool_use", id="srvtoolu_1", name="web_search", input={}),
        delta(0, "input_json_delta", partial_json='{"query":'),
        delta(0, "input_json_delta", partial_json=' "x"}'),
        stop(0),
        start(1, type="web_search_tool_result", tool_use_id="srvtoolu_1", content=[]),
        stop(1),
        start(2, type="text", text="ok"),
    )
    assert events == [
        Opaque(
            '{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{"query":"x"}}',
            "server_tool_use",
            0,
        ),
        PartEnd(0),
        Opaque(
            '{"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[]}', "web_search_tool_result", 1
        ),
        PartEnd(1),
        Text("ok", 2),
    ]


def test_an_unknown_block_is_put_together_from_its_deltas() -> None:
    events = read(
        start(0, type="compaction", content="a", n=1),
        delta(0, "compaction_delta", content="b", n=2, extra=[1]),
        stop(0),
    )
    assert events[0] == Opaque('{"type":"compaction","content":"ab","n":2,"extra":[1]}', "compaction", 0)


def test_what_was_being_put_together_when_the_stream_broke_is_given() -> None:
    events = read(
        start(0, type="text", text="a"),
        start(1, type="server_tool_use", id="s"),
        delta(1, "input_json_delta", partial_json='{"q'),
    )
    assert events[1:] == [Opaque('{"type":"server_tool_use","id":"s","partial_json":"{\\"q"}', "server_tool_use", 1)]


def test_an_unknown_delta_on_a_known_block_is_kept() -> None:
    events = read(start(0, type="text", text="a"), delta(0, "new_delta", x=1))
    assert events[1:] == [Opaque('{"type":"new_delta","x":1}', "new_delta", 0)]


def test_a_delta_for_a_block_that_never_began_opens_it() -> None:
    assert read(delta(0, "text_delta", text="a"), stop(0), stop(7)) == [Text("a", 0), PartEnd(0)]
    assert read(delta(0, "thinking_delta", thinking="a")) == [Reasoning("a", 0)]
    lost: list[Event] = read(delta(0, "input_json_delta", partial_json='{"a":1}'))
    assert lost == [Opaque('{"type":"","input":{"a":1}}', "", 0)]


def test_text_on_the_index_of_an_open_call_is_a_part_for_itself() -> None:
    events = read(
        start(0, type="tool_use", id="a", name="f", input={}),
        delta(0, "input_json_delta", partial_json='{"x":'),
        delta(0, "text_delta", text="\n"),
        delta(0, "text_delta", text="so"),
        delta(0, "input_json_delta", partial_json="1}"),
        stop(0),
        start(0, type="thinking", thinking=""),
        delta(0, "text_delta", text="then"),
        stop(0),
    )
    assert parts_of(events) == (ToolCallPart("a", "f", '{"x":1}'), TextPart("\nso"), TextPart("then"))


def test_arguments_of_something_that_is_no_call_are_kept() -> None:
    piece = {"partial_json": "{}"}
    events = read(start(0, type="text", text="a"), delta(0, "input_json_delta", **piece))
    assert events[1:] == [Opaque('{"type":"input_json_delta","partial_json":"{}"}', "input_json_delta", 0)]


@pytest.mark.parametrize("caller", [{"type": "direct"}, {}, None])
def test_a_call_of_the_models_own_has_no_caller(caller: object) -> None:
    assert parts_of(read(*tool(0, "a", "{}", caller=caller))) == (ToolCallPart("a", "f", "{}"),)


def test_a_server_without_indexes_sends_one_block_at_a_time() -> None:
    events = read(
        {"type": "content_block_start", "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "a"}},
        {"type": "content_block_stop"},
    )
    assert events == [Text("a", 0), PartEnd(0)]


def test_recordings_of_llama_server() -> None:
    tools = events_of(MessagesStreamReader, (FIXTURES / "llamacpp.messages.USE_TWO_TOOLS.sse").read_bytes())
    assert [type(part) for part in parts_of(tools)] == [ToolCallPart, ToolCallPart]
    think = events_of(MessagesStreamReader, (FIXTURES / "llamacpp.messages.USE_THINK.sse").read_bytes())
    assert [type(part) for part in parts_of(think)] == [ReasoningPart, TextPart]
    [text] = parts_of(events_of(MessagesBodyReader, (FIXTURES / "llamacpp.messages.Hello.json").read_bytes()))
    assert text == parts_of(think)[1]
