"""After a standstill: idle connections to upstreams are closed, and what has come is heard before deadlines are."""

import json

from tests.addons.line import Line
from tests.addons.line_words import Closes, Connected, Later, StoodStill, UpstreamSays, chunk, head_of, post, whole
from tests.fake_dialects import chat_body, chat_events

CALL = post("/v1/chat/completions", {"model": "big", "messages": []})
ANSWER = UpstreamSays(whole(200, json.dumps(chat_body()).encode()))


def test_an_idle_one_is_closed_and_the_next_call_dials(line: Line) -> None:
    line >> CALL >> Connected() >> ANSWER
    line.done.clear()
    line >> StoodStill()
    assert line.done == [Closes(9901)]
    line >> CALL >> Connected() >> ANSWER
    assert line.answer().status == 200


def test_a_busy_one_is_left(line: Line) -> None:
    line >> CALL >> Connected()
    line.done.clear()
    line >> StoodStill()
    assert line.done == []
    line >> ANSWER
    assert line.answer().status == 200


EVENTS = chat_events()
STREAM = post("/v1/chat/completions", {"model": "big", "messages": [], "stream": True})
BEGUN = UpstreamSays(head_of() + b"".join(map(chunk, EVENTS[:3])))
GAP = 4  # seconds, by the registry of these tests


def test_what_has_come_meanwhile_is_heard_before_deadlines_are(line: Line) -> None:
    line >> STREAM >> Connected() >> BEGUN >> StoodStill(GAP + 1)
    line >> Later(0) >> UpstreamSays(b"".join(map(chunk, EVENTS[3:])) + b"0\r\n\r\n") >> Later(1)
    assert line.answer().body == b"".join(EVENTS)


def test_silence_is_told_a_moment_later(line: Line) -> None:
    line >> STREAM >> Connected() >> BEGUN >> StoodStill(GAP + 1) >> Later(0)
    assert b"upstream_timeout" not in line.answer().body
    line >> Later(0.02)
    assert b"upstream_timeout" in line.answer().body


def test_a_loop_that_is_always_late_puts_no_deadline_off_twice(line: Line) -> None:
    line >> STREAM >> Connected() >> BEGUN >> StoodStill(GAP + 1) >> Later(0) >> StoodStill(1) >> Later(0)
    assert b"upstream_timeout" in line.answer().body
