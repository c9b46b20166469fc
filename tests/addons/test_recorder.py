"""Each call becomes one row when it is admitted, and is completed once, however it ends."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from mitmproxy.flow import Error
from mitmproxy.http import HTTPFlow
from mitmproxy.test import taddons, tflow

from addons.configuration import Configuration
from addons.exchanges import Exchanges, InHand
from addons.recorder import Recorder
from providers.exchange.account import EndedBy, Outcome
from providers.wire.endpoints import Operation
from tests.providers.exchange.playbook import (
    JSON,
    TARGET,
    Playbook,
    account,
    begin,
    data,
    ended,
    exchange,
    head,
    opened,
)
from tests.providers.wire.calls import CHAT, MESSAGES, asked, plan

BODY = b'{"choices":[{"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}'
Row = tuple[str, str | None, str | None]


class Desk:
    """A recorder on a real file, and one call in hand."""

    def __init__(self, configuration: Configuration, path: Path) -> None:
        self.path = path
        self.exchanges = Exchanges()
        self.recorder = Recorder(self.exchanges, configuration)
        self.flow: HTTPFlow = tflow.tflow()
        self.in_hand = self.exchanges.admit(self.flow)

    def call(self) -> Playbook:
        """An LLM call, admitted."""
        play = Playbook(exchange())
        self.in_hand.exchange, self.in_hand.account = play.exchange, play.account
        self.in_hand.request, self.in_hand.client_body = {"messages": []}, b'{"messages": []}'
        return play

    def translated_call(self) -> Playbook:
        """A call of a client of messages, which a provider of chat answers."""
        translation = plan(MESSAGES, CHAT, asked(MESSAGES))
        target = replace(TARGET, translation=translation, body=translation.body)
        play = Playbook(exchange(Operation.MESSAGES, target=target, stream=False))
        self.in_hand.exchange, self.in_hand.account = play.exchange, play.account
        return play >> begin() >> opened() >> head(200, JSON)

    def rows(self) -> list[Row]:
        self.recorder.done()
        with sqlite3.connect(self.path) as database:
            rows = database.execute("select id, outcome, who_ended from exchanges").fetchall()
        database.close()
        return rows


@pytest.fixture(name="desk")
def fixture_desk(configure: Callable[..., Configuration], tmp_path: Path) -> Desk:
    path = tmp_path / "rows.db"
    desk = Desk(configure("{}", PATCHBAY_DB=str(path)), path)
    desk.recorder.running()
    return desk


def test_an_answered_call_is_one_row(desk: Desk) -> None:
    play = desk.call() >> begin() >> opened() >> head(200, JSON)
    desk.recorder.request(desk.flow)
    play >> data(BODY) >> ended()
    desk.recorder.response(desk.flow)
    desk.recorder.response(desk.flow)
    assert desk.rows() == [("pb-1", "ok", "upstream")]


def test_what_is_no_call_is_no_row(desk: Desk) -> None:
    desk.recorder.request(desk.flow)
    desk.recorder.response(desk.flow)
    desk.recorder.error(desk.flow)
    assert desk.rows() == []


def test_what_was_not_admitted_is_no_row(desk: Desk) -> None:
    desk.call()
    desk.exchanges.release(desk.flow)
    desk.recorder.request(desk.flow)
    desk.recorder.response(desk.flow)
    assert desk.rows() == []


def test_a_call_that_we_refused_is_one_row(desk: Desk) -> None:
    refused = account()
    refused.outcome, refused.who_ended, refused.status = Outcome.CLIENT_ERROR, EndedBy.GATEWAY, 400
    desk.in_hand.account = refused
    desk.recorder.request(desk.flow)
    desk.recorder.response(desk.flow)
    assert desk.rows() == [("pb-1", "client_error", "gateway")]


@pytest.mark.parametrize(
    ("message", "outcome", "by"),
    [(Error.KILLED_MESSAGE, "killed", "gateway"), ("Client disconnected.", "client_disconnected", "client")],
)
def test_a_call_that_ended_outside_of_its_exchange_is_settled(desk: Desk, message: str, outcome: str, by: str) -> None:
    play = desk.call() >> begin()
    desk.recorder.request(desk.flow)
    desk.flow.error = Error(message)
    desk.recorder.error(desk.flow)
    assert play.account.outcome == outcome
    assert desk.rows() == [("pb-1", outcome, by)]


def test_an_outcome_that_is_known_stays(desk: Desk) -> None:
    play = desk.call() >> begin() >> opened() >> ended()
    desk.flow.error = Error("whatever")
    desk.recorder.error(desk.flow)
    assert play.account.outcome is Outcome.UPSTREAM_PROTOCOL_ERROR
    assert desk.rows() == [("pb-1", "upstream_protocol_error", "upstream")]


def test_what_a_translated_answer_held_beside_its_words_is_remembered(desk: Desk) -> None:
    desk.translated_call() >> data(BODY.replace(b'"hi"', b'"hi","reasoning_content":"hm"')) >> ended()
    desk.recorder.response(desk.flow)
    desk.recorder.response(desk.flow)
    assert len(desk.exchanges.recollection) == 1


def test_an_answer_that_broke_off_or_was_not_translated_is_not_remembered(desk: Desk) -> None:
    desk.translated_call() >> data(BODY[:-9]) >> ended()
    desk.recorder.response(desk.flow)
    desk.call() >> begin() >> opened() >> head(200, JSON) >> data(BODY) >> ended()
    desk.recorder.response(desk.flow)
    assert len(desk.exchanges.recollection) == 0


def test_a_shutdown_ends_what_is_open(desk: Desk) -> None:
    desk.call() >> begin() >> opened() >> head()
    desk.recorder.request(desk.flow)
    assert desk.rows() == [("pb-1", "shutdown", "gateway")]


def test_hooks_after_the_end_do_nothing(desk: Desk) -> None:
    """mitmproxy calls ``error`` for the flows in flight after ``done``."""
    desk.call() >> begin()
    desk.recorder.request(desk.flow)
    rows = desk.rows()
    desk.flow.error = Error("late")
    desk.recorder.error(desk.flow)
    assert desk.rows() == rows == [("pb-1", "shutdown", "gateway")]


def test_without_a_record_calls_are_settled_all_the_same(configuration: Configuration) -> None:
    exchanges = Exchanges()
    recorder, flow = Recorder(exchanges, configuration), tflow.tflow()
    play = Playbook(exchange()) >> begin()
    in_hand: InHand = exchanges.admit(flow)
    in_hand.exchange, in_hand.account = play.exchange, play.account
    recorder.request(flow)
    recorder.error(flow)
    recorder.done()
    assert play.account.outcome is Outcome.CLIENT_DISCONNECTED


REFUSED = "PATCHBAY_RECORD=required"


@pytest.mark.parametrize(
    ("setting", "path", "well", "refused"),
    [
        ("required", "/v1/chat/completions", False, True),
        ("required", "/v1/messages", False, True),
        ("required", "/v1/chat/completions", True, False),
        ("required", "/v1/models", False, False),
        ("required", "/props", False, False),
        ("optional", "/v1/chat/completions", False, False),
    ],
)
def test_where_the_record_is_required_no_call_goes_without(
    configure: Callable[..., Configuration], tmp_path: Path, setting: str, path: str, well: bool, refused: bool
) -> None:
    configuration = configure("{}", PATCHBAY_DB=str(tmp_path / "rows.db"), PATCHBAY_RECORD=setting)
    recorder, flow = Recorder(Exchanges(), configuration), tflow.tflow()
    flow.request.path, flow.request.method = path, "GET" if "models" in path else "POST"
    if well:
        recorder.running()
    recorder.requestheaders(flow)
    recorder.done()
    assert (flow.response is not None) is refused
    if flow.response is not None:
        assert flow.response.status_code in (503, 529)
        assert REFUSED in (flow.response.get_text() or "")


def test_what_was_answered_before_stays_so(configure: Callable[..., Configuration]) -> None:
    recorder = Recorder(Exchanges(), configure("{}", PATCHBAY_RECORD="required"))
    flow = tflow.tflow(resp=True)
    flow.request.path = "/v1/messages"
    before = flow.response
    recorder.requestheaders(flow)
    assert flow.response is before


@pytest.mark.anyio
async def test_a_program_that_ends_waits_beside_the_loop(desk: Desk) -> None:
    play = desk.call() >> begin() >> opened() >> head(200, JSON)
    desk.recorder.request(desk.flow)
    play >> data(BODY) >> ended()
    desk.recorder.response(desk.flow)
    with taddons.context() as context:
        context.master.should_exit.set()
        waiting = desk.recorder.done()
        context.master.should_exit.clear()  # mitmproxy keeps the last master at hand for whoever comes next
        assert waiting is not None
        await waiting
    assert desk.rows() == [("pb-1", "ok", "upstream")]
