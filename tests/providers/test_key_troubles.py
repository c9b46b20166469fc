"""Who refuses our key, or has no more money for us: counted each time, told once an hour."""

import pytest

from providers.exchange.account import Outcome
from providers.key_troubles import NO_KEY, WORDS, KeyTroubles
from providers.pool.error_class import ErrorClass
from tests.providers.exchange.playbook import TARGET
from tests.providers.test_failover import begun, failover, lost, status, two

HOUR = 3_600_000_000  # µs


def noted() -> tuple[KeyTroubles, list[tuple[str, ErrorClass]]]:
    troubles, told = KeyTroubles(), list[tuple[str, ErrorClass]]()
    troubles.tell = lambda provider, kind: told.append((provider, kind))
    return troubles, told


def test_a_trouble_is_counted_each_time_and_told_once_an_hour_for_each_provider() -> None:
    troubles, told = noted()
    for at in (0, 1, HOUR - 1, HOUR, HOUR + 1):
        troubles.note("acme", ErrorClass.AUTH, at)
    troubles.note("acme", ErrorClass.SPEND_LIMIT, HOUR + 2)
    troubles.note("other", ErrorClass.SPEND_LIMIT, 5)
    assert told == [("acme", ErrorClass.AUTH)] * 2 + [("other", ErrorClass.SPEND_LIMIT)]
    assert troubles.counts == {
        ("acme", ErrorClass.AUTH): 5,
        ("acme", ErrorClass.SPEND_LIMIT): 1,
        ("other", ErrorClass.SPEND_LIMIT): 1,
    }


def test_another_key_that_is_bad_too_is_news() -> None:
    troubles, told = noted()
    troubles.note("acme", ErrorClass.AUTH, 0)
    troubles.forget("acme")
    troubles.note("acme", ErrorClass.AUTH, 1)
    assert len(told) == 2
    assert troubles.counts["acme", ErrorClass.AUTH] == 2


@pytest.mark.parametrize("kind", [kind for kind in ErrorClass if kind not in WORDS])
def test_other_failures_are_none(kind: ErrorClass) -> None:
    troubles, told = noted()
    troubles.note("acme", kind, 0)
    assert not told
    assert not troubles.counts


def test_nobody_need_be_told() -> None:
    KeyTroubles().note("acme", ErrorClass.AUTH, 0)


@pytest.mark.parametrize("words", [*WORDS.values(), NO_KEY])
def test_the_words_say_who_and_what_to_do(words: str) -> None:
    assert words.format(provider="acme", key="ACME_KEY").startswith("acme ")


@pytest.mark.parametrize(("code", "kind"), [(401, "auth"), (403, "auth"), (402, "spend_limit")])
def test_a_call_that_goes_elsewhere_leaves_it_noted(code: int, kind: str) -> None:
    shared = failover()
    course, _ = begun(shared, two())
    assert course.lost(status(code), 5) is not None
    assert shared.key_troubles.counts == {(TARGET.provider, kind): 1}


def test_a_call_that_is_told_at_once_leaves_it_noted_and_other_failures_do_not() -> None:
    shared = failover()
    course = shared.course(1)
    course.begin(two(), 0, HOUR)
    assert course.lost(status(401), 5) is None
    course = shared.course(1)
    course.begin(two(), 6, HOUR)
    assert course.lost(lost(outcome=Outcome.UPSTREAM_REFUSED), 7) is None
    assert sum(shared.key_troubles.counts.values()) == 1
