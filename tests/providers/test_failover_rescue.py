"""Who goes on with an answer that broke off."""

from dataclasses import replace

import pytest

from providers.exchange.account import Outcome
from providers.exchange.course import Lost, Next
from providers.exchange.plan import Plan
from providers.wire.events import Failure
from tests.providers.exchange.playbook import TARGET
from tests.providers.test_failover import BACKUP, LAST, UNTIL, begun, failover, lost

CUT = lost(TARGET, Outcome.UPSTREAM_TRUNCATED, 200)
PLAN = Plan(
    TARGET,
    "because",
    later=(lambda: BACKUP, lambda: LAST),
    going_on=(lambda text: replace(BACKUP, body=text.encode()), lambda text: replace(LAST, body=text.encode())),
)
WHY = "cut: the next target goes on with the answer"


def test_the_next_target_is_told_what_was_said() -> None:
    course, _ = begun(failover(), PLAN)
    course.answered(TARGET, 5)
    course.cut(CUT, 6)
    assert course.go_on(CUT, "Hi", 6) == Next(replace(BACKUP, body=b"Hi"), 0, WHY)
    course.cut(replace(CUT, target=BACKUP), 7)
    assert course.go_on(replace(CUT, target=BACKUP), "Hi you", 7) == Next(replace(LAST, body=b"Hi you"), 0, WHY)
    assert course.go_on(replace(CUT, target=LAST), "Hi you", 8) is None  # three attempts are all
    course.over(8)


def test_those_that_cannot_go_on_are_passed_over() -> None:
    course, _ = begun(failover(), replace(PLAN, going_on=(lambda _: None, PLAN.going_on[1])))
    assert course.go_on(CUT, "Hi", 6) == Next(replace(LAST, body=b"Hi"), 0, WHY)
    nobody, _ = begun(failover(), replace(PLAN, going_on=()))
    assert nobody.go_on(CUT, "Hi", 6) is None


def test_whoever_has_failed_of_late_is_passed_over() -> None:
    shared = failover()
    for _ in range(10):
        course, _ = begun(shared, Plan(BACKUP, "because"))
        course.lost(lost(BACKUP), 5)
    course, _ = begun(shared, PLAN, now=6)
    assert course.go_on(CUT, "Hi", 6) == Next(replace(LAST, body=b"Hi"), 0, WHY)


@pytest.mark.parametrize(
    ("after", "now"),
    [
        (CUT, UNTIL),
        (lost(TARGET, Outcome.UPSTREAM_HTTP_ERROR, 200, failure=Failure("no", code="content_filter")), 6),
    ],
)
def test_nobody_goes_on_when_it_is_too_late_or_would_not_be_asked_either(after: Lost, now: int) -> None:
    course, _ = begun(failover(), PLAN)
    assert course.go_on(after, "Hi", now) is None


def test_where_a_named_target_took_over_nobody_goes_on() -> None:
    course, _ = begun(failover(), replace(PLAN, instead={"context_length": (lambda: LAST,)}))
    too_long = lost(TARGET, Outcome.UPSTREAM_HTTP_ERROR, 400, failure=Failure("x", code="context_length_exceeded"))
    assert course.lost(too_long, 5) is not None
    assert course.go_on(replace(CUT, target=LAST), "Hi", 6) is None
