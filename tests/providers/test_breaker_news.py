"""Who is left alone and who answers again: told once, and at most once a minute for each circuit."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.breaker_news import WORDS, BreakerNews, opened
from providers.failover import Failover
from providers.pool.breaker import Circuit, Permit
from providers.pool.error_class import ErrorClass
from providers.pool.trouble import Trouble

SECOND = 1_000_000  # µs
MINUTE = 60 * SECOND
ONE, OTHER = Circuit("gpu", "http://127.0.0.1:9001"), Circuit("gpu", "http://127.0.0.1:9002")
REFUSED, AUTH = Trouble.REFUSED, Trouble.AUTH


def heard() -> tuple[BreakerNews, list[object]]:
    news, told = BreakerNews(), list[object]()
    news.tell_open = lambda circuit, cause, wait: told.append((circuit, cause, wait))
    news.tell_closed = told.append
    return news, told


def test_an_opening_and_its_closing_are_told_once() -> None:
    news, told = heard()
    for at in (0, 1, MINUTE, 10 * MINUTE):  # the later ones: its probe has failed
        news.opened(ONE, REFUSED, at, at + SECOND)
    news.closed(ONE)
    news.closed(ONE)
    assert told == [(ONE, REFUSED, SECOND), ONE]


def test_one_that_flaps_is_told_once_a_minute() -> None:
    news, told = heard()
    for at in range(0, 2 * MINUTE, SECOND):
        news.opened(ONE, REFUSED, at, at + SECOND)
        news.closed(ONE)
    assert told == [(ONE, REFUSED, SECOND), ONE] * 2


def test_one_that_opens_again_and_stays_open_is_told_after_all() -> None:
    news, told = heard()
    for at in (0, SECOND, MINUTE):
        news.opened(ONE, REFUSED, at, at + SECOND)
        if not at:
            news.closed(ONE)
    assert told == [(ONE, REFUSED, SECOND), ONE, (ONE, REFUSED, SECOND)]


def test_another_cause_is_news_after_a_minute() -> None:
    news, told = heard()
    news.opened(ONE, REFUSED, 0, SECOND)
    news.opened(ONE, AUTH, SECOND, MINUTE)
    news.opened(ONE, AUTH, MINUTE, 3 * MINUTE)
    assert told == [(ONE, REFUSED, SECOND), (ONE, AUTH, 2 * MINUTE)]


def test_servers_are_told_apart_and_a_changed_provider_begins_anew() -> None:
    news, told = heard()
    for circuit in (ONE, OTHER, other := Circuit("other", "x")):
        news.opened(circuit, REFUSED, 0, SECOND)
    news.forget("gpu")
    news.closed(ONE)
    news.opened(ONE, REFUSED, 1, 1 + SECOND)
    news.opened(other, REFUSED, 1, 1 + SECOND)
    assert told == [(ONE, REFUSED, SECOND), (OTHER, REFUSED, SECOND), (other, REFUSED, SECOND), (ONE, REFUSED, SECOND)]


# Whatever happens, a closing follows an opening that was told, and no two openings are within a minute.
@given(st.lists(st.tuples(st.integers(0, 40 * SECOND), st.sampled_from((REFUSED, AUTH, None)))))
def test_pairs_are_pairs(happened: list[tuple[int, Trouble | None]]) -> None:
    news, told, now = BreakerNews(), list[int | None](), 0
    news.tell_open = lambda *_: told.append(now)
    news.tell_closed = lambda _: told.append(None)
    for later, cause in happened:
        now += later
        news.closed(ONE) if cause is None else news.opened(ONE, cause, now, now + SECOND)
    times = [at for at in told if at is not None]
    assert all(after - before >= MINUTE for before, after in pairwise(times))
    assert told[:1] != [None]
    assert (None, None) not in pairwise(told)


def test_nobody_need_be_told() -> None:
    news = BreakerNews()
    news.opened(ONE, AUTH, 0, SECOND)
    news.closed(ONE)


@pytest.mark.parametrize("cause", Trouble)
def test_the_words_say_who_why_and_until_when(cause: Trouble) -> None:
    assert cause in WORDS
    said = opened("gpu (endpoint 2)", cause, 1_200_000)
    assert said.startswith("gpu (endpoint 2) ")
    assert said.endswith(f" ({cause.value}): it is left alone and tried again in 2 s.")


def test_failover_tells_of_its_breakers() -> None:
    shared, told = Failover(), list[object]()
    shared.news.tell_open = lambda circuit, cause, _wait: told.append((circuit, cause))
    shared.news.tell_closed = told.append
    for _ in range(2):
        shared.breakers.refused(ONE, 0)
        assert not told
    shared.breakers.refused(ONE, 0)
    shared.breakers.well("gpu", ONE.endpoint, 1, mark=shared.breakers.mark, was_ill=True)
    assert told == [(ONE, REFUSED), ONE]
    shared.forget("gpu")
    permit = shared.breakers.admit(ONE, 2)
    assert isinstance(permit, Permit)
    shared.breakers.over(permit, ErrorClass.AUTH, 2)
    assert told[2:] == [(ONE, AUTH)]  # within the minute, but of a provider that was changed
