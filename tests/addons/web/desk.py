"""The page with all it asks, on a real record, without a socket."""

from pathlib import Path
from typing import Any

from mitmproxy.http import HTTPFlow, Response
from mitmproxy.test import tflow

from addons.configuration import Configuration
from addons.exchanges import Exchanges
from addons.health import Health
from addons.process.draining import Draining
from addons.process.listener import Listener
from addons.recorder import Recorder
from addons.telemetry.store import Store
from addons.web.api import Sources
from addons.web.live import Live
from addons.web.page import Page
from providers.pricing import Prices

HOST = "127.0.0.1:8088"


class Desk:
    """A page that is not running yet; ``store`` writes what it reads."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.exchanges = Exchanges()
        recorder = Recorder(self.exchanges, configuration)
        health = Health(self.exchanges, configuration, Draining(configuration, Listener(configuration)), recorder)
        self.live = Live(self.exchanges, lambda: configuration.registry.secrets())
        self.prices = Prices(lambda: configuration.registry, configuration.catalog)
        self.page = Page(Sources(self.exchanges, configuration, health, self.live, self.prices))

    @property
    def path(self) -> Path:
        """Where the record is."""
        return self.configuration.registry.database

    def store(self) -> Store:
        """Begin to write; whoever asks closes it."""
        store = Store(self.path, bodies="errors", secrets=self.configuration.registry.secrets)
        store.start()
        return store

    async def flow(self, path: str, method: str = "GET", *, admitted: bool = True, **headers: str) -> HTTPFlow:
        """Ask; an underscore in a header's name stands for its dash."""
        flow: HTTPFlow = tflow.tflow()
        flow.client_conn.peername = ("127.0.0.1", 50000)
        flow.request.path, flow.request.method = path, method
        flow.request.headers["host"] = HOST
        for name, value in headers.items():
            flow.request.headers[name.replace("_", "-")] = value
        if admitted:
            self.exchanges.admit(flow)
        waiting = self.page.request(flow)
        if waiting is not None:
            await waiting
        return flow

    async def ask(self, path: str, method: str = "GET", **headers: str) -> Response:
        """Ask for an answer."""
        flow = await self.flow(path, method, admitted=True, **headers)
        assert flow.response is not None
        return flow.response

    async def told(self, path: str, status: int = 200) -> Any:
        """Ask the API; what its JSON says."""
        response = await self.ask(f"/patchbay/api/{path}")
        assert response.status_code == status, response.get_text()
        assert response.headers["content-type"] == "application/json"
        assert response.headers["cache-control"] == "no-store"
        return response.json()
