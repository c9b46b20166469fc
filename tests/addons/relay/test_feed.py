"""A feed keeps what its one listener has not been told yet, within bounds, and rings once for it."""

from addons.relay.feed import Feed


def test_it_rings_once_until_it_is_taken() -> None:
    rung: list[str] = []
    feed = Feed()
    feed.attach(lambda: rung.append("ring"))
    feed.tell(b"one")
    feed.tell(b"two")
    assert rung == ["ring"]
    assert feed.take() == b"onetwo"
    assert feed.take() == b""
    feed.tell(b"three")
    assert rung == ["ring", "ring"]


def test_nothing_is_nothing_to_tell() -> None:
    rung: list[str] = []
    feed = Feed()
    feed.attach(lambda: rung.append("ring"))
    feed.tell(b"")
    assert rung == []


def test_what_was_told_before_somebody_listened_waits() -> None:
    feed = Feed()
    feed.tell(b"early")
    assert feed.take() == b"early"


def test_its_end_is_told_once_and_nothing_follows() -> None:
    left: list[str] = []
    feed = Feed(lambda: left.append("left"))
    feed.tell(b"last")
    feed.end()
    feed.end()
    feed.tell(b"more")
    assert (feed.is_over, left, feed.take()) == (True, ["left"], b"last")


def test_a_listener_who_takes_nothing_is_let_go() -> None:
    left: list[str] = []
    feed = Feed(lambda: left.append("left"), most=10)
    feed.tell(b"12345")
    assert not feed.is_over
    feed.tell(b"678901")
    assert (feed.is_over, left) == (True, ["left"])


def test_a_listener_who_is_gone_hears_nothing() -> None:
    left, rung = [], []
    feed = Feed(lambda: left.append("left"))
    feed.attach(lambda: rung.append("ring"))
    feed.tell(b"unheard")
    feed.take()
    feed.detach()
    assert (feed.is_over, left, rung, feed.take()) == (True, ["left"], ["ring"], b"")
