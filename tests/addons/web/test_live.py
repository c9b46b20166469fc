"""Listeners are told of calls as they run, and nothing is done while there are none."""

import asyncio
import json
from typing import Any

import pytest
from mitmproxy.http import HTTPFlow
from mitmproxy.test import tflow

from addons import clock
from addons.exchanges import Exchanges, InHand
from addons.relay.feed import Feed
from addons.web import live as module
from addons.web.live import KEEP_ALIVE, Live
from providers.exchange.account import Outcome
from providers.exchange.machine import Exchange
from tests.fake_dialects import chat_events
from tests.providers.exchange.playbook import SSE, exchange

SECRET = "sk-ant-canary-0123456789abcdef"
EVENTS = chat_events(("Hello", " wor", "ld"))
pytestmark = pytest.mark.anyio


@pytest.fixture(name="live")
def fixture_live(monkeypatch: pytest.MonkeyPatch) -> Live:
    monkeypatch.setattr(module, "TICK", 0.005)
    return Live(Exchanges(), lambda: [SECRET])


class Call:
    """A call in hand, driven by hand."""

    def __init__(self, live: Live, identifier: str = "pb-1") -> None:
        self.live = live
        self.flow: HTTPFlow = tflow.tflow()
        self.exchange: Exchange = exchange()
        self.exchange.account.id = identifier
        self.in_hand: InHand = live._exchanges.admit(self.flow)
        self.in_hand.exchange, self.in_hand.account = self.exchange, self.exchange.account

    def begin(self) -> None:
        now = clock.now_us()
        self.exchange.begin(now)
        self.exchange.opened(now)
        self.exchange.head(200, SSE, now)

    def says(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.exchange.data(piece, clock.now_us())

    def end(self) -> None:
        if self.exchange.account.outcome is None:
            self.exchange.ended(clock.now_us())
        self.live.ended(self.exchange.account)
        self.live._exchanges.release(self.flow)


def told(feed: Feed) -> list[tuple[str, Any]]:
    """What a listener takes, keep-alives left out."""
    found = []
    for each in feed.take().decode().split("\n\n")[:-1]:
        if each + "\n\n" != KEEP_ALIVE.decode():
            name, data = each.split("\n")
            found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


async def next_told(feed: Feed, count: int = 1) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    async with asyncio.timeout(10):
        while len(found) < count:
            await asyncio.sleep(0.005)
            found += told(feed)
    return found


async def asleep(live: Live) -> None:
    async with asyncio.timeout(10):
        while live._task is not None:
            await asyncio.sleep(0.005)


async def test_nothing_is_kept_while_nobody_listens(live: Live) -> None:
    call = Call(live)
    call.begin()
    call.end()
    assert (live._task, live._ended) == (None, [])


async def test_a_call_from_its_beginning_to_its_end(live: Live) -> None:
    feed = live.listen()
    assert told(feed) == [("calls", {"calls": []})]
    call = Call(live)
    call.begin()
    name, begun = (await next_told(feed))[0]
    assert (name, begun["id"], begun["phase"], begun["attempt"]) == ("call", "pb-1", "waiting", 1)
    assert (begun["output_tokens"], begun["estimated"], begun["outcome"]) == (None, True, None)
    assert begun["elapsed_us"] >= 0
    call.says(*EVENTS[:4])
    _, moved = (await next_told(feed))[0]
    assert (moved["phase"], moved["estimated"]) == ("streaming", True)
    assert moved["output_tokens"] >= 2
    call.says(*EVENTS[4:])
    call.end()
    _, ended = (await next_told(feed))[-1]
    assert (ended["phase"], ended["outcome"], ended["estimated"], ended["status"]) == ("ended", "ok", False, 200)
    assert ended["output_tokens"] == call.exchange.account.output_tokens
    feed.detach()
    await asleep(live)
    assert not live._growths


async def test_who_comes_later_is_told_what_runs_now(live: Live) -> None:
    call = Call(live)
    call.begin()
    call.says(*EVENTS[:4])
    over = Call(live, "pb-2")
    over.begin()
    over.exchange.abandon(Outcome.KILLED, clock.now_us())
    first, second = live.listen(), live.listen()
    (_, whole), *_ = told(first)
    assert [one["id"] for one in whole["calls"]] == ["pb-1"]
    assert whole["calls"][0]["phase"] == "streaming"
    assert told(second)[0][0] == "calls"
    live.close()
    assert first.is_over
    assert second.is_over
    assert live.is_closed
    await asleep(live)


async def test_a_call_that_does_not_move_is_not_told_again(live: Live) -> None:
    feed = live.listen()
    told(feed)
    call = Call(live)
    call.begin()
    await next_told(feed)
    await asyncio.sleep(0.05)
    assert told(feed) == []
    feed.detach()
    await asleep(live)


async def test_long_silence_and_long_looks(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ALIVE", 0.0)
    monkeypatch.setattr(module, "_TURN", -1.0)
    feed = live.listen()
    Call(live).begin()
    async with asyncio.timeout(10):
        data = b""
        while KEEP_ALIVE not in data or b"event: call\n" not in data:
            await asyncio.sleep(0.005)
            data += feed.take()
    feed.detach()
    await asleep(live)


async def test_one_call_piece_by_piece(live: Live) -> None:
    call = Call(live)
    call.begin()
    call.says(*EVENTS[:3])
    assert live.find("pb-1") is call.in_hand
    assert live.find("pb-9") is None
    feed = live.watch(call.in_hand, [{"role": "user", "parts": []}])
    (name, begun), *pieces = told(feed)
    assert (name, begun["messages"], begun["answer"]["parts"]) == ("conversation", [{"role": "user", "parts": []}], [])
    call.says(*EVENTS[3:])
    call.end()
    pieces += await next_told(feed, 2)
    assert "".join(piece["text"] for kind, piece in pieces if kind == "piece") == "Hello world"
    assert {piece["part"] for kind, piece in pieces if kind == "piece"} == {0}
    assert pieces[-1][0] == "end"
    assert pieces[-1][1]["outcome"] == "ok"
    assert feed.is_over
    await asleep(live)


async def test_a_call_that_ends_while_its_conversation_is_read(live: Live) -> None:
    call = Call(live)
    call.begin()
    call.says(*EVENTS)
    call.end()
    assert [name for name, _ in told(live.watch(call.in_hand, []))] == ["conversation", "piece", "piece", "end"]
    await asleep(live)


async def test_who_would_watch_while_it_is_stopped_is_let_go(live: Live) -> None:
    call = Call(live)
    call.begin()
    live.close()
    assert live.watch(call.in_hand, []).is_over
    await asleep(live)


async def test_an_answer_that_begins_anew_is_told_anew(live: Live) -> None:
    call = Call(live)
    call.begin()
    call.says(*EVENTS[:3])
    feed = live.watch(call.in_hand, [])
    told(feed)
    other = exchange()
    other.begin(clock.now_us())
    other.account.id = "other"
    call.exchange.attempt = other.attempt
    assert (await next_told(feed))[0][0] == "conversation"
    feed.detach()
    await asleep(live)


async def test_other_calls_end_beside_it(live: Live) -> None:
    call, other = Call(live), Call(live, "pb-2")
    for each in (call, other):
        each.begin()
    feed = live.watch(call.in_hand, [])
    other.says(*EVENTS)
    other.end()
    await asyncio.sleep(0.05)
    assert not feed.is_over
    live.close()
    await asleep(live)


async def test_no_key_is_shown(live: Live) -> None:
    call = Call(live)
    call.exchange.account.client = call.exchange.account.requested_model = f"x {SECRET}"
    call.begin()
    call.says(*chat_events((SECRET[:9], SECRET[9:], " end"))[:5])
    call.in_hand.secrets = ("another-canary-000",)
    feed, watch = live.listen(), live.watch(call.in_hand, [])
    call.says(*chat_events((" another-can", "ary-000 "))[1:3])
    call.end()
    await asyncio.sleep(0.05)
    shown = (feed.take() + watch.take()).decode()
    assert "[redacted]" in shown
    assert SECRET not in shown
    assert "another-canary-000" not in shown
    live.close()
    await asleep(live)


async def test_a_fault_of_ours_lets_everybody_come_again(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise ZeroDivisionError

    feed = live.listen()
    task = live._task
    assert task is not None
    monkeypatch.setattr(module, "ended_call", fail)
    call = Call(live)
    call.begin()
    call.end()
    with pytest.raises(ZeroDivisionError):
        await task
    assert feed.is_over
    assert live._task is None
