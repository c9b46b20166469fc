"""Which upstream connection a call gets, and that what is over leaves nothing behind."""

import json

import pytest

from tests.addons.line import Line
from tests.addons.line_words import (
    ClientSays,
    Closes,
    Connected,
    Later,
    Opens,
    Refused,
    UpstreamGone,
    UpstreamSays,
    chunk,
    get,
    head_of,
    post,
    whole,
)
from tests.fake_dialects import chat_body

PLAIN = post("/v1/chat/completions", {"model": "big"})
BODY = json.dumps(chat_body()).encode()


def opens(line: Line) -> list[int]:
    return [one.port for one in line.done if isinstance(one, Opens)]


def test_each_address_has_its_own_connection(line: Line) -> None:
    line >> PLAIN >> Connected() >> UpstreamSays(whole(200, BODY))
    line >> get("/props") >> Connected() >> UpstreamSays(whole(200, b"{}"))
    assert opens(line) == [9901, 8080]
    line >> PLAIN >> get("/props")
    assert opens(line) == [9901, 8080]


def test_a_connection_is_used_as_long_as_it_is_open(line: Line) -> None:
    line >> PLAIN >> Connected()
    for _ in range(5):
        line >> UpstreamSays(whole(200, BODY)) >> PLAIN
    assert opens(line) == [9901]
    assert line.to_client.count(b"HTTP/1.1 200") == 5


@pytest.mark.parametrize("why", ["connection: close", "length"])
def test_a_connection_that_cannot_go_on_is_not_used_again(line: Line, why: str) -> None:
    if why == "length":
        (
            line
            >> PLAIN
            >> Connected()
            >> UpstreamSays(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n" + BODY)
        )
        line >> UpstreamGone()
    else:
        line >> PLAIN >> Connected()
        line >> UpstreamSays(head_of(200, "application/json", f"content-length: {len(BODY)}", why) + BODY)
    assert line.answer().body == BODY
    line >> PLAIN
    assert opens(line) == [9901, 9901]


def test_an_idle_connection_that_closes_is_forgotten(line: Line) -> None:
    line >> PLAIN >> Connected() >> UpstreamSays(whole(200, BODY)) >> UpstreamGone()
    line >> PLAIN
    assert opens(line) == [9901, 9901]
    line >> Connected() >> UpstreamSays(whole(200, BODY))
    assert line.to_client.count(b"HTTP/1.1 200") == 2


def test_an_idle_connection_that_speaks_unasked_is_closed(line: Line) -> None:
    line >> PLAIN >> Connected() >> UpstreamSays(whole(200, BODY))
    line >> UpstreamSays(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
    assert Closes(9901) in line.done
    assert line.to_client.count(b"HTTP/1.1") == 1
    line >> PLAIN
    assert opens(line) == [9901, 9901]


def test_a_redial_takes_no_idle_connection(line: Line) -> None:
    line >> PLAIN >> Connected() >> UpstreamSays(whole(200, BODY)) >> PLAIN >> UpstreamGone()
    assert opens(line) == [9901, 9901]
    line >> Refused()
    assert b"HTTP/1.1 503" in line.to_client


def test_a_refused_address_is_not_remembered(line: Line) -> None:
    for _ in range(3):
        line >> PLAIN >> Refused()
    assert opens(line) == [9901, 9901, 9901]
    line >> PLAIN >> Connected() >> UpstreamSays(whole(200, BODY))
    assert b"HTTP/1.1 200" in line.to_client


def test_an_upstream_that_was_hung_up_on_is_not_used_again(line: Line) -> None:
    line >> PLAIN >> Connected() >> Later(2.5)
    assert Closes(9901) in line.done
    line >> PLAIN
    assert opens(line) == [9901, 9901]


def test_what_is_over_leaves_nothing_behind(line: Line) -> None:
    """A client may stay for days: nothing may grow with its calls."""
    sizes = []
    for _ in range(4):
        for call in (PLAIN, get("/props"), post("/v1/chat/completions", b"{"), get("/v1/models/x")):
            line >> call
            if line.opening:
                line >> Connected()
            if call.data.startswith((b"POST /v1/chat", b"GET /props")) and not call.data.endswith(b"\r\n{"):
                line >> UpstreamSays(whole(200, BODY)) >> UpstreamGone()
        line >> PLAIN >> Refused() >> PLAIN >> Later(20)
        line >> Later(4000)
        layer = line.layer
        sizes.append([len(layer.streams), len(layer.connections), len(layer.command_sources)])
        sizes[-1] += [len(layer.waiting_for_establishment), len(list(line.exchanges.open())), len(line._alarms)]
    assert sizes[1:] == sizes[:-1]


def test_a_stream_in_one_piece_with_its_end(line: Line) -> None:
    line >> post("/v1/chat/completions", {"model": "big", "stream": True}) >> Connected()
    stream = b'data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\ndata: [DONE]\n\n'
    line >> UpstreamSays(head_of() + chunk(stream) + b"0\r\n\r\n")
    assert (line.answer().body, line.answer().complete) == (stream, True)


def test_a_request_that_comes_in_crumbs(line: Line) -> None:
    for at in range(len(PLAIN.data)):
        line >> ClientSays(PLAIN.data[at : at + 1])
    assert opens(line) == [9901]
