"""Where a target's request goes when its provider has several servers."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from providers.calls import ClientRequest, read_call
from providers.exchange import plan
from providers.failover import Failover
from providers.planning import plan_call
from providers.pool.breaker import Circuit, Permit
from providers.pool.call_facts import CallFacts
from providers.pool.error_class import ErrorClass
from providers.provider import Replica
from providers.registry import Registry, load
from providers.resolve import Target
from providers.targeting import Servers, as_listed
from providers.wire.endpoints import endpoint_of

REGISTRY = """\
providers:
  gpu:
    kind: compatible
    endpoints: [{base_url: "http://127.0.0.1:1/a/v1"}, {base_url: "http://127.0.0.1:2/b/v1"}]
    dialects: [chat]
    api_key: ${GPU_KEY}
  small: {kind: compatible, base_url: "http://127.0.0.1:3/v1", max_in_flight: 2, max_queued: 5}
  plain: {kind: compatible, base_url: "http://127.0.0.1:4/v1"}
"""


@pytest.fixture(name="registry")
def fixture_registry(tmp_path: Path) -> Registry:
    (tmp_path / "registry.yaml").write_text(REGISTRY)
    return load({"GPU_KEY": "key-of-gpu-0123456789"}, tmp_path, root=None)


def target(
    registry: Registry, model: str, servers: Servers = as_listed, path: str = "/v1/chat/completions"
) -> plan.Target:
    endpoint = endpoint_of("POST", path)
    assert endpoint
    body = b'{"model":"%s","max_tokens":1,"messages":[{"role":"user","content":"hi"}]}' % model.encode()
    call = read_call(ClientRequest(endpoint, "x=1", [], body), 1000)
    return plan_call(registry, (), call, id="pb-1", created=1, servers=servers).plan.first


def test_most_providers_share_nothing(registry: Registry) -> None:
    made = target(registry, "plain/m")
    assert (made.servers, made.max_in_flight, made.server) == ((), None, "http://127.0.0.1:4/v1")
    assert target(registry, "demo").server == ""


def test_a_limit_alone_makes_a_server_shared(registry: Registry) -> None:
    made = target(registry, "small/m")
    assert (made.max_in_flight, made.max_queued) == (2, 5)
    assert made.servers == (plan.Server("http://127.0.0.1:3/v1", "http", "127.0.0.1", 3, "/v1/chat/completions?x=1"),)


def test_a_target_leads_to_the_server_that_is_first(registry: Registry) -> None:
    def reversed_order(target: Target, call: CallFacts, model: str) -> Sequence[Replica]:
        assert (call.body["model"], model) == ("gpu/m", "gpu/m")
        return target.provider.replicas[::-1]

    made = target(registry, "gpu/m", reversed_order)
    assert (made.server, made.port, made.path) == ("http://127.0.0.1:2/b/v1", 2, "/b/v1/chat/completions?x=1")
    other = made.at(made.servers[1])
    assert (other.port, other.path, other.body) == (1, "/a/v1/chat/completions?x=1", made.body)


def test_a_translated_call_goes_where_its_translation_belongs(registry: Registry) -> None:
    made = target(registry, "gpu/m", path="/v1/messages")
    assert [server.path for server in made.servers] == ["/a/v1/chat/completions", "/b/v1/chat/completions"]


def test_a_real_program_asks_its_own_clock(registry: Registry) -> None:
    assert [target(registry, "gpu/m", servers).port for servers in [Failover().servers] * 3] == [1, 2, 1]


def test_broken_and_full_servers_are_not_first(registry: Registry) -> None:
    failover = Failover(clock=lambda: 0)
    assert target(registry, "gpu/m", failover.servers).port == 1
    about = Circuit("gpu", "http://127.0.0.1:2/b/v1", "ours")
    while failover.breakers.denied(about, 0) is None:
        permit = failover.breakers.admit(about, 0)
        assert isinstance(permit, Permit)
        failover.breakers.over(permit, ErrorClass.REFUSED, 0)
    assert [target(registry, "gpu/m", failover.servers).port for _ in range(3)] == [1, 1, 1]
    made = target(registry, "small/m", failover.servers)
    for _ in range(3):
        failover.places.enter(made, made.servers, 0, 9, lambda: None)
    assert failover.places.busy("small", made.server) == 3
    assert target(registry, "small/m", failover.servers).servers == made.servers
