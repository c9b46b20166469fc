"""Pricer: the prices are there while the program runs, and finished calls are told to them."""

from collections.abc import Callable

import pytest

from addons.configuration import Configuration
from addons.pricer import Pricer
from providers.exchange.account import AttemptAccount, ExchangeAccount
from providers.exchange.settlement import settle_try
from providers.wire.events import Usage

KEYS = {"OPENAI_API_KEY": "openai-key-0123456789"}


def test_a_call_that_ends_before_the_prices_are_loaded_is_priced(configure: Callable[..., Configuration]) -> None:
    pricer = Pricer(configure("", **KEYS))
    pricer.running()
    account = ExchangeAccount("pb-1", 1_790_000_000.0, "openai", "openai", "chat", "chat", "gpt-5", "gpt-5", False)
    account.attempts.append(attempt := AttemptAccount("openai", "gpt-5"))
    settle_try(attempt, Usage(1000, 500))
    pricer.settle_cost(account)
    assert account.cost == pytest.approx(0.00625)
