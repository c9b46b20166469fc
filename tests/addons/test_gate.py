"""The gate: clients of this machine, requests that are HTTP, each admitted once."""

from collections.abc import Callable

import pytest
from mitmproxy.addons.block import Block
from mitmproxy.http import Headers, HTTPFlow
from mitmproxy.test import taddons, tflow

from addons.configuration import Configuration
from addons.exchanges import Exchanges
from addons.gate import Gate


def flow_from(address: str, path: str = "/v1/messages") -> HTTPFlow:
    flow: HTTPFlow = tflow.tflow()
    flow.client_conn.peername = (address, 50000)
    flow.request.path = path
    return flow


def judged(flow: HTTPFlow, configuration: Configuration) -> bool:
    """Whether the flow was admitted; if not, it has an answer."""
    exchanges = Exchanges()
    Gate(exchanges, configuration).requestheaders(flow)
    admitted = exchanges.of(flow) is not None
    assert admitted is (flow.response is None)
    return admitted


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::1%lo", "::ffff:127.0.0.1"])
def test_this_machine_may_enter(address: str, configuration: Configuration) -> None:
    assert judged(flow_from(address), configuration)


FAR = ["10.0.0.1", "192.168.1.2", "0.0.0.0", "::", "fe80::1%eth0", "::ffff:10.0.0.1", "8.8.8.8", "localhost", "", "x%y"]


@pytest.mark.parametrize("address", FAR)
def test_others_may_not(address: str, configuration: Configuration) -> None:
    flow = flow_from(address)
    assert not judged(flow, configuration)
    assert flow.response
    assert flow.response.status_code == 403
    error = flow.response.json()
    assert error["error"]["details"]["error_code"] == "remote_not_allowed"
    assert "PATCHBAY_ALLOW_REMOTE=1" in error["error"]["message"]
    assert error["request_id"] == flow.id


@pytest.mark.parametrize("address", FAR[:-3])
def test_others_may_where_the_owner_says_so(address: str, configure: Callable[..., Configuration]) -> None:
    assert judged(flow_from(address), configure(PATCHBAY_ALLOW_REMOTE="1"))


def test_a_client_without_an_address_may_not(configuration: Configuration) -> None:
    flow = flow_from("")
    flow.client_conn.peername = None  # type: ignore[assignment]  # as a connection that has gone has it
    assert not judged(flow, configuration)


def test_each_stranger_is_told_of_once(configuration: Configuration, caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate(Exchanges(), configuration)
    for _ in range(3):
        for address in ("10.0.0.1", "10.0.0.2"):
            gate.requestheaders(flow_from(address))
    assert [record.getMessage().split()[4] for record in caplog.records] == ["10.0.0.1:", "10.0.0.2:"]


def test_many_strangers_cost_no_memory(configuration: Configuration) -> None:
    gate = Gate(Exchanges(), configuration)
    for number in range(300):
        gate.requestheaders(flow_from(f"10.0.{number // 250}.{number % 250}"))
    assert len(gate._warned) <= 101


CONTROL = [byte for byte in range(0x20) if byte != 0x09] + [0x7F]


@pytest.mark.parametrize("byte", CONTROL)
def test_control_bytes_are_refused_wherever_they_stand(byte: int, configuration: Configuration) -> None:
    char = bytes([byte])
    in_path, in_name, in_value = (flow_from("127.0.0.1") for _ in range(3))
    in_path.request.data.path = b"/v1/mess" + char + b"ages"
    in_name.request.headers = Headers([(b"x" + char, b"y")])
    in_value.request.headers = Headers([(b"ok", b"ok"), (b"x", b"y" + char + b"z")])
    for flow in (in_path, in_name, in_value):
        assert not judged(flow, configuration)
        assert flow.response
        assert flow.response.status_code == 400


def test_tabs_and_letters_of_any_script_may_stand_in_a_value(configuration: Configuration) -> None:
    flow = flow_from("127.0.0.1", "/v1/messages?q=%00")
    flow.request.headers = Headers([(b"x", b"a\tb"), (b"y", "ž🐎".encode()), (b"z", b"\xff")])
    assert judged(flow, configuration)


@pytest.mark.parametrize("version", [b"HTTP/9.9", b"HTTP/0.9", b"HTTP/1.2", b"http/1.1"])
def test_versions_of_http_that_do_not_exist_are_refused(version: bytes, configuration: Configuration) -> None:
    flow = flow_from("127.0.0.1")
    flow.request.data.http_version = version
    assert not judged(flow, configuration)


@pytest.mark.parametrize("path", [b"/a b", b"/a\tb"])
def test_spaces_may_not_stand_in_a_path(path: bytes, configuration: Configuration) -> None:
    flow = flow_from("127.0.0.1")
    flow.request.data.path = path
    assert not judged(flow, configuration)


def test_a_flow_is_in_hand_until_it_is_released(configuration: Configuration) -> None:
    exchanges = Exchanges()
    flow, other = flow_from("127.0.0.1"), flow_from("127.0.0.1")
    Gate(exchanges, configuration).requestheaders(flow)
    in_hand = exchanges.of(flow)
    assert in_hand is not None
    assert in_hand.verdict is None
    assert exchanges.of(other) is None
    assert exchanges.release(flow) is in_hand
    assert exchanges.of(flow) is exchanges.release(flow) is None


def test_a_replay_is_judged_when_it_comes_back(configuration: Configuration) -> None:
    exchanges, flow = Exchanges(), flow_from("127.0.0.1")
    flow.is_replay = "request"
    Gate(exchanges, configuration).requestheaders(flow)
    assert (exchanges.of(flow), flow.response) == (None, None)


def test_mitmproxys_own_check_of_addresses_is_left_to_us(configuration: Configuration) -> None:
    with taddons.context(Block(), Gate(Exchanges(), configuration)) as context:
        assert (context.options.block_global, context.options.block_private) == (False, False)
    with taddons.context(Gate(Exchanges(), configuration)) as context:
        assert "block_global" not in context.options
