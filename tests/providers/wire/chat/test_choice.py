"""One choice: parts, content lists, pictures and sound, and why it stopped."""

from typing import Any

import pytest

from providers.wire.events import (
    Finish,
    FinishReason,
    Media,
    Opaque,
    Reasoning,
    Refusal,
    Terminal,
    Text,
    ToolArguments,
    ToolCall,
)
from tests.providers.wire.chat.chunks import call, chunk, read


def test_empty_text_opens_nothing_and_a_part_ends_where_another_begins() -> None:
    events = read(
        chunk({"role": "assistant", "content": "", "refusal": None}),
        chunk({"content": "b", "reasoning": "a"}),
        chunk({"content": "c"}),
        chunk({"reasoning": "d"}),
        chunk({"content": "e"}),
    )
    assert events == [Reasoning("a", 0), Text("b", 1), Text("c", 1), Reasoning("d", 2), Text("e", 3)]


def test_a_content_list_is_read_part_by_part() -> None:
    events = read(
        chunk({"content": [{"type": "text", "text": "a"}, "b", {"type": "refusal", "refusal": "no"}]}),
        chunk({"content": {"type": "reference", "reference_ids": [1]}}),
        chunk({"content": [{"type": "image_url", "image_url": "https://x.example/a.png"}, 5]}),
    )
    assert events == [
        Text("a", 0),
        Text("b", 0),
        Refusal("no", 1),
        Opaque('{"type":"reference","reference_ids":[1]}', "reference", 2),
        Media("image", "", 0, 3, "https://x.example/a.png"),
        Opaque("5", "", 4),
    ]


def test_pictures_beside_the_content() -> None:
    [picture] = read(chunk({"images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,YWJj"}}]}))
    assert isinstance(picture, Media)
    assert (picture.media_type, picture.size, picture.part, picture.ref[:8]) == ("image/png", 3, 0, "blake2b:")
    assert picture.data == "YWJj"


def test_a_picture_may_be_an_address_alone_and_is_kept_where_it_has_none() -> None:
    assert read(chunk({"images": ["https://x.example/a.png", {"type": "image_url"}, None]})) == [
        Media("image", "", 0, 0, "https://x.example/a.png"),
        Opaque('{"type":"image_url"}', "image", 1),
        Opaque('{"image_url":null}', "image", 2),
    ]


def test_sound_is_a_transcript_and_one_reference() -> None:
    events = read(
        chunk({"audio": {"id": "audio_1", "transcript": "Hel"}}),
        chunk({"audio": {"data": "YWJj", "transcript": "lo"}}),
        chunk({"audio": {"data": "YWJj", "expires_at": 1}}),
        chunk(finish="stop"),
        done=True,
    )
    assert events == [
        Text("Hel"),
        Text("lo"),
        Media("audio", "", 6, 1, "audio_1"),
        Finish(FinishReason.STOP, "stop"),
        Terminal(),
    ]


def test_annotations_belong_to_the_text_and_unknown_keys_stand_beside() -> None:
    events = read(
        chunk({"content": "a", "annotations": [{"type": "url_citation"}]}), chunk({"annotations": [1], "new": 2})
    )
    assert events[1:] == [
        Opaque('{"type":"url_citation"}', "annotation", 0),
        Opaque("1", "annotation", 0),
        Opaque('{"new":2}', "new"),
    ]
    assert read(chunk({"annotations": [1]})) == [Opaque("1", "annotation", None)]


def test_annotations_ahead_of_the_text_stand_on_it() -> None:
    """OpenRouter tells what it found in the web before the model thinks and writes."""
    events = read(chunk({"content": "", "annotations": [1]}), chunk({"reasoning": "a"}), chunk({"content": "b"}))
    assert events == [Reasoning("a", 0), Opaque("1", "annotation", 1), Text("b", 1)]


def test_a_field_that_is_repeated_in_every_delta_is_told_once() -> None:
    """Groq's channel; Together's number of the token says nothing at all."""
    events = read(
        *(chunk({"content": text, "channel": "final", "token_id": number}) for number, text in ((7, "a"), (8, "b")))
    )
    assert events == [Text("a"), Opaque('{"channel":"final"}', "channel"), Text("b")]


def test_what_thinking_refers_to_is_kept() -> None:
    thinking = [{"type": "text", "text": "hm"}, {"type": "reference", "reference_ids": [1]}]
    assert read(chunk({"content": [{"type": "thinking", "thinking": thinking}]})) == [
        Reasoning("hm"),
        Opaque('{"type":"reference","reference_ids":[1]}', "thinking"),
    ]


TOOLS = {"tool_calls": [call(0, "a", "f", "{}")]}


@pytest.mark.parametrize(
    ("delta", "raw", "reason"),
    [
        ({}, "stop", FinishReason.STOP),
        ({}, "eos", FinishReason.STOP),
        ({}, "STOP", FinishReason.STOP),
        ({}, "length", FinishReason.LENGTH),
        ({}, "model_length", FinishReason.LENGTH),
        ({}, "content_filter", FinishReason.REFUSAL),
        ({}, "pause_turn", FinishReason.PAUSE),
        ({}, "model_context_window_exceeded", FinishReason.LENGTH),
        ({}, "COMPLETE", FinishReason.STOP),
        ({}, "MAX_TOKENS", FinishReason.LENGTH),
        ({}, "content_filter: RECITATION", FinishReason.REFUSAL),  # Gemini's compatible endpoint
        ({}, "sensitive", FinishReason.REFUSAL),  # Z.ai
        ({}, "function_call_filter: MALFORMED_FUNCTION_CALL", FinishReason.UNKNOWN),
        ({}, "weird", FinishReason.UNKNOWN),
        (TOOLS, "weird", FinishReason.TOOL_CALLS),
        (TOOLS, "tool_call", FinishReason.TOOL_CALLS),
        ({}, "tool_calls", FinishReason.STOP),  # no call came
        (TOOLS, "tool_calls", FinishReason.TOOL_CALLS),
        (TOOLS, "function_call", FinishReason.TOOL_CALLS),
        (TOOLS, "stop", FinishReason.TOOL_CALLS),  # several servers
        (TOOLS, "length", FinishReason.LENGTH),
        ({"refusal": "no"}, "stop", FinishReason.REFUSAL),
    ],
)
def test_finish_reasons(delta: dict[str, Any], raw: str, reason: FinishReason) -> None:
    assert read(chunk(delta), chunk(finish=raw), done=True)[-2:] == [Finish(reason, raw), Terminal()]


@pytest.mark.parametrize("key", ["stop_reason", "matched_stop"])
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("END", Finish(FinishReason.STOP_SEQUENCE, "stop", "END")),
        (128009, Finish(FinishReason.STOP, "stop")),  # vLLM and SGLang give the token, too
    ],
)
def test_a_stop_sequence_is_told_where_the_server_knows_it(key: str, value: object, expected: Finish) -> None:
    end = chunk(finish="stop")
    end["choices"][0][key] = value
    assert expected in read(chunk({"content": "a"}), end)


def test_a_finish_reason_said_twice_counts_once_and_content_may_come_with_it() -> None:
    events = read(chunk({"content": "a"}, "stop"), chunk({}, "stop", usage={"prompt_tokens": 1}), done=True)
    assert [type(event).__name__ for event in events] == ["Text", "Finish", "Usage", "Terminal"]


def test_a_function_call_of_old_is_a_call_and_an_empty_one_is_none() -> None:
    """Snowflake puts one with empty strings into every answer."""
    events = read(
        chunk({"function_call": {"name": "f", "arguments": ""}}),
        chunk({"function_call": {"arguments": '{"x"'}}),
        chunk({"function_call": {"arguments": ": 1}"}}),
        chunk(finish="function_call"),
    )
    assert events[:1] == [ToolCall(0, "", "f")]
    assert "".join(event.text for event in events if isinstance(event, ToolArguments)) == '{"x": 1}'
    assert events[-2:] == [Finish(FinishReason.TOOL_CALLS, "function_call"), Terminal()]
    nothing = chunk({"content": "a", "function_call": {"name": "", "arguments": ""}})
    assert read(nothing, chunk(finish="stop"))[-2:] == [Finish(FinishReason.STOP, "stop"), Terminal()]


@pytest.mark.parametrize("thinking", ["hm", [{"type": "text", "text": "h"}, {"type": "text", "text": "m"}]])
def test_signed_thinking_in_a_content_list_is_told_once_with_its_signature(thinking: object) -> None:
    part = {"type": "thinking", "thinking": thinking, "signature": "s"}
    events = read(chunk({"content": [part, {"type": "text", "text": "so"}]}))
    assert events == [Reasoning("hm", 0), Reasoning("", 0, "s"), Text("so", 1)]
