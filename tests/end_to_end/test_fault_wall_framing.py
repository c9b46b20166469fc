"""The fault wall, framing (specs: faults, F14, F16, F17, F18): odd but whole answers reach the client as they should.

The events of an untouched stream are the provider's very bytes, however they were cut up on the way.
"""

import json
from collections.abc import Iterator

import pytest

from tests.fake_answers import CHUNKED, SSE, json_answer, streamed
from tests.fake_cuts import in_slices
from tests.fake_dialects import (
    chat_body,
    chat_events,
    messages_body,
    messages_events,
    responses_body,
    responses_events,
)
from tests.fake_steps import Chunk, Close, Head, LastChunk, Raw, Reset, Script
from tests.rig_client import dial, read_answer, request_bytes
from tests.rig_gateway import DIALECTS, WAYS, Behind, Gateway, ask, run_gateway
from tests.rig_metrics import assert_counted
from tests.rig_wall import EVERY_WAY, Heard, assert_healthy, assert_kept, call, own_name, own_names, path, wall_registry

EVENTS = {"chat": chat_events, "messages": messages_events, "responses": responses_events}
BODIES = {"chat": chat_body, "messages": messages_body, "responses": responses_body}
JSON = ("content-type", "application/json")
TRAILERS = (("x-checksum", "abc"), ("x-more", "d"))
EARLY = b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
FAULTS = ("trailers", "extensions", "single bytes", "interim answers", "more than its length", "a stale connection")


def answer_of(fault: str, dialect: str, stream: bool) -> Script:
    """A whole answer in an odd frame."""
    pieces = EVENTS[dialect]() if stream else [json.dumps(BODIES[dialect]()).encode()]
    typed = SSE if stream else (JSON,)
    sized = (*typed, ("content-length", str(len(b"".join(pieces)))))
    plain = streamed(pieces) if stream else json_answer(BODIES[dialect]())
    scripts: dict[str, Script] = {
        "trailers": (
            Head(200, (*typed, *CHUNKED, ("trailer", "x-checksum"))),
            *map(Chunk, pieces),
            LastChunk(TRAILERS),
        ),
        "extensions": (Head(200, (*typed, *CHUNKED)), *(Chunk(piece, ';a=b;c="d e"') for piece in pieces), LastChunk()),
        "single bytes": in_slices(plain),
        "interim answers": (Raw(EARLY), *plain),
        "more than its length": (Head(200, sized), Raw(b"".join(pieces) + b"HTTP/1.1 500 Not Yours\r\n" * 2)),
    }
    return scripts[fault]


@pytest.fixture(name="own", scope="module", params=WAYS)
def fixture_own(
    request: pytest.FixtureRequest, all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    folder, env = tmp_path_factory.mktemp("framing"), {"PATCHBAY_ATTEMPTS": "3"}
    registry = wall_registry(all_upstreams, own_names(FAULTS))
    with run_gateway(str(request.param), all_upstreams, folder, registry=registry, env=env) as gateway:
        yield gateway
        assert_counted(gateway)
        assert "Traceback" not in gateway.program.output


@pytest.fixture(name="gateway")
def fixture_gateway(own: Gateway, upstreams: Behind) -> Gateway:
    assert own.behind is upstreams
    return own


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
@pytest.mark.parametrize("fault", FAULTS[:-1])
def test_an_odd_frame(gateway: Gateway, fault: str, dialect: str, stream: bool) -> None:
    name = own_name(fault, dialect, stream)
    gateway.external.on(path(name, dialect), answer_of(fault, dialect, stream))
    heard = call(gateway, dialect, f"{name}/m", stream=stream)
    assert_healthy(heard, provider=name, tries=1)
    expected = b"".join(EVENTS[dialect]()) if stream else json.dumps(BODIES[dialect]()).encode()
    assert heard.answer.body == expected
    assert_kept(heard, "ok", [(name, "ok")])


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_too_much_is_not_the_next_answer(gateway: Gateway, dialect: str) -> None:
    """Two bytes were announced, forty came: the connection is dropped, and the next call gets its own answer."""
    name = own_name("more than its length", dialect, False)
    body = json.dumps(BODIES[dialect]()).encode()
    too_much = (Head(200, (JSON, ("content-length", str(len(body))))), Raw(body + b"x" * 38))
    gateway.external.on(path(name, dialect), too_much, json_answer(BODIES[dialect]()))
    target, asked = ask(dialect, f"{name}/m")
    data = request_bytes("POST", target, json.dumps(asked).encode(), (JSON,))
    with dial(gateway.port) as client:
        for _ in range(2):
            client.sendall(data)
            heard = Heard(gateway, dialect, False, read_answer(client))
            assert_healthy(heard, provider=name, tries=1)
    assert len({request.connection.number for request in gateway.behind.posts()}) == 2


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
@pytest.mark.parametrize("end", [Close(), Reset()], ids=["closed", "reset"])
def test_an_idle_connection_that_ends_as_the_next_call_is_written(
    gateway: Gateway, end: Close | Reset, dialect: str, stream: bool
) -> None:
    name = own_name("a stale connection", dialect, stream)
    answers = answer_of("interim answers", dialect, stream)[1:]
    gateway.external.on(path(name, dialect), answers, (end,), answers)
    target, asked = ask(dialect, f"{name}/m", stream=stream)
    data = request_bytes("POST", target, json.dumps(asked).encode(), (JSON,))
    with dial(gateway.port) as client:
        client.sendall(data)
        assert_healthy(Heard(gateway, dialect, stream, read_answer(client)), provider=name, tries=1)
        client.sendall(data)
        heard = Heard(gateway, dialect, stream, read_answer(client))
    assert_healthy(heard, provider=name, tries=1)  # the one that had died is none
    assert_kept(heard, "ok", [(name, "upstream_reset"), (name, "ok")])
    assert [attempt["stale"] for attempt in heard.attempts()] == [1, 0]
    assert [request.nth for request in gateway.behind.posts()] == [0, 1, 0]
