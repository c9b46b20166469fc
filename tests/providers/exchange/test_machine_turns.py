"""A try that fails before the client has got anything of it: another one is made, and the client sees one answer."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from providers.exchange.account import EndedBy, Outcome
from providers.exchange.commands import Command, Data, Dial, End, Hangup, Head, Send, SetTimer, Timer
from providers.exchange.course import Lost, Next, Straight
from providers.exchange.ending import KEEP_ALIVE
from providers.exchange.machine import Phase
from providers.exchange.plan import Plan, Target
from providers.wire.capabilities import Capabilities
from providers.wire.endpoints import Dialect, Operation
from providers.wire.translate import Translation
from tests.fake_dialects import messages_body, messages_events
from tests.providers.exchange.playbook import (
    JSON,
    SSE,
    STREAMS,
    TARGET,
    Input,
    Playbook,
    abandon,
    begin,
    client_gone,
    data,
    ended,
    exchange,
    failed,
    head,
    opened,
    timer,
)

SECOND = replace(TARGET, provider="backup", model="small", host="backup.example")
THIRD = replace(TARGET, provider="last", model="tiny", host="last.example")
STREAM = b"".join(STREAMS[Operation.CHAT])
WORDS = ("One", " two")
ALIVE = KEEP_ALIVE[Dialect.CHAT]
CONNECT = SetTimer(Timer.PHASE, TARGET.deadlines.connect)


class Scripted(Straight):
    """A course that was laid out beforehand; keeps what it was told."""

    def __init__(self, *turns: Next | None) -> None:
        self.turns = list(turns)
        self.lost_tries: list[Lost] = []
        self.answered_by: list[str] = []
        self.cut_tries: list[Lost] = []
        self.until = 0

    def begin(self, plan: Plan, now: int, until: int) -> Next:
        self.until = until - now
        return Next(plan.first, 0, "")

    def lost(self, lost: Lost, now: int) -> Next | None:
        self.lost_tries.append(lost)
        return self.turns.pop(0) if self.turns else None

    def answered(self, target: Target, now: int) -> None:
        self.answered_by.append(target.provider)

    def left(self, target: Target, now: int) -> None:
        self.answered_by.append(f"left {target.provider}")

    def cut(self, lost: Lost, now: int) -> None:
        self.cut_tries.append(lost)


def over(*turns: Next | None, stream: bool = True) -> tuple[Playbook, Scripted]:
    course = Scripted(*turns)
    play = Playbook(exchange(stream=stream, course=course)) >> begin()
    play.asked.clear()
    return play, course


AT_ONCE = Next(SECOND, 0, "server_error: next target")
LATER = Next(TARGET, 300_000, "server_error: again after 300 ms")


def header(play: Playbook, name: str) -> str:
    assert play.head is not None
    return dict(play.head.headers)[name]


def test_the_next_target_answers_when_the_first_one_refuses() -> None:
    play, course = over(AT_ONCE)
    play >> opened(0.1) >> head(500, JSON, 0.2) >> data(b'{"error":{"message":"broken"}}', 0.3)
    play.asked.clear()
    play >> ended(0.4) << [CONNECT, Dial(SECOND)]
    assert play.head is None
    play >> opened(0.5) >> head(200, SSE, 0.6) >> data(STREAM, 0.7) >> ended(0.8)
    assert play.body == STREAM
    assert (header(play, "x-patchbay-provider"), header(play, "x-patchbay-model")) == ("backup", "small")
    assert header(play, "x-patchbay-attempts") == "2"
    assert header(play, "x-patchbay-reason") == "because; server_error: next target"
    account = play.account
    assert (account.provider, account.model, account.outcome, account.status) == ("backup", "small", Outcome.OK, 200)
    first, second = account.attempts
    assert (first.provider, first.outcome, first.status, first.error) == (
        "acme",
        Outcome.UPSTREAM_HTTP_ERROR,
        500,
        "broken",
    )
    assert (first.duration_us, second.duration_us) == (400_000, 400_000)
    assert (second.provider, second.outcome, second.status) == ("backup", Outcome.OK, 200)
    (lost,) = course.lost_tries
    assert (lost.target, lost.status, lost.sent, lost.held_us) == (TARGET, 500, True, 400_000)
    assert lost.failure is not None
    assert lost.failure.message == "broken"
    assert course.answered_by == ["backup"]
    assert course.until == 10_000_000


@pytest.mark.parametrize(
    ("said", "sent"),
    [([failed(Outcome.UPSTREAM_REFUSED)], False), ([opened(), failed()], True), ([opened(), head(), failed()], True)],
)
def test_a_connection_that_fails_leads_on(said: Sequence[object], sent: bool) -> None:
    play, course = over(AT_ONCE)
    for one in said:
        play >> one  # type: ignore[operator]  # inputs, of any kind
    assert play.asked[-1] == Dial(SECOND)
    assert course.lost_tries[0].sent is sent
    assert play.account.outcome is None


def test_an_error_in_the_first_event_of_a_stream_leads_on() -> None:
    play, course = over(AT_ONCE)
    play >> opened() >> head()
    play.asked.clear()
    (
        play
        >> data(b'data: {"error":{"message":"we are full","type":"overloaded_error"}}\n\n')
        << [
            Hangup(),
            CONNECT,
            Dial(SECOND),
        ]
    )
    assert course.lost_tries[0].failure is not None
    play >> opened() >> head() >> data(STREAM) >> ended()
    assert b"full" not in play.body


def test_a_wait_is_kept_before_the_next_try() -> None:
    play, _ = over(LATER)
    play >> opened() >> head(503, JSON)
    play.asked.clear()
    play >> ended(1) << [SetTimer(Timer.RETRY, 0.3)]
    assert play.exchange.phase is Phase.WAITING
    play >> timer(Timer.PHASE, 1.1) << []
    play >> timer(Timer.RETRY, 1.3) << [CONNECT, Dial(TARGET)]
    play >> timer(Timer.RETRY, 1.4) << []
    play >> opened(1.5) >> head(200, SSE, 1.6) >> data(STREAM, 1.7) >> ended(1.8)
    assert play.account.outcome is Outcome.OK
    assert header(play, "x-patchbay-attempts") == "2"


@pytest.mark.parametrize(
    ("end", "outcome", "by"),
    [
        (client_gone(1), Outcome.CLIENT_DISCONNECTED, EndedBy.CLIENT),
        (timer(Timer.TOTAL, 9), Outcome.UPSTREAM_TIMEOUT_TOTAL, EndedBy.UPSTREAM),
        (abandon(Outcome.SHUTDOWN, at=1), Outcome.SHUTDOWN, EndedBy.GATEWAY),
    ],
)
def test_a_wait_ends_with_the_call(end: object, outcome: Outcome, by: EndedBy) -> None:
    play, _ = over(LATER)
    play >> opened() >> head(503, JSON) >> ended(0.5) >> end  # type: ignore[operator]  # inputs, of any kind
    assert (play.account.outcome, play.account.who_ended) == (outcome, by)
    assert play.account.attempts[0].outcome is Outcome.UPSTREAM_HTTP_ERROR
    assert len(play.account.attempts) == 1


def test_what_the_old_connection_still_says_is_not_listened_to_while_waiting() -> None:
    play, _ = over(LATER)
    play >> opened() >> head(503, JSON) >> ended(0.5)
    play.asked.clear()
    play >> data(b"late", 0.6) >> ended(0.7) >> failed(at=0.8) >> opened(0.9) >> head(at=0.9) << []


def test_when_all_is_spent_the_last_error_is_told_and_trying_again_discouraged() -> None:
    play, course = over(AT_ONCE, None)
    play >> failed(Outcome.UPSTREAM_REFUSED) >> opened() >> head(429, [*JSON, ("retry-after", "7")]) >> ended()
    assert play.head is not None
    assert play.head.status == 429
    assert header(play, "x-should-retry") == "false"
    assert header(play, "retry-after") == "7"
    assert header(play, "x-patchbay-attempts") == "2"
    assert play.account.outcome is Outcome.RATE_LIMITED
    assert len(course.lost_tries) == 2


def test_a_single_try_says_nothing_of_trying_again() -> None:
    play, _ = over(None)
    play >> opened() >> head(429, JSON) >> ended()
    assert play.head is not None
    assert "x-should-retry" not in dict(play.head.headers)


def test_a_client_that_was_shown_a_head_still_gets_the_next_targets_answer() -> None:
    play, _ = over(AT_ONCE)
    play >> opened() >> head() >> timer(Timer.HOLD, 2)
    assert play.body == ALIVE
    play >> failed(at=3) >> timer(Timer.HOLD, 4) >> opened(5) >> head(at=5) >> data(STREAM, 6) >> ended(7)
    assert play.body == ALIVE * 2 + STREAM
    assert isinstance(play.end, End)
    assert play.account.outcome is Outcome.OK
    assert header(play, "x-patchbay-provider") == "acme"  # known when the head left
    assert play.account.provider == "backup"


def test_a_client_that_was_shown_a_head_is_told_of_the_end_in_the_stream() -> None:
    play, _ = over(None)
    play >> timer(Timer.HOLD, 2) >> opened(3) >> head(500, JSON, 3) >> data(b'{"error":{"message":"no"}}') >> ended(4)
    assert play.body.startswith(ALIVE)
    assert b'"message":"no"' in play.body
    assert b"[DONE]" not in play.body
    assert play.account.outcome is Outcome.UPSTREAM_HTTP_ERROR


def test_a_plain_answer_behind_a_streams_head_is_an_error_there() -> None:
    play, _ = over(None)
    play >> timer(Timer.HOLD, 2) >> opened(3) >> head(200, JSON, 3)
    assert b"upstream_protocol_error" in play.body


def test_a_quiet_stream_gets_signs_of_life_between_its_events_alone() -> None:
    play, _ = over()
    play >> opened() >> head() >> data(STREAMS[Operation.CHAT][0]) >> data(STREAMS[Operation.CHAT][1], 1)
    play.asked.clear()
    again = SetTimer(Timer.HOLD, 15)
    play >> timer(Timer.HOLD, 3) << [SetTimer(Timer.HOLD, 8)]  # 10 s after what came last
    play >> timer(Timer.HOLD, 12) << [Data(ALIVE), again]
    play >> data(b'data: {"half', 13)
    play.asked.clear()
    play >> timer(Timer.HOLD, 30) << [again]


def test_a_stream_that_breaks_within_is_not_tried_again() -> None:
    play, course = over(AT_ONCE)
    play >> opened() >> head() >> data(STREAM[:-20]) >> failed(at=2)
    assert b"upstream_truncated" in play.body
    assert not course.lost_tries
    assert [lost.outcome for lost in course.cut_tries] == [Outcome.UPSTREAM_TRUNCATED]


@pytest.mark.parametrize("stream", [True, False])
def test_the_next_target_may_speak_another_dialect(stream: bool) -> None:
    asked = {"model": "big", "stream": stream, "messages": [{"role": "user", "content": "hi"}]}
    translation = Translation.plan(
        Dialect.CHAT, Operation.CHAT, Dialect.MESSAGES, asked, Capabilities(), "small", id="pb-1", created=1
    )
    play, _ = over(Next(replace(SECOND, translation=translation), 0, "refused"), stream=stream)
    play >> failed(Outcome.UPSTREAM_REFUSED) >> opened() >> head(200, SSE if stream else JSON)
    for piece in messages_events(WORDS) if stream else [json.dumps(messages_body(WORDS)).encode()]:
        play >> data(piece)
    play >> ended()
    assert play.account.outcome is Outcome.OK
    assert b"One" in play.body
    assert b"event:" not in play.body
    assert (b"data: [DONE]" in play.body) is stream


def commands_of(play: Playbook, kind: type[Command]) -> list[Command]:
    return [command for command in play.asked if isinstance(command, kind)]


def test_each_try_sends_its_own_request() -> None:
    play, _ = over(AT_ONCE, Next(THIRD, 0, "refused"))
    play >> opened() >> failed() >> opened() >> failed() >> opened() >> head() >> data(STREAM) >> ended()
    assert commands_of(play, Send) == [Send(TARGET), Send(SECOND), Send(THIRD)]
    assert len(commands_of(play, Head)) == 1


def test_where_the_answer_is_there_already_nobody_else_is_asked() -> None:
    course = Scripted(AT_ONCE)
    play = Playbook(exchange(course=course)) >> Input(lambda x: x.begin(0, once=True)) >> opened() >> head(500, JSON)
    play >> ended()
    assert play.account.outcome is Outcome.UPSTREAM_HTTP_ERROR
    assert not course.lost_tries
