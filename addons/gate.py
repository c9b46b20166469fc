"""Gate: who may come in, and how much."""

import ipaddress
import logging
import re
from functools import lru_cache

from mitmproxy import ctx, http
from mitmproxy.addonmanager import Loader

from addons.configuration import Configuration
from addons.exchanges import Exchanges
from addons.refusal import refuse

logger = logging.getLogger(__name__)

# Bare CR, NUL and other control bytes pass mitmproxy's own validation (measured with 12.2, 2026-11-20).
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_VERSIONS = (b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/3")
_CONTROL_OR_SPACE = re.compile(rb"[\x00-\x20\x7f]")


class Gate:
    """Admits requests; what it has not admitted goes nowhere."""

    def __init__(self, exchanges: Exchanges, configuration: Configuration) -> None:
        self._exchanges = exchanges
        self._configuration = configuration
        self._warned: set[str] = set()

    def load(self, loader: Loader) -> None:
        """Leave mitmproxy's own check of addresses to us: it drops connections without a word."""
        ctx.options.update(block_global=False, block_private=False) if "block_global" in ctx.options else None

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Judge a request by its head."""
        if flow.is_replay == "request":
            return  # it comes again, as the call that it was: see `addons.flows.replay`
        if not self._may_enter(flow):
            refuse(flow, 403, code="remote_not_allowed")
        elif complaint := _malformed(flow.request):
            refuse(flow, 400, complaint, code="malformed_request")
        else:
            self._exchanges.admit(flow)

    def _may_enter(self, flow: http.HTTPFlow) -> bool:
        address = flow.client_conn.peername[0] if flow.client_conn.peername else ""
        if self._configuration.registry.settings.allow_remote or _is_loopback(address):
            return True
        if address not in self._warned:
            self._warned = {*list(self._warned)[-100:], address}
            logger.warning("Refused a client at %s: not on this machine. PATCHBAY_ALLOW_REMOTE=1 lets it in.", address)
        return False


@lru_cache(1024)
def _is_loopback(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).is_loopback


def _malformed(request: http.Request) -> str:
    if request.data.http_version not in _VERSIONS:
        return "The request is in no version of HTTP that there is."
    if _CONTROL_OR_SPACE.search(request.data.path):
        return "The request path holds control characters."
    fields = request.headers.fields
    if _CONTROL_OR_SPACE.search(b"".join(name for name, _ in fields)):
        return "A header name holds control characters."
    if _CONTROL.search(b"".join(value for _, value in fields)):
        return "A header value holds control characters."
    return ""
