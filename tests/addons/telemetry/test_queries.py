"""Reading: filters, search, ids, conversations."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from addons.telemetry import queries
from addons.telemetry.database import open_for_reading
from addons.telemetry.queries import AmbiguousError, Filter
from addons.telemetry.store import Store
from providers.exchange.account import Outcome
from tests.addons.telemetry.accounts import begun, ended, record, request, settled

NOW = time.time()


@pytest.fixture(name="connection")
def fixture_connection(open_store: Callable[..., Store], path: Path) -> Iterator[sqlite3.Connection]:
    store = open_store()
    record(store, request("the weather in Bergen"), "rain-coats, says Ægir", "aa11", started_at=NOW - 7200)
    history = request("the weather in Bergen", "rain-coats, says Ægir", "and tomorrow")
    record(store, history, "more of it", "aa22", provider="openai", model="gpt", requested_model="smart")
    record(store, request("one", "two", "three", system="preset"), "four", "bb33", session_id="s9", model="smart")
    store.complete(ended(begun("cc44", provider="openai"), Outcome.UPSTREAM_REFUSED), None, None, None, None)
    store.admit(begun("cc55"))
    settled(store)
    with closing(open_for_reading(path)) as connection:
        yield connection


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (Filter(), "cc55 cc44 bb33 aa22 aa11"),
        (Filter(provider="openai"), "cc44 aa22"),
        (Filter(model="tiny"), "cc55 cc44 bb33 aa11"),
        (Filter(model="smart"), "bb33 aa22"),
        (Filter(model="smart", provider="openai"), "aa22"),
        (Filter(outcome="upstream_refused"), "cc44"),
        (Filter(outcome="open"), "cc55"),
        (Filter(session="s9"), "bb33"),
        (Filter(session="aa11"), "aa22 aa11"),
        (Filter(since=NOW - 60), "cc55 cc44 bb33 aa22"),
        (Filter(before=NOW - 60), "aa11"),
        (Filter(search="weather"), "aa11"),
        (Filter(search="BERGEN weather"), "aa11"),
        (Filter(search="ægir"), "aa11"),
        (Filter(search="rain-coats"), "aa11"),
        (Filter(search="tomo*"), "aa22"),
        (Filter(search="tomo"), ""),
        (Filter(search="four"), "bb33"),
        (Filter(search="one"), "bb33"),
        (Filter(search="preset"), "bb33"),
        (Filter(search='" OR ('), ""),
        (Filter(search="weather", provider="openai"), ""),
        (Filter(search="smart", model="smart"), ""),
    ],
)
def test_filters(connection: sqlite3.Connection, wanted: Filter, ids: str) -> None:
    assert " ".join(str(record["id"]) for record in queries.exchanges(connection, wanted, 10)) == ids


def test_limits_and_what_is_new(connection: sqlite3.Connection) -> None:
    newest = queries.exchanges(connection, Filter(), 2)
    assert [record["id"] for record in newest] == ["cc55", "cc44"]
    after = queries.exchanges(connection, Filter(), 9, after=int(str(newest[1]["seq"])))
    assert [record["id"] for record in after] == ["cc55"]
    only = queries.exchanges(connection, Filter(), 9, only=[int(str(newest[1]["seq"]))])
    assert [record["id"] for record in only] == ["cc44"]


def test_ids_may_be_shortened(connection: sqlite3.Connection) -> None:
    assert queries.find(connection, "bb")["id"] == "bb33"
    assert queries.find(connection, "aa11")["id"] == "aa11"
    assert queries.find(connection, "last")["id"] == "cc55"
    with pytest.raises(AmbiguousError, match="aa11, aa22"):
        queries.find(connection, "aa")
    with pytest.raises(KeyError):
        queries.find(connection, "zz")


def test_an_id_that_another_begins_with(open_store: Callable[..., Store], path: Path) -> None:
    store = open_store()
    for name in ("x1", "x12"):
        record(store, None, "a", name)
    settled(store)
    with closing(open_for_reading(path)) as connection:
        assert queries.find(connection, "x1")["id"] == "x1"


def test_short_ids_are_as_long_as_they_must_be(connection: sqlite3.Connection) -> None:
    assert queries.short_id(connection, "aa11", 1) == "aa1"
    assert queries.short_id(connection, "bb33", 1) == "b"
    assert queries.short_id(connection, "bb33") == "bb33"


def test_a_conversation_without_an_answer(connection: sqlite3.Connection) -> None:
    assert queries.conversation(connection, queries.find(connection, "cc44")) == ([], None)
    tries = queries.attempts(connection, "cc44")
    assert [(attempt["number"], attempt["outcome"]) for attempt in tries] == [(1, "upstream_refused")]


@pytest.mark.parametrize(
    ("policy", "kept"), [("none", []), ("errors", ["bad", "gone"]), ("all", ["bad", "fine", "gone"])]
)
def test_bodies(open_store: Callable[..., Store], path: Path, policy: str, kept: list[str]) -> None:
    store = open_store(bodies=policy, secrets=lambda: ["our-own-secret-1"])
    said = b'{"messages":[{"role":"user","content":"hi"}],"key":"sk-abcdefgh12345678"}' * 20
    ends = {"bad": Outcome.UPSTREAM_TRUNCATED, "fine": Outcome.OK, "gone": Outcome.CLIENT_DISCONNECTED}
    for name, outcome in ends.items():
        store.complete(ended(begun(name), outcome), request("hi"), said, None, b"data: our-own-secret-1\n\n")
    settled(store)
    with closing(open_for_reading(path)) as connection:
        assert [name for name in sorted(ends) if queries.body(connection, name, "request")] == kept
        for name in kept:
            assert queries.body(connection, name, "request") == said.replace(b"sk-abcdefgh12345678", b"[redacted]")
            assert queries.body(connection, name, "answer") == b"data: [redacted]\n\n"


def test_secrets_in_foreign_texts(open_store: Callable[..., Store], path: Path) -> None:
    store = open_store(secrets=lambda: ["our-own-secret-1"])
    account = begun("one", requested_model="our-own-secret-1", session_id="sk-abcdefgh12345678")
    store.admit(account)
    account.error = "Bearer abcdefgh1234 was refused"
    ended(account).attempts[0].error = "our-own-secret-1"
    store.complete(account, request("our-own-secret-1"), None, None, None)
    settled(store)
    raw = b"".join(side.read_bytes() for side in path.parent.glob("patchbay.db*"))
    for secret in (b"our-own-secret-1", b"abcdefgh12345678", b"abcdefgh1234"):
        assert secret not in raw


def test_keys_that_have_been_changed_since_the_call_began(open_store: Callable[..., Store], path: Path) -> None:
    in_force = ["the-new-secret-2"]
    store = open_store(bodies="all", secrets=lambda: in_force)
    account = begun("one")
    store.admit(account)
    body = b"the-old-secret-1 the-new-secret-2"
    store.complete(ended(account), request("hi"), None, None, body, secrets=("the-old-secret-1",))
    settled(store)
    with closing(open_for_reading(path)) as connection:
        assert queries.body(connection, "one", "answer") == b"[redacted] [redacted]"


def test_conversations_are_those_of_the_view(connection: sqlite3.Connection) -> None:
    found = queries.conversations(connection, 3)
    assert [(record["conversation"], record["turns"]) for record in found] == [("cc55", 1), ("cc44", 1), ("s9", 1)]
    everything = queries.conversations(connection, 99)
    assert [record["first_user_text"] for record in everything] == [None, None, "one", "the weather in Bergen"]
    plan = connection.execute("EXPLAIN QUERY PLAN SELECT * FROM conversations WHERE conversation = 'x'").fetchall()
    assert not [row for row in plan if row[3].startswith("SCAN exchanges")]


def test_ids_are_exact_whatever_the_clock_did(open_store: Callable[..., Store], path: Path) -> None:
    store = open_store(retention_days=0)
    for name, moment in (("a", 1000.0), ("b", 9000.0), ("c", 2000.0)):
        record(store, None, "x", name, started_at=moment)
    store.admit(begun("d", started_at=3000.0))
    settled(store)
    with closing(open_for_reading(path)) as connection:
        assert queries.ids(connection, Filter(before=5000.0)) == [("a", True), ("c", True), ("d", False)]
        assert [found["id"] for found in queries.exchanges(connection, Filter(since=1500.0), 9)] == ["d", "c", "b"]
        assert [found["id"] for found in queries.exchanges(connection, Filter(before=2500.0), 9)] == ["c", "a"]
        assert queries.exchanges(connection, Filter(since=1e12), 9) == []
        assert queries.exchanges(connection, Filter(before=1.0), 9) == []
