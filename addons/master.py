"""Runs the proxy for `scripts/serve`: mitmproxy's Master with a fixed list of only the addons that are needed.

Walking the 45 built-in addons for each hook is half of the CPU time of a small request; and where no script is
loaded, no script file can be edited or deleted into an open proxy.
"""

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Callable, Mapping

from mitmproxy import ctx, exceptions, http, master
from mitmproxy.addonmanager import AddonManager
from mitmproxy.addons import core, errorcheck, next_layer, proxyserver, save, savehar, serverplayback, tlsconfig
from mitmproxy.options import Options
from mitmproxy.tools.web.master import WebMaster

from addons.chain import make_chain
from addons.process.listener import Listener, modes_for
from addons.relay.hook_dispatch import DirectAddonManager
from providers.registry import Watcher

logger = logging.getLogger(__name__)

Address = tuple[str, int]
# An addon is there if an option of its own is set.
_ON_DEMAND: dict[str, Callable[[], object]] = {
    "save_stream": save.Save,
    "hardump": savehar.SaveHar,
    "server_replay": serverplayback.ServerPlayback,
}


async def run(
    watcher: Watcher,
    *,
    web: bool,
    web_port: int | None,
    verbose: bool,
    options: Mapping[str, str],
    on_ready: Callable[[list[Address], str | None], None],
) -> int:
    """Serve until SIGINT or SIGTERM, let what is in flight end (`addons.process.draining`), and return the exit code.

    ``options`` are mitmproxy's, as ``--set`` writes them; ``on_ready`` is told the addresses once clients can connect,
    and mitmweb's URL with its token.
    """
    _log(verbose)
    chain = make_chain(watcher)
    listener = next(addon for addon in chain if isinstance(addon, Listener))
    chain.append(_Announcer(listener, on_ready))
    proxy = _web_master(chain, web_port) if web else _slim_master(chain, options)
    try:
        proxy.options.update(mode=modes_for(watcher.current))
        proxy.options.set(*(f"{name}={value}" for name, value in options.items()))
    except exceptions.OptionsError as error:
        logger.error("%s", error)
        return 2
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, proxy.shutdown)
    await proxy.run()
    return 0


def _log(verbose: bool) -> None:
    """Log to standard error; mitmproxy's own lines for each connection only where they were asked for."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    logging.getLogger().setLevel(logging.INFO)
    logging.getLogger("mitmproxy").setLevel(logging.INFO if verbose else logging.WARNING)


def _slim_master(chain: list[object], wanted: Mapping[str, str]) -> master.Master:
    proxy = master.Master(Options())
    addons: AddonManager = DirectAddonManager(proxy)
    proxy.addons = addons
    extra = [make() for prefix, make in _ON_DEMAND.items() if any(name.startswith(prefix) for name in wanted)]
    addons.add(core.Core(), proxyserver.Proxyserver(), *chain)
    addons.add(next_layer.NextLayer(), *extra, tlsconfig.TlsConfig(), errorcheck.ErrorCheck())
    return proxy


def _web_master(chain: list[object], web_port: int | None) -> master.Master:
    """Make mitmweb, with our chain where a script would stand and no way to load one."""
    proxy = WebMaster(Options(), with_termlog=False)
    scripts = proxy.addons.get("scriptloader")
    place = proxy.addons.chain.index(scripts)
    proxy.addons.remove(scripts)
    for offset, addon in enumerate(chain):
        proxy.addons.chain.insert(place + offset, proxy.addons.register(addon))
    proxy.options.update(web_host="127.0.0.1", web_port=web_port or 8081, web_open_browser=False)
    return proxy


def _trust_messages() -> None:
    """Leave out what mitmproxy checks in debug mode alone: the type of each field of each request and response.

    ``python -O`` leaves it out, too, but all asserts with it. It takes a tenth of a small request's time (12.2.3,
    measured 2026-11-20).
    """
    http.MessageData.__post_init__ = _unchecked  # type: ignore[method-assign]  # it is there to be left out


def _unchecked(_message: http.MessageData) -> None:
    pass


def _settle_memory() -> None:
    """Take what is loaded out of the garbage collector's sight, and let it look less often.

    A new connection makes some hundred objects that live as long as it does; looking through all of them again and
    again took a sixth of the time of 1,000 streams arriving at once, and costs 3 MiB not to (measured 2026-11-20).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)


class _Announcer:
    """Says where clients can connect, once they can."""

    def __init__(self, listener: Listener, on_ready: Callable[[list[Address], str | None], None]) -> None:
        self._listener = listener
        self._on_ready = on_ready

    async def running(self) -> None:
        """Tell the addresses."""
        await self._listener.opened()
        _settle_memory()
        _trust_messages()
        proxy = ctx.master.addons.get("proxyserver")
        web = ctx.master.web_url if isinstance(ctx.master, WebMaster) else None
        self._on_ready([(address[0], address[1]) for address in proxy.listen_addrs()], web)
