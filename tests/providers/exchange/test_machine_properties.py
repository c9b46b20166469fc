"""What holds of every exchange, in whatever cuts its answer comes and whenever it breaks off."""

from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.exchange.account import EndedBy, Outcome
from providers.exchange.commands import Cut, End, Head, Timer
from providers.exchange.machine import Phase, Settings
from providers.wire.endpoints import Operation
from tests.providers.exchange.playbook import (
    DEADLINES,
    JSON,
    OPERATIONS,
    SSE,
    STREAMS,
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
from tests.providers.wire.playbook import cut

operations = st.sampled_from(sorted(OPERATIONS))
places = st.lists(st.integers(0, 4000), max_size=12)
ENDS: dict[str, Callable[[float], Input]] = {
    "ended": lambda at: ended(at),
    "reset": lambda at: failed(at=at),
    "garbage": lambda at: failed(Outcome.UPSTREAM_PROTOCOL_ERROR, at=at),
    "stalled": lambda at: timer(Timer.PHASE, at + DEADLINES.gap + DEADLINES.first_content),
}


def play(operation: Operation, pieces: list[bytes], end: str = "ended") -> Playbook:
    played = Playbook(exchange(operation)) >> begin() >> opened() >> head()
    for piece in pieces:
        played >> data(piece)
    return played >> ENDS[end](0)


# A good stream reaches the client byte for byte, and its record is the same, in whatever cuts it comes.
@given(operations, places, st.sampled_from(["ended", "reset", "stalled"]))
def test_cuts_change_nothing(operation: Operation, cuts: list[int], end: str) -> None:
    stream = b"".join(STREAMS[operation])
    whole, pieced = play(operation, [stream], end), play(operation, cut(stream, cuts), end)
    assert pieced.body == stream
    assert pieced.account.outcome is Outcome.OK
    assert (pieced.head, pieced.end, pieced.facts()) == (whole.head, whole.end, whole.facts())
    assert pieced.exchange.answer.message() == whole.exchange.answer.message()


# A stream that breaks off gives the same bytes and the same record, in whatever cuts it came.
@given(operations, st.integers(0, 4000), places, st.sampled_from(sorted(ENDS)))
def test_cuts_change_nothing_of_a_broken_stream(operation: Operation, size: int, cuts: list[int], end: str) -> None:
    stream = b"".join(STREAMS[operation])[:size]
    whole, pieced = play(operation, [stream], end), play(operation, cut(stream, cuts), end)
    assert (pieced.head, pieced.body, pieced.end) == (whole.head, whole.body, whole.end)
    assert pieced.facts() == whole.facts()


# A stream that breaks off at any byte ends with an error event of ours, as an HTTP error, or after its terminal event.
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_cut_stream_ends_cleanly(operation: Operation, end: str) -> None:
    stream = b"".join(STREAMS[operation])
    marker = b'data: {"error":' if OPERATIONS[operation] == "chat" else b"event: error\ndata: "
    for size in range(len(stream) + 1):
        played = play(operation, [stream[:size]], end)
        assert played.head
        if played.account.outcome is Outcome.OK:
            assert played.exchange.answer.terminal
            assert played.body == stream[:size]
        elif played.head.status == 200:
            assert played.body.startswith(stream[:size] + b"\n\n" + marker)
            assert played.body.endswith(b"\n\n")
            assert isinstance(played.end, End)
        else:
            assert played.head.status >= 500
            assert marker not in played.body


# Nothing goes to the client before content has come: not a head, not a comment, not a role.
@given(operations, places)
def test_nothing_is_sent_before_the_commit(operation: Operation, cuts: list[int]) -> None:
    played = Playbook(exchange(operation)) >> begin() >> opened() >> head()
    for piece in cut(b": waiting\n\n" + b"".join(STREAMS[operation]), cuts):
        played >> data(piece)
        assert played.exchange.heard.content_seen is (played.head is not None) is played.exchange.is_committed


inputs = st.one_of(
    st.just(opened),
    st.just(lambda at: opened(at, reused=True)),
    st.sampled_from([200, 204, 302, 400, 429, 503]).map(lambda status: lambda at: head(status, SSE, at)),
    st.sampled_from([200, 401, 500]).map(lambda status: lambda at: head(status, JSON, at)),
    st.sampled_from([*STREAMS[Operation.CHAT], b"{}", b"data: x", b": c\n\n", b'data: {"error":{}}\n\n']).map(
        lambda piece: lambda at: data(piece, at)
    ),
    st.just(ended),
    st.sampled_from([Outcome.UPSTREAM_RESET, Outcome.UPSTREAM_REFUSED, Outcome.UPSTREAM_PROTOCOL_ERROR]).map(
        lambda outcome: lambda at: failed(outcome, at=at)
    ),
    st.sampled_from(list(Timer)).map(lambda name: lambda at: timer(name, at)),
    st.just(client_gone),
    st.just(lambda at: abandon(Outcome.SHUTDOWN, at=at)),
)


# Whatever comes in whatever order, the playbook's rules hold: one head, one end, one settlement, silence afterwards.
@given(st.lists(inputs, max_size=14))
def test_any_order_keeps_the_rules(said: list[Callable[[float], Input]]) -> None:
    played = Playbook(exchange(settings=Settings(hold_limit=40))) >> begin()
    for at, make in zip(count(1), said, strict=False):
        played >> make(at / 100)
    played >> timer(Timer.TOTAL, 10)
    assert played.exchange.phase is Phase.OVER
    if played.account.who_ended is not EndedBy.CLIENT:
        assert isinstance(played.end, End | Cut)


# However slowly an upstream drips, a driver that keeps the timers ends every exchange by its total deadline.
@given(operations, st.lists(st.floats(0.01, 6), min_size=1, max_size=30), st.sampled_from([SSE, JSON]))
def test_the_deadlines_end_every_exchange(
    operation: Operation, pauses: list[float], headers: list[tuple[str, str]]
) -> None:
    played = Playbook(exchange(operation, settings=Settings(hold=1, hold_limit=100), stream=headers == SSE))
    drips = iter(
        [opened, lambda at: head(200, headers, at), *(lambda at, e=e: data(e, at) for e in STREAMS[operation])]
    )
    waits = iter(pauses)
    now, due, coming = 0.0, dict[Timer, float](), 0.0
    played >> begin()
    while played.exchange.phase is not Phase.OVER:
        due |= {name: now + seconds for name, seconds in played.timers.items()}
        played.timers.clear()
        name, at = min(due.items(), key=lambda item: item[1])
        if coming <= at and (drip := next(drips, None)) is not None:
            now = max(now, coming)
            played >> drip(now)
            coming = now + next(waits, 100)
        else:
            now = at
            del due[name]
            played >> timer(name, now)
        assert now <= DEADLINES.total
    assert played.account.outcome is not None
    assert played.account.outcome.startswith("upstream_timeout") or played.account.outcome is Outcome.OK


def test_a_head_is_never_sent_for_nobody() -> None:
    """A client that has gone gets nothing, whatever was held for it."""
    played = Playbook() >> begin() >> opened() >> head() >> client_gone()
    assert not any(isinstance(command, Head) for command in played.asked)
    assert (played.body, played.end) == (b"", None)
