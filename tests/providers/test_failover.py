"""One call's way through its plan: who is asked next, and what the calls after it learn from it."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from providers.entrance import LOADING_WAIT
from providers.exchange.account import Outcome
from providers.exchange.answer_head import Headers
from providers.exchange.course import Lost, Next
from providers.exchange.plan import Plan, Target
from providers.failover import Course, Failover
from providers.pool.breaker import Circuit, Permit
from providers.pool.call_facts import CallFacts
from providers.pool.error_class import ErrorClass
from providers.pool.retry_budget import FLOOR
from providers.probing import Found, Slots
from providers.provider import Provider
from providers.registry import load
from providers.resolve import Target as Aim
from providers.wire.endpoints import Operation
from providers.wire.events import Failure
from tests.object_graph import leads_to
from tests.providers.exchange.playbook import TARGET

SECOND = 1_000_000  # µs
BACKUP = replace(TARGET, provider="backup", host="backup.example")
LAST = replace(TARGET, provider="last", host="last.example")
UNTIL = 3600 * SECOND


def failover() -> Failover:
    return Failover(chance=lambda: 0.0, wall=lambda: 1_000_000.0)


def begun(shared: Failover, plan: Plan, now: int = 0, until: int = UNTIL) -> tuple[Course, Next]:
    course = shared.course()
    return course, course.begin(plan, now, until)


def lost(
    target: Target = TARGET,
    outcome: Outcome = Outcome.UPSTREAM_REFUSED,
    status: int = 0,
    headers: Headers | None = None,
    failure: Failure | None = None,
) -> Lost:
    sent = outcome is not Outcome.UPSTREAM_REFUSED
    return Lost(target, outcome, status, headers or [], failure, sent, 10_000)


def status(code: int, target: Target = TARGET, **headers: str) -> Lost:
    outcome = Outcome.RATE_LIMITED if code == 429 else Outcome.UPSTREAM_HTTP_ERROR
    told = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return lost(target, outcome, code, told, Failure("said"))


def two() -> Plan:
    return Plan(TARGET, "because", later=(lambda: BACKUP,))


def test_a_healthy_call_leaves_nothing_behind() -> None:
    shared = failover()
    course, first = begun(shared, two())
    assert first == Next(TARGET, 0, "")
    course.answered(TARGET, 1)
    course.left(TARGET, 2)
    assert shared.breakers.snapshot(2) == []


def test_the_next_target_is_asked_at_once_when_the_first_one_is_down() -> None:
    course, _ = begun(failover(), two())
    assert course.lost(lost(), 5) == Next(BACKUP, 0, "refused: next target")
    assert course.lost(lost(BACKUP), 6) == Next(BACKUP, 100_000, "refused: again after 100 ms")
    assert course.lost(lost(BACKUP), 7) is None  # three attempts


def test_targets_that_cannot_be_asked_this_are_passed_over() -> None:
    plan = Plan(TARGET, "because", later=(lambda: None, lambda: LAST))
    course, _ = begun(failover(), plan)
    assert course.lost(lost(), 5) == Next(LAST, 0, "refused: next target")


def test_nobody_is_left_when_the_others_cannot_be_asked() -> None:
    course, _ = begun(failover(), Plan(TARGET, "because", later=(lambda: None,)))
    assert course.lost(lost(), 5) is None


@pytest.mark.parametrize("code", [400, 404, 413, 422])
def test_a_fault_of_the_clients_own_leads_nowhere(code: int) -> None:
    course, _ = begun(failover(), two())
    assert course.lost(status(code), 5) is None


def test_a_prompt_that_is_too_long_goes_to_the_target_that_is_named_for_it() -> None:
    plan = Plan(TARGET, "because", later=(lambda: BACKUP,), instead={"context_length": (lambda: None, lambda: LAST)})
    course, _ = begun(failover(), plan)
    too_long = lost(TARGET, Outcome.UPSTREAM_HTTP_ERROR, 400, failure=Failure("x", code="context_length_exceeded"))
    assert course.lost(too_long, 5) == Next(LAST, 0, "context_length: named target")
    # The others of the plan are smaller: nobody else is asked.
    assert course.lost(replace(too_long, target=LAST), 6) is None


def test_a_named_target_that_cannot_be_asked_is_none() -> None:
    plan = Plan(TARGET, "because", instead={"context_length": (lambda: None,)})
    course, _ = begun(failover(), plan)
    too_long = lost(TARGET, Outcome.UPSTREAM_HTTP_ERROR, 400, failure=Failure("x", code="context_length_exceeded"))
    assert course.lost(too_long, 5) is None


def test_an_asked_wait_is_kept_where_there_is_nobody_else() -> None:
    course, _ = begun(failover(), Plan(TARGET, "because"))
    assert course.lost(status(429, retry_after="7"), 5) == Next(TARGET, 7 * SECOND, "rate_limit: again after 7000 ms")


def test_a_limited_provider_is_left_alone_by_the_next_calls_for_as_long_as_it_asks() -> None:
    shared = failover()
    course, _ = begun(shared, two())
    assert course.lost(status(429, retry_after="30"), 5) == Next(BACKUP, 0, "rate_limit: next target")
    course, first = begun(shared, two(), 6)
    assert first.target is BACKUP
    assert first.why == "acme was passed over: its breaker is open after: rate_limit"
    course.answered(BACKUP, 7)
    assert begun(shared, two(), 31 * SECOND)[1].target is TARGET
    # Nobody else is there: its own answer is better than ours.
    assert begun(shared, Plan(TARGET, "because"), 8)[1].target is TARGET


def test_if_all_are_left_alone_the_last_one_is_asked() -> None:
    shared = failover()
    for target in (TARGET, BACKUP):
        course, _ = begun(shared, Plan(target, "because"))
        course.lost(status(429, target, retry_after="30"), 5)
    assert begun(shared, two(), 6)[1].target is BACKUP


def test_if_the_others_cannot_be_asked_the_first_one_is_whatever_its_breaker_says() -> None:
    shared = failover()
    course, _ = begun(shared, Plan(TARGET, "because"))
    course.lost(status(429, retry_after="30"), 5)
    assert begun(shared, Plan(TARGET, "because", later=(lambda: None,)), 6)[1] == Next(TARGET, 0, "")


def test_a_repetition_is_not_made_at_a_place_that_others_have_found_broken_meanwhile() -> None:
    shared = failover()
    plan = Plan(TARGET, "because", later=(lambda: BACKUP,))
    course, _ = begun(shared, plan)
    for _ in range(4):
        other, _ = begun(shared, Plan(TARGET, "because"))
        other.lost(status(500), 5)
    following = course.lost(status(500), 6)
    assert following is not None
    assert following.target is BACKUP


def test_repetitions_come_out_of_the_providers_budget() -> None:
    shared = failover()
    followed = []
    for _ in range(FLOOR + 2):
        course, _ = begun(shared, Plan(TARGET, "because"))
        followed.append(course.lost(status(502), 5) is not None)
    assert followed == [True] * FLOOR + [False] * 2


def test_no_wait_passes_the_deadline() -> None:
    course, _ = begun(failover(), Plan(TARGET, "because"), until=SECOND)
    assert course.lost(status(429, retry_after="2"), 5) is None


def test_a_server_that_loads_its_model_is_waited_for() -> None:
    course, _ = begun(failover(), Plan(TARGET, "because"))
    loading = lost(TARGET, Outcome.UPSTREAM_HTTP_ERROR, 503, failure=Failure("Loading model", type="unavailable_error"))
    now = 0
    for _ in range(20):  # more often than a call has attempts
        following = course.lost(loading, now)
        assert following is not None
        assert following.target is TARGET
        now += following.wait_us
    assert course.lost(loading, 601 * SECOND) is None
    assert course.again(601 * SECOND) == LOADING_WAIT


def test_an_answer_that_breaks_off_counts_against_its_provider() -> None:
    shared = failover()
    course, _ = begun(shared, two())
    course.answered(TARGET, 5)
    course.cut(lost(TARGET, Outcome.UPSTREAM_TRUNCATED, 200), 6)
    (state,) = shared.breakers.snapshot(7)
    assert sum(state.counts.values()) == 1


def test_a_provider_that_breaks_off_every_answer_is_left_alone_though_each_begins_well() -> None:
    shared = failover()
    for now in range(0, 40, 4):
        course, first = begun(shared, two(), now)
        if first.target is BACKUP:
            return
        course.answered(TARGET, now + 1)
        course.cut(lost(TARGET, Outcome.UPSTREAM_TRUNCATED, 200), now + 2)
        course.over(now + 3)
    pytest.fail("ten broken answers, and it is still asked first")


def test_an_answer_that_ends_well_makes_up_for_what_was_before() -> None:
    shared = failover()
    course, _ = begun(shared, two())
    course.answered(TARGET, 5)
    course.cut(lost(TARGET, Outcome.UPSTREAM_TRUNCATED, 200), 6)
    course.over(7)
    course, _ = begun(shared, two(), 8)
    course.answered(TARGET, 9)
    assert sum(shared.breakers.snapshot(9)[0].counts.values()) == 1
    course.over(10)
    assert sum(shared.breakers.snapshot(11)[0].counts.values()) == 0


def test_a_client_that_leaves_says_nothing_of_the_provider() -> None:
    shared = failover()
    course, _ = begun(shared, two())
    course.left(TARGET, 5)
    assert shared.breakers.snapshot(6) == []


def test_a_target_whose_breaker_has_opened_meanwhile_is_left() -> None:
    shared = failover()
    course, _ = begun(shared, two())
    while True:
        permit = shared.breakers.admit(Circuit("acme", "", "ours"), 1)
        if not isinstance(permit, Permit):
            break
        shared.breakers.over(permit, ErrorClass.SERVER_ERROR, 1)
    following = course.lost(status(500), 2)
    assert following is not None
    assert following.target is BACKUP
    assert ", but its breaker is open" in following.why


def refused_for_good(shared: Failover, *targets: Target) -> Course:
    """A call that nobody took, after enough others that all breakers are open."""
    for target in targets:
        for _ in range(3):
            course, _ = begun(shared, Plan(target, "because"))
            course.lost(lost(target), 5)
    later = tuple(partial(itself, target) for target in targets[1:])
    course, first = begun(shared, Plan(targets[0], "because", later=later))
    following: Next | None = first
    while following is not None:
        following = course.lost(lost(following.target), 5)
    return course


def itself(target: Target) -> Target | None:
    return target


def test_when_nobody_takes_a_call_the_first_breaker_says_when_to_come_back() -> None:
    shared = failover()
    assert refused_for_good(shared, TARGET).again(5) == 1
    assert refused_for_good(shared, TARGET, BACKUP).again(SECOND // 2 + 5) == 0.5
    course, _ = begun(shared, Plan(LAST, "because"))
    assert course.again(5) is None
    course.lost(status(400, LAST), 5)
    assert course.again(5) is None  # that is no matter of time
    course, _ = begun(shared, Plan(LAST, "because"))
    course.lost(status(503, LAST, retry_after="30"), 5)
    assert course.again(5) == 30


def test_those_who_were_passed_over_count_too() -> None:
    shared = failover()
    refused_for_good(shared, TARGET)
    refused_for_good(shared, BACKUP)
    later = (partial(itself, BACKUP), partial(itself, LAST))
    course, first = begun(shared, Plan(TARGET, "because", later=later), 6)
    assert first.target is LAST
    course.lost(status(503, LAST, retry_after="30"), 6)
    assert course.again(5) == 1


def test_whoever_is_asked_is_in_use() -> None:
    shared, used = failover(), list[str]()
    shared.probing.used = lambda provider, now: used.append(provider)  # type: ignore[method-assign]  # an ear
    course, _ = begun(shared, two())
    course.lost(lost(), 5)
    assert used == ["acme", "backup"]


REGISTRY = """
providers:
  gpu:
    kind: llamacpp
    endpoints: [{base_url: "http://127.0.0.1:1"}, {base_url: "http://127.0.0.1:2"}, {base_url: "http://127.0.0.1:3"}]
    balance: least_busy
    api_key: ${GPU_KEY}
"""


def aim(folder: Path) -> Aim:
    (folder / "registry.yaml").write_text(REGISTRY, encoding="utf-8")
    return load({"GPU_KEY": "old-key-0123456789"}, folder, root=None).resolve("gpu/m").targets[0]


def order(shared: Failover, to: Aim) -> list[int]:
    call = CallFacts(Operation.CHAT, {}, (), lambda: 0)
    return [server.url.port for server in shared.servers(to, call, "m")]


def probe(shared: Failover, provider: Provider, *found: tuple[Found, Slots | None]) -> None:
    shared.probing.used(provider.name, 0)
    shared.probing.due([provider], 600 * SECOND, 0)
    probes = shared.probing.due([provider], 600 * SECOND, 10 * SECOND)
    assert probes is not None
    for one, (what, slots) in zip(probes, found, strict=True):
        shared.probing.over(one, what, 1, 10 * SECOND, slots)


def test_what_probes_saw_counts_in_the_order(tmp_path: Path) -> None:
    shared, to = Failover(chance=lambda: 0.0, clock=lambda: 11 * SECOND), aim(tmp_path)
    well = Found.WELL
    probe(shared, to.provider, (well, Slots(4, 3)), (Found.LOADING, None), (well, Slots(4, 1)))
    assert [order(shared, to) for _ in range(2)] == [[3, 1, 2]] * 2


def test_who_answers_a_call_is_not_said_to_be_away(tmp_path: Path) -> None:
    shared, provider = Failover(chance=lambda: 0.0), aim(tmp_path).provider
    probe(shared, provider, *[(Found.AWAY, None)] * 3)
    course, _ = begun(shared, two())
    first, second, _ = provider.replicas
    course.answered(replace(TARGET, provider="gpu", server=first.name), 11 * SECOND)
    assert shared.probing.seen("gpu", first.name) is None
    assert shared.probing.seen("gpu", second.name) is not None


def test_a_provider_that_was_changed_begins_anew_and_nothing_of_it_is_kept(tmp_path: Path) -> None:
    shared = Failover(chance=lambda: 0.0, clock=lambda: 11 * SECOND)
    to = aim(tmp_path)
    order(shared, to)
    probe(shared, to.provider, *[(Found.AWAY, None)] * 3)
    circuit = Circuit("gpu", to.provider.replicas[0].name, "ours")
    shared.breakers.over(Permit(circuit, shared.breakers.mark), ErrorClass.AUTH, 0)
    shared.called("gpu", 0)
    assert shared.breakers.denied(circuit, 1) is not None
    assert leads_to(shared, to.provider.key)
    shared.forget("gpu")
    assert shared.breakers.denied(circuit, 1) is None
    assert shared.probing.seen("gpu", circuit.endpoint) is None
    assert not leads_to(shared, to.provider)
    assert not leads_to(shared, to.provider.key)


def test_repetitions_that_the_budget_does_not_allow_are_counted_for_good() -> None:
    shared = failover()
    for at in range(FLOOR + 2):
        course, _ = begun(shared, Plan(TARGET, "because"), at)
        course.lost(lost(), at)
        shared.breakers.forget(TARGET.provider)
    assert shared.budgets_exhausted() == {TARGET.provider: 2}
    shared.forget(TARGET.provider)
    assert shared.budgets_exhausted() == {TARGET.provider: 2}
    course, _ = begun(shared, Plan(TARGET, "because"), 9)
    assert course.lost(lost(), 9) is not None  # the provider begins anew
