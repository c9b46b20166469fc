"""How a try begins where a provider's servers are shared: at once, out of a line, or not at all."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from providers.exchange.account import EndedBy, Outcome
from providers.exchange.commands import Command, Dial, End, Hangup, Send, SetTimer, Timer
from providers.exchange.course import Entry, Full, InLine, Lost, Next, Straight
from providers.exchange.ending import KEEP_ALIVE
from providers.exchange.machine import Exchange, Phase
from providers.exchange.plan import Server, Target
from providers.wire.endpoints import Dialect, Operation
from tests.providers.exchange.playbook import (
    BEGAN,
    SECOND,
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

SERVERS = tuple(Server(f"http://{name}:1", "http", name, 1, "/v1/chat") for name in ("a", "b"))
SHARED = replace(TARGET, servers=SERVERS, max_in_flight=1, max_queued=1).at(SERVERS[0])
OTHER = SHARED.at(SERVERS[1])
BACKUP = replace(TARGET, provider="backup", host="backup.example")
STREAM = b"".join(STREAMS[Operation.CHAT])
LINE = InLine(SHARED, BEGAN + 2 * SECOND)


class Doors(Straight):
    """Answers with the entries that were laid out, and keeps what it was told."""

    def __init__(self, *entries: Entry | None, following: Next | None = None, again: float | None = None) -> None:
        self.entries = list(entries)
        self.seconds = again
        self.following = following
        self.lost_tries: list[Lost] = []
        self.overs = 0
        self.wake: Callable[[], None] | None = None

    def enter(self, target: Target, now: int, wake: Callable[[], None]) -> Entry:
        self.wake = wake
        entry = self.entries.pop(0)
        assert entry is not None
        return entry

    def placed(self, now: int) -> Entry | None:
        return self.entries.pop(0) if self.entries else None

    def lost(self, lost: Lost, now: int) -> Next | None:
        self.lost_tries.append(lost)
        following, self.following = self.following, None
        return following

    def over(self, now: int) -> None:
        self.overs += 1

    def again(self, now: int) -> float | None:
        return self.seconds


def play(doors: Doors, operation: Operation = Operation.CHAT, *, stream: bool = True) -> Playbook:
    return Playbook(exchange(operation, target=SHARED, course=doors, stream=stream)) >> begin()


def dialled(played: Playbook) -> list[Target]:
    return [command.target for command in played.asked if isinstance(command, Dial)]


def test_the_server_that_lets_the_call_in_is_asked() -> None:
    doors = Doors(OTHER)
    played = play(doors) >> opened() >> head() >> data(STREAM) >> ended()
    assert dialled(played) == [OTHER]
    assert [command.target for command in played.asked if isinstance(command, Send)] == [OTHER]
    assert (played.account.outcome, doors.overs) == (Outcome.OK, 1)


def test_a_call_in_line_is_asked_when_it_is_called() -> None:
    doors = Doors(LINE, None, SHARED)
    played = play(doors)
    assert played.exchange.phase is Phase.QUEUED
    assert played.timers[Timer.PHASE] == 2
    assert played.account.attempts == []
    played >> timer(Timer.RETRY, 1) >> timer(Timer.PLACE, 1)
    assert dialled(played) == []
    played >> timer(Timer.PLACE, 1.5)
    assert dialled(played) == [SHARED]
    played >> timer(Timer.PLACE, 1.6) >> opened(1.6) >> head(at=1.7) >> data(STREAM, 1.8) >> ended(2)
    assert played.account.outcome is Outcome.OK
    assert len(played.account.attempts) == 1


def test_whoever_drives_it_is_called() -> None:
    doors, called = Doors(LINE), list[str]()
    made = exchange(target=SHARED, course=doors)
    made.begin(BEGAN, lambda: called.append("now"))
    assert doors.wake is not None
    doors.wake()
    assert called == ["now"]
    silent = Doors(LINE)
    play(silent)
    assert silent.wake is not None
    silent.wake()


def test_a_place_that_comes_with_the_deadline_is_taken() -> None:
    played = play(Doors(LINE, SHARED)) >> timer(Timer.PHASE, 2)
    assert dialled(played) == [SHARED]


def test_a_line_may_lead_to_another_line() -> None:
    played = play(Doors(LINE, InLine(OTHER, BEGAN + 9 * SECOND), OTHER))
    played >> timer(Timer.PLACE, 1)
    assert played.exchange.phase is Phase.QUEUED
    assert played.timers[Timer.PHASE] == 8
    played >> timer(Timer.PLACE, 3)
    assert dialled(played) == [OTHER]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("operation", [Operation.CHAT, Operation.MESSAGES, Operation.RESPONSES])
def test_a_call_without_room_is_refused_in_its_dialect(operation: Operation, stream: bool) -> None:
    doors = Doors(Full(), again=2.1)
    played = play(doors, operation, stream=stream)
    assert played.head is not None
    assert played.head.status == (529 if operation is Operation.MESSAGES else 503)
    headers = dict(played.head.headers)
    assert (headers["retry-after"], headers["x-patchbay-attempts"]) == ("3", "0")
    assert "x-should-retry" not in headers
    told = json.loads(played.body)["error"]
    assert told["type"] == ("overloaded_error" if operation is Operation.MESSAGES else "server_error")
    assert operation is Operation.MESSAGES or told["code"] == "overloaded"
    assert (played.account.outcome, played.account.who_ended) == (Outcome.SHED, EndedBy.GATEWAY)
    assert isinstance(played.end, End)
    assert doors.overs == 1
    assert (doors.lost_tries[0].outcome, doors.lost_tries[0].sent) == (Outcome.SHED, False)


def test_a_call_without_room_goes_to_the_next_target() -> None:
    played = play(Doors(Full(), following=Next(BACKUP, 0, "acme is full: next target")))
    assert dialled(played) == [BACKUP]
    played >> opened() >> head() >> data(STREAM) >> ended()
    assert played.head is not None
    headers = dict(played.head.headers)
    assert headers["x-patchbay-provider"] == "backup"
    assert headers["x-patchbay-attempts"] == "1"
    assert headers["x-patchbay-reason"] == "because; acme is full: next target"


def test_who_has_waited_for_as_long_as_it_may_is_refused() -> None:
    played = play(Doors(LINE, again=0.0)) >> timer(Timer.PHASE, 2)
    assert played.account.outcome is Outcome.SHED
    assert played.head is not None
    assert dict(played.head.headers)["retry-after"] == "1"


def test_a_stream_in_line_is_told_that_it_is_worked_for() -> None:
    doors = Doors(LINE)
    played = play(doors) >> timer(Timer.HOLD, 1)
    assert played.body == KEEP_ALIVE[Dialect.CHAT]
    played >> timer(Timer.PHASE, 2)
    assert b'"code":"overloaded"' in played.body.replace(b" ", b"")
    assert b"[DONE]" not in played.body


@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        (client_gone(1), Outcome.CLIENT_DISCONNECTED),
        (abandon(Outcome.SHUTDOWN, at=1), Outcome.SHUTDOWN),
        (timer(Timer.TOTAL, 1), Outcome.UPSTREAM_TIMEOUT_TOTAL),
    ],
)
def test_the_line_is_left_with_the_call(end: Input, outcome: Outcome) -> None:
    doors = Doors(LINE)
    played = play(doors) >> end
    assert (played.account.outcome, doors.overs) == (outcome, 1)
    assert Hangup() in played.asked
    assert dialled(played) == []


def test_a_wait_ends_before_the_door() -> None:
    doors = Doors(SHARED, OTHER, following=Next(SHARED, 500_000, "refused: again after 500 ms"))
    played = play(doors) >> failed(Outcome.UPSTREAM_REFUSED)
    assert played.exchange.phase is Phase.WAITING
    assert len(doors.entries) == 1
    played >> timer(Timer.PLACE, 0.2) >> timer(Timer.RETRY, 0.5)
    assert dialled(played) == [SHARED, OTHER]


def test_an_idle_connection_that_had_been_closed_costs_no_second_place() -> None:
    doors = Doors(SHARED)
    played = play(doors) >> opened(reused=True) >> failed(Outcome.UPSTREAM_RESET)
    assert dialled(played) == [SHARED, SHARED]
    assert doors.overs == 0


def test_an_answer_that_is_there_already_needs_no_place() -> None:
    made: Exchange = exchange(target=SHARED, course=Doors(Full()))
    asked: list[Command] = made.begin(BEGAN, once=True)
    assert Dial(SHARED) in asked
    assert SetTimer(Timer.PHASE, 1) in asked


def test_the_same_server_is_the_same_target() -> None:
    assert SHARED.at(SERVERS[0]) is SHARED
    assert (OTHER.host, OTHER.path, OTHER.body) == ("b", "/v1/chat", SHARED.body)
    straight = Straight()
    assert straight.placed(0) is None
