"""Which flows go when there are more than wanted, and which stay."""

import asyncio
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy import exceptions
from mitmproxy.addons.view import View
from mitmproxy.flow import Flow
from mitmproxy.http import HTTPFlow
from mitmproxy.test import taddons, tflow

from addons.flows.kept_flows import KeptFlows, expendable, forget
from addons.flows.marks import tell
from addons.options import KEEP_FLOWS
from tests.addons.telemetry.test_metrics import account

pytestmark = pytest.mark.anyio


def ended(number: int = 0) -> HTTPFlow:
    flow: HTTPFlow = tflow.tflow(resp=True)
    flow.live = False
    flow.request.timestamp_start = float(number)
    tell(flow, account())
    return flow


def changed(change: Callable[[HTTPFlow], object]) -> HTTPFlow:
    flow = ended()
    change(flow)
    return flow


def fail(flow: HTTPFlow) -> None:
    flow.response, flow.error = None, tflow.terr()


def forget_the_call(flow: HTTPFlow) -> None:
    flow.metadata.clear()
    flow.marked = flow.comment = ""


STAY: dict[str, Callable[[HTTPFlow], object]] = {
    "live": lambda flow: setattr(flow, "live", True),
    "paused": lambda flow: flow.intercept(),
    "marked": lambda flow: setattr(flow, "marked", ":red_circle:"),
    "commented": lambda flow: setattr(flow, "comment", "this one"),
    "not answered yet": lambda flow: setattr(flow, "response", None),
}
GO: dict[str, Callable[[HTTPFlow], object]] = {
    "ended": lambda flow: None,
    "unmarked": lambda flow: setattr(flow, "marked", ""),
    "failed": fail,
    "no call": forget_the_call,
}


@pytest.mark.parametrize("case", STAY)
def test_these_stay(case: str) -> None:
    assert not list(expendable([changed(STAY[case])]))


@pytest.mark.parametrize("case", GO)
def test_these_go(case: str) -> None:
    assert list(expendable([changed(GO[case])]))


def test_a_flow_of_another_kind_goes_when_it_has_ended() -> None:
    flow: Flow = tflow.ttcpflow()
    flow.live = False
    assert list(expendable([flow])) == [flow]


# Whatever stays, the oldest of the others go first, as many as were asked for and no more.
@given(st.lists(st.booleans(), max_size=12), st.integers(0, 12))
def test_the_oldest_go_first(stays: list[bool], count: int) -> None:
    view = View()
    with taddons.context():
        flows = [ended(number) for number in range(len(stays))]
        for flow, stay in zip(flows, stays, strict=True):
            flow.marked = ":red_circle:" if stay else flow.marked
        view.add(flows)
        forget(view, count)
    free = [flow for flow, stay in zip(flows, stays, strict=True) if not stay]
    gone = free[:count]
    assert list(view.resolve("@all")) == [flow for flow in flows if flow not in gone]


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


class Bench:
    """A view with our addon beside, both heard by one proxy."""

    def __init__(self, keep: int) -> None:
        self.view, self.kept = View(), KeptFlows()
        self.context = taddons.context(self.view, loadcore=False)
        with self.context as context:
            context.master.options.add_option(KEEP_FLOWS.name, int, keep, "")
            self.kept.configure({KEEP_FLOWS.name})
            self.kept.running()

    def come(self, count: int) -> list[HTTPFlow]:
        flows = [ended(number) for number in range(count)]
        for flow in flows:
            self.view.add([flow])
            self.kept.request(flow)
        return flows


@pytest.mark.parametrize("hook", ["request", "response", "error", "websocket_end"])
async def test_it_looks_when_calls_begin_and_end(hook: str) -> None:
    bench = Bench(20)
    bench.view.add([ended(number) for number in range(50)])
    listen: Callable[[HTTPFlow], None] = getattr(bench.kept, hook)
    listen(ended())
    assert bench.view.store_count() == 50  # not within the hook: what ends is live until it is through
    await settle()
    assert bench.view.store_count() == 19


async def test_a_bound_of_0_is_none() -> None:
    bench = Bench(0)
    bench.come(50)
    await settle()
    assert bench.view.store_count() == 50


async def test_below_the_bound_nothing_goes() -> None:
    bench = Bench(50)
    bench.come(50)
    await settle()
    assert bench.view.store_count() == 50


async def test_what_was_seen_to_meanwhile_is_left() -> None:
    bench = Bench(5)
    bench.come(6)
    bench.view.clear()
    await settle()
    assert bench.view.store_count() == 0


async def test_after_the_end_nothing_is_done() -> None:
    bench = Bench(5)
    bench.come(6)
    bench.kept.done()
    await settle()
    assert bench.view.store_count() == 6


async def test_a_lower_bound_counts_at_once_and_another_option_not() -> None:
    bench = Bench(50)
    bench.come(40)
    with bench.context as context:
        setattr(context.options, KEEP_FLOWS.name, 10)
        bench.kept.configure({"something_else"})
        await settle()
        assert bench.view.store_count() == 40
        bench.kept.configure({KEEP_FLOWS.name})
        await settle()
    assert bench.view.store_count() == 10


def test_a_bound_below_0_is_refused() -> None:
    kept = KeptFlows()
    with taddons.context() as context:
        context.options.add_option(KEEP_FLOWS.name, int, -1, "")
        with pytest.raises(exceptions.OptionsError, match="from 0"):
            kept.configure({KEEP_FLOWS.name})


async def test_without_a_view_there_is_nothing_to_do() -> None:
    kept = KeptFlows()
    with taddons.context():
        kept.running()
        kept.response(ended())
    await settle()


async def test_a_long_list_is_walked_now_and_then_only() -> None:
    """At 2,000 flows a look takes a millisecond; one in a hundred calls makes one."""
    bench = Bench(2000)
    bench.come(2000)
    began = time.perf_counter()
    for _ in range(200):
        bench.come(1)
        await settle()
    assert bench.view.store_count() <= 2000
    assert time.perf_counter() - began < 5
