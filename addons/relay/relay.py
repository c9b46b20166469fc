"""Relay: puts our layer under every connection."""

import logging
import os
import re

from mitmproxy import ctx
from mitmproxy.addonmanager import Loader
from mitmproxy.flow import Flow
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layer import NextLayer
from mitmproxy.proxy.layers.http import HttpLayer, HTTPMode
from mitmproxy.proxy.mode_specs import ReverseMode
from mitmproxy.proxy.tunnel import TunnelLayer

from addons.exchanges import Exchanges
from addons.relay.hook_dispatch import HookCaller
from addons.relay.layer import RelayLayer
from addons.relay.stream import RelayStream

logger = logging.getLogger(__name__)

# What the relay needs of mitmproxy's own options, and why:
_OPTIONS = {
    "connection_strategy": "lazy",  # a dead llama-server must not refuse the clients of other providers
    "keep_host_header": True,  # the page judges by it who asks; what goes upstream gets the target's own
    "http2": False,  # mitmproxy opens at most five upstream connections per client connection
    "tcp_timeout": 2 * 3600,  # an idle bound above every deadline of ours: local prefill may take its ten minutes
}

# Where other programs find the authorities that their user trusts (a company's own, above all); mitmproxy has options.
_TRUSTED = {
    "ssl_verify_upstream_trusted_ca": "SSL_CERT_FILE",
    "ssl_verify_upstream_trusted_confdir": "SSL_CERT_DIR",
}

# RFC 9110, 9.1: methods are in capitals; TLS and HTTP/2's preface are told apart by what follows.
_REQUEST_LINE = re.compile(rb"(?!PRI )[A-Z]{3,16} ")


def _is_plain_http(choice: NextLayer) -> bool:
    mode, context = choice.context.client.proxy_mode, choice.context
    first = isinstance(mode, ReverseMode) and mode.scheme in ("http", "https") and not context.client.tls
    return first and _REQUEST_LINE.match(choice.data_client()) is not None


class Relay:
    """Replaces mitmproxy's HTTP layer, however deep it stands (a client may speak TLS to us)."""

    def __init__(self, exchanges: Exchanges) -> None:
        self._exchanges = exchanges
        self._caller = HookCaller(exchanges.note_failure)

    def load(self, loader: Loader) -> None:
        """Set the options that the relay cannot do without, and trust whom the environment says."""
        ctx.options.update_known(**_OPTIONS)
        for option, variable in _TRUSTED.items():
            if (path := os.environ.get(variable)) and getattr(ctx.options, option) is None:
                ctx.options.update(**{option: path})
                if not os.access(path, os.R_OK):
                    logger.warning(
                        "%s names %s, which cannot be read: no provider is trusted over TLS.", variable, path
                    )

    def next_layer(self, next_layer: NextLayer) -> None:
        """Let mitmproxy choose the layer, and take its HTTP layer's place; plain HTTP needs no choice."""
        if next_layer.layer is None and _is_plain_http(next_layer):
            next_layer.layer = RelayLayer(next_layer.context, HTTPMode.transparent, self._make_stream)
            return
        if next_layer.layer is None:
            ctx.master.addons.get("nextlayer").next_layer(next_layer)
        parent, layer = None, next_layer.layer
        while isinstance(layer, TunnelLayer):
            parent, layer = layer, layer.child_layer
        if type(layer) is not HttpLayer:
            return
        layer.context.layers.remove(layer)
        ours = RelayLayer(layer.context, layer.mode, self._make_stream)
        if parent is None:
            next_layer.layer = ours
        else:
            parent.child_layer = ours

    def _make_stream(self, context: Context, stream_id: int, layer: RelayLayer) -> RelayStream:
        return RelayStream(context, stream_id, layer, self._exchanges, self._caller.call_now)

    async def patchbay_rest(self, flow: Flow) -> None:
        """See a hook through that had to wait."""
        await self._caller.finish(flow)
