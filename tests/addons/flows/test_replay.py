"""A client replay is the client's call made again."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.connection import Server
from mitmproxy.http import Headers, HTTPFlow
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from mitmproxy.test import taddons, tflow

from addons.flows.replay import Replay
from addons.relay.wire_view import client_request


class Listening(Proxyserver):
    """Listens nowhere, and says where."""

    name = "proxyserver"
    address: tuple[str, int] = ("127.0.0.1", 8088)

    def listen_addrs(self) -> list[tuple[str, int]]:
        return [self.address]


@pytest.fixture(name="replay")
def fixture_replay() -> Iterator[Replay]:
    replay = Replay()
    proxy = Listening()  # type: ignore[no-untyped-call]  # mitmproxy's
    with taddons.context(proxy, replay):
        yield replay


def shown_call(wire_body: bytes = b'{"model": "big-1"}') -> HTTPFlow:
    """A flow as the router leaves it, about to be replayed."""
    flow: HTTPFlow = tflow.tflow()
    request = flow.request
    request.method, request.path = "POST", "/v1/chat/completions?x=1"
    request.headers = Headers([(b"host", b"localhost:8088"), (b"x-odd", b"1"), (b"authorization", b"Bearer mine")])
    request.data.content = b'{"model": "big"}'
    flow.metadata.update(client_request(request, wire_body))
    flow.metadata["patchbay.provider"] = "acme"
    request.host, request.port, request.path = "api.acme.example", 443, "/v1/other"
    request.headers = Headers([(b"host", b"api.acme.example"), (b"authorization", b"Bearer <ACME_API_KEY>")])
    request.data.content = wire_body
    flow.is_replay = "request"
    return flow


def test_the_clients_request_is_put_back_and_sent_to_ourselves(replay: Replay) -> None:
    flow = shown_call()
    replay.request(flow)
    request = flow.request
    assert request.url == "http://127.0.0.1:8088/v1/chat/completions?x=1"
    assert (request.method, request.raw_content) == ("POST", b'{"model": "big"}')
    assert dict(request.headers.items()) == {"host": "127.0.0.1:8088", "x-odd": "1", "content-length": "16"}


def test_a_body_that_was_not_changed_on_the_way_is_the_shown_one(replay: Replay) -> None:
    flow = shown_call(b'{"model": "big"}')
    assert "patchbay.client_request_body" not in flow.metadata
    replay.request(flow)
    assert flow.request.raw_content == b'{"model": "big"}'


def test_what_somebody_has_edited_is_sent_to_the_provider_that_is_shown(replay: Replay) -> None:
    flow = shown_call()
    flow.request.data.content = b'{"model": "big-1", "n": 2}'
    replay.request(flow)
    assert json.loads(flow.request.raw_content or b"") == {"model": "acme/big-1", "n": 2}


@pytest.mark.parametrize("edited", [b"no json", b'{"n": 1}'])
def test_an_edit_that_names_no_model_is_sent_as_it_is(replay: Replay, edited: bytes) -> None:
    flow = shown_call()
    flow.request.data.content = edited
    replay.request(flow)
    assert flow.request.raw_content == edited


@pytest.mark.parametrize("is_replay", [None, "response"])
def test_other_flows_are_left_alone(replay: Replay, is_replay: str | None) -> None:
    flow = shown_call()
    flow.is_replay = is_replay
    replay.request(flow)
    assert flow.request.host == "api.acme.example"


@pytest.mark.anyio
async def test_one_that_comes_before_we_listen_waits_until_we_do(
    replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Listening, "listen_addrs", lambda _self: [])
    flow = shown_call()
    waiting = replay.request(flow)
    assert waiting is not None
    restoring = asyncio.ensure_future(waiting)
    await asyncio.sleep(0)
    assert flow.request.host == "api.acme.example"
    monkeypatch.undo()
    await asyncio.wait_for(restoring, 5)
    assert flow.request.host == "127.0.0.1"


@pytest.mark.anyio
async def test_where_we_never_listen_it_fails(replay: Replay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Listening, "listen_addrs", lambda _self: [])
    monkeypatch.setattr("addons.flows.replay._PATIENCE", 0.02)
    waiting = replay.request(shown_call())
    assert waiting is not None
    with pytest.raises(IndexError):
        await waiting


def test_a_flow_that_was_no_call_is_left_alone(replay: Replay) -> None:
    flow = shown_call()
    flow.metadata.clear()
    replay.request(flow)
    assert flow.request.host == "api.acme.example"


@pytest.mark.parametrize(
    ("bound", "aim"), [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("127.0.0.1", "127.0.0.1"), ("10.0.0.1", "10.0.0.1")]
)
def test_it_connects_to_an_address_that_can_be_connected_to(
    replay: Replay, bound: str, aim: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Listening, "address", (bound, 9000))
    flow = shown_call()
    replay.request(flow)
    assert (flow.request.host, flow.request.port) == (aim, 9000)


def test_the_guard_against_oneself_is_lifted_once_for_each_replay(replay: Replay) -> None:
    def connecting(address: tuple[str, int]) -> ServerConnectionHookData:
        server = Server(address=address)
        server.error = "Request destination unknown. Unable to figure out where this request should be forwarded to."
        return ServerConnectionHookData(server, tflow.tclient_conn())

    for address, replayed, lifted in (
        (("127.0.0.1", 8088), False, False),
        (("127.0.0.1", 9999), True, False),
        (("127.0.0.1", 8088), False, True),
        (("127.0.0.1", 8088), False, False),
    ):
        if replayed:
            replay.request(shown_call())
        data = connecting(address)
        replay.server_connect(data)
        assert (data.server.error is None) is lifted
