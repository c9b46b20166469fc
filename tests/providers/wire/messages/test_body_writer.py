"""Plain answers as an Anthropic client reads them; what streams have in common with them is tested there."""

from providers.wire import side_channel
from providers.wire.events import Begin, Event, Finish, FinishReason, Opaque, PartEnd, Reasoning, Text, Usage
from providers.wire.messages.writer import BodyWriter
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
