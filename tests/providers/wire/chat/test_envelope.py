"""What stands around the choices."""

from typing import Any

import pytest

from providers.wire.chat.reader import ChatStreamReader
from providers.wire.events import (
    Begin,
    Failure,
    Finish,
    FinishReason,
    Opaque,
    Terminal,
    Text,
    Timings,
    ToolArguments,
    ToolCall,
    Usage,
)
from tests.providers.wire.chat.chunks import chunk, read
from tests.providers.wire.playbook import answer_of, events_of, sse

COUNTS = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def test_begin_waits_for_an_id_or_a_choice() -> None:
    azure = {"id": "", "model": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]}
    assert events_of(ChatStreamReader, sse(azure, chunk({"content": "a"}))) == [
        Opaque('[{"prompt_index":0}]', "prompt_filter_results"),
        Begin("c1", "m"),
        Text("a"),
    ]


@pytest.mark.parametrize(
    "chunks",
    [
        pytest.param([chunk(finish="stop", usage=COUNTS)], id="on the finish chunk"),
        pytest.param([chunk(finish="stop"), chunk(choices=[], usage=COUNTS)], id="on an extra chunk"),
        pytest.param([chunk(finish="stop"), chunk(usage=COUNTS)], id="on an extra chunk with a choice"),
        pytest.param([chunk(finish="stop", x_groq={"id": "r", "usage": COUNTS})], id="Groq"),
        pytest.param(
            [chunk(usage={**COUNTS, "completion_tokens": 1}), chunk(usage=COUNTS), chunk(usage=COUNTS)], id="growing"
        ),
        pytest.param([{**chunk(), "choices": [{"index": 0, "delta": {}, "usage": COUNTS}]}], id="Moonshot"),
    ],
)
def test_usage_wherever_it_stands(chunks: list[dict[str, Any]]) -> None:
    events = read(*chunks, done=True)
    assert answer_of(events).usage == Usage(10, 5)
    assert sum(event == Usage(10, 5) for event in events) == 1


def test_the_providers_own_price_stands_beside() -> None:
    assert Opaque("0.25", "cost") in read(chunk(usage={**COUNTS, "cost": 0.25}))


def test_llama_servers_timings() -> None:
    timings = {"cache_n": 3, "prompt_n": 1, "prompt_ms": 0.5, "predicted_n": 8, "predicted_ms": 12.0004}
    assert Timings(500, 12000, 1, 8, 3) in read(chunk(timings=timings))
    assert Timings(None, None, 4) in read(chunk(timings={"prompt_n": 4, "prompt_ms": -1, "predicted_ms": "x"}))


def test_choice_0_is_read_and_others_stay_opaque() -> None:
    other = {"index": 1, "delta": {"content": "b"}}
    events = read({**chunk({"content": "a"}), "choices": [*chunk({"content": "a"})["choices"], other, None]})
    assert events == [
        Text("a"),
        Opaque('{"index":1,"delta":{"content":"b"}}', "choice"),
        Opaque("null", "choice"),
    ]


def test_what_is_repeated_in_every_chunk_is_told_once() -> None:
    def azure(text: str, severity: str) -> dict[str, Any]:
        made = chunk({"content": text}, provider="Azure", citations=["x"])
        made["choices"][0]["content_filter_results"] = {"hate": severity}
        return made

    events = read(azure("a", "safe"), azure("b", "safe"), azure("c", "low"))
    assert [event for event in events if isinstance(event, Opaque)] == [
        Opaque('{"hate":"safe"}', "content_filter_results"),
        Opaque('"Azure"', "provider"),
        Opaque('["x"]', "citations"),
        Opaque('{"hate":"low"}', "content_filter_results"),
    ]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (
            {"finish_reason": "error", "error": {"code": 502, "message": "upstream died", "type": "x"}},
            ("upstream died", "x", "502"),
        ),
        ({"error": {"code": "boom"}}, ("the provider ended the answer with an error", "", "boom")),
        ({"finish_reason": "error"}, ("the provider ended the answer with an error", "", "")),
        (
            {"finish_reason": "insufficient_system_resource"},  # DeepSeek
            ("the provider ended the answer with an error: insufficient_system_resource", "", ""),
        ),
    ],
)
def test_an_error_in_the_choice_is_a_failure_and_no_end(choice: dict[str, Any], expected: tuple[str, ...]) -> None:
    events = read(chunk({"content": "a"}), {**chunk(), "choices": [{"index": 0, "delta": {}, **choice}]}, done=True)
    failure = events[-1]
    assert isinstance(failure, Failure)
    assert (failure.message, failure.type, failure.code) == expected
    assert failure.raw.startswith("{")


def test_text_beside_a_delta_is_the_same_text() -> None:
    """Together's chunks are those of a chat and of a completion at once."""

    def together(text: str, finish: str | None = None) -> dict[str, Any]:
        made = chunk({"role": "assistant", "content": text}, finish)
        made["choices"][0]["text"] = text
        return made

    assert read(together("a"), together("b"), together("", "stop"))[:2] == [Text("a"), Text("b")]
    assert read({**chunk(), "choices": [{"index": 0, "delta": {}, "text": "a"}]}) == [Text("a")]


def test_a_whole_message_behind_its_deltas_repeats_them() -> None:
    whole = {"index": 0, "message": {"role": "assistant", "content": "ab"}, "finish_reason": "stop"}
    events = read(chunk({"content": "a"}), chunk({"content": "b"}), {**chunk(), "choices": [whole]})
    assert [event for event in events if isinstance(event, Text)] == [Text("a"), Text("b")]
    [said, *_] = read({**chunk(), "choices": [whole]})
    assert said == Text("ab")


def test_a_call_behind_the_finish_reason_changes_what_it_meant() -> None:
    late = [{"index": 0, "id": "i", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    events = read(chunk({"content": "a"}, "stop"), chunk({"tool_calls": late}), done=True)
    assert events == [
        Text("a"),
        Finish(FinishReason.STOP, "stop"),
        ToolCall(1, "i", "f"),
        ToolArguments(1, "{}"),
        Finish(FinishReason.TOOL_CALLS, "stop"),
        Terminal(),
    ]


def test_padding_says_nothing() -> None:
    assert read(chunk({"content": "a"}, p="abc", obfuscation="xy"), chunk({"content": "b"}, p="abcd")) == [
        Text("a"),
        Text("b"),
    ]
