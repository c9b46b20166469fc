from providers.wire import side_channel
from providers.wire.events import Event, Finish, FinishReason, Opaque, PartEnd, Reasoning, Refusal, Text, ToolArguments
from providers.wire.responses.frames import Frames
from providers.wire.responses.open_items import Message, Thought
from tests.providers.wire.responses.writer_play import items, told, whole

CITED = '{"type":"url_citation","url":"u","title":"t","start_index":0,"end_index":2}'


def kinds(events: list[Event]) -> list[str]:
    return [frame["type"].removeprefix("response.") for frame in told(events)]


def test_a_text_has_all_its_events() -> None:
    out = told([Text("Hel"), Text("lo"), PartEnd(0)])
    assert [frame["type"].removeprefix("response.") for frame in out] == [
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
    ]
    assert out[0]["item"] == {
        "id": "msg_ours_0",
        "type": "message",
        "status": "in_progress",
        "role": "assistant",
        "content": [],
    }
    place = {"item_id": "msg_ours_0", "output_index": 0, "content_index": 0}
    assert all(place.items() <= frame.items() for frame in out[1:-1])
    assert out[4]["text"] == out[5]["part"]["text"] == "Hello"


def test_texts_and_refusals_in_a_row_are_parts_of_one_message() -> None:
    events: list[Event] = [Text("a", 0), PartEnd(0), Text("b", 1), Refusal("no", 2), Refusal("!", 2)]
    (message,) = items(events)
    assert [(part["type"], part.get("text") or part["refusal"]) for part in message["content"]] == [
        ("output_text", "a"),
        ("output_text", "b"),
        ("refusal", "no!"),
    ]
    assert [frame["content_index"] for frame in told(events) if frame["type"].endswith("part.done")] == [0, 1, 2]
    assert kinds(events)[-5:] == [
        "refusal.delta",
        "refusal.delta",
        "refusal.done",
        "content_part.done",
        "output_item.done",
    ]


def test_annotations_stand_on_their_part() -> None:
    events: list[Event] = [
        Opaque(CITED, "annotation", 0),
        Text("hi"),
        Opaque(CITED, "annotation"),
        Opaque(CITED, "annotation", 1),
    ]
    (message,) = items(events)
    assert [len(part["annotations"]) for part in message["content"]] == [2, 1]
    added = [frame for frame in told(events) if frame["type"].endswith("annotation.added")]
    assert [(frame["content_index"], frame["annotation_index"]) for frame in added] == [(0, 0), (0, 1), (1, 0)]


def test_citations_without_a_place_are_kept_beside() -> None:
    (message,) = items([Opaque('{"type":"page_location"}', "citation", 0), Text("hi")])
    assert message["content"][0]["x_patchbay"] == {"citations": [{"type": "page_location"}]}


def test_half_a_character_is_held_back() -> None:
    deltas = [frame["delta"] for frame in told([Text("a\ud83d"), Text("\ude00"), Text("\ud83d")]) if "delta" in frame]
    assert deltas == ["a", "😀", "\ufffd"]
    deltas = [
        frame["delta"]
        for frame in told([Reasoning("\ud83d"), Reasoning("\ude00"), Reasoning("\ud83d")])
        if "delta" in frame
    ]
    assert deltas == ["😀", "\ufffd"]


def test_an_empty_text_says_nothing() -> None:
    assert "output_text.delta" not in kinds([Text("")])


def test_reasoning_has_a_summary_and_its_seal() -> None:
    events: list[Event] = [
        Reasoning("h", format="f"),
        Reasoning("m", id="i"),
        Reasoning("", signature="s"),
        PartEnd(0),
        Text("a", 1),
    ]
    thought, message = items(events)
    assert thought["summary"] == [{"type": "summary_text", "text": "hm"}]
    assert side_channel.unpack(thought["encrypted_content"]) == ("f", {"signature": "s", "id": "i"})
    assert message["id"] == "msg_ours_1"
    assert kinds(events)[:7] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]


def test_redacted_reasoning_is_its_seal_alone() -> None:
    (thought,) = items([Reasoning("", encrypted="x"), PartEnd(0)])
    assert thought["summary"] == []
    assert side_channel.unpack(thought["encrypted_content"]) == ("", {"encrypted": "x"})


def test_reasoning_without_a_seal_has_none() -> None:
    assert "encrypted_content" not in items([Reasoning("hm")])[0]


def test_an_answer_that_was_cut_says_so_on_its_last_item() -> None:
    events: list[Event] = [Text("a"), ToolArguments(1, '{"x'), Finish(FinishReason.LENGTH, "max_tokens")]
    body = whole(events)
    assert [item["status"] for item in body["output"]] == ["completed", "incomplete"]


def test_items_take_only_what_is_theirs() -> None:
    message, thought = Message(Frames(), 0, "m", 0), Thought(Frames(), 0, "t", 0, "", late=False)
    assert message.add(PartEnd(0)) == thought.add(PartEnd(0)) == thought.end_part() == message.end_part() == ""
    assert not thought.accepts(Text(""))
    assert thought.may_close()
