"""Whose word counts when a target has failed, and a short wait that is kept although somebody else stands ready."""

from dataclasses import replace

from providers.exchange.account import Outcome
from providers.exchange.course import Next
from providers.exchange.plan import Plan
from tests.providers.exchange.playbook import TARGET
from tests.providers.test_failover import BACKUP, LAST, begun, failover, lost, status

SHORT = 200_000  # µs


def test_a_target_with_words_of_its_own_goes_by_them() -> None:
    own = replace(BACKUP, instead={"stall": (lambda: LAST,)})
    plan = Plan(TARGET, "because", later=(lambda: own,), instead={"dns": (lambda: None,)})
    course, _ = begun(failover(), plan)
    assert course.lost(lost(), 5) == Next(own, 0, "refused: next target")
    stalled = lost(own, Outcome.UPSTREAM_TIMEOUT_FIRST_BYTE)
    assert course.lost(stalled, 6) == Next(LAST, 0, "stall: named target")


def test_a_short_wait_is_kept_before_another_target_is_asked() -> None:
    shared = failover()
    plan = Plan(TARGET, "because", later=(lambda: BACKUP,))
    course, _ = begun(shared, plan)
    assert course.lost(status(429, retry_after_ms="200"), 5) == Next(TARGET, SHORT, "rate_limit: again after 200 ms")
    # Others do not wait with it.
    assert begun(shared, plan, 6)[1].target is BACKUP
    course.answered(TARGET, SHORT + 6)
    assert begun(shared, plan, SHORT + 7)[1].target is TARGET
