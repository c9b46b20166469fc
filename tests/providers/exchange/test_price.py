"""Tokens into dollars: by hand, and what is true of any price."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.exchange.price import Price, Rates, rates
from providers.wire.events import Usage

# Claude Sonnet 4.5's, whose prompts of more than 200,000 tokens cost more.
SHORT = rates(3.0, 15.0, cache_read=0.3, cache_write=3.75, cache_write_1h=6.0, search=10.0)
LONG = rates(6.0, 22.5, cache_read=0.6, cache_write=7.5, cache_write_1h=12.0, search=10.0)
SONNET = Price(SHORT, "genai-prices", ((200_000, LONG),))
# Thoughts at a price of their own, and so much for each call.
ODD = Price(rates(2.0, 8.0, reasoning=3.0, request=5.0), "genai-prices")

COUNT = st.none() | st.integers(0, 10**7)
RATE = st.floats(0, 1000)
USED = st.builds(Usage, COUNT, COUNT, COUNT, COUNT, COUNT, COUNT, COUNT)
RATES = st.builds(
    rates, RATE, RATE, cache_read=RATE, cache_write=RATE, cache_write_1h=RATE, reasoning=RATE, search=RATE, request=RATE
)


@pytest.mark.parametrize(
    ("price", "used", "expected"),
    [
        (SONNET, Usage(1000, 500), 0.003 + 0.0075),
        (SONNET, Usage(1000, 0, cache_read=800), 200 * 3e-6 + 800 * 0.3e-6),
        (SONNET, Usage(1000, 0, cache_write=600), 400 * 3e-6 + 600 * 3.75e-6),
        (SONNET, Usage(1000, 0, cache_write=600, cache_write_1h=500), 400 * 3e-6 + 100 * 3.75e-6 + 500 * 6e-6),
        (SONNET, Usage(1000, 9, 300, 600), 100 * 3e-6 + 300 * 0.3e-6 + 600 * 3.75e-6 + 9 * 15e-6),
        (SONNET, Usage(1000, 500, reasoning=400), 0.003 + 0.0075),  # thoughts are a part of the answer
        (SONNET, Usage(200_000, 10), 0.6 + 150e-6),
        (SONNET, Usage(200_001, 10), 200_001 * 6e-6 + 10 * 22.5e-6),
        (SONNET, Usage(300_000, 10, 250_000, 40_000), 10_000 * 6e-6 + 0.15 + 0.3 + 10 * 22.5e-6),
        (SONNET, Usage(1000, 0, searches=3), 0.003 + 0.03),
        (SONNET, Usage(1000, None), 0.003),  # an embedding has no answer to count
        (SONNET, Usage(0, 0), 0.0),
        (SONNET, Usage(None, 500), None),
        (SONNET, Usage(), None),
        (SONNET, Usage(10, 0, cache_read=99), 10 * 0.3e-6),  # more cached than there was: never below zero
        (SONNET, Usage(10, 2, reasoning=99), 10 * 3e-6 + 2 * 15e-6),
        (SONNET, Usage(10, 0, cache_write_1h=4), 6 * 3e-6 + 4 * 6e-6),  # the parts without their sum
        (ODD, Usage(1000, 500, reasoning=400), 0.002 + 100 * 8e-6 + 400 * 3e-6 + 0.005),
        (ODD, Usage(1000, 0, cache_read=500, cache_write=500, cache_write_1h=100), 0.002 + 0.005),
        (ODD, Usage(1000, 0, searches=1), None),
    ],
)
def test_by_hand(price: Price, used: Usage, expected: float | None) -> None:
    assert price.cost(used) == (None if expected is None else pytest.approx(expected))


def test_what_is_kept_for_an_hour_has_no_price_where_only_the_usual_writing_has_one() -> None:
    price = Price(rates(3.0, 15.0, cache_write=3.75), "registry")
    assert price.cost(Usage(10, 1, cache_write=5)) is not None
    assert price.cost(Usage(10, 1, cache_write=5, cache_write_1h=5)) is None


def test_an_answer_without_a_price_is_only_no_trouble_while_there_is_none() -> None:
    price = Price(rates(0.02, None), "genai-prices")
    assert price.cost(Usage(1_000_000)) == pytest.approx(0.02)
    assert price.cost(Usage(1_000_000, 1)) is None


def test_a_price_is_read_by_kind() -> None:
    assert (SONNET.input, SONNET.output, SONNET.cache_read, SONNET.cache_write, SONNET.reasoning) == (
        3.0, 15.0, 0.3, 3.75, 15.0,
    )  # fmt: skip
    assert rates(1.0, 2.0) == Rates(1.0, 2.0, 1.0, 1.0, 1.0, 2.0)


# Whatever was used, at rates that are known: the cost is known as soon as the prompt was counted, and never below 0.
@given(RATES, USED)
def test_a_cost_is_never_negative(known: Rates, used: Usage) -> None:
    cost = Price(known, "registry").cost(used)
    assert (cost is None) == (used.input is None)
    assert cost is None or cost >= 0


# One token more of any kind never makes a call cheaper: a cached one is also one of the prompt, a thought one of the
# answer.
@given(RATES, st.integers(0, 10**6), st.lists(st.integers(0, 10**6), min_size=6, max_size=6), st.data())
def test_a_cost_grows_with_each_count(known: Rates, plain: int, counts: list[int], data: st.DataObject) -> None:
    words, read, written, hour, thought, searches = counts
    used = Usage(plain + read + written + hour, words + thought, read, written + hour, thought, hour, searches)
    more = data.draw(st.integers(1, 10**6))
    price = Price(known, "registry")
    before = price.cost(used)
    assert before is not None
    for grown in (
        replace(used, input=plain + read + written + hour + more),
        replace(used, output=words + thought + more),
        replace(used, input=plain + read + written + hour + more, cache_read=read + more),
        replace(used, input=plain + read + written + hour + more, cache_write=written + hour + more),
        replace(used, output=words + thought + more, reasoning=thought + more),
        replace(used, searches=searches + more),
    ):
        after = price.cost(grown)
        assert after is not None
        assert after >= before * (1 - 1e-12)


# A rate that nobody knows makes no call free: what needs it has no known cost.
@given(USED, st.sampled_from(["input", "output", "cache_read", "cache_write", "cache_write_1h", "reasoning", "search"]))
def test_an_unknown_rate_is_never_nothing(used: Usage, name: str) -> None:
    everything = Rates(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
    without = Price(replace(everything, **{name: None}), "registry")
    at_nothing = Price(replace(everything, **{name: 0.0}), "registry")
    if (cost := without.cost(used)) is not None:
        assert cost == at_nothing.cost(used) == Price(everything, "registry").cost(used)
