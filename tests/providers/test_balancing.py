"""The servers of a provider from a real registry, in the order to ask them."""

from collections.abc import Container
from pathlib import Path

import pytest

from providers.balancing import Balancing, is_shared, judges_our_key
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


def test_full_servers_come_after_those_with_room_and_broken_ones_last(registry: Registry) -> None:
    balancing, call = Balancing(), CallFacts(Operation.CHAT, {}, (), lambda: 0)
    one, two = "http://127.0.0.1:5", "http://127.0.0.1:6"

    def order(*, full: tuple[str, ...] = (), broken: tuple[str, ...] = ()) -> list[int]:
        found = balancing.in_order(
            target(registry, "idle/a"), call, "m", in_flight={one: 1, two: 2}, full=full, broken=broken
        )
        return [server.url.port for server in found]

    assert order() == [5, 6]
    assert order(full=(one,)) == [6, 5]
    assert order(broken=(one,)) == [6, 5]
    assert order(full=(one, two)) == [5, 6]
    assert order(full=(one,), broken=(two,)) == [5, 6]
    assert order(full=(two,), broken=(one,)) == [6, 5]
    assert order(broken=(one, two)) == [5, 6]


def test_turns_are_taken_once_a_call(registry: Registry) -> None:
    balancing, call = Balancing(), CallFacts(Operation.CHAT, {}, (), lambda: 0)
    two = "http://127.0.0.1:2"
    found = [
        balancing.in_order(target(registry, "gpu/a"), call, "m", in_flight={}, full=(), broken=())[0].url.port
        for _ in range(6)
    ]
    assert found == [1, 2, 1, 1, 2, 1]
    assert balancing.in_order(target(registry, "gpu/a"), call, "m", in_flight={}, full=(two,), broken=())[0].weight == 2


def test_calls_are_counted_where_there_is_something_to_share(registry: Registry) -> None:
    assert is_shared(target(registry, "gpu/a").provider)
    assert not is_shared(target(registry, "local/x").provider)
    assert not is_shared(target(registry, "demo").provider)
    assert not judges_our_key(target(registry, "local/x").provider)
