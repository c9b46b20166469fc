"""The script of the bare way: what mitmproxy can do by itself, with answers that stream."""

from mitmproxy import http


def responseheaders(flow: http.HTTPFlow) -> None:
    """Stream every answer."""
    assert flow.response
    flow.response.stream = True
