"""Descriptors: each connection takes one, each call another one upstream, and a process may hold only so many.

Strategy: clients are turned away before none is left: accepting fails then for everybody, and so does the record. It
is judged in the very moment of accepting, since asyncio accepts a hundred at once before anybody else gets to run, and
each client is counted twice, for the call upstream that it has come for. The system gives out the lowest number that
is free: that of a new connection says how many are open in all.

* Below the limit less `SPARE`: come in.
* Beyond: come in, be told 503 in your dialect, and go. Nothing of yours goes upstream.
* Beyond the limit less `LAST`: be told 503 at the door (`addons.process.doorway`), and go. That much the record, the
  log and the lists of models need.
"""

import asyncio
import logging

from mitmproxy import http
from mitmproxy.connection import Client
from mitmproxy.proxy.server_hooks import ServerConnectionHookData

from addons.own_pages import is_own_page
from addons.process.doorway import BUSY, WAIT
from addons.process.file_limit import MOST_FILES, count_open, raise_file_limit
from addons.process.listener import proxy_server, writer_of
from addons.refusal import refuse

logger = logging.getLogger(__name__)

SPARE, LAST = 64, 24  # descriptors below the soft limit
_PATIENCE = 2.0  # seconds that a client beyond the limit has to say what it wants
_RELIEF = 5.0  # seconds without anybody turned away, after which it is news again


class Descriptors:
    """Counts what is open. ``shed`` counts the clients that were turned away since the start: for metrics."""

    def __init__(self) -> None:
        self.shed = 0
        self.limit = MOST_FILES
        self._at_rest: int | None = None  # open before the first client came
        self._clients = 0  # connections of clients, from accepting on
        self._upstream = 0  # connections to upstreams
        self._late: set[object] = set()  # addresses of clients that are to be told 503
        self._told = False

    def load(self, loader: object) -> None:
        """Ask for as many as may be had."""
        self.limit = raise_file_limit()

    def admit(self, number: int, address: object) -> bool:
        """Judge a connection that was accepted under this descriptor; False turns it away at the door."""
        if self._at_rest is None:
            self._at_rest = number
        needed = max(number, self._at_rest + self._clients + max(self._clients - len(self._late), self._upstream))
        if needed >= self.limit - SPARE:
            self._tell(number)
            if needed >= self.limit - LAST:
                return False
            self._late.add(address)
        self._clients += 1
        return True

    def _tell(self, number: int) -> None:
        self.shed += 1
        if not self._told:
            self._told = True
            logger.warning(
                "Clients are turned away: %d of %d descriptors are in use, and calls in flight need more. "
                "`ulimit -n` before the start, or LimitNOFILE= of systemd, allows more.",
                number,
                self.limit,
            )
            asyncio.get_running_loop().call_later(_RELIEF, self._relieve, self.shed)

    def _relieve(self, shed: int) -> None:
        """Have it told again, if nobody was turned away meanwhile."""
        if shed == self.shed:
            self._told = False
        else:
            asyncio.get_running_loop().call_later(_RELIEF, self._relieve, self.shed)

    def client_connected(self, client: Client) -> None:
        """Do not wait for ever for what a client wants that is turned away anyway."""
        if client.peername in self._late:
            asyncio.get_running_loop().call_later(_PATIENCE, self._hang_up, client)

    def _hang_up(self, client: Client) -> None:
        handler = proxy_server().connections.get(client.id)
        writer = None if handler is None else writer_of(handler)
        if writer is not None:
            writer.close()

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Turn a client away in its dialect; our own pages need nothing upstream."""
        if not self._late or flow.client_conn.peername not in self._late:
            return
        if flow.response is None and not is_own_page(flow.request.path):
            refuse(flow, 503, BUSY, code="overloaded")
            assert flow.response is not None
            flow.response.headers.update({"connection": "close", "retry-after": WAIT})

    def client_disconnected(self, client: Client) -> None:
        """Forget it."""
        self._clients = max(0, self._clients - 1)  # one of before the script was loaded again was not counted
        self._late.discard(client.peername)

    def server_connected(self, data: ServerConnectionHookData) -> None:
        """Count a connection to an upstream."""
        self._upstream += 1

    def server_disconnected(self, data: ServerConnectionHookData) -> None:
        """Count one less."""
        self._upstream -= 1

    def vitals(self) -> dict[str, object]:
        """Say so to health."""
        return {"open_files": count_open(), "open_files_limit": self.limit, "clients_shed": self.shed}
