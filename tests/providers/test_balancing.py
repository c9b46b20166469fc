"""The servers of a provider from a real registry, in the order to ask them."""

from collections.abc import Container
from pathlib import Path

import pytest

from providers.balancing import Balancing
from providers.pool.call_facts import CallFacts
from providers.registry import Registry, load
from providers.resolve import Target
from providers.wire.endpoints import Operation

REGISTRY = """\
providers:
  gpu:
    kind: llamacpp
    endpoints: [{base_url: "http://127.0.0.1:1", weight: 2}, {base_url: "http://127.0.0.1:2"}]
  kept:
    kind: llamacpp
    endpoints: [{base_url: "http://127.0.0.1:3"}, {base_url: "http://127.0.0.1:4"}]
    sticky: session
  idle:
    kind: llamacpp
    endpoints: [{base_url: "http://127.0.0.1:5"}, {base_url: "http://127.0.0.1:6"}]
    balance: least_busy
"""


def load_from(folder: Path, text: str = REGISTRY) -> Registry:
    (folder / "registry.yaml").write_text(text, encoding="utf-8")
    return load({}, folder, root=None)


@pytest.fixture(name="registry")
def fixture_registry(tmp_path: Path) -> Registry:
    return load_from(tmp_path)


def target(registry: Registry, name: str) -> Target:
    return registry.resolve(name).targets[0]


def ports(balancing: Balancing, to: Target, session: str = "", *, excluded: Container[str] = ()) -> list[int]:
    body: dict[str, object] = {"prompt_cache_key": session}
    call = CallFacts(Operation.CHAT, body, (), lambda: 0)
    busy = {"http://127.0.0.1:5": 2, "http://127.0.0.1:6": 1}
    return [server.url.port for server in balancing.servers(to, call, "m", in_flight=busy, excluded=excluded)]


def test_servers_take_turns_until_the_registry_changes_them(registry: Registry, tmp_path: Path) -> None:
    balancing, gpu = Balancing(), target(registry, "gpu/a")
    assert [ports(balancing, gpu)[0] for _ in range(5)] == [1, 2, 1, 1, 2]
    again = load_from(tmp_path, REGISTRY + "models: {more: local}\n")
    assert ports(balancing, target(again, "gpu/a")) == [1, 2]
    changed = load_from(tmp_path, REGISTRY.replace("weight: 2", "weight: 1"))
    assert [ports(balancing, target(changed, "gpu/a"))[0] for _ in range(2)] == [1, 2]


def test_excluded_ones_are_skipped(registry: Registry) -> None:
    assert ports(Balancing(), target(registry, "gpu/a"), excluded={"http://127.0.0.1:1"}) == [2]


def test_the_least_busy_one_is_first(registry: Registry) -> None:
    assert ports(Balancing(), target(registry, "idle/a")) == [6, 5]


def test_a_session_stays_where_it_is(registry: Registry) -> None:
    balancing, kept = Balancing(), target(registry, "kept/a")
    assert len({ports(balancing, kept, "s")[0] for _ in range(6)}) == 1
    assert {ports(balancing, kept)[0] for _ in range(2)} == {3, 4}


def test_one_address_is_asked_unless_it_is_excluded(registry: Registry) -> None:
    local = target(registry, "local/x")
    assert ports(Balancing(), local) == [8080]
    assert ports(Balancing(), local, excluded={"http://127.0.0.1:8080"}) == []
    assert ports(Balancing(), target(registry, "demo")) == []
