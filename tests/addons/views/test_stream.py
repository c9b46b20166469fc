"""An answer of events, put together again, above its events with their times."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addons.views.stream import MOST_READ, Ending, show_answer, show_stream
from providers.wire.endpoints import Operation
from tests.addons.views.streams import EVENTS, pieces_of
from tests.fake_dialects import chat_events, data, named
from tests.rig import ROOT

FIXTURES = sorted((ROOT / "tests" / "fixtures" / "wire").glob("*.sse"))
NONE = Ending()


def shown(operation: Operation, events: list[bytes], ending: Ending = NONE) -> str:
    return show_stream(b"".join(events), operation, "an answer", ending, pieces_of(events))


@pytest.mark.parametrize("operation", EVENTS)
def test_the_answer_stands_above_its_events(operation: Operation) -> None:
    events = EVENTS[operation]
    text = shown(operation, events)
    answer, _, listed = text.partition("# events:")
    assert "Patchbay passes every word on." in answer
    assert f"# {len(events)} events, from 5.0 ms to {5 + 2 * (len(events) - 1):.1f} ms after the call began" in answer
    assert "It ends" not in answer
    rows = listed.splitlines()[1:]
    assert len(rows) == len(events)
    assert [row.split()[0] for row in rows] == [str(number + 1) for number in range(len(events))]
    assert rows[0].split()[1:3] == ["5.0", "ms"]
    assert rows[1].split()[1:5] == ["7.0", "ms", "+2.0", "ms"]
    assert any("text ' passes'" in row for row in rows)
    assert rows[-1].endswith("the end")
    if operation is not Operation.COMPLETIONS:
        assert "name: weather" in answer
        assert "city: Paris" in answer
        assert any("calls weather as" in row for row in rows)
        assert any("arguments '{" in row for row in rows)


@pytest.mark.parametrize("operation", EVENTS)
def test_the_answer_alone(operation: Operation) -> None:
    text = show_answer(b"".join(EVENTS[operation]), operation, "an answer", NONE)
    assert text.startswith("# an answer\nmessages:\n- role: assistant\n  content:\n  - type: text\n    text: Patchbay")
    assert "# events" not in text


@pytest.mark.parametrize("operation", EVENTS)
def test_a_cut_answer_says_so_and_shows_what_came(operation: Operation) -> None:
    body = b"".join(EVENTS[operation])
    at = body.index(b" every") + 3
    text = show_stream(body[:at], operation, "an answer", NONE)
    assert "# It ends before its end: the answer is cut." in text
    assert "Patchbay passes" in text
    failed = show_stream(body[:at], operation, "an answer", Ending("upstream_reset: the connection was closed"))
    assert "# It failed: upstream_reset: the connection was closed" in failed
    assert failed.rstrip().endswith("upstream_reset: the connection was closed")
    kept = show_stream(body[:at], operation, "an answer", Ending(is_cut=True))
    assert "# The flow keeps only the beginning of this answer." in kept


def test_an_error_inside_of_a_stream() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    text = shown(Operation.MESSAGES, [*EVENTS[Operation.MESSAGES][:4], named(error)])
    assert "failure: Overloaded" in text
    assert "fails: 'Overloaded'" in text
    assert "It ends before" not in text


def test_without_times() -> None:
    body = b"".join(EVENTS[Operation.CHAT])
    text = show_stream(body, Operation.CHAT, "an answer", NONE)
    assert "events; when each came was not noted" in text
    assert "     2                             text 'Patchbay'" in text


def test_what_nobody_understands_stands_there_as_it_came() -> None:
    events = [b": ping\n\n", b"data: nonsense\n\n", b'event: new\ndata: {"type":"new","x":1}\n\n', b"data: [DONE]\n\n"]
    text = shown(Operation.CHAT, events)
    assert "comment 'ping'" in text
    assert "malformed 'nonsense'" in text
    assert "new  " in text


def test_long_streams_are_listed_by_their_ends() -> None:
    events = [data({"choices": [{"index": 0, "delta": {"content": f"w{n} "}}]}) for n in range(3_000)]
    text = shown(Operation.CHAT, events)
    assert "… 1,800 events are not listed …" in text
    assert "text 'w999 '" in text
    assert "text 'w1500 '" not in text
    assert "text 'w2999 '" in text
    assert "12.005 s" not in text  # 3,000 events of 2 ms end at 6 s
    assert "6,003.0 ms" in text


def test_long_times_are_in_seconds() -> None:
    body = b"".join(chat_events())
    assert "12.500 s" in show_stream(body, Operation.CHAT, "t", NONE, [(len(body), 12_500_000)])


def test_ten_megabytes_are_shown_at_once() -> None:
    event = data({"id": "c", "choices": [{"index": 0, "delta": {"content": "word " * 4}, "finish_reason": None}]})
    body = event * (10_000_000 // len(event))
    began = time.process_time()
    text = show_stream(body, Operation.CHAT, "an answer", NONE)
    assert time.process_time() - began < 8  # about 0.5 s on an idle machine
    assert f"# Only its first {MOST_READ:,} bytes are read here, of {len(body):,}." in text
    assert len(text) < 400_000


def test_no_key_is_shown() -> None:
    key = "sk-ant-api03-canary0123456789"
    assert key not in shown(Operation.CHAT, chat_events(["look: ", key, " that"]))


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.name)
def test_recorded_streams(path: Path) -> None:
    operation = {"native": Operation.CHAT}.get(path.name.split(".")[1]) or Operation(path.name.split(".")[1])
    text = show_stream(path.read_bytes(), operation, path.name, NONE)
    assert "- role: assistant" in text or "native" in path.name


# Garbage of any form is shown, never raised; and so is a stream with anything in the middle of it.
@given(st.sampled_from(list(EVENTS)), st.binary(max_size=80), st.integers(0, 2_000))
def test_garbage_is_shown(operation: Operation, garbage: bytes, at: int) -> None:
    body = b"".join(EVENTS[operation])
    assert show_stream(body[:at] + garbage + body[at:], operation, "t", NONE)
    assert show_stream(garbage, operation, "t", NONE, [(3, 1), (5, -7)])
