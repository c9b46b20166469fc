"""A key is changed while we run: what was known of the provider is forgotten, and the old key is kept nowhere."""

import asyncio
from pathlib import Path

import httpx
import pytest
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.test import taddons

from addons import configuration as module
from addons.configuration import Configuration
from providers.entrance import key_name
from providers.pool.breaker import Circuit, Permit
from providers.pool.call_facts import CallFacts
from providers.pool.error_class import ErrorClass
from providers.probing import Found
from providers.provider import Provider
from providers.registry import Registry, Watcher, load
from providers.wire.endpoints import Operation, endpoint_of
from tests.object_graph import leads_to

OLD, NEW = "GPU_KEY=old-key-0123456789\n", "GPU_KEY=new-key-0123456789\n"
REGISTRY = """
providers:
  gpu:
    kind: llamacpp
    endpoints: [{base_url: "http://one:1"}, {base_url: "http://two:2"}]
    api_key: ${GPU_KEY}
"""


@pytest.fixture(name="configuration")
def fixture_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configuration:
    (tmp_path / "registry.yaml").write_text(REGISTRY)
    (tmp_path / ".env").write_text(OLD)
    monkeypatch.setattr(module, "_POLL", 0.01)

    def again() -> Registry:
        return load({}, tmp_path, root=None)

    made = Configuration(Watcher(again, again()))
    answers = httpx.MockTransport(lambda request: httpx.Response(200, json={"data": [{"id": "m"}]}))
    monkeypatch.setattr(made.client, "_transport", answers)
    return made


def gpu(configuration: Configuration) -> Provider:
    return configuration.registry.providers["gpu"]


def circuits(provider: Provider) -> list[Circuit]:
    return [Circuit(provider.name, server.name, key_name(ours=True)) for server in provider.replicas]


async def use(configuration: Configuration) -> None:
    """Have everything known of the provider that calls, probes and questions may find out."""
    failover, provider = configuration.failover, gpu(configuration)
    messages = endpoint_of("POST", "/v1/messages")
    assert messages is not None
    await configuration.catalog.refresh()
    await configuration.dialects.know(provider, messages, [], 5)
    target = configuration.registry.resolve("gpu/m").targets[0]
    failover.servers(target, CallFacts(Operation.CHAT, {}, (), lambda: 0), "m")
    failover.called("gpu", 0)
    failover.probing.due([provider], 10**9, 0)
    probes = failover.probing.due([provider], 10**9, 10**7)
    assert probes is not None
    failover.probing.over(probes[0], Found.WELL, 1, 10**7)
    for circuit in circuits(provider):
        failover.breakers.over(Permit(circuit, failover.breakers.mark), ErrorClass.AUTH, 10**7)


@pytest.mark.anyio
@pytest.mark.parametrize("gone", [False, True], ids=["rotated", "taken out"])
async def test_nothing_is_kept_of_a_key_that_was_changed(
    configuration: Configuration, tmp_path: Path, gone: bool
) -> None:
    with taddons.context(Proxyserver(), configuration):
        await use(configuration)
        old = gpu(configuration)
        assert leads_to(configuration.failover, old.key)
        assert leads_to(configuration.catalog, old.key)
        assert leads_to(configuration.dialects, old.key)
        assert all(configuration.failover.breakers.denied(circuit, 10**7) for circuit in circuits(old))
        configuration.running()
        if gone:
            (tmp_path / "registry.yaml").write_text("providers: {}\n")
        (tmp_path / ".env").write_text(NEW)
        async with asyncio.timeout(5):
            while configuration.registry.providers.get("gpu") == old:
                await asyncio.sleep(0.01)
        assert not any(configuration.failover.breakers.denied(circuit, 10**7) for circuit in circuits(old))
        assert not leads_to(configuration, old.key)
        assert not leads_to(configuration, old)
        configuration.done()
