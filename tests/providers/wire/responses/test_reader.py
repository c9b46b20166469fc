"""Whole Responses answers and streams, token counts; and streams that end badly."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire.events import Begin, Comment, Failure, Finish, FinishReason, Opaque, PartEnd, Terminal, Text, Usage
from providers.wire.reader import Reader
from providers.wire.request import TextPart
from providers.wire.responses.reader import InputTokensReader, ResponsesBodyReader, ResponsesStreamReader
from tests.providers.wire.playbook import JSON, answer_of, cut, events_of, named, play, sse
from tests.providers.wire.responses.items_play import CREATED, added, done, ended, event, read, response

TEXT = event("output_text.delta", 0, item_id="msg_1", content_index=0, delta="Hi")
MESSAGE = {"type": "message", "id": "msg_1", "content": [{"type": "output_text", "text": "Hi", "annotations": []}]}
COUNTS = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 14,
}
END = [Usage(9, 5, 4, 1, 2), Finish(FinishReason.STOP, "completed"), Terminal()]


def test_a_stream_from_begin_to_end() -> None:
    stream = named(CREATED, event("in_progress", response=response("in_progress")), TEXT, ended(usage=COUNTS))
    events = [Begin("resp_1", "m"), Text("Hi"), PartEnd(0), *END]
    assert events_of(ResponsesStreamReader, stream) == events
    assert events_of(ResponsesStreamReader, stream + sse(done=True)) == events


@pytest.mark.parametrize("reader", [ResponsesStreamReader, ResponsesBodyReader])
def test_the_form_is_taken_from_the_bytes(reader: type[Reader]) -> None:
    whole = json.dumps(response(output=[MESSAGE], usage=COUNTS)).encode()
    events = [Begin("resp_1", "m"), Text("Hi"), PartEnd(0), *END]
    assert events_of(reader, whole) == events
    assert events_of(reader, named(CREATED, TEXT, ended(usage=COUNTS))) == events


def test_llama_server_names_the_model_at_the_end() -> None:
    first = event("created", response={"id": "resp_1", "status": "in_progress"})
    events = events_of(ResponsesStreamReader, named(first, TEXT, ended()))
    assert [event_ for event_ in events if isinstance(event_, Begin)] == [Begin("resp_1"), Begin("resp_1", "m")]


@pytest.mark.parametrize(
    ("events", "finish"),
    [
        ([ended()], Finish(FinishReason.STOP, "completed")),
        (
            [added(0, type="function_call", call_id="a", name="f"), ended()],
            Finish(FinishReason.TOOL_CALLS, "completed"),
        ),
        ([event("refusal.delta", 0, delta="no"), ended()], Finish(FinishReason.REFUSAL, "completed")),
        (
            [ended("incomplete", incomplete_details={"reason": "max_output_tokens"})],
            Finish(FinishReason.LENGTH, "max_output_tokens"),
        ),
        (
            [ended("incomplete", incomplete_details={"reason": "content_filter"})],
            Finish(FinishReason.REFUSAL, "content_filter"),
        ),
        ([ended("incomplete", incomplete_details={"reason": "steered"})], Finish(FinishReason.PAUSE, "steered")),
        ([ended("incomplete", incomplete_details=None)], Finish(FinishReason.LENGTH, "incomplete")),
        (
            [ended("incomplete", incomplete_details={"reason": "server_timeout"})],
            Finish(FinishReason.UNKNOWN, "server_timeout"),
        ),
        (
            [event("completed", response=response("incomplete", incomplete_details={"reason": "max_output_tokens"}))],
            Finish(FinishReason.LENGTH, "max_output_tokens"),
        ),
        ([event("done", response=response("completed"))], Finish(FinishReason.STOP, "completed")),
        ([event("completed", response={"usage": None})], Finish(FinishReason.STOP, "completed")),
    ],
)
def test_good_ends(events: list[dict[str, Any]], finish: Finish) -> None:
    assert read(CREATED, *events)[-2:] == [finish, Terminal()]


@pytest.mark.parametrize(
    ("bad", "message", "code"),
    [
        (ended("failed", error={"code": "server_error", "message": "boom"}), "boom", "server_error"),
        (ended("cancelled"), "the response has cancelled", "cancelled"),
        (event("done", response=response("failed")), "the response has failed", "failed"),
        ({"type": "error", "code": "rate", "message": "slow down", "param": None}, "slow down", "rate"),
        ({"type": "error", "error": {"type": "t", "code": "c", "message": "nested"}}, "nested", "c"),
    ],
)
def test_bad_ends(bad: dict[str, Any], message: str, code: str) -> None:
    answer = answer_of(read(CREATED, TEXT, bad, ended()))
    assert answer.failure is not None
    assert (answer.failure.message, answer.failure.code) == (message, code)
    assert not answer.terminal


def test_a_failed_answer_still_has_its_counts() -> None:
    assert answer_of(read(CREATED, ended("failed", usage=COUNTS))).usage == Usage(9, 5, 4, 1, 2)


def test_a_stream_that_breaks_off_has_no_end() -> None:
    assert read(CREATED, TEXT) == [Text("Hi")]
    assert read(CREATED, TEXT, event("output_text.done", 0, text="Hi"), done(0, **MESSAGE))[-1] == PartEnd(0)


def test_only_one_end() -> None:
    assert read(ended(), ended()).count(Terminal()) == 1


def test_another_answer_behind_the_end_is_not_told_as_this_one() -> None:
    more = event("created", response=response("in_progress", id="resp_2"))
    answer = answer_of(read(CREATED, TEXT, ended(), more, {**TEXT, "delta": "Ho"}, ended()))
    assert answer.message().parts == (TextPart("Hi"),)


def test_what_was_counted_beside_tokens_is_told() -> None:
    counts = {**COUNTS, "cost": 0.5, "is_byok": False, "num_sources_used": 2, "cost_details": {"upstream": None}}
    events = read(CREATED, ended(usage=counts))
    assert [event_ for event_ in events if isinstance(event_, Opaque)] == [
        Opaque("0.5", "cost"),
        Opaque('{"num_sources_used":2}', "usage"),
    ]


def test_a_name_stands_in_for_a_missing_type() -> None:
    data = {key: value for key, value in TEXT.items() if key != "type"}
    stream = f"event: response.output_text.delta\ndata: {json.dumps(data)}\n\n".encode()
    assert events_of(ResponsesStreamReader, stream) == [Text("Hi")]


@pytest.mark.parametrize(
    "kind",
    [
        "response.image_generation_call.partial_image",
        "response.web_search_call.searching",
        "response.code_interpreter_call_code.delta",
        "response.mcp_call_arguments.done",
        "response.mcp_list_tools.completed",
        "response.shell_call_command.added",
        "keepalive",
        "response.keepalive",
    ],
)
def test_how_far_a_tool_is_only_shows_life(kind: str) -> None:
    assert read({"type": kind, "output_index": 0, "delta": "x"}) == [Comment(kind)]


def test_unknown_events_are_kept() -> None:
    assert read(event("new_text.delta", 0, delta="x")) == [
        Opaque(json.dumps(event("new_text.delta", 0, delta="x")), "response.new_text.delta"),
    ]
    assert isinstance(read(event("output_text.new", 0))[0], Opaque)


@pytest.mark.parametrize(
    ("value", "ends"),
    [
        (response("failed", error={"code": "c", "message": "boom"}), [Begin("resp_1", "m"), Failure("boom", "", "c")]),
        (response("queued"), [Begin("resp_1", "m"), Terminal()]),
        ({"odd": 1}, [Opaque('{"odd":1}'), Terminal()]),
    ],
)
def test_other_bodies(value: dict[str, Any], ends: list[Any]) -> None:
    events = events_of(ResponsesBodyReader, json.dumps(value).encode())
    assert [type(event_) for event_ in events] == [type(end) for end in ends]


def test_token_counts() -> None:
    body = b'{"object": "response.input_tokens", "input_tokens": 15}'
    assert events_of(InputTokensReader, body) == [Begin(), Usage(15), Terminal()]
    assert isinstance(events_of(InputTokensReader, b'{"error": "no"}')[0], Failure)
    assert isinstance(events_of(InputTokensReader, named({"type": "error", "message": "no"}))[0], Failure)


# Any cut of the bytes gives the same events.
@given(st.lists(st.integers(0, 5000), max_size=12), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_cuts_change_nothing(places: list[int], line_end: bytes) -> None:
    stream = named(CREATED, TEXT, done(0, **MESSAGE), done(1, type="new", text="ž"), ended(usage=COUNTS))
    ended_ = stream.replace(b"\n", line_end)
    assert play(ResponsesStreamReader(), cut(ended_, places)) == play(ResponsesStreamReader(), [stream])


KEYS = st.sampled_from(
    "type output_index item_id content_index summary_index item delta text response id output content "
    "summary arguments input call_id name status usage error annotations annotation refusal "
    "encrypted_content result incomplete_details".split()
)
KINDS = st.sampled_from(
    "created completed incomplete failed output_item.added output_item.done output_text.delta "
    "output_text.done refusal.delta refusal.done reasoning_summary_text.delta reasoning_text.done "
    "function_call_arguments.delta function_call_arguments.done custom_tool_call_input.delta "
    "output_text.annotation.added".split()
)
ODD = st.recursive(
    JSON
    | st.sampled_from(["message", "reasoning", "function_call", "image_generation_call", "output_text"])
    | st.integers(0, 2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)


# Whatever shape an answer has, no reader raises.
@given(st.lists(st.tuples(KINDS, st.dictionaries(KEYS, ODD, max_size=5)), max_size=5))
def test_odd_shapes_never_raise(values: list[tuple[str, dict[str, Any]]]) -> None:
    events = [{**value, "type": f"response.{kind}"} for kind, value in values]
    answer_of(play(ResponsesStreamReader(), [named(*events)])).message()
    for event_ in events:
        answer_of(play(ResponsesBodyReader(), [json.dumps(event_).encode()])).message()
        play(InputTokensReader(), [json.dumps(event_).encode()])
