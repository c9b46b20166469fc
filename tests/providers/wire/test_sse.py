"""The event-stream decoder against the standard, case by case, in any cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.wire import sse
from providers.wire.sse import ServerSentEvent, SseDecoder
from tests.providers.wire.playbook import cut


def data(*texts: str, event: str = "") -> list[ServerSentEvent]:
    return [ServerSentEvent(event, text, None) for text in texts]


def comment(text: str) -> ServerSentEvent:
    return ServerSentEvent("", "", text)


CASES: dict[str, tuple[bytes, list[ServerSentEvent]]] = {
    "nothing": (b"", []),
    "one": (b"data: a\n\n", data("a")),
    "no space": (b"data:a\n\n", data("a")),
    "only one space goes": (b"data:  a\n\n", data(" a")),
    "several lines": (b"data: a\ndata:b\ndata\n\n", data("a\nb\n")),
    "empty data counts": (b"data:\n\n", data("")),
    "named": (b"event: ping\ndata: {}\n\n", data("{}", event="ping")),
    "a name does not outlive its event": (b"event: x\n\ndata: a\n\n", data("a")),
    "the last name counts": (b"event: x\nevent:y\ndata: a\n\n", data("a", event="y")),
    "CRLF": (b"data: a\r\n\r\ndata: b\r\n\r\n", data("a", "b")),
    "CR": (b"data: a\r\rdata: b\r\r", data("a", "b")),
    "mixed": (b"data: a\r\n\ndata: b\n\r\ndata: c\r\n\r", data("a", "b", "c")),
    "BOM": (b"\xef\xbb\xbfdata: a\n\n", data("a")),
    "a second BOM is text": (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", []),
    "blank lines ahead": (b"\n\n \n\ndata: a\n\n", data("a")),
    "no blank line at the end": (b"data: a\n\ndata: b\n", data("a", "b")),
    "no line end at the end": (b"data: a\n\ndata: b", data("a", "b")),
    "unknown fields, ids": (b"id: 1\nretry: 2\nfoo: x\nbar\n data: no\ndata: a\n\n", data("a")),
    "comment": (b": OPENROUTER PROCESSING\n\n:\n:x\n", [comment("OPENROUTER PROCESSING"), comment(""), comment("x")]),
    "comment inside": (b"data: a\n: c\ndata: b\n\n", [comment("c"), *data("a\nb")]),
    "UTF-8": ("data: žluťoučký 🐎\n\n".encode(), data("žluťoučký 🐎")),
    "not UTF-8": (b"data: a\xffb\xe2\x82\n\n", data("a\ufffdb\ufffd")),
    "a surrogate as bytes": (b"data: \xed\xa0\xbd\n\n", data("\ufffd" * 3)),
    "NUL": (b"data: a\x00b\n\n", data("a\x00b")),
    "other line separators are text": ("data: a\u2028b\x0bc\x85d\x0ce\n\n".encode(), data("a\u2028b\x0bc\x85d\x0ce")),
    "a colon in data": (b"data: a:b\n\n", data("a:b")),
}


@pytest.mark.parametrize("name", CASES)
def test_a_case_whole_and_byte_by_byte(name: str) -> None:
    stream, expected = CASES[name]
    whole = SseDecoder()
    assert whole.feed(stream) + whole.close() == expected
    crumbs = SseDecoder()
    got = [event for at in range(len(stream)) for event in crumbs.feed(stream[at : at + 1])]
    assert got + crumbs.close() == expected


# Any cut of any bytes gives the events of the whole.
@given(
    st.lists(
        st.sampled_from([b"data", b":", b" ", b"\n", b"\r", b"event", b"x", b"\xe2\x82\xac", b"\xff", b"\xef\xbb\xbf"])
    ),
    st.lists(st.integers(0, 200)),
)
def test_cuts_change_nothing(pieces: list[bytes], places: list[int]) -> None:
    stream = b"".join(pieces)
    whole, pieced = SseDecoder(), SseDecoder()
    expected = whole.feed(stream) + whole.close()
    got = [event for piece in cut(stream, places) for event in pieced.feed(piece)]
    assert got + pieced.close() == expected


def test_an_event_is_given_with_the_byte_that_completes_it() -> None:
    decoder = SseDecoder()
    assert decoder.feed(b"data: a\n") == []
    assert decoder.feed(b"\n") == data("a")
    assert decoder.feed(b"data: b\r\n\r") == data("b")
    assert decoder.feed(b"") == []
    assert decoder.feed(b"\ndata: c") == []
    assert decoder.close() == data("c")


def test_a_line_that_never_ends_is_handed_on_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_LINE", 100)
    decoder = SseDecoder()
    events = [event for _ in range(40) for event in decoder.feed(b"data: 4567")]
    assert [len(event.data) for event in events] == [104, 104, 104]  # 110 bytes each, less the field name


def test_an_event_that_never_ends_is_handed_on_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_LINE", 100)
    decoder = SseDecoder()
    events = [event for _ in range(40) for event in decoder.feed(b"data: 456\n")]
    assert [event.data.count("456") for event in events] == [11, 11, 11]
