"""Where a request comes from: a program on this machine may reach through us what it could reach by itself."""

from urllib.parse import urlsplit

from mitmproxy import http

from providers.addresses import is_loopback

# Another proxy on this machine speaks for somebody else.
SPOKEN_FOR = ("forwarded", "x-forwarded-for", "x-real-ip")
OWN_PAGES = ("none", "same-origin")


def comes_from_here(flow: http.HTTPFlow) -> bool:
    """Whether a program on this machine asks for itself.

    Not a proxy for others, and not a web page of another site, which a browser here lets post to any address. A page
    whose name was led to this machine calls itself by that name (``origin``), and is another site's, too.
    """
    headers, peer = flow.request.headers, flow.client_conn.peername
    if not peer or not is_loopback(peer[0]) or any(name in headers for name in SPOKEN_FOR):
        return False
    return headers.get("sec-fetch-site", "none") in OWN_PAGES and _is_own(headers.get("origin", ""))


def _is_own(origin: str) -> bool:
    if not origin:
        return True
    try:
        return is_loopback(urlsplit(origin).hostname or "")
    except ValueError:
        return False
