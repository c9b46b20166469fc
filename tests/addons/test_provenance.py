"""Who asks for itself, and who is spoken for."""

from typing import Any

import pytest
from mitmproxy.http import Headers
from mitmproxy.test import tflow

from addons.provenance import comes_from_here


def here(peer: Any = ("127.0.0.1", 5), headers: dict[str, str] | None = None) -> bool:
    flow = tflow.tflow()
    flow.client_conn.peername = peer
    fields = {"host": "localhost:8088", **(headers or {})}
    flow.request.headers = Headers([(name.replace("_", "-").encode(), v.encode()) for name, v in fields.items()])
    return comes_from_here(flow)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_a_program_on_this_machine(address: str) -> None:
    assert here((address, 5))


@pytest.mark.parametrize("peer", [("192.168.1.7", 5), ("::ffff:10.0.0.1", 5), ("fe80::1", 5), None])
def test_a_program_elsewhere(peer: tuple[str, int] | None) -> None:
    assert not here(peer)


@pytest.mark.parametrize("name", ["forwarded", "x_forwarded_for", "x_real_ip"])
def test_a_proxy_on_this_machine_speaks_for_others(name: str) -> None:
    assert not here(headers={name: "203.0.113.9"})


@pytest.mark.parametrize(
    ("headers", "is_own"),
    [
        ({"sec_fetch_site": "none"}, True),
        ({"sec_fetch_site": "same-origin", "origin": "http://localhost:8088"}, True),
        ({"sec_fetch_site": "same-site"}, False),
        ({"sec_fetch_site": "cross-site"}, False),
        ({"origin": "http://127.0.0.1:8088"}, True),
        ({"origin": "https://pages.example"}, False),
        ({"origin": "http://pages.example:8088", "sec_fetch_site": "same-origin"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://[::1"}, False),
    ],
)
def test_a_web_page_is_trusted_only_if_it_is_from_here(headers: dict[str, str], is_own: bool) -> None:
    assert here(headers=headers) is is_own
