"""Streams as an Anthropic client reads them."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire import side_channel
from providers.wire.answer import Answer
from providers.wire.endpoints import Dialect, Operation
from providers.wire.events import (
    Begin,
    Comment,
    Event,
    Failure,
    Finish,
    FinishReason,
    Media,
    Opaque,
    PartEnd,
    Reasoning,
    Refusal,
    Terminal,
    Text,
    Timings,
    ToolArguments,
    ToolCall,
    Usage,
    Vectors,
)
from providers.wire.messages.writer import BodyWriter, StreamWriter
from providers.wire.notes import Notes
from providers.wire.readers import reader_for
from providers.wire.request import ReasoningPart, TextPart, ToolCallPart
from providers.wire.writer import Answering
from tests.providers.wire import test_judges
from tests.providers.wire.messages.writing import CHAT, NATIVE, RESPONSES, content, judged, sent, streamed
from tests.providers.wire.playbook import answer_of, play

END = (Finish(FinishReason.STOP, "stop"), Terminal())


def started(index: int, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def grown(index: int, kind: str, **more: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **more}}


def stopped(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def call(index: int, id_: str, name: str) -> dict[str, Any]:
    return started(index, type="tool_use", id=id_, name=name, input={})


def arguments(index: int, text: str) -> dict[str, Any]:
    return grown(index, "input_json_delta", partial_json=text)


STREAMS = {
    Operation.CHAT: (test_judges.CHAT, CHAT),
    Operation.RESPONSES: (test_judges.RESPONSES, RESPONSES),
    Operation.MESSAGES: (test_judges.ANTHROPIC, NATIVE),
}
CASES = [(operation, name) for operation, (streams, _) in STREAMS.items() for name in streams]
REASONS = {
    FinishReason.STOP: "end_turn",
    FinishReason.LENGTH: "max_tokens",
    FinishReason.TOOL_CALLS: "tool_use",
    FinishReason.REFUSAL: "refusal",
}


def assert_same(answer: Answer, stream: bytes, size: int) -> None:
    """The SDK's message says what ``Answer`` says."""
    message = judged(stream, size)
    parts = answer.message().parts
    assert "".join(block.text for block in message.content if block.type == "text") == "".join(
        part.text for part in parts if isinstance(part, TextPart)
    )
    assert [(block.id, block.name, block.input) for block in message.content if block.type == "tool_use"] == [
        (part.id, part.name, json.loads(part.arguments or "{}")) for part in parts if isinstance(part, ToolCallPart)
    ]
    assert [block.thinking for block in message.content if block.type == "thinking"] == [
        part.text for part in parts if isinstance(part, ReasoningPart) and part.text
    ]
    assert answer.finish is not None
    assert message.stop_reason == REASONS[answer.finish]
    usage = message.usage
    cached = (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    assert usage.input_tokens + cached == (answer.usage.input or 0)
    assert usage.output_tokens == (answer.usage.output or 0)
    thought = usage.output_tokens_details.thinking_tokens if usage.output_tokens_details else None
    assert thought == answer.usage.reasoning


@pytest.mark.parametrize(("operation", "name"), CASES)
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_the_sdk_reads_what_the_provider_said(operation: Operation, name: str, size: int) -> None:
    streams, answering = STREAMS[operation]
    stream = streams[name]
    reader = reader_for(operation, stream=True)
    events = play(reader, [stream[at : at + size] for at in range(0, len(stream), size)])
    assert_same(answer_of(events), streamed(events, answering), size)


@st.composite
def interleaved(draw: st.DrawFn) -> list[Event]:
    """Texts, reasoning and calls whose pieces are mixed, each in its own order; parts may end or not."""
    whole = ['{"x": 1, "y": [1, 2]}', "{}", '{"z": "}{"}', '{"é": "🐎"}', ""]
    queues: list[list[Event]] = []
    for part in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(["text", "reasoning", "call"]))
        if kind == "call":
            text = draw(st.sampled_from(whole))
            cut = draw(st.integers(0, len(text)))
            pieces = [ToolArguments(part, piece) for piece in (text[:cut], text[cut:])]
            queue: list[Event] = [ToolCall(part, f"call_{part}", f"f{part}"), *pieces]
        else:
            make: Any = Text if kind == "text" else Reasoning
            queue = [make(draw(st.text(min_size=1, max_size=5)), part) for _ in range(draw(st.integers(1, 3)))]
        queues.append(queue + [PartEnd(part)] * draw(st.booleans()))
    out: list[Event] = [Begin("id", "m")]
    while queues:
        queue = queues[draw(st.integers(0, len(queues) - 1))]
        out.append(queue.pop(0))
        queues = [queue for queue in queues if queue]
    return out


# However the parts of an answer are mixed, every call keeps its own arguments and no piece of text is lost.
@given(interleaved())
def test_any_mixture(events: list[Event]) -> None:
    stream = streamed([*events, *END])
    message = judged(stream, 1 << 20)
    parts = answer_of(events).message().parts
    calls = {block.id: (block.name, block.input) for block in message.content if block.type == "tool_use"}
    assert calls == {
        part.id: (part.name, json.loads(part.arguments or "{}")) for part in parts if isinstance(part, ToolCallPart)
    }
    assert sorted("".join(block.text for block in message.content if block.type == "text")) == sorted(
        "".join(event.text for event in events if isinstance(event, Text))
    )
    indices = [event["index"] for event in sent([*events, *END]) if event["type"] == "content_block_start"]
    assert indices == list(range(len(indices)))


def test_the_start_does_not_wait() -> None:
    writer = StreamWriter(CHAT)
    start = writer.write(Begin("chatcmpl-1", "glm"))
    assert start.startswith(b'event: message_start\ndata: {"type":"message_start","message":{"id":"chatcmpl-1"')
    assert b'"model":"glm"' in start
    assert writer.write(Begin("chatcmpl-1", "named at last")) == b""
    assert writer.write(Text("a")).count(b"event: ") == 2
    assert writer.write(Text("")) + writer.write(Text("", 1)) == b""


def test_without_a_beginning_the_answer_is_ours() -> None:
    first = StreamWriter(CHAT).write(Text("a"))
    assert b'"id":"pb1"' in first
    assert b'"model":"asked"' in first
    assert b"message_stop" in StreamWriter(CHAT).close()


def test_comments() -> None:
    writer = StreamWriter(CHAT)
    assert writer.write(Comment("OPENROUTER\nPROCESSING")) == b": OPENROUTER PROCESSING\n\n"
    writer.write(Begin())
    assert writer.write(Comment("x")) == b'event: ping\ndata: {"type":"ping"}\n\n'


def test_the_end_is_written_once() -> None:
    writer = StreamWriter(CHAT)
    writer.write(Begin())
    assert writer.write(Finish(FinishReason.STOP, "stop")) == b""
    end = writer.write(Terminal())
    assert end.endswith(b'event: message_stop\ndata: {"type":"message_stop"}\n\n')
    assert writer.write(Text("late")) + writer.write(Terminal()) + writer.close() == b""


@pytest.mark.parametrize("event", [Failure("x"), Timings(), Vectors(1), Usage(), Opaque("1", "cost"), PartEnd(3)])
def test_what_an_anthropic_client_is_not_told(event: Event) -> None:
    assert sent([Begin(), event, *END]) == []


def test_each_kind_has_its_own_block() -> None:
    events: list[Event] = [
        Reasoning("hm", 0),
        Text("a", 1),
        Text("b", 1),
        Reasoning("so", 2),
        Text("c", 3),
        PartEnd(3),
        Text("d", 4),
    ]
    assert [block["type"] for block in content([*events, *END])] == ["thinking", "text", "thinking", "text", "text"]


def test_the_open_call_is_live_and_the_others_wait() -> None:
    writer = StreamWriter(CHAT)
    writer.write(Begin())
    assert b'"id":"a"' in writer.write(ToolCall(0, "a", "f"))
    assert b'{\\"x\\":' in writer.write(ToolArguments(0, '{"x":'))
    assert writer.write(ToolCall(1, "b", "g")) == b""
    assert writer.write(ToolArguments(1, '{"y":2}')) == b""
    both = writer.write(ToolArguments(0, "1}"))
    assert both.count(b"content_block_start") == 2  # the event's name and its type
    assert b'{\\"y\\":2}' in both
    assert writer.write(Text("and", 2)).count(b"content_block_start") == 2


def test_three_at_once() -> None:
    events: list[Event] = [ToolCall(part, f"c{part}", "f") for part in range(3)]
    events += [ToolArguments(part, piece) for piece in ('{"x"', ":1}") for part in (2, 1, 0)]
    assert sent([Begin(), *events, *END]) == [
        call(0, "c0", "f"),
        arguments(0, '{"x"'),
        arguments(0, ":1}"),
        stopped(0),
        call(1, "c1", "f"),
        arguments(1, '{"x"'),
        arguments(1, ":1}"),
        stopped(1),
        call(2, "c2", "f"),
        arguments(2, '{"x"'),
        arguments(2, ":1}"),
        stopped(2),
    ]


def test_a_part_that_ends_while_others_wait() -> None:
    events: list[Event] = [ToolCall(0, "a", "f"), Text("after", 1), PartEnd(0), PartEnd(1), ToolArguments(0, "late")]
    assert [block.type for block in judged(streamed([Begin(), *events, *END])).content] == ["tool_use", "text"]


@pytest.mark.parametrize(
    ("pieces", "wanted"),
    [
        ([], {}),
        ([" "], {}),
        ([" ", '{"x"', ": 1}"], {"x": 1}),
        (["null"], {}),
        (["[1", "]"], {"__raw_arguments": "[1]"}),
        (["ls -l"], {"__raw_arguments": "ls -l"}),
    ],
)
def test_arguments_are_an_object(pieces: list[str], wanted: dict[str, object]) -> None:
    events: list[Event] = [ToolCall(0, "a", "f"), *(ToolArguments(0, piece) for piece in pieces)]
    assert content([Begin(), *events, *END])[0]["input"] == wanted


def test_the_first_piece_is_written_even_for_an_empty_object() -> None:
    assert sent([ToolCall(0, "a", "f"), *END]) == [call(0, "a", "f"), arguments(0, "{}"), stopped(0)]


def test_a_custom_tools_text() -> None:
    events: list[Event] = [ToolCall(0, "a", "patch", "custom"), ToolArguments(0, "{*** "), ToolArguments(0, "Begin")]
    assert content([Begin(), *events, *END])[0]["input"] == {"input": "{*** Begin"}


def test_names_and_ids_are_the_clients() -> None:
    answering = Answering("pb1", "m", 1, tool_names={"f_12345678": "a very long name"})
    calls: list[Event] = [ToolCall(part, id_, "f_12345678") for part, id_ in enumerate(["", "x", "x"])]
    blocks = content([Begin(), *calls, *END], answering)
    assert [block["id"] for block in blocks] == ["toolu_pb1_0", "x", "toolu_pb1_2"]
    assert blocks[0]["name"] == "a very long name"


def test_reasoning_of_others_is_sealed() -> None:
    events: list[Event] = [Reasoning("hm", 0), Text("a", 1)]
    assert sent([*events, *END])[:4] == [
        started(0, type="thinking", thinking="", signature=""),
        grown(0, "thinking_delta", thinking="hm"),
        grown(0, "signature_delta", signature=side_channel.pack("", {})),
        stopped(0),
    ]


def test_encrypted_reasoning_with_a_summary() -> None:
    events: list[Event] = [Reasoning("hm", 0), Reasoning("", 0, encrypted="E", id="rs_1"), PartEnd(0), Text("a", 1)]
    block = content([*events, *END], RESPONSES)[0]
    wanted = (side_channel.OPENAI, {"encrypted": "E", "id": "rs_1"})
    assert (block["thinking"], side_channel.unpack(block["signature"])) == ("hm", wanted)


def test_encrypted_reasoning_alone() -> None:
    events: list[Event] = [Reasoning("", 0, id="rs_1"), Reasoning("", 0, encrypted="E"), PartEnd(0), Text("a", 1)]
    block = content([*events, *END], RESPONSES)[0]
    assert block["type"] == "redacted_thinking"
    assert side_channel.unpack(block["data"]) == (side_channel.OPENAI, {"encrypted": "E", "id": "rs_1"})


def test_text_after_it_was_redacted() -> None:
    events: list[Event] = [Reasoning("", 0, encrypted="E"), Reasoning("hm", 0), Text("a", 1)]
    blocks = judged(streamed([*events, *END])).content
    assert [block.type for block in blocks] == ["redacted_thinking", "thinking", "text"]


def test_an_anthropic_signature_stays_bare() -> None:
    format_ = side_channel.ANTHROPIC
    events: list[Event] = [
        Reasoning("hm", 0, format=format_),
        Reasoning("", 0, "S"),
        Reasoning("", 1, encrypted="R", format=format_),
    ]
    assert content([*events, *END]) == [
        {"type": "thinking", "thinking": "hm", "signature": "S"},
        {"type": "redacted_thinking", "data": "R"},
    ]
    assert content([Reasoning("", 0, "S"), PartEnd(0), *END], NATIVE) == [
        {"type": "thinking", "thinking": "", "signature": "S"}
    ]


def test_a_late_signature_says_that_it_is_late() -> None:
    events: list[Event] = [Reasoning("hm", 0), Text("a", 1), Reasoning("", 0, "S", format="x")]
    last = judged(streamed([*events, *END])).content[-1]
    assert last.type == "redacted_thinking"
    assert side_channel.unpack(last.data) == ("x", {"signature": "S", "late": True})


def test_a_new_text_of_reasoning_is_not_late() -> None:
    events: list[Event] = [Reasoning("hm", 0, "S"), Text("a", 1), Reasoning("so", 0), Text("b", 1)]
    blocks = judged(streamed([*events, *END])).content
    assert blocks[2].type == "thinking"
    assert blocks[2].signature == side_channel.pack("", {})


URL = {"type": "url_citation", "url_citation": {"url": "https://a.example", "title": "A", "start_index": 0}}


def test_annotations_become_citations() -> None:
    event = Opaque(json.dumps(URL), "annotation", 0)
    citation = content([Text("a", 0), event, *END])[0]["citations"][0]
    packed = side_channel.unpack(citation.pop("encrypted_index"))
    assert citation == {
        "type": "web_search_result_location",
        "url": "https://a.example",
        "title": "A",
        "cited_text": "",
    }
    assert packed is not None
    assert packed[1]["raw"] == URL


def test_a_citation_opens_its_text() -> None:
    citation = {"type": "char_location", "cited_text": "x", "document_index": 0}
    events: list[Event] = [Opaque(json.dumps(citation), "citation", 0), Text("a", 0)]
    assert sent([*events, *END], NATIVE) == [
        started(0, type="text", text=""),
        grown(0, "citations_delta", citation=citation),
        grown(0, "text_delta", text="a"),
        stopped(0),
    ]


@pytest.mark.parametrize(
    "event",
    [
        Opaque(json.dumps(URL), "annotation"),
        Opaque('{"type":"file_citation"}', "annotation", 0),
        Opaque("[]", "citation", 0),
        Opaque('{"type":"web_search_call","id":"ws_1"}', "web_search_call", 1),
        Opaque("no JSON", "thing", 1),
        Media("image", "image/png", 3, 1, "blake2b:00"),
    ],
)
def test_what_has_no_block_is_carried(event: Event) -> None:
    blocks = content([Text("a", 0), event, *END])
    assert [block["type"] for block in blocks] == ["text", "redacted_thinking"]
    unpacked = side_channel.unpack(blocks[1]["data"])
    assert unpacked is not None
    assert unpacked[0] == side_channel.OPAQUE


@pytest.mark.parametrize("writer", [StreamWriter, BodyWriter])
def test_a_picture_is_noted_and_only_its_reference_is_carried(writer: type[StreamWriter | BodyWriter]) -> None:
    answering = replace(CHAT, notes=Notes())
    one = writer(answering)
    written = one.write(Media("image", "image/png", 3, 0, "blake2b:00", "YWJjZGVm")) + one.close()
    assert b"YWJjZGVm" not in written
    assert b"redacted_thinking" in written
    assert answering.notes.header() == "dropped=content.image"


def test_a_field_of_a_call_is_carried_with_its_id() -> None:
    events: list[Event] = [ToolCall(0, "a", "f"), ToolArguments(0, "{}"), Opaque('{"google":{}}', "extra_content", 0)]
    unpacked = side_channel.unpack(content([*events, *END])[1]["data"])
    assert unpacked is not None
    assert side_channel.call_field_of(unpacked[1]) == ("a", "extra_content", {"google": {}})


def test_anthropics_own_blocks_stay_themselves() -> None:
    block = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}}
    events: list[Event] = [Opaque(json.dumps(block), "server_tool_use", 0), PartEnd(0), Text("a", 1)]
    assert sent([*events, *END], NATIVE)[:2] == [{**started(0), "content_block": block}, stopped(0)]


def test_who_called_stands_in_the_start() -> None:
    caller = {"type": "code_execution_20260120", "tool_id": "s"}
    events: list[Event] = [
        ToolCall(0, "a", "f"),
        Opaque(json.dumps(caller), "caller", 0),
        ToolArguments(0, '{"x":1}'),
        PartEnd(0),
    ]
    start = sent([*events, *END], NATIVE)[0]
    assert start["content_block"]["caller"] == caller
    assert content([*events, *END], NATIVE)[0]["caller"] == caller


def test_a_call_without_caller_or_arguments_starts_all_the_same() -> None:
    assert sent([ToolCall(0, "a", "f"), *END], NATIVE)[0] == call(0, "a", "f")
    late: list[Event] = [ToolCall(0, "a", "f"), ToolArguments(0, "{}"), Opaque('{"type":"direct"}', "caller", 0)]
    assert [event["type"] for event in sent([*late, *END], NATIVE)].count("content_block_start") == 2


def test_anthropics_own_fields_come_at_the_end() -> None:
    beside: list[Event] = [Opaque('{"id":"c"}', "container"), Opaque('{"applied_edits":[]}', "context_management")]
    end = streamed([Begin(), *beside, *END], NATIVE).decode().split("event: message_delta\ndata: ")[1].split("\n")[0]
    value = json.loads(end)
    assert value["delta"]["container"] == {"id": "c"}
    assert value["context_management"] == {"applied_edits": []}


def test_a_refusal_is_its_explanation() -> None:
    events: list[Event] = [Refusal("I ", 0), Refusal("will not", 0), Finish(FinishReason.REFUSAL, "stop"), Terminal()]
    message = judged(streamed(events))
    assert message.stop_reason == "refusal"
    assert message.stop_details is not None
    assert message.stop_details.explanation == "I will not"
    assert message.content == []


def test_half_a_character_is_sent_on() -> None:
    stream = streamed([Text("\ud83d", 0), Text("\ude00", 0), *END])
    assert stream.isascii()
    assert b'"\\ud83d"' in stream


def test_many_calls_at_once_do_not_nest() -> None:
    many = 1200
    events: list[Event] = [ToolCall(part, f"c{part}", "f") for part in range(many)]
    events += [PartEnd(part) for part in reversed(range(many))]
    stream = streamed([Begin(), *events, *END])
    assert stream.count(b"event: content_block_stop") == many


def test_an_unknown_provider_is_taken_for_chat() -> None:
    block = content([Opaque('{"type":"x"}', "x", 0), *END], Answering("pb1", "m", 1))[0]
    unpacked = side_channel.unpack(block["data"])
    assert unpacked is not None
    assert unpacked[1]["dialect"] == Dialect.CHAT


def test_a_text_that_waited_for_a_call_is_one_block() -> None:
    events: list[Event] = [
        ToolCall(0, "a", "f"),
        ToolArguments(0, '{"x"'),
        Text("b", 1),
        Text("c", 1),
        ToolArguments(0, ": 1}"),
        Text("d", 1),
    ]
    assert sent(events) == [
        call(0, "a", "f"),
        arguments(0, '{"x"'),
        arguments(0, ": 1}"),
        stopped(0),
        started(1, type="text", text=""),
        *(grown(1, "text_delta", text=text) for text in "bcd"),
        stopped(1),
    ]
