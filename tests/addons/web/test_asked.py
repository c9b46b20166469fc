"""What a query means, and what is said of one that means nothing."""

import time
from datetime import date, datetime

import pytest
from mitmproxy.http import HTTPFlow
from mitmproxy.test import tflow

from addons.telemetry.history import Wanted
from addons.web import asked as module
from addons.web.asked import Asked, midnight
from addons.web.replies import ProblemError


def asked(**query: str) -> Asked:
    return Asked(query, "127.0.0.1:8088")


def test_it_is_read_from_the_request() -> None:
    flow: HTTPFlow = tflow.tflow()
    flow.request.path = "/patchbay/api/history?provider=openai&search=a+b%2Fc"
    flow.request.headers["host"] = "localhost:8088"
    found = Asked.of(flow)
    assert found.host == "localhost:8088"
    assert found.wanted() == Wanted(provider="openai", search="a b/c")


def test_a_filter_takes_everything() -> None:
    query = {"provider": "p", "model": "m", "outcome": "ok", "client": "c", "before": "7", "search": " w ", "x": "y"}
    assert asked(**query).wanted() == Wanted(provider="p", model="m", outcome="ok", client="c", below=7, search="w")
    assert asked(provider="", search=" ").wanted() == Wanted()


def test_a_day_is_one_of_this_machine() -> None:
    wanted = asked(day="2026-11-20").wanted()
    assert wanted.since is not None
    assert wanted.until is not None
    assert time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(wanted.since)) == "2026-11-20 00:00:00"
    assert time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(wanted.until)) == "2026-11-21 00:00:00"


@pytest.mark.parametrize(
    "query",
    [
        {"day": "yesterday"},
        {"day": "9999-12-31"},
        {"day": "2026-13-01"},
        {"before": "-1"},
        {"before": "x"},
        {"before": "²"},
        {"provider": "p" * 501},
    ],
)
def test_what_means_nothing_is_said(query: dict[str, str]) -> None:
    with pytest.raises(ProblemError) as problem:
        asked(**query).wanted()
    assert problem.value.status == 400
    assert str(problem.value).startswith(next(iter(query)))


def test_a_day_that_the_clock_does_not_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    class Far(datetime):
        def timestamp(self) -> float:
            raise OSError("out of range")

    monkeypatch.setattr(module, "datetime", Far)
    with pytest.raises(OverflowError):
        midnight(date(1, 1, 1))


@pytest.mark.parametrize(("value", "limit"), [("", 50), ("1", 1), ("200", 200)])
def test_how_many_rows(value: str, limit: int) -> None:
    assert asked(limit=value).limit() == limit


@pytest.mark.parametrize("value", ["0", "201", "9" * 30, "1.5"])
def test_never_more_rows(value: str) -> None:
    with pytest.raises(ProblemError, match="limit must be a whole number from 1 to 200"):
        asked(limit=value).limit()


def test_days_and_choices() -> None:
    assert (asked().days(), asked(days="7").days()) == (30, 7)
    assert asked().choice("by", ("provider", "model")) == "provider"
    assert asked(by="model").choice("by", ("provider", "model")) == "model"
    with pytest.raises(ProblemError, match="by must be provider or model"):
        asked(by="day").choice("by", ("provider", "model"))
