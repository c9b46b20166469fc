"""Configuration: the registry in force, read again while the program runs.

Strategy: the files are looked at a few times a second, on the event loop, which costs microseconds. What has changed is
read on another thread, since a long registry takes some hundred milliseconds and streams must go on meanwhile. SIGHUP
has everything read at once, changed or not.
"""

import asyncio
import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from mitmproxy import ctx
from mitmproxy.addonmanager import Loader
from mitmproxy.proxy.mode_specs import ProxyMode, ReverseMode

from addons.options import FLOW_BODY_LIMIT, declare
from addons.process.hangup import Hangup
from providers import breaker_news
from providers.catalog import Catalog
from providers.client import Client
from providers.dialect_probe import DialectProbe
from providers.errors import ConfigurationError
from providers.failover import Failover
from providers.fetching import Fetcher
from providers.key_troubles import NO_KEY, WORDS
from providers.pool.breaker import Circuit
from providers.pool.error_class import ErrorClass
from providers.pool.trouble import Trouble
from providers.registry import Registry, Watcher, load

logger = logging.getLogger(__name__)

_POLL = 0.25  # seconds: an edit is picked up within twice this, what was deleted and comes back within 2 s

# Settings that the record is opened with.
_AT_START = ("bodies", "retention_days", "retention_bytes")


class Configuration:
    """Holds the registry. Given one (`scripts/serve`), it only watches it; else it loads it as mitmproxy starts.

    ``registry`` is the one in force, and missing where none could be loaded; a call keeps the one it began with.
    """

    registry: Registry
    flow_body_limit: int = FLOW_BODY_LIMIT.default

    @property
    def edit_refused(self) -> bool:
        """Whether the files now say something that is not usable, so that what they said before holds."""
        return self.refusal is not None

    @property
    def refusal(self) -> str | None:
        """Why the last edit was refused, for the owner of the files: it may quote them, by their bare names.

        None where it was not.
        """
        if self._watcher is None or self._watcher.error is None:
            return None
        said = self._watcher.error
        for folder in {f"{file.parent}{os.sep}" for file in self._watcher.current.files}:
            said = said.replace(folder, "")
        return said

    @property
    def reload_failures(self) -> int:
        """How many edits were refused since the start."""
        return 0 if self._watcher is None else self._watcher.refused

    def configure(self, updated: set[str]) -> None:
        """Keep our option at hand: mitmproxy copies an option each time it is read."""
        if FLOW_BODY_LIMIT.name in updated:
            self.flow_body_limit = getattr(ctx.options, FLOW_BODY_LIMIT.name)

    def __init__(self, watcher: Watcher | None = None) -> None:
        self._watcher = watcher
        if watcher is not None:
            self.registry = watcher.current
        self._told = 0
        self._task: asyncio.Task[None] | None = None
        self._asked = asyncio.Event()
        self._hangup = Hangup(self._asked.set)
        self.client = Client()
        self.dialects = DialectProbe(self.client, logger.info)
        self.fetcher = Fetcher(self.client)
        self.failover = Failover()
        self.failover.key_troubles.tell = self._tell_key_trouble
        self.failover.news.tell_open, self.failover.news.tell_closed = self._tell_open, self._tell_closed
        self.catalog = Catalog(lambda: self.registry, self.client, on_unreachable=self.dialects.forget)

    def load(self, loader: Loader) -> None:
        """Read the configuration before anything is served."""
        declare(loader)
        self._hangup.listen()  # before a port is open: unheard, the signal would end us
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
            self._task = asyncio.get_running_loop().create_task(self._watch(self._watcher))

    async def _watch(self, watcher: Watcher) -> None:
        await self.catalog.know_local(0)
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), _POLL)
            if self._asked.is_set() or watcher.is_edited():
                self._asked.clear()  # before reading: who asks from now on means what is written from now on
                await self._read_again(watcher)

    async def _read_again(self, watcher: Watcher) -> None:
        try:
            edited = await asyncio.to_thread(watcher.read_again)
            if edited is not None:
                self._take_up(edited)
        except (
            Exception
        ) as error:  # whatever a file holds, and whatever we did wrong: the next edit is read all the same
            logger.exception("An edit of the configuration could not be taken up.")
            watcher.refuse(f"{type(error).__name__}; the configuration stays as it was")
        if watcher.refused != self._told:
            self._told = watcher.refused
            logger.error("The edited configuration is refused: %s", watcher.error)

    def _take_up(self, edited: Registry) -> None:
        """From now on the edited registry holds; calls in flight keep theirs."""
        before, self.registry = self.registry, edited
        logger.info("The configuration was read again (generation %d).", edited.generation)
        for line in _news(before, edited):
            logger.warning(line)
        for name, provider in before.providers.items():
            if edited.providers.get(name) != provider:  # what it did with another key or at another place says nothing
                self._forget(name)
        if edited.settings.max_body_bytes != before.settings.max_body_bytes:
            ctx.options.update(body_size_limit=str(edited.settings.max_body_bytes))

    def _forget(self, name: str) -> None:
        """Let go of what is known of a provider that was changed; its old key stands in some of it."""
        now = self.registry.providers.get(name)
        self.failover.forget(name, [server.name for server in now.replicas] if now is not None else [])
        self.catalog.forget(name)
        self.dialects.let_go(name)

    def _tell_key_trouble(self, name: str, kind: ErrorClass) -> None:
        """Warn of a key that its provider does not take, by its variable's name; of one in the registry now."""
        provider = self.registry.providers.get(name)
        if provider is not None:
            words = WORDS[kind] if provider.key else NO_KEY
            logger.warning(words.format(provider=name, key=provider.key_name))

    def _tell_open(self, circuit: Circuit, cause: Trouble, wait_us: int) -> None:
        """Warn that a provider, or one of its servers, is left alone for a while."""
        logger.warning(breaker_news.opened(self._who(circuit), cause, wait_us))

    def _tell_closed(self, circuit: Circuit) -> None:
        """Say so when it is over, as loudly: who read the one waits for the other."""
        logger.warning(breaker_news.AGAIN.format(who=self._who(circuit)))

    def _who(self, circuit: Circuit) -> str:
        """Name a server by its number, where there are several; never by its address."""
        provider = self.registry.providers.get(circuit.provider)
        servers = [] if provider is None else [server.name for server in provider.replicas]
        if len(servers) < 2 or circuit.endpoint not in servers:
            return circuit.provider
        return f"{circuit.provider} (endpoint {servers.index(circuit.endpoint) + 1})"

    def done(self) -> None:
        """Stop watching."""
        if self._task is not None:
            self._task.cancel()


def _news(before: Registry, after: Registry) -> Iterator[str]:
    """Yield what an edit has done beside what it says: providers that came or went, and what waits for a restart."""
    yield from (notice for notice in after.notices if notice not in before.notices)
    for name, provider in after.providers.items():
        was = before.providers.get(name)
        if was is not None and provider.problem != was.problem:
            yield f"{name} cannot be used now: {provider.problem}" if provider.problem else f"{name} can be used now"
    stale = [name for name in ("listen", "database") if getattr(before, name) != getattr(after, name)]
    stale += [name for name in _AT_START if getattr(before.settings, name) != getattr(after.settings, name)]
    if stale:
        yield f"{', '.join(stale)}: the edit counts from the next start"


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
