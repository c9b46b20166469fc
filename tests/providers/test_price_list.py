"""Prices in a provider's own list of models."""

from typing import Any

import pytest
from pydantic import JsonValue

from providers.exchange.price import Price, rates
from providers.price_list import listed_price
from providers.wire.events import Usage

SONNET: JsonValue = {
    "prompt": "0.000003",
    "completion": "0.000015",
    "request": "0",
    "image": "0.0048",
    "web_search": "0.01",
    "internal_reasoning": "0",
    "input_cache_read": "0.0000003",
    "input_cache_write": "0.00000375",
}


def test_openrouters_dollars_per_token() -> None:
    price = listed_price({"pricing": SONNET})
    assert price is not None
    assert price.source == "provider list"
    used = Usage(1000, 500, 300, 600, 400, searches=2)
    assert price.cost(used) == pytest.approx(100 * 3e-6 + 300 * 0.3e-6 + 600 * 3.75e-6 + 500 * 15e-6 + 0.02)


def test_a_free_model_costs_nothing() -> None:
    price = listed_price({"pricing": {"prompt": "0", "completion": "0", "request": "0", "image": "0"}})
    assert price == Price(rates(0.0, 0.0, request=0.0), "provider list")
    assert price.cost(Usage(1000, 500, 900)) == 0


def test_a_fee_for_each_call() -> None:
    price = listed_price({"pricing": {"prompt": "0.000001", "completion": "0.000001", "request": "0.005"}})
    assert price is not None
    assert price.cost(Usage(1000, 0)) == pytest.approx(0.006)


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"pricing": None},
        {"pricing": {"prompt": "-1", "completion": "-1"}},  # openrouter/auto: nobody knows beforehand
        {"pricing": {"prompt": "0.000001"}},
        {"pricing": {"prompt": "cheap", "completion": "0.1"}},
        {"pricing": {"prompt": "nan", "completion": "0.1"}},
        {"pricing": {"prompt": 3, "completion": 15}},  # another list's dollars, per million
        {"pricing": {"input": 3, "output": 15}},
    ],
)
def test_what_is_no_price_is_unknown(raw: dict[str, Any]) -> None:
    assert listed_price(raw) is None
