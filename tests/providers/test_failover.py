"""One call's way through its plan: who is asked next, and what the calls after it learn from it."""

from dataclasses import replace

import pytest

from providers.exchange.account import Outcome
from providers.exchange.answer_head import Headers
from providers.exchange.course import Lost, Next
from providers.exchange.plan import Plan, Target
from providers.failover import Course, Failover
from providers.pool.breaker import Circuit, Permit
from providers.pool.error_class import ErrorClass
from providers.pool.retry_budget import FLOOR
from providers.wire.events import Failure
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
    return Plan((TARGET,), "because", later=(lambda: BACKUP,))


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
    plan = Plan((TARGET,), "because", later=(lambda: None, lambda: LAST))
    course, _ = begun(failover(), plan)
    assert course.lost(lost(), 5) == Next(LAST, 0, "refused: next target")


def test_nobody_is_left_when_the_others_cannot_be_asked() -> None:
    course, _ = begun(failover(), Plan((TARGET,), "because", later=(lambda: None,)))
    assert course.lost(lost(), 5) is None


@pytest.mark.parametrize("code", [400, 404, 413, 422])
def test_a_fault_of_the_clients_own_leads_nowhere(code: int) -> None:
    course, _ = begun(failover(), two())
    assert course.lost(status(code), 5) is None


def test_a_prompt_that_is_too_long_goes_to_the_target_that_is_named_for_it() -> None:
    plan = Plan((TARGET,), "because", later=(lambda: BACKUP,), instead={"context_length": (lambda: None, lambda: LAST)})
    course, _ = begun(failover(), plan)
    too_long = lost(TARGET, Outcome.UPSTREAM_HTTP_ERROR, 400, failure=Failure("x", code="context_length_exceeded"))
    assert course.lost(too_long, 5) == Next(LAST, 0, "context_length: named target")
    # The others of the plan are smaller: nobody else is asked.
    assert course.lost(replace(too_long, target=LAST), 6) is None


def test_a_named_target_that_cannot_be_asked_is_none() -> None:
    plan = Plan((TARGET,), "because", instead={"context_length": (lambda: None,)})
    course, _ = begun(failover(), plan)
    too_long = lost(TARGET, Outcome.UPSTREAM_HTTP_ERROR, 400, failure=Failure("x", code="context_length_exceeded"))
    assert course.lost(too_long, 5) is None


def test_an_asked_wait_is_kept_where_there_is_nobody_else() -> None:
    course, _ = begun(failover(), Plan((TARGET,), "because"))
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
    assert begun(shared, Plan((TARGET,), "because"), 8)[1].target is TARGET


def test_if_all_are_left_alone_the_last_one_is_asked() -> None:
    shared = failover()
    for target in (TARGET, BACKUP):
        course, _ = begun(shared, Plan((target,), "because"))
        course.lost(status(429, target, retry_after="30"), 5)
    assert begun(shared, two(), 6)[1].target is BACKUP


def test_if_the_others_cannot_be_asked_the_first_one_is_whatever_its_breaker_says() -> None:
    shared = failover()
    course, _ = begun(shared, Plan((TARGET,), "because"))
    course.lost(status(429, retry_after="30"), 5)
    assert begun(shared, Plan((TARGET,), "because", later=(lambda: None,)), 6)[1] == Next(TARGET, 0, "")


def test_a_repetition_is_not_made_at_a_place_that_others_have_found_broken_meanwhile() -> None:
    shared = failover()
    plan = Plan((TARGET,), "because", later=(lambda: BACKUP,))
    course, _ = begun(shared, plan)
    for _ in range(4):
        other, _ = begun(shared, Plan((TARGET,), "because"))
        other.lost(status(500), 5)
    following = course.lost(status(500), 6)
    assert following is not None
    assert following.target is BACKUP


def test_repetitions_come_out_of_the_providers_budget() -> None:
    shared = failover()
    followed = []
    for _ in range(FLOOR + 2):
        course, _ = begun(shared, Plan((TARGET,), "because"))
        followed.append(course.lost(status(502), 5) is not None)
    assert followed == [True] * FLOOR + [False] * 2


def test_no_wait_passes_the_deadline() -> None:
    course, _ = begun(failover(), Plan((TARGET,), "because"), until=SECOND)
    assert course.lost(status(429, retry_after="2"), 5) is None


def test_a_server_that_loads_its_model_is_waited_for() -> None:
    course, _ = begun(failover(), Plan((TARGET,), "because"))
    loading = lost(TARGET, Outcome.UPSTREAM_HTTP_ERROR, 503, failure=Failure("Loading model", type="unavailable_error"))
    now = 0
    for _ in range(20):  # more often than a call has attempts
        following = course.lost(loading, now)
        assert following is not None
        assert following.target is TARGET
        now += following.wait_us
    assert course.lost(loading, 601 * SECOND) is None


def test_an_answer_that_breaks_off_counts_against_its_provider() -> None:
    shared = failover()
    course, _ = begun(shared, two())
    course.answered(TARGET, 5)
    course.cut(lost(TARGET, Outcome.UPSTREAM_TRUNCATED, 200), 6)
    (state,) = shared.breakers.snapshot(7)
    assert sum(state.counts.values()) == 1


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
