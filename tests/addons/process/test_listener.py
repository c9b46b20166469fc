"""Where clients connect, on real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from mitmproxy import ctx
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.test import taddons

from addons.configuration import Configuration
from addons.process.listener import Listener, modes_for
from providers.registry import Registry, Watcher
from tests.rig import free_port


@asynccontextmanager
async def listening(registry: Registry, mode: list[str]) -> AsyncIterator[Proxyserver]:
    """A proxy with this registry that was started in this mode."""
    configuration = Configuration(Watcher(lambda: registry, registry))
    listener, proxy = Listener(configuration), Proxyserver()
    with taddons.context(proxy, configuration, listener) as context:
        context.options.update(mode=mode)
        try:
            proxy.running()
            listener.running()
            await listener.opened()
            yield proxy
        finally:
            ctx.options.update(server=False)
            await proxy.setup_servers()


def accepts(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        return probe.connect_ex((host, port)) == 0


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.anyio
@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
async def test_both_loopbacks_are_open_whichever_is_asked_for(
    make_registry: Callable[..., Registry], host: str
) -> None:
    if not has_ipv6():
        pytest.skip("this machine has no ::1")
    port = free_port()
    registry = make_registry("{}", PATCHBAY_LISTEN=f"{host}:{port}")
    async with listening(registry, modes_for(registry)):
        assert await asyncio.to_thread(accepts, "127.0.0.1", port)
        assert await asyncio.to_thread(accepts, "::1", port)


@pytest.mark.anyio
async def test_a_proxy_without_a_mode_is_moved_to_our_address(make_registry: Callable[..., Registry]) -> None:
    port = free_port()
    registry = make_registry("{}", PATCHBAY_LISTEN=f"127.0.0.1:{port}")
    async with listening(registry, ["regular"]):
        assert ctx.options.mode == modes_for(registry)
        assert await asyncio.to_thread(accepts, "127.0.0.1", port)


@pytest.mark.anyio
async def test_a_port_in_use_on_the_other_loopback_does_no_harm(make_registry: Callable[..., Registry]) -> None:
    if not has_ipv6():
        pytest.skip("this machine has no ::1")
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        port = taken.getsockname()[1]
        registry = make_registry("{}", PATCHBAY_LISTEN=f"127.0.0.1:{port}")
        async with listening(registry, modes_for(registry)):
            assert await asyncio.to_thread(accepts, "127.0.0.1", port)


@pytest.mark.anyio
async def test_a_burst_of_clients_does_not_wait_for_the_backlog(make_registry: Callable[..., Registry]) -> None:
    """The loop accepts nobody while this runs, so all of them stand in the queue of the sockets."""
    port = free_port()
    registry = make_registry("{}", PATCHBAY_LISTEN=f"127.0.0.1:{port}")
    async with listening(registry, modes_for(registry)):
        clients = [socket.socket() for _ in range(300)]
        try:
            for client in clients:
                client.settimeout(0.5)
                client.connect(("127.0.0.1", port))
        finally:
            for client in clients:
                client.close()


@pytest.mark.anyio
async def test_without_a_task_there_is_nothing_to_wait_for(make_registry: Callable[..., Registry]) -> None:
    registry = make_registry()
    await Listener(Configuration(Watcher(lambda: registry, registry))).opened()
