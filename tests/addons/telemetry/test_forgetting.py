"""What is forgotten cannot be found in the file any more; what is kept is whole."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from addons.telemetry.forgetting import forget
from addons.telemetry.store import Store
from providers.exchange.account import Outcome
from tests.addons.telemetry.accounts import (
    answered,
    begun,
    count,
    ended,
    intact,
    record,
    request,
    rows,
    settled,
    traces,
)

StoreMaker = Callable[..., Store]


def words(number: int) -> tuple[str, str, str]:
    """Three words that are said in one call alone, and are stored in different places."""
    return f"question{number:05d}zq", f"answer{number:05d}zq", f"fault{number:05d}zq"


def fill(store: Store, calls: int, long: int = 0) -> None:
    for number in range(calls):
        question, answer, fault = words(number)
        account = begun(f"id{number:05d}")
        store.admit(account)
        body = request(f"{question} and what all ask " + "filler " * (number % 7 * long), system="what all are told")
        ended(account, Outcome.UPSTREAM_HTTP_ERROR, error=fault)
        store.complete(account, body, question.encode() * 3, answered(f"{answer} {question}"), answer.encode() * 3)


@pytest.mark.parametrize("running", [False, True], ids=["alone", "beside a proxy"])
@pytest.mark.parametrize("long", [0, 300], ids=["short", "long"])
def test_no_trace_is_left(open_store: StoreMaker, path: Path, running: bool, long: int) -> None:
    store = open_store()
    fill(store, 1000, long)
    settled(store)
    if not running:
        assert store.close(10)
    doomed = sorted(random.Random(7).sample(range(1000), 400))
    kept = sorted(set(range(1000)) - set(doomed))
    steps = list(forget(path, [f"id{number:05d}" for number in doomed]))
    assert steps == [200, 400]
    assert traces(path, *(word for number in doomed for word in words(number))) == []
    assert traces(path, *(words(number)[0] for number in kept)) == [words(number)[0] for number in kept]
    assert (count(path, "exchanges"), count(path, "bodies"), count(path, "attempts")) == (600, 1200, 600)
    assert count(path, "messages") == 1201
    found = rows(path, "select count(*) as n from messages_fts where messages_fts match 'question00000zq'")
    assert found == [{"n": int(0 in kept)}]
    assert intact(path)
    if running:
        record(store, request("and what all ask", system="what all are told"), "afterwards", "later")
        settled(store)
        assert rows(path, "select count(*) as n from messages where text = 'what all are told'") == [{"n": 1}]


def test_everything(open_store: StoreMaker, path: Path) -> None:
    store = open_store()
    fill(store, 300, 100)
    settled(store)
    list(forget(path, [f"id{number:05d}" for number in range(300)]))
    assert traces(path, *(word for number in range(300) for word in words(number))) == []
    assert traces(path, "filler", "told") == []
    assert count(path, "exchanges") == count(path, "messages") == count(path, "bodies") == 0
    record(store, request("and what all ask", system="what all are told"), "x", "later")
    settled(store)
    assert count(path, "messages") == 3


def test_what_another_call_said_too_stays(open_store: StoreMaker, path: Path) -> None:
    store = open_store()
    record(store, request("first"), "second", "one")
    record(store, request("first", "second", "third"), "fourth", "two")
    settled(store)
    list(forget(path, ["one"]))
    assert [row["text"] for row in rows(path, "select text from messages order by id")] == [
        "first", "second", "third", "fourth",
    ]  # fmt: skip
    list(forget(path, ["two"]))
    assert count(path, "messages") == 0
