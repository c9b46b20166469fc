"""Endpoints in turns, by load and by what sticks to them: exact shares, nobody busier, nothing that wanders."""

from collections import Counter
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from providers.pool.balance import Balancer, score


@dataclass(frozen=True)
class Server:
    name: str
    weight: int = 1


A, B, C = Server("a", 3), Server("b"), Server("c")
SERVERS = st.lists(st.integers(1, 7), min_size=1, max_size=5).map(
    lambda weights: [Server(f"http://{number}", weight) for number, weight in enumerate(weights)]
)


def names(balancer: Balancer, servers: list[Server], calls: int) -> str:
    return "".join(balancer.order(servers, in_flight={})[0].name for _ in range(calls))


def test_turns_are_spread_evenly() -> None:
    assert names(Balancer(), [Server("a", 5), B, C], 7) == "aabacaa"
    assert names(Balancer(), [B, C], 4) == "bcbc"


def test_all_follow_the_first_so_that_a_refused_call_can_go_on() -> None:
    assert [server.name for server in Balancer().order([A, B, C], in_flight={})] == ["a", "b", "c"]
    busy = {"a": 9, "b": 1, "c": 5}
    assert [server.name for server in Balancer("least_busy").order([A, B, C], in_flight=busy)] == ["b", "a", "c"]


def test_excluded_ones_are_skipped() -> None:
    balancer = Balancer()
    assert balancer.order([A, B, C], in_flight={}, excluded={"a", "c"}) == [B]
    assert balancer.order([A, B], in_flight={}, excluded={"a", "b"}) == []
    assert balancer.order([A, B, C], in_flight={}, excluded={"a"}, key="x")[0] in (B, C)
    assert balancer.order([A], in_flight={}) == [A]


def test_idle_ones_take_turns_by_weight_under_least_busy() -> None:
    assert names(Balancer("least_busy"), [Server("a"), B], 4) == "abab"
    assert names(Balancer("least_busy"), [A, B], 3) == "aaa"  # 1/3 of a's, all of b's


# Over a cycle each endpoint gets exactly its weight, in every cycle.
@given(SERVERS, st.integers(1, 3))
def test_weights_are_respected_exactly(servers: list[Server], cycles: int) -> None:
    balancer, cycle = Balancer(), sum(server.weight for server in servers)
    for _ in range(cycles):
        counts = Counter(balancer.order(servers, in_flight={})[0].name for _ in range(cycle))
        assert counts == {server.name: server.weight for server in servers}


# Whoever is excluded on the way: no endpoint that is there is passed over for longer than two cycles.
@given(SERVERS, st.lists(st.sets(st.integers(0, 4)), max_size=30))
def test_nobody_starves(servers: list[Server], exclusions: list[set[int]]) -> None:
    balancer, cycle = Balancer(), sum(server.weight for server in servers)
    for excluded in exclusions:
        out = {f"http://{number}" for number in excluded}
        order = balancer.order(servers, in_flight={}, excluded=out)
        assert {server.name for server in order} == {server.name for server in servers} - out
    picked = {balancer.order(servers, in_flight={})[0].name for _ in range(2 * cycle)}
    assert picked == {server.name for server in servers}


# Least busy never picks an endpoint that would have more to do for its weight than another.
@given(SERVERS, st.lists(st.integers(0, 9), min_size=5, max_size=5), st.sets(st.integers(0, 4)))
def test_least_busy_never_picks_a_busier_one(servers: list[Server], calls: list[int], excluded: set[int]) -> None:
    in_flight = {f"http://{number}": count for number, count in enumerate(calls)}
    out = {f"http://{number}" for number in excluded}
    order = Balancer("least_busy").order(servers, in_flight=in_flight, excluded=out)
    assert sorted(order, key=str) == sorted((server for server in servers if server.name not in out), key=str)
    for other in order[1:]:
        first = order[0]
        assert (in_flight[first.name] + 1) * other.weight <= (in_flight[other.name] + 1) * first.weight


# Placed by load, the calls in flight follow the weights: none would have had less load with one of another's calls.
@given(SERVERS, st.integers(1, 40))
def test_least_busy_fills_by_weight(servers: list[Server], calls: int) -> None:
    balancer, in_flight = Balancer("least_busy"), Counter[str]()
    for _ in range(calls):
        in_flight[balancer.order(servers, in_flight=in_flight)[0].name] += 1
    for server in servers:
        for other in servers:
            assert in_flight[server.name] * other.weight <= (in_flight[other.name] + 1) * server.weight


# What sticks stays: an endpoint that goes takes only its own keys along, and they come back with it.
@given(SERVERS, st.lists(st.text(min_size=1), min_size=1, max_size=20), st.integers(0, 4))
def test_sticky_is_stable_when_others_come_and_go(servers: list[Server], keys: list[str], gone: int) -> None:
    balancer, out = Balancer(), {f"http://{gone}"}
    for key in keys:
        before = balancer.order(servers, in_flight={}, key=key)
        without = balancer.order(servers, in_flight={}, key=key, excluded=out)
        assert without == [server for server in before if server.name not in out]
        assert balancer.order(list(reversed(servers)), in_flight={}, key=key) == before
        assert Balancer("least_busy").order(servers, in_flight={before[0].name: 99}, key=key) == before


def test_keys_are_shared_out_by_weight() -> None:
    balancer, keys = Balancer(), [f"session-{number}" for number in range(4000)]
    counts = Counter(balancer.order([A, B], in_flight={}, key=key)[0].name for key in keys)
    assert 0.72 < counts["a"] / len(keys) < 0.78


def test_sticky_calls_do_not_use_up_turns() -> None:
    balancer = Balancer()
    balancer.order([B, C], in_flight={}, key="x")
    assert names(balancer, [B, C], 2) == "bc"


# A score is a positive number, whatever the key.
@given(st.text(), st.integers(1, 1000))
def test_scores_are_positive(key: str, weight: int) -> None:
    assert 0 < score(key, Server("a", weight)) < float("inf")
