"""Who is told of a finished call, in which order, and what one that fails may spoil: nothing."""

import logging

import pytest

from addons.finished import Finished
from providers.exchange.account import ExchangeAccount
from tests.addons.telemetry.test_metrics import account


def test_all_are_told_in_order() -> None:
    told: list[str] = []
    one = account()
    Finished(lambda heard: told.append(f"first {heard.id}"), lambda heard: told.append(f"second {heard.id}")).tell(one)
    assert told == ["first pb-1", "second pb-1"]


def test_one_that_fails_is_logged_and_the_others_are_told(caplog: pytest.LogCaptureFixture) -> None:
    told: list[ExchangeAccount] = []

    def fail(_account: ExchangeAccount) -> None:
        raise LookupError("no such price")

    with caplog.at_level(logging.ERROR):
        Finished(fail, told.append).tell(account())
    assert len(told) == 1
    assert "no such price" in caplog.text
