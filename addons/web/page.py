"""Page: answers GET /patchbay/, its files and its API, to a browser on this machine.

The page shows conversations, so unlike other pages of ours it is nobody else's: see `addons.web.guard`. Its feeds end
as soon as Patchbay is stopped; `addons.process.draining` would wait for them.
"""

from collections.abc import Awaitable

from mitmproxy import http

from addons.own_pages import own_page
from addons.web.api import Api, Sources
from addons.web.guard import objection
from addons.web.record import Record
from addons.web.replies import ProblemError, reply, reply_no
from addons.web.static_files import INDEX, StaticFiles

_ROOT = "/patchbay/"
_METHODS = ("GET", "HEAD")
_STARTING = "Patchbay is starting: try again in a moment."


class Page:
    """The page at /patchbay/."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._files = StaticFiles()
        self._record: Record | None = None

    def running(self) -> None:
        """Know where the record is: an edit of that counts from the next start."""
        self._record = Record(self._sources.configuration.registry.database)

    def request(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        """Answer, if the page or something of it is asked for."""
        name = own_page(flow.request.path)
        if name is None or flow.response is not None or self._sources.exchanges.of(flow) is None:
            return None
        first, _, rest = name.partition("/")
        if first not in ("", "static", "api"):
            return None
        if why := objection(flow, page_remote=self._sources.configuration.registry.settings.page_remote):
            reply_no(flow, 403, why)
        elif flow.request.method not in _METHODS:
            reply_no(flow, 405, "The page only reads: use GET.", allow=", ".join(_METHODS))
        elif first == "api":
            return self._answer(flow, rest)
        elif first == "static":
            self._files.serve(flow, rest)
        elif flow.request.path.partition("?")[0] != _ROOT:
            reply(flow, b"", "text/plain", 308, location=_ROOT)
        else:
            self._files.serve(flow, INDEX)
        return None

    async def _answer(self, flow: http.HTTPFlow, path: str) -> None:
        if self._record is None:
            reply_no(flow, 503, _STARTING)
            return
        try:
            await Api(self._sources, self._record).answer(flow, path)
        except ProblemError as problem:
            reply_no(flow, problem.status, str(problem))

    def done(self) -> None:
        """End the feeds."""
        self._sources.live.close()
        if self._record is not None:
            self._record.close()
