"""A registry on real files, and a client connection under the relay, without a socket."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from addons.configuration import Configuration
from providers.registry import Registry, Watcher, load
from tests.addons.line import Line

ACME_KEY = "acme-canary-0123456789"
REGISTRY = """
providers:
  local: {kind: llamacpp, base_url: "http://127.0.0.1:8080"}
  acme:
    kind: compatible
    base_url: http://127.0.0.1:9901/v1
    api_key: ${ACME_API_KEY}
    dialects: [chat, messages, responses]
    models: [big-1, org/deep/big-2]
    deadlines: {connect: 1, head: 2, first_content: 3, gap: 4, total: 10}
  chatty: {kind: compatible, base_url: "http://127.0.0.1:9902/v1", dialects: [chat]}
  keyless: {kind: openai, base_url: "http://127.0.0.1:9903/v1"}
models:
  big: acme/big-1
  warm: {target: acme/big-1, params: {temperature: 0.5}}
  mine: local/own.gguf
  chatter: chatty/c
  locked: keyless/x
"""


@pytest.fixture(name="make_registry")
def fixture_make_registry(tmp_path: Path) -> Callable[..., Registry]:
    """Makes registries of this text and these environment variables."""

    def make(text: str = REGISTRY, **environ: str) -> Registry:
        (tmp_path / "registry.yaml").write_text(text)
        return load({"ACME_API_KEY": ACME_KEY, "PATCHBAY_ATTEMPTS": "1", **environ}, tmp_path, root=None)

    return make


@pytest.fixture(name="configure")
def fixture_configure(make_registry: Callable[..., Registry]) -> Callable[..., Configuration]:
    """Makes configurations that hold such a registry."""

    def make(text: str = REGISTRY, **environ: str) -> Configuration:
        registry = make_registry(text, **environ)
        return Configuration(Watcher(lambda: make_registry(text, **environ), registry))

    return make


@pytest.fixture(name="configuration")
def fixture_configuration(configure: Callable[..., Configuration]) -> Configuration:
    return configure()


@pytest.fixture(name="line")
def fixture_line(configuration: Configuration, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    """A client's connection, answered by the chain of addons as it is."""
    assert "ACME_API_KEY" not in os.environ
    with Line(configuration) as line:
        monkeypatch.setattr("addons.clock.now_us", line.now_us)
        yield line
