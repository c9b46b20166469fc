import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire.endpoints import Dialect, Operation
from providers.wire.events import (
    Begin,
    Comment,
    Event,
    Finish,
    FinishReason,
    Media,
    Opaque,
    PartEnd,
    Refusal,
    Terminal,
    Text,
    Timings,
    Usage,
    Vectors,
)
from providers.wire.readers import reader_for
from providers.wire.request import Part, ReasoningPart, RefusalPart, TextPart, ToolCallPart
from providers.wire.responses.writer import StreamWriter
from providers.wire.writer import Answering
from tests.providers.wire.playbook import answer_of, cut, play
from tests.providers.wire.responses.writer_play import ANSWERING, frames, whole, written
from tests.providers.wire.test_judges import ANTHROPIC, CHAT, openai_client

STREAMS = {
    **{("chat", name): stream for name, stream in CHAT.items()},
    **{("messages", name): stream for name, stream in ANTHROPIC.items()},
}


def events_of(key: tuple[str, str], size: int = 0) -> list[Event]:
    stream = STREAMS[key]
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)] if size else [stream]
    return play(reader_for(Operation(key[0]), stream=True), pieces)


@pytest.mark.parametrize("key", STREAMS, ids=" ".join)
def test_openai_reads_what_the_provider_said(key: tuple[str, str]) -> None:
    events = events_of(key)
    answering = Answering("resp_ours", "asked", 1, provider=Dialect(key[0]), signatures="anthropic-claude-v1")
    stream = written(events, answering)
    frames(stream)  # every event is of its official type
    for size in (1, 7):
        assert written(events_of(key, size), answering) == stream
    answer = answer_of(events)
    with openai_client(stream).responses.stream(model="m", input="Hi") as judged:
        ends = [event for event in judged if event.type in ("response.completed", "response.incomplete")]
    (end,) = ends
    response: Any = end.response
    parts = answer.message().parts
    assert response.output_text == "".join(part.text for part in parts if isinstance(part, TextPart))
    called = [(item.call_id, item.name, item.arguments) for item in response.output if item.type == "function_call"]
    calls = [(part.id, part.name, part.arguments) for part in parts if isinstance(part, ToolCallPart)]
    assert [(*call[:2], json.loads(call[2])) for call in called] == [(*call[:2], json.loads(call[2])) for call in calls]
    thought = [text.text for item in response.output if item.type == "reasoning" for text in item.summary]
    assert thought == [part.text for part in parts if isinstance(part, ReasoningPart) and part.text]
    assert (response.id, response.model) == (answer.id, answer.model)
    assert response.status == (
        "incomplete" if answer.finish in (FinishReason.LENGTH, FinishReason.REFUSAL) else "completed"
    )
    if answer.usage == Usage():
        assert response.usage is None
    else:
        usage = response.usage
        assert (usage.input_tokens, usage.output_tokens) == (answer.usage.input, answer.usage.output)
        assert usage.input_tokens_details.cached_tokens == (answer.usage.cache_read or 0)
        assert usage.output_tokens_details.reasoning_tokens == (answer.usage.reasoning or 0)
    assert whole(events, answering)["status"] == response.status


# Any cut of the provider's bytes gives the client the same bytes.
@given(st.lists(st.integers(min_value=0, max_value=100_000), max_size=6), st.sampled_from(sorted(STREAMS)))
def test_any_cut(places: list[int], key: tuple[str, str]) -> None:
    events = play(reader_for(Operation(key[0]), stream=True), cut(STREAMS[key], places))
    assert written(events) == written(events_of(key))


def _is_said(part: Part) -> bool:
    """A call without arguments comes back with ``{}``."""
    return not isinstance(part, ToolCallPart) or bool(part.arguments)


@pytest.mark.parametrize("key", STREAMS, ids=" ".join)
def test_our_own_reader_reads_it_back(key: tuple[str, str]) -> None:
    events = events_of(key)
    sent, back = answer_of(events), answer_of(play(reader_for(Operation.RESPONSES, stream=True), [written(events)]))
    kinds = (TextPart, ToolCallPart, RefusalPart)
    said = [part for part in sent.message().parts if isinstance(part, kinds) and _is_said(part)]
    assert [part for part in back.message().parts if isinstance(part, kinds)] == said
    assert back.terminal


def test_the_first_two_events_come_at_once() -> None:
    writer = StreamWriter(ANSWERING)
    first = writer.write(Begin("msg_1", "claude"))
    created, progress = frames(first)
    assert (created["type"], progress["type"]) == ("response.created", "response.in_progress")
    assert created["response"] == progress["response"]
    assert (created["response"]["id"], created["response"]["model"]) == ("msg_1", "claude")
    assert created["response"]["status"] == "in_progress"


def test_a_model_that_is_named_late_stands_at_the_end() -> None:
    body = whole([Begin("a"), Text("x"), Begin("b", "late")])
    assert (body["id"], body["model"]) == ("a", "late")


def test_an_answer_without_a_beginning_has_our_id() -> None:
    for events in ([], [Text("x")], [Opaque("{}", "odd", 0)]):
        body = whole(events)
        assert (body["id"], body["model"], body["created_at"]) == ("resp_ours", "asked", 17)


def test_comments_pass_as_comments() -> None:
    writer = StreamWriter(ANSWERING)
    assert writer.write(Comment("OPENROUTER PROCESSING")) == b": OPENROUTER PROCESSING\n\n"
    assert writer.write(Comment("a\r\nb")) == b": a b\n\n"


def test_counts_overwrite_and_may_come_last() -> None:
    body = whole([Usage(5, 1), Text("a"), Finish(FinishReason.STOP, "stop"), Usage(output=9, reasoning=2), Terminal()])
    assert (body["usage"]["input_tokens"], body["usage"]["output_tokens"], body["usage"]["total_tokens"]) == (5, 9, 14)


def test_a_refusal_is_explained() -> None:
    details = Opaque('{"explanation": "cyber"}', "stop_details")
    body = whole([Text("a"), details, Finish(FinishReason.REFUSAL, "refusal")])
    assert (body["status"], body["incomplete_details"]) == ("incomplete", {"reason": "content_filter"})
    assert body["output"][0]["content"][1] == {"type": "refusal", "refusal": "cyber"}
    assert [entry["type"] for entry in body["x_patchbay"]["beside"]] == ["stop_details"]


def test_a_refusal_in_words_is_a_whole_answer() -> None:
    body = whole([Refusal("no"), Opaque('{"explanation": "x"}', "stop_details"), Finish(FinishReason.REFUSAL, "stop")])
    assert body["status"] == "completed"
    assert body["output"][0]["content"] == [{"type": "refusal", "refusal": "no"}]


@pytest.mark.parametrize(
    ("media_type", "format"), [("image/png", "png"), ("image/svg+xml", "svg"), ("image/bmp", None), ("", None)]
)
def test_a_picture_is_an_item_of_its_own(media_type: str, format: str | None) -> None:
    picture = Media("image", media_type, 3, 1, "blake2b:00", "YWJj")
    events: list[Event] = [Text("a"), picture, PartEnd(1), Text("b", 2), Finish(FinishReason.STOP, "stop")]
    message, image, behind = whole(events)["output"]
    assert (message["content"][0]["text"], behind["content"][0]["text"]) == ("a", "b")
    said = {"type": "image_generation_call", "status": "completed", "result": "YWJj"}
    assert image == {"id": image["id"], **said, **({"output_format": format} if format else {})}
    told = [frame for frame in frames(written(events)) if image["id"] in str(frame)]
    assert [frame["type"].removeprefix("response.") for frame in told] == [
        "output_item.added",
        "image_generation_call.in_progress",
        "image_generation_call.completed",
        "output_item.done",
        "completed",
    ]
    assert told[0]["item"]["result"] is None
    assert told[3]["item"] == image


def test_a_picture_of_which_only_the_digest_is_known_has_no_content() -> None:
    (image,) = whole([Media("image", "image/png", 3, 0, "blake2b:00")])["output"]
    assert image["result"] is None


def test_a_picture_on_the_part_that_is_open_ends_it() -> None:
    message, image = whole([Text("a", 0), Media("image", "image/png", 3, 0, "blake2b:00", "YWJj")])["output"]
    assert (message["type"], image["type"]) == ("message", "image_generation_call")


def test_what_has_no_place_stands_beside() -> None:
    events: list[Event] = [
        Opaque('"priority"', "service_tier"),
        Opaque('{"a": 1}', "container"),
        Opaque("[]", "service_tier"),
        Media("image", "image/png", 3, 0, "https://x.invalid/a.png"),
        Timings(1, 2),
        Vectors(1),
        Finish(FinishReason.STOP_SEQUENCE, "stop_sequence", "END"),
    ]
    body = whole(events)
    assert body["service_tier"] == "priority"
    assert body["x_patchbay"]["beside"] == [
        {"type": "container", "value": {"a": 1}},
        {"type": "service_tier", "value": []},
        {"type": "image", "value": {"media_type": "image/png", "size": 3, "ref": "https://x.invalid/a.png"}},
        {"type": "stop_sequence", "value": "END"},
    ]
    assert "x_patchbay" not in whole([Text("a")])


def test_an_annotation_of_no_part_stands_on_the_open_text_or_beside() -> None:
    """Chat's annotations name no part; as long as the text is open they are its own."""
    value = {"type": "file_path", "file_id": "f", "index": 0}
    cited = Opaque(json.dumps(value), "annotation")
    on_text = whole([Text("a"), cited])
    assert on_text["output"][0]["content"][0]["annotations"] == [value]
    assert "x_patchbay" not in on_text
    assert whole([cited, Text("a")])["x_patchbay"]["beside"] == [{"type": "annotation", "value": value}]
