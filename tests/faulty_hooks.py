"""A user's script that fails on demand: ``mitmdump … -s addons/route.py -s tests/faulty_hooks.py``.

Each hook fails for the requests whose header ``x-fail`` names it. ``ADDON:hook`` lets one of our own addons fail there,
as a fault of ours would; the key of the provider ``inject`` cannot be read, and what an upstream says cannot be
understood where it holds `BROKEN`.
"""

import logging
from collections.abc import Awaitable, Callable

from mitmproxy import ctx
from mitmproxy.flow import Flow
from mitmproxy.http import HTTPFlow

WANTED = "test.fail"
BROKEN = b"this cannot be understood"
FAULT = "a fault on demand"
OURS = ("gate:requestheaders", "router:request", "recorder:request", "recorder:response", "router:response")
PAGES = ("health:request",)

logger = logging.getLogger(__name__)


class OnDemand(Exception):
    """What the hooks fail with."""


def fail_if(flow: Flow, here: str) -> None:
    """Fail here, if this flow is to."""
    if flow.metadata.get(WANTED) == here:
        raise OnDemand(FAULT)


class User:
    """The user's own hooks."""

    def __init__(self) -> None:
        self._shown = 0

    def running(self) -> None:
        """Prepare the faults in what is ours; the script comes after it, so it is there."""
        for place in (*OURS, *PAGES):
            name, _, hook = place.partition(":")
            addon = ctx.master.addons.get(name)
            assert addon is not None, place
            setattr(addon, hook, _failing(getattr(addon, hook), place))
        from providers.exchange.listening import Listening  # ours is on the path by now
        from providers.provider import Provider

        hear, keys = Listening.hear, Provider.auth_headers

        def not_heard(self: Listening, data: bytes) -> None:
            if BROKEN in data:
                raise OnDemand(FAULT)
            hear(self, data)

        def no_key(self: Provider) -> list[tuple[str, str]]:
            if self.name == "inject":
                raise OnDemand(FAULT)
            return keys(self)

        Listening.hear = not_heard  # type: ignore[method-assign]  # the fault
        Provider.auth_headers = no_key  # type: ignore[method-assign]  # the fault
        logger.warning("The faults are in place.")

    def requestheaders(self, flow: HTTPFlow) -> None:
        """Fail at the head of a request."""
        flow.metadata[WANTED] = flow.metadata.get(WANTED) or flow.request.headers.get("x-fail", "")
        fail_if(flow, "requestheaders")

    def request(self, flow: HTTPFlow) -> Awaitable[None] | None:
        """Fail at a request, at once or later."""
        fail_if(flow, "request")
        return self._later(flow)

    async def _later(self, flow: HTTPFlow) -> None:
        fail_if(flow, "request, later")

    def responseheaders(self, flow: HTTPFlow) -> None:
        """Fail at the head of an answer."""
        fail_if(flow, "responseheaders")

    def response(self, flow: HTTPFlow) -> None:
        """Fail at an answer."""
        fail_if(flow, "response")

    def error(self, flow: HTTPFlow) -> None:
        """Fail at an error."""
        fail_if(flow, "error")

    def update(self, flows: list[Flow]) -> None:
        """Fail at showing a flow."""
        for flow in flows:
            fail_if(flow, "update")


def _failing(hook: Callable[[HTTPFlow], object], place: str) -> Callable[[HTTPFlow], object]:
    def failing(flow: HTTPFlow) -> object:
        # Ours come before the user's: what is wanted may stand in the head alone.
        if flow.request.headers.get("x-fail") == place or flow.metadata.get(WANTED) == place:
            raise OnDemand(FAULT)
        return hook(flow)

    return failing


addons = [User()]
