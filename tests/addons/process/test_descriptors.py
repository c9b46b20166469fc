"""Who comes in, who is told and who is turned away at the door, by the number of what is open."""

import asyncio
import socket
from collections.abc import Iterator

import pytest
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.connection import Client
from mitmproxy.http import HTTPFlow
from mitmproxy.options import Options
from mitmproxy.proxy import server
from mitmproxy.proxy.commands import StartHook
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.server import ConnectionIO
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from mitmproxy.test import taddons, tflow

from addons.process import descriptors
from addons.process.descriptors import LAST, SPARE, Descriptors

pytestmark = pytest.mark.anyio

AT_REST = 20
UPSTREAM = ServerConnectionHookData(tflow.tserver_conn(), tflow.tclient_conn())


@pytest.fixture(name="door")
def fixture_door() -> Descriptors:
    made = Descriptors()
    made.limit = 256
    return made


@pytest.fixture(name="listening")
def fixture_listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        yield bound


class ConnectionHandler(server.ConnectionHandler):
    """One that is asked nothing."""

    async def handle_hook(self, hook: StartHook) -> None:
        """Never called."""


def fill(door: Descriptors, count: int = 1000) -> list[bool]:
    """So many clients, one after the other, nobody of whom has anything upstream yet; up to the first at the door."""
    judged: list[bool] = []
    while len(judged) < count and (not judged or judged[-1]):
        judged.append(door.admit(AT_REST + len(judged), ("127.0.0.1", len(judged))))
    return judged


def client_of(number: int) -> Client:
    client = tflow.tclient_conn()
    client.peername = ("127.0.0.1", number)
    return client


def flow_of(number: int, path: str = "/v1/messages") -> HTTPFlow:
    flow: HTTPFlow = tflow.tflow()
    flow.client_conn, flow.request.path = client_of(number), path
    return flow


async def test_each_client_is_counted_with_what_it_needs_upstream(door: Descriptors) -> None:
    judged = fill(door)
    fine = (256 - SPARE - AT_REST) // 2
    told = SPARE - LAST
    assert judged == [True] * (fine + told) + [False]
    assert [number for number in range(len(judged)) if flow_is_refused(door, number)] == list(range(fine, fine + told))
    # Whatever those who are in ask for, what the record needs stays free.
    assert AT_REST + 2 * fine + told <= 256 - LAST


def flow_is_refused(door: Descriptors, number: int) -> bool:
    flow = flow_of(number)
    door.requestheaders(flow)
    if flow.response is None:
        return False
    assert (flow.response.status_code, flow.response.json()["error"]["type"]) == (529, "overloaded_error")
    assert (flow.response.headers["connection"], flow.response.headers["retry-after"]) == ("close", "1")
    return True


async def test_many_connections_upstream_count_as_well(door: Descriptors) -> None:
    assert fill(door, 10) == [True] * 10
    for _ in range(256 - SPARE - AT_REST - 10):
        door.server_connected(UPSTREAM)
    assert door.admit(40, ("127.0.0.1", 99))
    assert flow_is_refused(door, 99)
    door.server_disconnected(UPSTREAM)
    door.client_disconnected(client_of(99))
    assert door.admit(40, ("127.0.0.1", 100))
    assert not flow_is_refused(door, 100)


async def test_what_others_hold_open_counts_by_the_number(door: Descriptors) -> None:
    door.admit(AT_REST, ("127.0.0.1", 1))
    assert not door.admit(256 - LAST, ("127.0.0.1", 2))
    assert door.vitals()["clients_shed"] == 1


async def test_our_own_pages_and_what_is_answered_already_are_left(door: Descriptors) -> None:
    late = len(fill(door)) - 2
    health = flow_of(late, "/patchbay/health")
    door.requestheaders(health)
    assert health.response is None
    answered: HTTPFlow = tflow.tflow(resp=True)
    answered.client_conn = client_of(late)
    door.requestheaders(answered)
    assert answered.response is not None
    assert answered.response.status_code == 200


async def test_it_is_told_once_and_again_after_a_relief(
    door: Descriptors, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(descriptors, "_RELIEF", 0.05)
    fill(door)
    assert caplog.text.count("Clients are turned away") == 1
    await asyncio.sleep(0.03)
    assert not door.admit(250, ("127.0.0.1", 1))  # still: the look after it finds it so
    await asyncio.sleep(0.2)
    assert caplog.text.count("Clients are turned away") == 1
    assert not door.admit(250, ("127.0.0.1", 2))
    assert caplog.text.count("Clients are turned away") == 2
    assert "LimitNOFILE" in caplog.text


async def test_clients_that_go_make_room(door: Descriptors) -> None:
    judged = fill(door)
    for number in range(len(judged) - 1):
        door.client_disconnected(client_of(number))
    door.client_disconnected(client_of(0))  # of before the script was loaded again
    assert door.admit(AT_REST, ("127.0.0.1", 1))
    assert not flow_is_refused(door, 1)


async def test_who_is_late_and_says_nothing_is_hung_up_on(
    door: Descriptors, listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(descriptors, "_PATIENCE", 0.01)
    late = len(fill(door)) - 2
    with taddons.context(proxy := Proxyserver()):
        here, gone = client_of(late), client_of(late)
        handler = ConnectionHandler(Context(here, Options()))
        _, writer = await asyncio.open_connection(*listening.getsockname())
        handler.transports[here] = ConnectionIO(writer=writer)
        proxy.connections[here.id] = handler  # type: ignore[assignment]  # all that is asked of one
        for client in (client_of(0), gone, here):  # in time; gone by then; the one
            door.client_connected(client)
        async with asyncio.timeout(5):
            await writer.wait_closed()
