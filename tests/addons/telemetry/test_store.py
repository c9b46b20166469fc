"""What the recorder hands over is in the file, once, as it was."""

import os
import sqlite3
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from addons.telemetry import queries
from addons.telemetry.database import open_for_reading
from addons.telemetry.store import Store
from providers.exchange.account import AttemptAccount, EndedBy, Outcome
from tests.addons.telemetry.accounts import answered, begun, count, ended, record, request, rows, settled, until

StoreMaker = Callable[..., Store]


def test_a_row_is_there_while_the_exchange_is_open(store: Store, path: Path) -> None:
    account = begun("one", provider="anthropic", kind="anthropic", client="127.0.0.1", session_id="s1", bytes_in=7)
    store.admit(account)
    until(lambda: path.exists() and _tables(path) and count(path, "exchanges"))
    row = rows(path, "select * from exchanges")[0]
    assert (row["id"], row["provider"], row["session_id"], row["bytes_in"]) == ("one", "anthropic", "s1", 7)
    assert row["outcome"] is row["status"] is row["input_tokens"] is row["duration_us"] is None
    assert row["started_at"] == account.started_at


def _tables(path: Path) -> bool:
    return bool(rows(path, "select 1 from sqlite_master where name = 'usage_by_day'"))


@pytest.mark.parametrize("gap", [0.0, 0.2], ids=["in one batch", "in two"])
def test_completion_fills_the_row(store: Store, path: Path, gap: float) -> None:
    account = begun("one", provider="local")
    store.admit(account)
    time.sleep(gap)
    values: dict[str, Any] = {
        "provider": "anthropic",
        "input_tokens": 11,
        "output_tokens": 0,
        "cache_read_tokens": 4,
        "usage_source": "upstream",
        "connect_us": 1,
        "ttfb_us": 2,
        "ttft_us": 3,
        "duration_us": 4,
        "bytes_in": 5,
        "bytes_out": 6,
        "finish_reason": "stop",
        "request_id_upstream": "r",
        "error": "none",
    }
    account.attempts.append(AttemptAccount("local", "tiny", None, Outcome.UPSTREAM_REFUSED, "refused", stale=True))
    store.complete(ended(account, **values), request("hi"), None, answered("hello"), None)
    settled(store)
    assert count(path, "exchanges") == 1
    row = rows(path, "select * from exchanges")[0]
    assert {name: row[name] for name in values} == values
    assert (row["outcome"], row["who_ended"], row["cache_write_tokens"]) == ("ok", "upstream", None)
    tries = rows(path, "select number, provider, stale, outcome, error, duration_us from attempts order by number")
    assert [tuple(row.values()) for row in tries] == [
        (1, "local", 1, "upstream_refused", "refused", None),
        (2, "local", 0, "ok", None, 1500),
    ]


def test_a_completion_whose_admission_was_never_told(store: Store, path: Path) -> None:
    store.complete(ended(begun("one")), None, None, None, None)
    settled(store)
    assert [row["outcome"] for row in rows(path, "select outcome from exchanges")] == ["ok"]


def test_the_values_are_those_of_the_moment_of_the_call(store: Store, path: Path) -> None:
    account = begun("one", model="before")
    store.admit(account)
    account.model = "after"
    settled(store)
    assert rows(path, "select model from exchanges") == [{"model": "before"}]


def test_the_conversation_is_stored_and_read_back(store: Store, path: Path) -> None:
    record(store, request("first", "second", "third", system="be brief"), "fourth", "one")
    settled(store)
    connection = open_for_reading(path)
    said, answer = queries.conversation(connection, queries.find(connection, "one"))
    connection.close()
    assert [(m["role"], m["parts"]) for m in said] == [
        (role, [{"part": "text", "text": text}])
        for role, text in (("system", "be brief"), ("user", "first"), ("assistant", "second"), ("user", "third"))
    ]
    assert answer == {"role": "assistant", "parts": [{"part": "text", "text": "fourth"}]}


@pytest.mark.parametrize("dialect", ["chat", "messages", "responses"])
def test_every_dialect_is_read(store: Store, path: Path, dialect: str) -> None:
    body: dict[str, object] = request("a question")
    if dialect == "responses":
        body = {"input": [{"role": "user", "content": "a question"}]}
    record(store, body, "an answer", dialect=dialect, operation=dialect)
    settled(store)
    assert [row["text"] for row in rows(path, "select text from messages order by id")] == ["a question", "an answer"]


def test_a_request_that_nobody_parsed_is_read_from_its_bytes(store: Store, path: Path) -> None:
    account = begun()
    store.complete(ended(account), None, b'{"messages":[{"role":"user","content":"from bytes"}]}', None, None)
    settled(store)
    assert [row["text"] for row in rows(path, "select text from messages")] == ["from bytes"]
    assert not count(path, "bodies")


def test_what_cannot_be_read_costs_the_conversation_alone(store: Store, path: Path) -> None:
    store.complete(ended(begun("bad")), None, b"{", None, None)
    store.complete(ended(begun("odd", dialect="no dialect")), request("x"), None, None, None)
    record(store, request("fine"), "indeed", "good")
    settled(store)
    assert [row["id"] for row in rows(path, "select id from exchanges order by id")] == ["bad", "good", "odd"]
    assert store.health().unreadable == 2
    assert count(path, "messages") == 2


def test_what_a_column_cannot_hold_does_no_harm(store: Store, path: Path) -> None:
    account = ended(begun("one"), input_tokens=10**30, error="half a pair: \ud800", finish_reason="\ud83d")
    store.complete(account, request("lone \udc00 surrogate"), None, answered("nul \0 and \ud800"), None)
    settled(store)
    row = rows(path, "select * from exchanges")[0]
    assert (row["input_tokens"], row["error"], row["finish_reason"]) == (None, "half a pair: ?", "?")
    assert [row["text"] for row in rows(path, "select text from messages order by id")] == [
        "lone \ufffd surrogate",
        "nul   and \ufffd",
    ]


def test_a_row_that_is_refused_does_not_hold_up_the_others(store: Store, path: Path) -> None:
    for number in range(5):
        account = ended(begun(f"id{number}"))
        if number == 2:
            account.provider = None  # type: ignore[assignment]  # the fault that is injected
        store.complete(account, None, None, None, None)
    until(lambda: store.health().dropped == 1)
    settled(store)
    assert count(path, "exchanges") == 4


def test_a_new_file_is_for_its_owner_only(store: Store, path: Path) -> None:
    record(store, None, "x")
    settled(store)
    modes = {side.name: stat.S_IMODE(side.stat().st_mode) for side in path.parent.glob("patchbay.db*")}
    assert len(modes) == 3
    assert set(modes.values()) == {0o600}


def test_closing_drains_and_leaves_one_file(open_store: StoreMaker, path: Path) -> None:
    store = open_store()
    for _ in range(500):
        record(store, request("hi"), "hello")
    assert store.close(10)
    assert [side.name for side in path.parent.iterdir()] == ["patchbay.db"]
    assert count(path, "exchanges") == 500
    assert store.health().state == "closed"
    record(store, None, "too late")
    assert store.health().dropped == 2
    assert store.close(1)


def test_closing_settles_what_is_open(open_store: StoreMaker, path: Path) -> None:
    store = open_store()
    store.admit(begun("one"))
    assert store.close(5)
    row = rows(path, "select outcome, who_ended from exchanges")[0]
    assert row == {"outcome": Outcome.SHUTDOWN, "who_ended": EndedBy.GATEWAY}


def test_two_stores_share_a_file(open_store: StoreMaker, path: Path) -> None:
    one, other = open_store(), open_store()
    one.admit(begun("open"))
    for number in range(200):
        record(one, request("same", "text", "again"), "a", f"one{number}")
        record(other, request("same", "text", "again"), "b", f"other{number}")
    settled(one)
    settled(other)
    assert count(path, "exchanges") == 401
    assert count(path, "messages") == 5
    assert other.close(5)
    assert rows(path, "select outcome from exchanges where id = 'open'") == [{"outcome": None}]
    assert rows(path, "pragma integrity_check") == [{"integrity_check": "ok"}]


def test_handing_over_takes_microseconds(open_store: StoreMaker) -> None:
    store = open_store()
    body, answer = request("hi"), answered("hello")
    spans: list[float] = []
    for _ in range(2000):
        account = begun()
        began = time.perf_counter()
        store.admit(account)
        spans.append(time.perf_counter() - began)
        ended(account)
        began = time.perf_counter()
        store.complete(account, body, None, answer, None)
        spans.append(time.perf_counter() - began)
    assert sorted(spans)[len(spans) // 2] < 50e-6


def test_no_thread_and_no_connection_is_left(open_store: StoreMaker, path: Path) -> None:
    others = set(threading.enumerate())  # another file's tests may have left one that is ending
    store = open_store()
    record(store, None, "x")
    assert store.close(5)
    assert not [thread for thread in set(threading.enumerate()) - others if thread.name == "patchbay-record"]
    if os.path.isdir("/proc/self/fd"):
        held = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if _is_open(fd)]
        assert not [name for name in held if name.startswith(str(path))]


def _is_open(descriptor: str) -> bool:
    try:
        os.fstat(int(descriptor))
    except OSError:
        return False
    return True


def test_a_store_that_was_never_started_says_so_and_raises_nothing(path: Path) -> None:
    store = Store(path)
    record(store, None, "x")
    assert not store.close(0)
    assert store.health().queued == 1
    assert not path.exists()


def test_sessions_and_histories_make_conversations(store: Store, path: Path) -> None:
    record(store, request("hello"), "hi there", "a1")
    settled(store)
    record(store, request("hello", "hi there", "go on"), "well", "a2")
    record(store, request("hello"), "another answer", "b1")
    record(store, request("hello", "another answer", "and?"), "so", "b2")
    record(store, request("something else"), "indeed", "c1", session_id="told")
    settled(store)
    found = {row["id"]: row["conversation"] for row in rows(path, "select id, conversation from exchanges")}
    assert found == {"a1": "a1", "a2": "a1", "b1": "b1", "b2": "b1", "c1": "told"}


def test_a_conversation_goes_on_after_a_restart(open_store: StoreMaker, path: Path) -> None:
    with_first = open_store()
    record(with_first, request("hello"), "hi there", "a1")
    assert with_first.close(5)
    store = open_store()
    record(store, request("hello", "hi there", "go on"), "well", "a2")
    settled(store)
    assert {row["conversation"] for row in rows(path, "select conversation from exchanges")} == {"a1"}
    assert count(path, "messages") == 4


def test_reading_needs_no_writer(open_store: StoreMaker, path: Path) -> None:
    assert open_store().close(5)
    connection = open_for_reading(path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("delete from exchanges")
    connection.close()
