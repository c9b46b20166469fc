"""Plain answers as an Anthropic client reads them; what streams have in common with them is tested there."""

import json

import pytest

from providers.wire import side_channel
from providers.wire.endpoints import Dialect
from providers.wire.events import (
    Begin,
    Event,
    Finish,
    FinishReason,
    Media,
    Opaque,
    PartEnd,
    Reasoning,
    Refusal,
    Text,
    ToolArguments,
    ToolCall,
    Usage,
)
from providers.wire.messages.writer import BodyWriter
from providers.wire.writer import Answering
from tests.providers.wire.messages.writing import CHAT, NATIVE, RESPONSES, message


def test_a_whole_answer() -> None:
    events: list[Event] = [
        Begin("chatcmpl-1", ""),
        Begin("", "glm"),
        Text("a", 0),
        Usage(input=10, output=3, cache_read=4),
        Opaque('"default"', "service_tier"),
        Finish(FinishReason.LENGTH, "length"),
        PartEnd(0),
    ]
    assert message(events) == {
        "id": "chatcmpl-1",
        "type": "message",
        "role": "assistant",
        "model": "glm",
        "content": [{"type": "text", "text": "a"}],
        "stop_reason": "max_tokens",
        "stop_sequence": None,
        "usage": {"input_tokens": 6, "output_tokens": 3, "cache_read_input_tokens": 4, "service_tier": "standard"},
    }


def test_nothing_at_all() -> None:
    value = message([])
    assert (value["id"], value["model"], value["content"]) == ("pb1", "asked", [])


def test_mixed_parts_are_put_together() -> None:
    events: list[Event] = [
        Reasoning("h", 0),
        Text("a", 1),
        Text("", 2),
        Reasoning("m", 0, "S"),
        Text("b", 1),
        Reasoning("", 3),
    ]
    assert message(events, NATIVE)["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "S"},
        {"type": "text", "text": "ab"},
    ]


def test_encrypted_reasoning_alone() -> None:
    block = message([Reasoning("", 0, encrypted="E", id="rs_1")], RESPONSES)["content"][0]
    assert side_channel.unpack(block["data"]) == (side_channel.OPENAI, {"encrypted": "E", "id": "rs_1"})


def test_a_citation_without_text_is_no_block() -> None:
    assert message([Opaque('{"type":"char_location"}', "citation", 0)], NATIVE)["content"] == []


def test_half_a_character() -> None:
    writer = BodyWriter(CHAT)
    for half in ("\ud83d", "\ude00"):
        writer.write(Text(half, 0))
    assert b"\\ud83d\\ude00" in writer.close()


@pytest.mark.parametrize(
    ("kind", "arguments", "input_"),
    [
        ("function", '{"x": 1}', {"x": 1}),
        ("function", "", {}),
        ("function", "not json", {"__raw_arguments": "not json"}),
        ("custom", "ls -l", {"input": "ls -l"}),
    ],
)
def test_a_call_has_an_object_as_its_input(kind: str, arguments: str, input_: dict[str, object]) -> None:
    events: list[Event] = [
        ToolCall(0, "a", "f", kind),
        *(ToolArguments(0, piece) for piece in (arguments[:3], arguments[3:])),
    ]
    value = message([*events, Finish(FinishReason.STOP, "stop")])
    assert value["content"] == [{"type": "tool_use", "id": "a", "name": "f", "input": input_}]
    assert value["stop_reason"] == "tool_use"  # several servers say "stop" after calls


def test_parallel_calls_that_interleave_stay_whole_and_apart() -> None:
    """Some servers give no id, or the same one to every call; names lead back to the client's own."""
    events: list[Event] = [
        ToolCall(0, "a", "short"),
        ToolCall(1, "a", "g"),
        ToolArguments(1, '{"y"'),
        ToolArguments(0, '{"x": 1}'),
        ToolCall(2, "", "h"),
        ToolArguments(1, ": 2}"),
    ]
    content = message(events, Answering("pb1", "asked", 1, tool_names={"short": "long"}))["content"]
    assert [(block["name"], block["input"]) for block in content] == [("long", {"x": 1}), ("g", {"y": 2}), ("h", {})]
    assert (content[0]["id"], len({block["id"] for block in content})) == ("a", 3)


def test_citations_stand_on_their_text() -> None:
    cited = {"type": "char_location", "cited_text": "c", "document_index": 0, "start_char_index": 0}
    events: list[Event] = [Opaque(json.dumps({**cited, "end_char_index": 1}), "citation", 0), Text("a", 0)]
    (block,) = message(events, NATIVE)["content"]
    assert (block["text"], block["citations"]) == ("a", [{**cited, "end_char_index": 1}])


def test_what_comes_with_a_call_stands_on_it_or_behind_it() -> None:
    """Anthropic's caller has a place on the call; anything else is carried behind it, with the call's id."""
    events: list[Event] = [
        ToolCall(0, "a", "f"),
        Opaque('{"type":"direct"}', "caller", 0),
        Opaque('{"google":{"thought_signature":"s"}}', "extra_content", 0),
    ]
    call, behind = message(events)["content"]
    assert call == {"type": "tool_use", "id": "a", "name": "f", "input": {}, "caller": {"type": "direct"}}
    unpacked = side_channel.unpack(behind["data"])
    assert unpacked is not None
    value = {"google": {"thought_signature": "s"}}
    assert side_channel.call_field_of(unpacked[1]) == ("a", "extra_content", value)


def test_blocks_of_a_server_keep_their_place_and_annotations_without_a_text_come_along() -> None:
    block = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    events: list[Event] = [Text("a", 0), Opaque(json.dumps(block), "server_tool_use", 1), Text("b", 2)]
    assert message(events, NATIVE)["content"][1] == block
    annotation = Opaque('{"type":"file_path","file_id":"f"}', "annotation")
    text, carried = message([Text("a", 0), annotation])["content"]
    assert (text["text"], side_channel.is_packed(carried["data"])) == ("a", True)


def test_a_picture_is_a_reference_and_a_note() -> None:
    answering = Answering("pb1", "asked", 1, provider=Dialect.CHAT)
    first, second = message([Text("a", 0), Media("image", "image/png", 3, 1, "blake2b:00", "YWJj")], answering)[
        "content"
    ]
    assert (first["type"], second["type"]) == ("text", "redacted_thinking")
    assert answering.notes.header() == "dropped=content.image"


def test_a_refusal_is_why_it_stopped() -> None:
    value = message([Refusal("n", 0), Refusal("o", 0)])
    assert (value["stop_reason"], value["stop_details"]["explanation"], value["content"]) == ("refusal", "no", [])
