"""Who sees the page: by peer, by the name it was asked by, and by whose page asks."""

import socket

import pytest
from mitmproxy.http import HTTPFlow
from mitmproxy.test import tflow

from addons.web.guard import objection

SELF = socket.gethostname().lower()


def asked(host: str = "127.0.0.1:8088", peer: str = "127.0.0.1", **headers: str) -> HTTPFlow:
    flow: HTTPFlow = tflow.tflow()
    flow.client_conn.peername = (peer, 50000)
    flow.request.headers["host"] = host
    for name, value in headers.items():
        flow.request.headers[name.replace("_", "-")] = value
    return flow


@pytest.mark.parametrize(
    "flow",
    [
        asked(),
        asked("localhost:8088"),
        asked("LOCALHOST"),
        asked("[::1]:8088", "::1"),
        asked("127.0.0.1:8088", "::ffff:127.0.0.1"),
        asked("patchbay.localhost:8088"),
        asked(sec_fetch_site="none"),
        asked(sec_fetch_site="same-origin", origin="http://127.0.0.1:8088"),
        asked("localhost:8088", origin="http://LOCALHOST:8088"),
    ],
)
def test_a_browser_here_sees_it(flow: HTTPFlow) -> None:
    assert objection(flow, page_remote=False) == ""
    assert objection(flow, page_remote=True) == ""


@pytest.mark.parametrize(
    "flow",
    [
        asked("evil.example"),
        asked("127.0.0.1.evil.example:8088"),
        asked("localhost.evil.example"),
        asked(""),
        asked("[::1"),
        asked("evil.example@127.0.0.1.evil.example"),
        asked(sec_fetch_site="cross-site"),
        asked(sec_fetch_site="same-site"),
        asked(origin="http://evil.example"),
        asked(origin="http://127.0.0.1:8089"),
        asked(origin="null"),
        asked(origin="ftp://127.0.0.1:8088"),
        asked(origin=""),
    ],
)
def test_other_names_and_other_sites_do_not(flow: HTTPFlow) -> None:
    for page_remote in (False, True):
        said = objection(flow, page_remote=page_remote)
        assert said.endswith(".")
        assert "127.0.0.1" in said or "site" in said


@pytest.mark.parametrize(
    "flow",
    [
        asked("192.168.1.5:8088", "192.168.1.9"),
        asked(f"{SELF}:8088", "192.168.1.9"),
        asked(f"{SELF.partition('.')[0]}.local:8088", "192.168.1.9"),
        asked("[fe80::1]:8088", "fe80::2"),
        asked(x_forwarded_for="192.168.1.9"),
        asked(forwarded="for=192.168.1.9"),
        asked(x_real_ip="192.168.1.9"),
    ],
)
def test_other_machines_see_it_only_by_the_setting(flow: HTTPFlow) -> None:
    assert "PATCHBAY_PAGE_REMOTE" in objection(flow, page_remote=False)
    assert objection(flow, page_remote=True) == ""


def test_a_name_of_the_network_is_none_of_ours_for_a_browser_here() -> None:
    assert objection(asked("192.168.1.5:8088"), page_remote=False)
    assert objection(asked("other-machine:8088", "192.168.1.9"), page_remote=True)


def test_nobody_is_not_here() -> None:
    flow = asked()
    flow.client_conn.peername = None  # type: ignore[assignment]  # a flow that was loaded from a file
    assert objection(flow, page_remote=False)
