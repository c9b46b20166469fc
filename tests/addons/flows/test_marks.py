"""What a flow says of the call it was, and whose marks and comments stay."""

import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy import flowfilter
from mitmproxy.addons.save import Save
from mitmproxy.addons.view import View
from mitmproxy.http import HTTPFlow
from mitmproxy.test import taddons, tflow
from mitmproxy.utils.emoji import emoji

from addons.exchanges import Exchanges
from addons.flows.marks import COMMENT, MARK, Marks, comment_of, cost_said, mark_of, span_said, tell
from addons.relay.wire_view import mark_cut
from providers.exchange.account import AttemptAccount, ExchangeAccount, Outcome
from providers.exchange.kept import Kept
from tests.addons.telemetry.test_metrics import account

WHOLE: dict[str, object] = {
    "provider": "anthropic",
    "model": "claude-9",
    "input_tokens": 1204,
    "output_tokens": 356,
    "cache_read_tokens": 1100,
    "ttft_us": 320_000,
    "duration_us": 320_000 + 7_395_833,
    "cost": 0.0123,
    "attempts": [AttemptAccount("anthropic", "claude-9")],
}
TWO = [AttemptAccount("acme", "big-1"), AttemptAccount("local", "small")]
STALE = [AttemptAccount("acme", "big-1", stale=True), AttemptAccount("acme", "big-1")]

COMMENTS: dict[str, tuple[dict[str, object], str]] = {
    "all": (WHOLE, "anthropic/claude-9 · 1,204→356 tok (1,100 cached) · TTFT 320 ms · 48 tok/s · $0.0123 · ok"),
    "nothing": ({}, "acme/big-1 · ok"),
    "plain": ({"stream": False, "ttft_us": 5, "duration_us": 2_345_678}, "acme/big-1 · 2.3 s · ok"),
    "half": ({"input_tokens": 7}, "acme/big-1 · 7 tok in · ok"),
    "other half": ({"output_tokens": 7}, "acme/big-1 · 7 tok out · ok"),
    "zero": ({"input_tokens": 0, "output_tokens": 0, "cost": 0.0}, "acme/big-1 · 0→0 tok · $0 · ok"),
    "nothing cached": ({"input_tokens": 1, "output_tokens": 1, "cache_read_tokens": 0}, "acme/big-1 · 1→1 tok · ok"),
    "slow": ({"output_tokens": 10, "decode_us": 4_000_000}, "acme/big-1 · 10 tok out · 2.5 tok/s · ok"),
    "failed": (
        {"outcome": Outcome.RATE_LIMITED, "status": 429, "attempts": TWO},
        "acme/big-1 · 2 attempts · rate_limited 429",
    ),
    "lost": ({"outcome": Outcome.CLIENT_DISCONNECTED}, "acme/big-1 · client_disconnected"),
    "stale": ({"attempts": STALE}, "acme/big-1 · ok"),
    "rescued": ({"attempts": TWO, "rescued": True}, "acme/big-1 · 2 attempts · rescued · ok"),
    "refused": (
        {"provider": "", "model": "", "requested_model": "?", "outcome": Outcome.CLIENT_ERROR, "status": 400},
        "? · client_error 400",
    ),
    "nobody": ({"provider": "", "model": "", "requested_model": "", "outcome": None}, "internal_error"),
}


@pytest.mark.parametrize("case", COMMENTS)
def test_the_comment_says_what_is_known_and_no_more(case: str) -> None:
    known, comment = COMMENTS[case]
    assert comment_of(account(**known)) == comment


@pytest.mark.parametrize(
    ("dollars", "said"), [(12.5, "$12.5000"), (0.01, "$0.0100"), (0.0042, "$0.004200"), (0.0000421, "$0.000042")]
)
def test_small_costs_are_no_zeros(dollars: float, said: str) -> None:
    assert cost_said(dollars) == said


@pytest.mark.parametrize(("us", "said"), [(400, "0 ms"), (999_499, "999 ms"), (1_000_000, "1.0 s"), (75e6, "75.0 s")])
def test_spans_are_for_people(us: int, said: str) -> None:
    assert span_said(us) == said


# Every provider, whatever its name, has a mark that mitmproxy knows, and always the same one.
@given(st.text(min_size=1, max_size=12))
def test_every_provider_has_a_mark_of_its_own(name: str) -> None:
    assert mark_of(name) in emoji
    assert mark_of(name) == mark_of(name)


def test_the_well_known_ones_are_told_apart() -> None:
    assert len({mark_of(name) for name in ("local", "anthropic", "openai", "openrouter")}) == 4
    assert mark_of("local") == ":llama:"


def told(**known: object) -> HTTPFlow:
    flow: HTTPFlow = tflow.tflow(resp=True)
    tell(flow, account(**{**WHOLE, **known}))
    return flow


@pytest.mark.parametrize(
    ("expression", "matches"),
    [
        ('~meta "patchbay.provider: anthropic"', True),
        ('~meta "patchbay.provider: openai"', False),
        ('~meta "patchbay.model: claude"', True),
        ('~meta "patchbay.outcome: ok"', True),
        ('~meta "patchbay.input_tokens: 1204"', True),
        ('~meta "patchbay.attempts: 1"', True),
        ("~comment anthropic/", True),
        ("~comment openai/", False),
        ("~marker orange", True),
        ("~marker llama", False),
        ('~meta "patchbay.provider: anthropic" & !~meta "patchbay.outcome: ok"', False),
    ],
)
def test_filters_find_it(expression: str, matches: bool) -> None:
    assert bool(flowfilter.match(expression, told())) is matches


def test_what_is_not_known_stands_nowhere() -> None:
    flow = told(cost=None)
    assert "patchbay.cost" not in flow.metadata
    assert flow.metadata["patchbay.ttft_us"] == 320_000


def test_a_second_time_replaces_the_first() -> None:
    flow = told()
    tell(flow, account(outcome=Outcome.SHED))
    assert flow.comment == "acme/big-1 · shed"
    assert flow.marked == mark_of("acme")
    assert "patchbay.cost" not in flow.metadata


def test_a_persons_mark_and_comment_stay() -> None:
    flow: HTTPFlow = tflow.tflow(resp=True)
    flow.marked, flow.comment = ":red_circle:", "look here"
    tell(flow, account())
    assert (flow.marked, flow.comment) == (":red_circle:", "look here")
    assert MARK not in flow.metadata
    assert COMMENT not in flow.metadata
    assert flow.metadata["patchbay.provider"] == "acme"


def test_that_the_body_was_cut_stands_beside() -> None:
    flow: HTTPFlow = tflow.tflow(resp=True)
    kept = Kept(3)
    kept.add(b"four")
    mark_cut(flow, kept)
    assert flow.comment == "the answer's body is cut here after 3 bytes"
    tell(flow, account())
    assert flow.comment == "acme/big-1 · ok · the answer's body is cut here after 3 bytes"


def test_a_persons_comment_is_not_replaced_by_the_word_that_it_was_cut() -> None:
    flow: HTTPFlow = tflow.tflow(resp=True)
    flow.comment = "mine"
    kept = Kept(0)
    kept.add(b"four")
    mark_cut(flow, kept)
    tell(flow, account())
    assert flow.comment == "mine"
    assert flow.metadata["patchbay.body_cut"] is True


def test_a_call_without_a_provider_has_no_mark() -> None:
    assert told(provider="").marked == ""


def finish(marks: Marks, exchanges: Exchanges, finished: ExchangeAccount | None, hook: str = "response") -> HTTPFlow:
    flow: HTTPFlow = tflow.tflow(resp=True)
    exchanges.admit(flow).finished = finished
    hooks: dict[str, Callable[[HTTPFlow], None]] = {"response": marks.response, "error": marks.error}
    hooks[hook](flow)
    return flow


@pytest.mark.parametrize("hook", ["response", "error"])
@pytest.mark.parametrize(("watcher", "says"), [(View, True), (Save, True), (None, False)])
def test_only_where_somebody_looks(watcher: type[View] | type[Save] | None, says: bool, hook: str) -> None:
    exchanges = Exchanges()
    marks = Marks(exchanges)
    with taddons.context(*([watcher()] if watcher else [])):
        marks.running()
        assert bool(finish(marks, exchanges, account(), hook).comment) is says


def test_what_was_no_call_is_left_alone() -> None:
    exchanges = Exchanges()
    marks = Marks(exchanges)
    assert finish(marks, exchanges, None).comment == ""
    flow: HTTPFlow = tflow.tflow(resp=True)
    marks.response(flow)
    assert flow.comment == ""


def test_it_costs_microseconds() -> None:
    """Measured 6 µs alone on the machine (2026-11-21); the bound leaves room for a busy one under coverage."""
    flow, known = told(), account(**WHOLE)
    best = 1.0
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(200):
            tell(flow, known)
        best = min(best, (time.perf_counter() - start) / 200)
    assert best < 400e-6
