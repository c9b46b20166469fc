"""Hooks reach the addons that have them, in the order of the chain, as mitmproxy itself would have it."""

import asyncio
from collections.abc import Iterator

import pytest
from mitmproxy import exceptions
from mitmproxy.flow import Flow
from mitmproxy.http import HTTPFlow
from mitmproxy.proxy.layers.http._hooks import HttpRequestHook
from mitmproxy.test import taddons, tflow

from addons.relay.hook_dispatch import HookCaller, PatchbayRestHook


class Noting:
    """Notes that it was called; ``waits`` first, ``fails`` with what it is given."""

    def __init__(self, name: str, notes: list[str], *, waits: bool = False, fails: Exception | None = None) -> None:
        self.name = name
        self._notes = notes
        self._waits = waits
        self._fails = fails

    def request(self, flow: HTTPFlow) -> object:
        if self._waits:
            return self._later()
        self._now()
        return None

    def _now(self) -> None:
        self._notes.append(self.name)
        if self._fails is not None:
            raise self._fails

    async def _later(self) -> None:
        await asyncio.sleep(0)
        self._now()


class Deaf:
    """Has no hook."""


class Updated:
    """Wants to know of changes."""

    def __init__(self, notes: list[str]) -> None:
        self._notes = notes

    def update(self, flows: list[Flow]) -> None:
        self._notes.append(f"update {len(flows)}")


class Pausing:
    """Pauses each flow, as a person does in mitmweb."""

    def request(self, flow: HTTPFlow) -> None:
        flow.intercept()


@pytest.fixture
def proxy() -> Iterator[taddons.context]:
    with taddons.context() as context:
        yield context


def hook() -> HttpRequestHook:
    return HttpRequestHook(tflow.tflow())


async def all_of(caller: HookCaller, event: HttpRequestHook) -> None:
    rest = caller.call_now(event)
    if rest is not None:
        assert isinstance(rest, PatchbayRestHook)
        await caller.finish(rest.flow)


@pytest.mark.anyio
async def test_hooks_are_called_at_once_in_the_order_of_the_chain(proxy: taddons.context) -> None:
    notes: list[str] = []
    proxy.master.addons.add(Noting("a", notes), Deaf(), Noting("b", notes))
    assert HookCaller().call_now(hook()) is None
    assert notes == ["a", "b"]


@pytest.mark.anyio
async def test_what_must_be_awaited_leaves_a_rest(proxy: taddons.context, caplog: pytest.LogCaptureFixture) -> None:
    notes: list[str] = []
    fault = RuntimeError("a fault")
    proxy.master.addons.add(
        Noting("a", notes),
        Noting("b", notes, waits=True, fails=fault),
        Noting("c", notes),
        Noting("d", notes, waits=True),
    )
    caller, event = HookCaller(), hook()
    rest = caller.call_now(event)
    assert isinstance(rest, PatchbayRestHook)
    assert rest.args() == event.args()  # mitmproxy's connection handler looks whether this flow is paused
    assert notes == ["a"]
    await caller.finish(rest.flow)
    assert notes == ["a", "b", "c", "d"]
    assert "a fault" in caplog.text


@pytest.mark.anyio
@pytest.mark.parametrize("waits", [False, True])
async def test_one_that_fails_is_logged_and_the_others_go_on(
    waits: bool, proxy: taddons.context, caplog: pytest.LogCaptureFixture
) -> None:
    notes: list[str] = []
    proxy.master.addons.add(Noting("a", notes, waits=waits, fails=RuntimeError("a fault")), Noting("b", notes))
    await all_of(HookCaller(), hook())
    assert notes == ["a", "b"]
    assert "a fault" in caplog.text


@pytest.mark.anyio
@pytest.mark.parametrize("waits", [False, True])
async def test_one_that_halts_is_the_last(waits: bool, proxy: taddons.context) -> None:
    notes: list[str] = []
    proxy.master.addons.add(Noting("a", notes, waits=waits, fails=exceptions.AddonHalt()), Noting("b", notes))
    await all_of(HookCaller(), hook())
    assert notes == ["a"]


@pytest.mark.anyio
async def test_who_wants_to_know_of_changes_is_told_after_each_hook(proxy: taddons.context) -> None:
    notes: list[str] = []
    proxy.master.addons.add(Noting("a", notes), Updated(notes))
    assert HookCaller().call_now(hook()) is None
    assert notes == ["a", "update 1"]


@pytest.mark.anyio
async def test_a_paused_flow_is_waited_for(proxy: taddons.context) -> None:
    proxy.master.addons.add(Pausing())
    event = hook()
    rest = HookCaller().call_now(event)
    assert isinstance(rest, PatchbayRestHook)
    assert rest.flow is event.flow


@pytest.mark.anyio
async def test_who_comes_and_goes_is_noticed(proxy: taddons.context) -> None:
    notes: list[str] = []
    caller, first, second = HookCaller(), Noting("first", notes), Noting("second", notes)
    proxy.master.addons.add(first)
    caller.call_now(hook())
    proxy.master.addons.add(second)
    proxy.master.addons.remove(first)
    caller.call_now(hook())
    assert notes == ["first", "second"]


@pytest.mark.anyio
@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("fault", [RuntimeError("a fault"), exceptions.OptionsError("a fault")])
async def test_one_that_fails_is_told_of(waits: bool, fault: Exception, proxy: taddons.context) -> None:
    notes: list[str] = []
    failed: list[Flow] = []
    proxy.master.addons.add(Noting("a", notes, waits=waits, fails=fault), Noting("b", notes))
    event = hook()
    await all_of(HookCaller(failed.append), event)
    assert notes == ["a", "b"]
    assert failed == [event.flow]


@pytest.mark.anyio
async def test_who_halts_or_hears_of_changes_has_not_failed(proxy: taddons.context) -> None:
    failed: list[Flow] = []

    class Breaking(Updated):
        def update(self, flows: list[Flow]) -> None:
            raise RuntimeError("a fault")

    proxy.master.addons.add(Breaking([]), Noting("a", [], fails=exceptions.AddonHalt()))
    await all_of(HookCaller(failed.append), hook())
    assert failed == []
