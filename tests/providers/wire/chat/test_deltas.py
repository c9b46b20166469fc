"""The content of a message and its finish reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire.events import (
    Event,
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
    Vectors,
)
from tests.providers.wire.chat.written import deltas, finish, message


def test_text_is_told_as_it_comes() -> None:
    assert deltas(Text("a"), Text("b"), Text("c", 1), PartEnd(1), PartEnd(9)) == [
        {"role": "assistant", "content": "a"},
        {"content": "b"},
        {"content": "c"},
        {},
    ]


def test_halves_of_a_character() -> None:
    assert message(Text("\ud83d"), Text("\udc0e"))["content"] == "🐎"
    assert message(Text("a\ud83d"), Reasoning("x", 1))["content"] == "a\ufffd"
    assert message(Text("a\ud83d"))["content"] == "a\ufffd"


def test_a_refusal_grows() -> None:
    assert message(Text("a"), Refusal("n", 1), Refusal("o", 1))["refusal"] == "no"


def test_an_explanation_is_a_refusal() -> None:
    details = Opaque('{"type": "refusal", "explanation": "unsafe"}', "stop_details")
    refused = Finish(FinishReason.REFUSAL, "refusal")
    assert message(details, refused)["refusal"] == "unsafe"
    assert message(Refusal("no"), details, refused)["refusal"] == "no"
    assert "refusal" not in message(Opaque("1", "other"), refused)
    assert "refusal" not in message(details, Finish(FinishReason.STOP, "end_turn"))


def test_an_empty_answer_has_an_empty_text() -> None:
    assert deltas() == [{"role": "assistant", "content": ""}]


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (FinishReason.STOP, "stop"),
        (FinishReason.LENGTH, "length"),
        (FinishReason.STOP_SEQUENCE, "stop"),
        (FinishReason.REFUSAL, "content_filter"),
        (FinishReason.PAUSE, "stop"),
        (FinishReason.UNKNOWN, "stop"),
        (FinishReason.TOOL_CALLS, "stop"),
    ],
)
def test_why_it_stopped(reason: FinishReason, said: str) -> None:
    assert finish(Text("a"), Finish(reason, reason.value)) == said


@pytest.mark.parametrize(
    "end",
    [
        (),
        (Finish(FinishReason.STOP, "stop"),),
        (Finish(FinishReason.TOOL_CALLS, "x"),),
        (Finish(FinishReason.UNKNOWN, "server_timeout"),),
    ],
)
def test_a_call_is_why_it_stopped(end: tuple[Event, ...]) -> None:
    assert finish(ToolCall(0, "a", "f"), *end) == "tool_calls"
    assert finish(ToolCall(0, "a", "f"), Finish(FinishReason.LENGTH, "length")) == "length"


def test_the_last_reason_counts() -> None:
    assert finish(Text("a"), Finish(FinishReason.STOP, "stop"), Finish(FinishReason.LENGTH, "length")) == "length"


def test_what_says_nothing_says_nothing() -> None:
    assert deltas(Timings(), Vectors(1), Text("a"), Terminal()) == [{"role": "assistant", "content": "a"}, {}]


# Whatever texts come in whatever parts, the content is all of them in order.
@given(st.lists(st.tuples(st.text(min_size=1), st.integers(0, 2)), min_size=1))
def test_the_content_is_all_of_the_text(pieces: list[tuple[str, int]]) -> None:
    said = message(*(Text(text, part) for text, part in pieces))
    assert said["content"] == "".join(text for text, _ in pieces)


def test_reasoning_of_one_part_is_one_part() -> None:
    said = message(Text("a"), Reasoning("h", 1), Reasoning("m", 1), Reasoning("", 1, "s"))
    assert said["reasoning_content"] == "hm"
    assert [part["type"] for part in said["provider_fields"]["parts"]] == ["text", "reasoning"]


@pytest.mark.parametrize("announced", [(ToolCall(1, "a", "f"),), ()])
def test_arguments_are_told_live_and_belong_to_a_call(announced: tuple[Event, ...]) -> None:
    """Arguments that nobody announced are a call without a name: lost they would be worse."""
    told = deltas(*announced, ToolArguments(1, '{"x"'), ToolArguments(1, ": 1}"), PartEnd(1))
    pieces = [call["function"].get("arguments") for delta in told for call in delta.get("tool_calls", ())]
    assert [piece for piece in pieces if piece] == ['{"x"', ": 1}"]
    assert told[-1] == {}  # neither its end nor that of the answer has more to say
    (call,) = message(*announced, ToolArguments(1, "{}"))["tool_calls"]
    assert call["function"] == {"name": "f" if announced else "", "arguments": "{}"}


def test_the_end_of_a_call_gives_empty_arguments_at_once() -> None:
    told = deltas(ToolCall(1, "a", "f"), PartEnd(1), Text("b", 2))
    assert told[1] == {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}
    assert told[2] == {"content": "b"}


def test_pictures_have_a_dense_index_and_other_media_a_reference() -> None:
    links = [f"https://x.invalid/{name}" for name in "ab"]
    events: list[Event] = [
        Text("a"),
        *(Media("image", "", 0, part, url) for part, url in enumerate(links, 1)),
        Media("image", "image/png", 3, 3, "blake2b:00"),
        Media("audio", "audio/wav", 9, 4, "a1"),
    ]
    pictures = [image for delta in deltas(*events) for image in delta.get("images", ())]
    assert [(image["index"], image["image_url"]["url"]) for image in pictures] == list(enumerate(links))
    assert message(*events)["provider_fields"]["parts"] == [
        {"type": "text", "length": 1},
        {"type": "image", "media_type": "image/png", "size": 3, "ref": "blake2b:00"},
        {"type": "audio", "media_type": "audio/wav", "size": 9, "ref": "a1"},
    ]


WEB = '{"type":"web_search_result_location","url":"u","title":"t"}'


@pytest.mark.parametrize(
    ("events", "part"),
    [
        ((Opaque('{"x":1}', "server_tool_use", 1),), {"type": "opaque", "name": "server_tool_use", "value": {"x": 1}}),
        (
            (ToolCall(1, "a", "f"), Opaque("1", "caller", 1)),
            {"type": "tool_call", "beside": [{"type": "caller", "value": 1}]},
        ),
        (
            (Opaque(WEB, "citation", 1), Text("b", 1)),
            {"type": "text", "length": 1, "citations": [{"type": WEB[9:35], "url": "u", "title": "t"}]},
        ),
        (
            (Text("b", 1), Opaque('{"type":"file_citation"}', "annotation", 1)),
            {"type": "text", "length": 1, "citations": [{"type": "file_citation"}]},
        ),
    ],
)
def test_what_chat_does_not_know_stays_in_its_place(events: tuple[Event, ...], part: dict[str, object]) -> None:
    said = message(Text("a\ud83d"), *events)
    assert said["content"].startswith("a\ufffd")  # the text ahead is over
    assert said["provider_fields"]["parts"] == [{"type": "text", "length": 2}, part]


def test_a_citation_comes_when_the_text_that_it_supports_is_whole() -> None:
    told = deltas(Text("a"), Opaque(WEB, "citation", 1), Text("b", 1), PartEnd(1))
    assert ["annotations" in delta for delta in told] == [False, False, True, False]
    (citation,) = told[2]["annotations"]
    assert citation["url_citation"] == {"start_index": 1, "end_index": 2, "title": "t", "url": "u"}
