"""KeptFlows: mitmweb and mitmproxy keep every flow; here the oldest ones go when there are more than wanted.

Strategy: a flow goes when it has ended and nobody has shown an interest in it: not live, not paused, no mark and no
comment of a person (those that we put there ourselves do not count). It is looked once for each turn of the event loop
in which calls began or ended, and a few more than must go are taken, so that the list is not walked for each call.
"""

import asyncio
from collections.abc import Iterable
from itertools import islice

from mitmproxy import ctx, exceptions, flow, http
from mitmproxy.addons.view import View

from addons.flows.marks import is_commented_by_a_person, is_marked_by_a_person
from addons.options import KEEP_FLOWS

_SPARE = 20  # one twentieth of those that are kept goes beyond the bound


class KeptFlows:
    """Bounds what is kept to look at (option ``patchbay_keep_flows``); mitmdump keeps none anyway."""

    def __init__(self) -> None:
        self._keep = KEEP_FLOWS.default
        self._view: View | None = None
        self._looking: asyncio.Handle | None = None

    def configure(self, updated: set[str]) -> None:
        """Take the bound; 0 is none."""
        if KEEP_FLOWS.name not in updated:
            return
        keep: int = getattr(ctx.options, KEEP_FLOWS.name)
        if keep < 0:
            raise exceptions.OptionsError(f"{KEEP_FLOWS.name} is a number of flows from 0 (no bound) up, not {keep}.")
        self._keep = keep
        self._look_soon()

    def running(self) -> None:
        """Find who keeps flows, if anybody does."""
        self._view = ctx.master.addons.get("view")
        self._look_soon()

    def request(self, _flow: http.HTTPFlow) -> None:
        """A flow has come."""
        self._look_soon()

    def response(self, _flow: http.HTTPFlow) -> None:
        """A flow ends."""
        self._look_soon()

    def error(self, _flow: http.HTTPFlow) -> None:
        """A flow ends."""
        self._look_soon()

    def websocket_end(self, _flow: http.HTTPFlow) -> None:
        """A flow ends."""
        self._look_soon()

    def done(self) -> None:
        """Look no more."""
        self._view = None

    def _look_soon(self) -> None:
        """Look when this hook and those behind it are through: a flow that ends is live until then."""
        if self._looking is None and self._view is not None and 0 < self._keep < self._view.store_count():
            self._looking = asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        self._looking = None
        if self._view is not None:
            surplus = self._view.store_count() - self._keep
            if surplus > 0:
                forget(self._view, surplus + self._keep // _SPARE)


def forget(view: View, count: int) -> None:
    """Let the view forget ``count`` flows, the oldest first, as far as that many may go."""
    for old in list(islice(expendable(view.resolve("@all")), count)):
        view.remove([old])  # one by one: it announces several in the log


def expendable(flows: Iterable[flow.Flow]) -> Iterable[flow.Flow]:
    """Yield those that have ended and that nobody has marked or commented."""
    return (each for each in flows if _has_ended(each) and not _is_wanted(each))


def _has_ended(each: flow.Flow) -> bool:
    if each.live or each.intercepted:
        return False
    return not isinstance(each, http.HTTPFlow) or each.response is not None or each.error is not None


def _is_wanted(each: flow.Flow) -> bool:
    return is_marked_by_a_person(each) or is_commented_by_a_person(each)
