"""Configuration: the registry in force, read again while the program runs."""

import asyncio
import logging
import os
from pathlib import Path

from mitmproxy import ctx
from mitmproxy.addonmanager import Loader
from mitmproxy.proxy.mode_specs import ProxyMode, ReverseMode

from addons.options import FLOW_BODY_LIMIT, declare
from providers.catalog import Catalog
from providers.client import Client
from providers.dialect_probe import DialectProbe
from providers.errors import ConfigurationError
from providers.failover import Failover
from providers.fetching import Fetcher
from providers.registry import Registry, Watcher, load

logger = logging.getLogger(__name__)

_POLL = 1.0  # seconds: an edit is picked up within twice this


class Configuration:
    """Holds the registry. Given one (`scripts/serve`), it only watches it; else it loads it as mitmproxy starts.

    ``registry`` is the one in force, and missing where none could be loaded; a call keeps the one it began with.
    """

    registry: Registry
    flow_body_limit: int = FLOW_BODY_LIMIT.default

    @property
    def edit_refused(self) -> bool:
        """Whether the files now say something that is not usable, so that what they said before holds."""
        return self._watcher is not None and self._watcher.error is not None

    def configure(self, updated: set[str]) -> None:
        """Keep our option at hand: mitmproxy copies an option each time it is read."""
        if FLOW_BODY_LIMIT.name in updated:
            self.flow_body_limit = getattr(ctx.options, FLOW_BODY_LIMIT.name)

    def __init__(self, watcher: Watcher | None = None) -> None:
        self._watcher = watcher
        if watcher is not None:
            self.registry = watcher.current
        self._told: str | None = None
        self._task: asyncio.Task[None] | None = None
        client = Client()
        self.dialects = DialectProbe(client, logger.info)
        self.fetcher = Fetcher(client)
        self.failover = Failover()
        self.catalog = Catalog(lambda: self.registry, client, on_unreachable=self.dialects.forget)

    def load(self, loader: Loader) -> None:
        """Read the configuration before anything is served."""
        declare(loader)
        logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each list of models says nothing
        if self._watcher is None:
            try:
                self._watcher = Watcher(_load, _load())
            except ConfigurationError as error:
                # mitmproxy ends with exit code 1 on an error that is logged before it runs; raising one is not enough.
                # Until then, and should it go on, every request is refused: nothing can be decided without a registry.
                logger.error("The configuration is not usable:\n%s", error)
                return
            self.registry = self._watcher.current
            for notice in self.registry.notices:
                logger.warning(notice)
        ctx.options.update(body_size_limit=str(self.registry.settings.max_body_bytes))

    def running(self) -> None:
        """Begin to watch for edits and to ask the local server for its models."""
        if self._watcher is not None:
            self._task = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        await self.catalog.know_local(0)
        while True:
            await asyncio.sleep(_POLL)
            self._poll()

    def _poll(self) -> None:
        assert self._watcher is not None
        if (edited := self._watcher.poll()) is not None:
            self.registry = edited
            logger.info("The configuration was read again (generation %d).", self.registry.generation)
            ctx.options.update(body_size_limit=str(self.registry.settings.max_body_bytes))
        if self._watcher.error != self._told:
            self._told = self._watcher.error
            if self._told:
                logger.error("The edited configuration is refused: %s", self._told)

    def done(self) -> None:
        """Stop watching."""
        if self._task is not None:
            self._task.cancel()


def _load() -> Registry:
    """Load for mitmdump and mitmweb: the URL of ``--mode reverse:`` is the local server."""
    modes = [ProxyMode.parse(mode) for mode in ctx.options.mode]
    reverse = next((mode for mode in modes if isinstance(mode, ReverseMode)), None)
    if reverse is None or reverse.scheme not in ("http", "https"):
        return load(os.environ, Path.cwd())
    host, port = reverse.address[:2]
    address = f"[{host}]" if ":" in host else host
    listen = (reverse.listen_host(ctx.options.listen_host) or "0.0.0.0", reverse.listen_port(ctx.options.listen_port))
    return load(
        os.environ,
        Path.cwd(),
        local_base_url=f"{reverse.scheme}://{address}:{port}",
        listen=(listen[0], listen[1] or 8080),
    )
