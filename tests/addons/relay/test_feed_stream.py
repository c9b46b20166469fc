"""A feed on a client's connection: the head at once, each piece when it is told, an end for either side."""

from collections.abc import Callable, Iterator

import pytest
from mitmproxy import http
from mitmproxy.flow import Error
from mitmproxy.proxy.events import Wakeup

from addons.relay.feed import Feed
from addons.relay.layer import BELL
from tests.addons.line import Line
from tests.addons.line_words import ClientGone, ClientSays, Closes, Later, Stopped, chunk, get

HEADERS = {"content-type": "text/event-stream", "content-length": "0"}


class Page:
    """An addon that answers with a feed, and the bell of its connection."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.left: list[str] = []
        self.feed = Feed(lambda: self.left.append("left"))
        self.rung = 0

    def request(self, flow: http.HTTPFlow) -> None:
        flow.response = http.Response.make(200, b"", HEADERS)
        in_hand = self.line.exchanges.of(flow)
        assert in_hand is not None
        in_hand.feed = self.feed

    def ring(self, _client: object) -> None:
        self.rung += 1

    def answer_the_bell(self) -> None:
        self.line._feed(Wakeup(BELL))

    def said(self) -> bytes:
        """What the client has been sent since it was asked for the last time."""
        said, self.line.to_client = self.line.to_client, b""
        return said


@pytest.fixture(name="page")
def fixture_page(line: Line, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    page = Page(line)
    line.extra["request"] = page.request
    monkeypatch.setattr("addons.relay.feed_stream.ring", page.ring)
    yield page
    assert line.raised == []


def test_head_then_each_piece_then_the_end(line: Line, page: Page) -> None:
    page.feed.tell(b"data: early\n\n")
    line >> get("/patchbay/live")
    head, _, body = page.said().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"content-length" not in head.lower()
    assert body == chunk(b"data: early\n\n")
    page.feed.tell(b"data: 1\n\n")
    page.feed.tell(b"data: 2\n\n")
    assert page.rung == 1
    assert page.said() == b""
    page.answer_the_bell()
    assert page.said() == chunk(b"data: 1\n\ndata: 2\n\n")
    page.answer_the_bell()
    assert page.said() == b""
    page.feed.end()
    page.answer_the_bell()
    assert page.said() == b"0\r\n\r\n"
    assert page.left == ["left"]
    assert line.hooks()[-1] == "response"
    assert line.exchanges.of(line.flow) is None


def test_the_connection_is_good_for_another_request(line: Line, page: Page) -> None:
    line >> get("/patchbay/live")
    page.feed.end()
    page.answer_the_bell()
    page.said()
    page.feed = Feed()
    line >> get("/patchbay/live")
    assert page.said().startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_client_that_leaves_ends_it(line: Line, page: Page) -> None:
    line >> get("/patchbay/live") >> ClientGone()
    assert (page.feed.is_over, page.left) == (True, ["left"])
    assert line.exchanges.of(line.flow) is None
    page.feed.tell(b"unheard")
    assert page.rung == 0


def test_the_end_of_patchbay_ends_it_whole(line: Line, page: Page) -> None:
    line >> get("/patchbay/live")
    page.feed.tell(b"data: last\n\n")
    page.said()
    line >> Stopped()
    assert page.said() == chunk(b"data: last\n\n") + b"0\r\n\r\n"
    assert Closes(0) in line.done


def test_an_old_client_reads_to_the_end_of_the_connection(line: Line, page: Page) -> None:
    page.feed.tell(b"data: 1\n\n")
    line >> ClientSays(b"GET /patchbay/live HTTP/1.0\r\nHost: x\r\n\r\n")
    head, _, body = page.said().partition(b"\r\n\r\n")
    assert b"chunked" not in head
    assert body == b"data: 1\n\n"
    page.feed.end()
    page.answer_the_bell()
    assert Closes(0) in line.done


def test_only_the_head_is_told_to_who_asks_for_it(line: Line, page: Page) -> None:
    line >> ClientSays(b"HEAD /patchbay/live HTTP/1.1\r\nHost: x\r\n\r\n")
    assert page.said().endswith(b"\r\n\r\n")
    assert page.left == ["left"]


def test_what_a_listener_does_not_take_waits_in_the_feed(
    line: Line, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    line >> get("/patchbay/live")
    page.said()
    with monkeypatch.context() as behind:
        behind.setattr("addons.relay.feed_stream.is_behind", lambda _client: True)
        for _ in range(3):
            page.feed.tell(b"data: 1\n\n")
            page.answer_the_bell()
            line >> Later(1)
        assert page.said() == b""
    line >> Later(0.2)
    assert page.said() == chunk(b"data: 1\n\n" * 3)


def test_a_listener_who_takes_nothing_for_long_is_let_go(
    line: Line, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.feed = Feed(lambda: page.left.append("left"), most=10)
    monkeypatch.setattr("addons.relay.feed_stream.is_behind", lambda _client: True)
    line >> get("/patchbay/live")
    page.said()
    for _ in range(2):
        page.feed.tell(b"data: 1\n\n")
    assert page.left == ["left"]
    line >> Later(1)
    assert page.said().endswith(b"0\r\n\r\n")


def broken(_flow: http.HTTPFlow) -> None:
    raise LookupError("a fault of this hook")


@pytest.mark.parametrize("hook", ["request", "responseheaders"])
def test_nobody_listens_where_a_hook_has_failed(line: Line, page: Page, hook: str) -> None:
    page_itself = page.request

    def request(flow: http.HTTPFlow) -> None:
        page_itself(flow)
        if hook == "request":
            broken(flow)

    line.extra["request"] = request
    if hook == "responseheaders":
        line.extra[hook] = broken
    page.feed.tell(b"data: for nobody\n\n")
    line >> get("/patchbay/live")
    answer = line.answer()
    assert (answer.status, b"nobody" in answer.body) == (500, False)
    assert page.left == ["left"]
    assert [type(error) for error in line.raised] == [LookupError]
    line.raised.clear()


def killer(_line: Line) -> Callable[[http.HTTPFlow], None]:
    def kill(flow: http.HTTPFlow) -> None:
        flow.error = Error(Error.KILLED_MESSAGE)

    return kill


def test_one_who_is_killed_hears_nothing(line: Line, page: Page) -> None:
    line.extra["responseheaders"] = killer(line)
    line >> get("/patchbay/live")
    assert page.said() == b""
    assert page.left == ["left"]
