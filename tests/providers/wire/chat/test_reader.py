"""Whole chat answers and streams, completions, embeddings, rerank; and streams that end badly."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire.chat.reader import (
    ChatBodyReader,
    ChatStreamReader,
    CompletionsBodyReader,
    CompletionsStreamReader,
    EmbeddingsBodyReader,
    RerankBodyReader,
)
from providers.wire.events import (
    Begin,
    Comment,
    Event,
    Failure,
    Finish,
    FinishReason,
    Opaque,
    Terminal,
    Text,
    Usage,
    Vectors,
)
from providers.wire.reader import Reader
from providers.wire.request import ReasoningPart, TextPart, ToolCallPart
from tests.providers.wire.chat.chunks import call, chunk, read
from tests.providers.wire.playbook import FIXTURES, JSON, answer_of, cut, events_of, parts_of, play, sse

STOP = Finish(FinishReason.STOP, "stop")


def body(message: dict[str, Any], finish: str | None = "stop", **more: Any) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return json.dumps({"id": "c1", "object": "chat.completion", "model": "m", "choices": [choice], **more}).encode()


def test_a_stream_from_begin_to_end() -> None:
    stream = b": hello\n\n" + sse(
        chunk({"role": "assistant", "content": ""}), chunk({"content": "Hi"}), chunk(finish="stop"), done=True
    )
    assert events_of(ChatStreamReader, stream) == [Comment("hello"), Begin("c1", "m"), Text("Hi"), STOP, Terminal()]


def test_the_same_answer_whole() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 1}
    events = events_of(ChatBodyReader, b" \n\n" + body({"content": "Hi", "refusal": None}, usage=usage))
    assert events == [Begin("c1", "m"), Text("Hi"), STOP, Usage(3, 1), Terminal()]


def test_a_whole_answer_with_everything() -> None:
    message = {
        "content": "Hi",
        "reasoning_content": "hm",
        "tool_calls": [call(None, "a", "f", "{}"), call(None, "b", "f", "{}")],
    }
    parts = (ReasoningPart("hm"), TextPart("Hi"), ToolCallPart("a", "f", "{}"), ToolCallPart("b", "f", "{}"))
    answer = answer_of(events_of(ChatBodyReader, body(message, "tool_calls")))
    assert (answer.message().parts, answer.finish) == (parts, FinishReason.TOOL_CALLS)


@pytest.mark.parametrize("reader", [ChatStreamReader, ChatBodyReader])
def test_the_form_is_taken_from_the_bytes(reader: type[Reader]) -> None:
    expected = [Begin("c1", "m"), Text("Hi"), STOP, Terminal()]
    assert events_of(reader, body({"content": "Hi"})) == expected
    assert events_of(reader, sse(chunk({"content": "Hi"}), chunk(finish="stop"), done=True)) == expected


# The end of a stream: [DONE], or the end of the bytes after a finish reason; anything else is no end.
@pytest.mark.parametrize(
    ("chunks", "done", "end"),
    [
        ([chunk({"content": "a"}), chunk(finish="stop")], True, [STOP, Terminal()]),
        ([chunk({"content": "a"}), chunk(finish="stop")], False, [STOP, Terminal()]),
        ([chunk({"content": "a"})], True, [Finish(FinishReason.STOP, ""), Terminal()]),
        ([chunk({"content": "a"})], False, [Text("a")]),
        ([], True, [Finish(FinishReason.STOP, ""), Terminal()]),
        ([chunk({"content": "a"}), chunk(finish="stop"), "[DONE]"], True, [STOP, Terminal()]),
    ],
)
def test_ends(chunks: list[Any], done: bool, end: list[Event]) -> None:
    assert read(*chunks, done=done)[-len(end) :] == end


ERROR = {"message": "no more", "type": "server_error", "code": None, "param": None}


@pytest.mark.parametrize(
    "stream",
    [
        sse(chunk({"content": "a"}), {"error": ERROR}),
        sse(chunk({"content": "a"}), {"error": ERROR}, done=True),
        sse(chunk({"content": "a"}), chunk(finish="stop"), {**chunk(), "error": ERROR}, done=True),
        sse(chunk({"content": "a"})) + f"event: error\ndata: {json.dumps({'error': ERROR})}\n\n".encode(),
        sse(chunk({"content": "a"})) + f"event: error\ndata: {json.dumps(ERROR)}\n\n".encode(),
    ],
)
def test_an_error_wins_over_any_end(stream: bytes) -> None:
    answer = answer_of(events_of(ChatStreamReader, stream))
    assert answer.failure is not None
    assert (answer.failure.message, answer.failure.type, answer.failure.code) == ("no more", "server_error", "")
    assert not answer.terminal


def test_a_malformed_chunk_is_kept_and_the_rest_is_read() -> None:
    events = read(chunk({"content": "a"}), '{"choices": [', "7", chunk({"content": "b"}))
    assert events == [Text("a"), Opaque('{"choices": [', "malformed"), Opaque("7", "malformed"), Text("b")]


def test_an_emoji_split_over_two_deltas() -> None:
    assert parts_of(read(chunk({"content": "\ud83d"}), chunk({"content": "\ude00"}))) == (TextPart("😀"),)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("USE_TWO_TOOLS", ['get_weather {"location": "Paris"}'] * 2),
        ("USE_THINK", ["I was asked to think", "Hello from the tiny test model"]),
    ],
)
def test_recordings_of_llama_server(name: str, parts: list[str]) -> None:
    answer = answer_of(events_of(ChatStreamReader, (FIXTURES / f"llamacpp.chat.{name}.sse").read_bytes()))
    for part, expected in zip(answer.message().parts, parts, strict=True):
        got = f"{part.name} {part.arguments}" if isinstance(part, ToolCallPart) else part.text  # type: ignore[union-attr]
        assert got.startswith(expected)
    assert answer.terminal
    assert answer.timings is not None


def test_completions_stream_and_whole() -> None:
    def piece(text: str, finish: str | None = None) -> dict[str, Any]:
        return {
            "id": "c",
            "model": "m",
            "choices": [{"index": 0, "text": text, "logprobs": None, "finish_reason": finish}],
        }

    expected = [Begin("c", "m"), Text("Hi"), Finish(FinishReason.LENGTH, "length"), Terminal()]
    assert events_of(CompletionsStreamReader, sse(piece("Hi"), piece("", "length"), done=True)) == expected
    for reader in (CompletionsBodyReader, CompletionsStreamReader):
        assert events_of(reader, json.dumps(piece("Hi", "length")).encode()) == expected
    assert events_of(CompletionsBodyReader, sse(piece("Hi"), piece("", "length"), done=True)) == expected
    recorded = answer_of(events_of(CompletionsStreamReader, (FIXTURES / "llamacpp.completions.sse").read_bytes()))
    assert (recorded.finish, recorded.usage.output, recorded.terminal) == (FinishReason.LENGTH, 8, True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"data": [{"embedding": [0.1, 0.2, 0.3]}, {"embedding": [1, 2, 3]}], "model": "m"}, Vectors(2, 3)),
        ({"data": [{"embedding": "AACAPwAAAEA="}]}, Vectors(1, 2)),
        ([{"index": 0, "embedding": [[0.1, 0.2], [0.1, 0.2]]}], Vectors(1, 2)),
        ({"data": []}, Vectors(0)),
        ({"data": [{"embedding": []}]}, Vectors(1)),
    ],
)
def test_embeddings(value: object, expected: Vectors) -> None:
    events = events_of(EmbeddingsBodyReader, json.dumps(value).encode())
    assert events == [Begin("", "m" if "m" in str(value)[-4:] else ""), expected, Terminal()]


def test_embeddings_usage() -> None:
    value = {"data": [], "usage": {"prompt_tokens": 8, "total_tokens": 8}}
    assert Usage(8) in events_of(EmbeddingsBodyReader, json.dumps(value).encode())


@pytest.mark.parametrize("value", [{"results": [{}, {}]}, {"data": [{}, {}]}, [{"index": 0, "score": 1}, {"index": 1}]])
def test_rerank(value: object) -> None:
    assert events_of(RerankBodyReader, json.dumps(value).encode()) == [Begin(), Vectors(2), Terminal()]


@pytest.mark.parametrize("reader", [EmbeddingsBodyReader, RerankBodyReader])
def test_vectors_that_fail(reader: type[Reader]) -> None:
    [failure] = events_of(reader, b'{"error":{"code":501,"message":"no","type":"not_supported_error"}}')
    assert isinstance(failure, Failure)
    assert failure.code == "501"
    assert isinstance(events_of(reader, sse({"error": "no"}))[0], Failure)


def test_json_that_is_no_answer_stays_opaque_and_an_error_in_a_choice_is_no_end() -> None:
    assert events_of(ChatBodyReader, b'{"object":"list"}') == [Opaque('{"object":"list"}'), Terminal()]
    failed = {"choices": [{"index": 0, "message": {"content": "a"}, "finish_reason": "error"}]}
    assert isinstance(events_of(ChatBodyReader, json.dumps(failed).encode())[-1], Failure)


GOOD = [
    chunk({"role": "assistant", "content": "žluť 🐎", "reasoning": "hm"}),
    chunk({"tool_calls": [call(0, "a", "f", "{"), call(1, "b", "g", "{}")]}),
    chunk({"tool_calls": [call(0, arguments="}")]}),
    chunk(finish="tool_calls", usage={"prompt_tokens": 1}),
]


# Any cut of the bytes gives the same events.
@given(st.lists(st.integers(0, 5000), max_size=12), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_cuts_change_nothing(places: list[int], line_end: bytes) -> None:
    stream = sse(*GOOD, done=True)
    ended = stream.replace(b"\n", line_end)
    assert play(ChatStreamReader(), cut(ended, places)) == play(ChatStreamReader(), [stream])


KEYS = st.sampled_from(
    "id model choices index delta message content text refusal tool_calls function name arguments "
    "finish_reason usage reasoning reasoning_details type thinking signature image_url images audio "
    "annotations error function_call prompt_tokens prompt_tokens_details timings prompt_ms x_groq stop "
    "content_filter_results data results embedding".split()
)
ODD = st.recursive(
    JSON | st.sampled_from(["text", "thinking", "reasoning.text", "image_url", "error", "stop", 0, 1]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)


# Whatever shape an answer has, no reader raises.
@given(st.lists(st.dictionaries(KEYS, ODD, max_size=4) | ODD, max_size=4), st.booleans())
def test_odd_shapes_never_raise(values: list[Any], done: bool) -> None:
    for stream in (ChatStreamReader, CompletionsStreamReader):
        answer_of(play(stream(), [sse(*values, done=done)])).message()
    for value in values:
        for body_reader in (ChatBodyReader, CompletionsBodyReader, EmbeddingsBodyReader, RerankBodyReader):
            answer_of(play(body_reader(), [json.dumps(value).encode()])).message()


# So it is for choices whose outside is right and whose inside is odd.
@given(st.lists(st.dictionaries(KEYS, ODD, max_size=4), max_size=4))
def test_odd_deltas_never_raise(deltas: list[dict[str, Any]]) -> None:
    answer_of(play(ChatStreamReader(), [sse(*(chunk(delta) for delta in deltas), done=True)])).message()


def test_completions_in_llama_servers_own_form() -> None:
    """The bare ``/completions`` of llama-server has no choices; each form is taken as it comes."""
    end = {"content": "", "stop": True, "stop_type": "limit", "model": "m"}
    expected = [Text("Hi"), Usage(), Finish(FinishReason.LENGTH, "length"), Terminal()]
    streamed = events_of(CompletionsStreamReader, sse({"content": "Hi", "stop": False, "model": "m"}, end))
    whole = events_of(CompletionsBodyReader, json.dumps({**end, "content": "Hi"}).encode())
    assert streamed == whole == [Begin("", "m"), *expected]
