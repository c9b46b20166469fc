"""Every fault that the fake upstream can make is one that a plain client sees; several go wrong at once."""

import threading

import pytest

from tests.fake_answers import json_answer, speak, streamed
from tests.fake_cuts import after_bytes, after_events, in_slices
from tests.fake_dialects import chat_events
from tests.fake_steps import (
    Chunk,
    Close,
    Drip,
    Gate,
    HalfClose,
    Head,
    LastChunk,
    Raw,
    Reached,
    Reset,
    Script,
    Stall,
    bytes_of,
)
from tests.fake_upstream import FakeUpstream
from tests.rig_client import dial, get, post, read_answer, request_bytes

CHUNKED = (("transfer-encoding", "chunked"),)
ANSWER = json_answer({"a": 1})


def written(script: Script) -> bytes:
    return b"".join(bytes_of(step) or b"" for step in script)


def test_a_connection_is_cut_before_a_byte_of_it_is_read() -> None:
    with FakeUpstream(speak) as upstream:
        upstream.greet((Reset(),))
        with dial(upstream.port) as client, pytest.raises(ConnectionResetError):
            client.recv(1)
        upstream.greet((Close(),))
        with dial(upstream.port) as client:
            assert client.recv(1) == b""
        upstream.greet((Raw(b"220 ready\r\n"), Stall()))
        with dial(upstream.port) as client:
            client.sendall(request_bytes("GET", "/props"))
            assert client.recv(100) == b"220 ready\r\n"
        assert upstream.connections[-1].closed.wait(2)
        assert not upstream.requests


def test_each_connection_is_greeted_in_turn_and_then_served() -> None:
    with FakeUpstream(speak) as upstream:
        upstream.greet((Close(),), ())
        with dial(upstream.port) as client:
            assert client.recv(1) == b""
        for _ in range(2):
            assert get(upstream.port, "/props").status == 200
        upstream.greet((Raw(b"HTTP/1.1 100 Continue\r\n\r\n"),))
        assert get(upstream.port, "/props").status == 200
        upstream.reset()
        assert upstream.greeting() == ()


@pytest.mark.parametrize("count", [0, 5, len(written(ANSWER)) - 1, len(written(ANSWER))])
def test_an_answer_is_cut_after_any_byte(count: int) -> None:
    assert written(after_bytes(ANSWER, count)) == written(ANSWER)[:count]
    with FakeUpstream(speak) as upstream, dial(upstream.port) as client:
        upstream.on("/a", after_bytes(ANSWER, count, Close()))
        client.sendall(request_bytes("GET", "/a"))
        received = b""
        while piece := client.recv(4096):
            received += piece
        assert received == written(ANSWER)[:count]


def test_what_cannot_be_cut_is_said() -> None:
    with pytest.raises(ValueError, match="bytes, not"):
        after_bytes(ANSWER, 10_000)
    with pytest.raises(ValueError, match="more than write"):
        after_bytes((Stall(),), 0)


@pytest.mark.parametrize("count", range(4))
def test_a_stream_is_cut_after_any_event(count: int) -> None:
    events = chat_events()
    with FakeUpstream(speak) as upstream:
        upstream.on("/s", after_events(events, count, Close()))
        answer = post(upstream.port, "/s", {})
    assert (answer.body, answer.whole) == (b"".join(events[:count]), False)


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_an_answer_comes_in_slices(size: int) -> None:
    events = chat_events()
    with FakeUpstream(speak) as upstream:
        upstream.on("/s", in_slices(streamed(events), size))
        assert post(upstream.port, "/s", {}).body == b"".join(events)
    assert all(len(piece) <= size for piece in Drip(b"x" * 20, size).pieces())


def test_chunks_carry_extensions() -> None:
    with FakeUpstream(speak) as upstream:
        upstream.on("/s", (Head(200, CHUNKED), Chunk(b"abc", ";name=value"), LastChunk()))
        assert post(upstream.port, "/s", {}).body == b"abc"
    assert bytes_of(Chunk(b"abc", ";name=value")) == b"3;name=value\r\nabc\r\n"


def test_a_slow_close_says_its_end_and_stays_until_the_peer_goes() -> None:
    with FakeUpstream(speak) as upstream:
        upstream.on("/s", (Head(200), Raw(b"all of it"), HalfClose()))
        with dial(upstream.port) as client:
            client.sendall(request_bytes("POST", "/s"))
            assert read_answer(client).body == b"all of it"
            assert not upstream.connections[0].closed.is_open
        assert upstream.connections[0].closed.wait(2)


def test_several_faults_happen_at_once_and_each_to_its_own() -> None:
    gates = {path: Gate() for path in ("/stall", "/good")}
    with FakeUpstream(speak) as upstream:
        upstream.on("/stall", (Reached(gates["/stall"]), Stall()))
        upstream.on("/reset", (Reset(),))
        upstream.on("/good", (Reached(gates["/good"]), *ANSWER))
        with dial(upstream.port) as stalled:
            stalled.sendall(request_bytes("GET", "/stall"))
            assert gates["/stall"].wait(2)
            results: list[object] = []
            threads = [threading.Thread(target=_note, args=(results, upstream.port, at)) for at in ("/reset", "/good")]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(5)
            stalled.settimeout(0.05)
            with pytest.raises(TimeoutError):
                stalled.recv(1)
        assert sorted(map(str, results)) == ["200", "reset"]


def _note(results: list[object], port: int, path: str) -> None:
    try:
        results.append(get(port, path).status)
    except ConnectionResetError:
        results.append("reset")
