"""A key that was changed is gone from memory: nothing that lives on holds its value."""

import asyncio
import gc
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.test import taddons

from addons import configuration as module
from addons.configuration import Configuration
from providers.registry import Registry, Watcher, load
from providers.wire.endpoints import endpoint_of

REGISTRY = """
providers:
  local: {kind: llamacpp, base_url: "http://127.0.0.1:9", api_key: $TURNING_KEY}
  turning: {kind: llamacpp, base_url: "http://127.0.0.1:9", api_key: $TURNING_KEY}
"""


def held(first: bytes, second: bytes) -> list[object]:
    """Every text or bytes in memory that holds both; two halves, so that the question is none of the answers."""
    found: list[object] = []
    for owner in gc.get_objects():
        for value in gc.get_referents(owner):
            text = value.encode("utf-8", "replace") if type(value) is str else value
            if isinstance(text, bytes | bytearray) and first in text and second in text:
                found.append((type(owner), owner if isinstance(owner, dict | list | tuple) else repr(owner)))
    return found


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not done():
            await asyncio.sleep(0.01)


async def use(configuration: Configuration) -> None:
    """Have the key used wherever a configuration's key is: for lists of models, for probes, for plans."""
    await configuration.catalog.refresh()
    endpoint = endpoint_of("POST", "/v1/messages")
    assert endpoint is not None
    await configuration.dialects.know(configuration.registry.providers["turning"], endpoint, (), 1.0)
    assert configuration.registry.resolve("turning/m").targets[0].provider.auth_headers()
    assert configuration.registry.secrets()


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["secret", ".env"])
async def test_a_key_that_was_changed_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(module, "_POLL", 0.01)
    (tmp_path / "registry.yaml").write_text(REGISTRY)
    first, second = secrets.token_hex(12).encode(), secrets.token_hex(12).encode()

    def write(*parts: bytes) -> None:
        (tmp_path / name).write_bytes((b"TURNING_KEY=" if name == ".env" else b"") + b"".join(parts) + b"\n")

    def again() -> Registry:
        return load({} if name == ".env" else {"TURNING_KEY_FILE": name}, tmp_path, root=None)

    write(first, second)
    configuration = Configuration(Watcher(again, again()))
    with taddons.context(Proxyserver(), configuration):
        configuration.running()
        await use(configuration)
        assert held(first, second)  # the search finds what is there
        write(b"a-key-of-another-kind")
        await until(lambda: configuration.registry.generation == 2)
        await use(configuration)
        configuration.done()
        gc.collect()
        assert not held(first, second)
