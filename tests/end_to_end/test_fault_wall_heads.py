"""The fault wall, heads and whole bodies: what comes is no answer to the call.

These are F11, F12, F15, F17, F19 and F20 (specs: faults).
None of it has reached the client, so another target answers where there is one; alone, the client gets a 502 that
quotes nothing.
"""

from collections.abc import Iterator

import pytest

from tests.fake_answers import CHUNKED, SSE, speak, whole
from tests.fake_steps import Chunk, Close, Drip, Head, LastChunk, Raw, Script
from tests.fake_upstream import FakeUpstream
from tests.rig_gateway import Behind, Gateway, run_gateway
from tests.rig_metrics import assert_counted
from tests.rig_wall import (
    EVERY_WAY,
    LEAK,
    SECOND,
    Told,
    assert_healthy,
    assert_kept,
    assert_refused,
    call,
    own_name,
    own_names,
    path,
    wall_registry,
)

PAGE = f"<!doctype html><html><title>Log in</title><body>{LEAK}</body></html>".encode()
JSON = ("content-type", "application/json")
PROTOCOL = Told(502, "upstream_protocol_error", "upstream_protocol_error")
TRUNCATED = Told(502, "upstream_truncated", "upstream_truncated")
REDIRECT = Told(502, "upstream_redirect", "upstream_protocol_error")
MANY = tuple((f"x-filler-{number}", LEAK + "x" * 40) for number in range(2000))  # 150 kB
LONG = (("x-filler", LEAK + "x" * (1 << 20)),)


# What comes instead of an answer → what that is told as.
HEADS: dict[str, tuple[Script, Told]] = {
    # F11
    "a banner": ((Raw(f"220 {LEAK} ESMTP ready\r\n\r\n".encode()), Close()), PROTOCOL),
    "noise": ((Raw(bytes(range(256)) * 4 + b"\r\n\r\n"), Close()), PROTOCOL),
    "half a head": ((Raw(b"HTTP/1.1 200 OK\r\nconnection: closed\r\ncont"), Close()), PROTOCOL),
    "another protocol": (
        (Raw(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + b"\x00" * 18 + b"\r\n\r\n"), Close()),
        PROTOCOL,
    ),
    "a status that is none": ((Raw(b"HTTP/1.1 abc OK\r\n\r\n"), Close()), PROTOCOL),
    # F12
    "seven of a hundred bytes": (
        (Head(200, (JSON, ("content-length", "100"))), Raw(b'{"id":1'), Close()),
        TRUNCATED,
    ),
    "half a chunk": ((Head(200, (JSON, *CHUNKED)), Raw(b'64\r\n{"id":1'), Close()), TRUNCATED),
    "a chunk without a size": ((Head(200, (JSON, *CHUNKED)), Raw(b"xyz\r\n{}\r\n0\r\n\r\n"), Close()), PROTOCOL),
    "two lengths": (
        (Head(200, (JSON, ("content-length", "2"), ("content-length", "3"))), Raw(b"{}"), Close()),
        PROTOCOL,
    ),
    # F15
    "two thousand headers": ((Head(200, (JSON, *MANY)), Raw(b"{}"), Close()), PROTOCOL),
    "a header of a megabyte": ((Head(200, (JSON, *LONG)), Raw(b"{}"), Close()), PROTOCOL),
    "a head without end": (
        (Raw(b"HTTP/1.1 200 OK\r\n"), Drip(b"x-filler: %s\r\n" % (b"x" * 8000) * 200, 65536)),
        PROTOCOL,
    ),
    # F17
    "another way to speak": ((Head(101, (("upgrade", "raw"), ("connection", "upgrade"))), Raw(b"raw")), PROTOCOL),
    "no content": ((Head(204),), PROTOCOL),
    "no content but a body": ((Head(204, (("content-length", "2"),)), Raw(b"{}"), Close()), PROTOCOL),
    "not modified": ((Head(304, (("etag", '"x"'),)),), PROTOCOL),
    # F20
    "a login page": (whole(PAGE, "text/html; charset=utf-8"), PROTOCOL),
    "a page of another kind": (whole(PAGE, "application/xhtml+xml"), PROTOCOL),
    "a page that says it is JSON": (whole(PAGE, "application/json"), PROTOCOL),
    "a page without a name": (whole(PAGE, ""), PROTOCOL),
    "a list": (whole(b"[1, 2]", "application/json"), PROTOCOL),
}

NO_BODY = {"nothing at all": (whole(b"", "application/json"), PROTOCOL)}
# Where events were asked for.
NO_EVENTS: dict[str, tuple[Script, Told]] = {
    "a page in a stream": ((Head(200, (*SSE, *CHUNKED)), Chunk(PAGE), LastChunk()), PROTOCOL),
    "nothing where events are due": (whole(b"", "application/json"), TRUNCATED),
    "an empty stream": ((Head(200, (*SSE, *CHUNKED)), LastChunk()), TRUNCATED),
}
FAULTS = {**HEADS, **NO_BODY, **NO_EVENTS}
REDIRECTS = (301, 302, 303, 307, 308)


@pytest.fixture(name="own", scope="module")
def fixture_own(all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    names = [name for kind in ("alone", "pair") for name in own_names(FAULTS, kind)]
    registry = wall_registry(all_upstreams, [*names, *own_names(["redirect"])])
    folder, env = tmp_path_factory.mktemp("heads"), {"PATCHBAY_ATTEMPTS": "3"}
    with run_gateway("serve", all_upstreams, folder, registry=registry, env=env) as gateway:
        yield gateway
        assert_counted(gateway)
        assert "Traceback" not in gateway.program.output
        assert LEAK not in gateway.program.output


@pytest.fixture(name="gateway")
def fixture_gateway(own: Gateway, upstreams: Behind) -> Gateway:
    assert own.behind is upstreams
    return own


def ways(faults: dict[str, tuple[Script, Told]], streamed: bool | None = None) -> list[tuple[str, str, bool]]:
    """Every fault in every dialect and form."""
    return [(fault, *way) for fault in faults for way in EVERY_WAY if streamed in (None, way[1])]


CASES = [*ways(HEADS), *ways(NO_BODY, streamed=False), *ways(NO_EVENTS, streamed=True)]


@pytest.mark.parametrize(("fault", "dialect", "stream"), CASES)
def test_alone(gateway: Gateway, fault: str, dialect: str, stream: bool) -> None:
    script, told = FAULTS[fault]
    name = own_name(fault, dialect, stream)
    gateway.external.on(path(name, dialect), script)
    heard = call(gateway, dialect, f"{name}/m", stream=stream)
    error = assert_refused(heard, told, tries=1)
    assert name in error["message"]
    assert_kept(heard, told.outcome, [(name, told.outcome)], who="upstream")


# What leaves nobody in doubt that the model has not worked: another is asked at once.
PASSED_ON = [case for case in CASES if FAULTS[case[0]][1].code == "upstream_protocol_error"]


@pytest.mark.parametrize(("fault", "dialect", "stream"), PASSED_ON)
def test_another_answers(gateway: Gateway, fault: str, dialect: str, stream: bool) -> None:
    script, told = FAULTS[fault]
    name = own_name(fault, dialect, stream, "pair")
    gateway.external.on(path(name, dialect), script)
    heard = call(gateway, dialect, f"{name}-pair", stream=stream)
    assert_healthy(heard, provider=SECOND, tries=2)
    assert_kept(heard, "ok", [(name, told.outcome), (SECOND, "ok")])


@pytest.mark.parametrize(("dialect", "stream"), EVERY_WAY)
def test_nobody_follows_a_redirect(gateway: Gateway, dialect: str, stream: bool) -> None:
    name = own_name("redirect", dialect, stream)
    with FakeUpstream(speak) as elsewhere:
        for status in REDIRECTS:
            to = (("location", f"{elsewhere.url}{path(name, dialect)}"), ("content-length", "0"))
            gateway.external.on(path(name, dialect), (Head(status, to),))
            heard = call(gateway, dialect, f"{name}/m", stream=stream)
            assert_refused(heard, REDIRECT, tries=1)
            assert str(elsewhere.port) not in repr(heard.answer)
            assert_kept(heard, REDIRECT.outcome, [(name, REDIRECT.outcome)])
        assert not elsewhere.connections
