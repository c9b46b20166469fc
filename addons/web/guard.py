"""Who may see the page: a browser on this machine, at a name of this machine, led there by nobody else.

Strategy: each request is judged by itself, by what no web page can make a browser lie about. The peer says which
machine asks. ``Host`` says by which name it found us: a page whose own name was led to this machine (DNS rebinding)
gives itself away by it. ``Origin`` and ``Sec-Fetch-Site`` say whose page it is that asks.
"""

import ipaddress
import socket
from functools import cache
from urllib.parse import urlsplit

from mitmproxy import http

from addons.provenance import OWN_PAGES, SPOKEN_FOR
from providers.addresses import is_loopback

_ELSEWHERE = (
    "The page is shown on this machine alone. With PATCHBAY_PAGE_REMOTE=1 beside PATCHBAY_ALLOW_REMOTE=1 others see it."
)
_STRANGE_NAME = "This is no name of this machine. Open the page as http://127.0.0.1:PORT/patchbay/."
_OTHER_SITE = "Another site has asked for this. Open the page by its own address."


def objection(flow: http.HTTPFlow, *, page_remote: bool) -> str:
    """Say why a request may not see the page; nothing if it may. ``page_remote``: other machines may, too."""
    headers, peer = flow.request.headers, flow.client_conn.peername
    near = bool(peer) and is_loopback(peer[0]) and not any(name in headers for name in SPOKEN_FOR)
    host = (flow.request.host_header or "").lower()
    if not (near or page_remote):
        return _ELSEWHERE
    if not _is_ours(_name(host), page_remote=page_remote):
        return _STRANGE_NAME
    if headers.get("sec-fetch-site", "none") not in OWN_PAGES or not _is_same(headers.get("origin"), host):
        return _OTHER_SITE
    return ""


def _name(host: str) -> str:
    """Return the name or address in ``host``, "" where there is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_ours(name: str, *, page_remote: bool) -> bool:
    """Whether a name leads here whoever answers DNS: loopback; for other machines also addresses, and our own name."""
    if is_loopback(name) or not page_remote:
        return is_loopback(name)
    return _is_address(name) or name.rstrip(".") in _own_names()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


@cache
def _own_names() -> frozenset[str]:
    """Return what this machine calls itself, and its name in the local network; nothing is looked up."""
    name = socket.gethostname().lower()
    first = name.partition(".")[0]
    return frozenset((name, first, f"{first}.local"))


def _is_same(origin: str | None, host: str) -> bool:
    """Whether the page that asks is ours: browsers name no origin where there is none to be wary of."""
    if origin is None:
        return True
    scheme, _, place = origin.lower().partition("://")
    return scheme in ("http", "https") and place == host
