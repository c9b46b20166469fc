"""The queue: bounded in number and bytes, in order, one entry per exchange."""

import threading
import time

from addons.telemetry.backlog import Backlog, Entry
from addons.telemetry.rows import snapshot
from tests.addons.telemetry.accounts import begun, ended, request


def entry(identifier: str, *, done: bool = True, talk: int = 0, body: int = 0) -> Entry:
    account = begun(identifier)
    return Entry(
        snapshot(ended(account) if done else account),
        ended=done,
        request=request("x") if talk else None,
        request_body=b"x" * body,
        keep_bodies=bool(body),
        talk_weight=talk,
    )


def ids(entries: list[Entry]) -> list[object]:
    return [found.row[0] for found in entries]


def test_what_waits_is_completed_in_place() -> None:
    backlog = Backlog(10)
    for name in ("a", "b"):
        backlog.put(entry(name, done=False))
    backlog.put(entry("a", talk=5))
    taken = backlog.take(10, 1 << 20)
    assert ids(taken) == ["a", "b"]
    assert [found.ended for found in taken] == [True, False]
    assert taken[0].request is not None
    backlog.put(entry("b"))
    assert ids(backlog.take(10, 1 << 20)) == ["b"]
    assert len(backlog) == 3
    backlog.done(3)
    assert len(backlog) == 0


def test_completing_twice_keeps_the_books() -> None:
    backlog = Backlog(10, bytes_limit=100)
    for _ in range(50):
        backlog.put(entry("a", talk=30, body=30))
    assert (backlog.dropped, backlog.dropped_bodies) == (0, 0)


def test_bodies_go_first_then_conversations_then_rows() -> None:
    backlog = Backlog(5, bytes_limit=100)
    for number in range(5):
        backlog.put(entry(f"n{number}", talk=20, body=20))
    assert (backlog.dropped, backlog.dropped_bodies) == (0, 5)
    backlog.put(entry("n5", talk=20))
    assert (backlog.dropped, backlog.dropped_bodies) == (1, 6)
    taken = backlog.take(10, 1 << 20)
    assert ids(taken) == ["n1", "n2", "n3", "n4", "n5"]
    assert all(found.request_body is None or not found.request_body for found in taken)
    assert all(found.request is not None for found in taken)


def test_what_is_in_hand_counts() -> None:
    backlog = Backlog(3)
    for number in range(3):
        backlog.put(entry(f"n{number}"))
    backlog.take(2, 1 << 20)
    backlog.put(entry("n3"))
    assert backlog.dropped == 1
    assert ids(backlog.take(9, 1 << 20)) == ["n3"]


def test_a_batch_is_bounded_in_bytes_but_never_empty() -> None:
    backlog = Backlog(10)
    for number in range(3):
        backlog.put(entry(f"n{number}", talk=60))
    assert len(backlog.take(10, 100)) == 1
    assert len(backlog.take(10, 10)) == 1
    assert len(backlog.take(10, 10)) == 1
    assert backlog.take(10, 10) == []


def test_the_books_do_not_grow() -> None:
    backlog = Backlog(10)
    for number in range(1000):
        backlog.put(entry(f"n{number}", done=False))
        backlog.put(entry(f"n{number}", talk=1, body=1))
        backlog.done(len(backlog.take(5, 1 << 20)))
    assert len(backlog._with_bodies) + len(backlog._with_talk) + len(backlog._waiting) == 0
    assert backlog._bytes == 0


def test_waiting_ends_with_an_entry_or_a_close() -> None:
    backlog = Backlog(10)
    assert not backlog.wait(0.01)
    threading.Timer(0.05, lambda: backlog.put(entry("a"))).start()
    began = time.monotonic()
    assert backlog.wait(5)
    assert time.monotonic() - began < 2
    backlog.take(1, 1)
    threading.Timer(0.05, backlog.close).start()
    assert not backlog.wait(5)
    assert not backlog.wait(5)
    assert time.monotonic() - began < 2
