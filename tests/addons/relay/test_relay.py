"""The relay takes the place of mitmproxy's HTTP layer, wherever that stands, and of nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest
from mitmproxy.addons.next_layer import NextLayer as NextLayerAddon
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.connection import Client, ConnectionState
from mitmproxy.proxy import layers
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layer import Layer, NextLayer
from mitmproxy.proxy.layers.http import HttpLayer, HTTPMode
from mitmproxy.proxy.mode_specs import ProxyMode
from mitmproxy.proxy.tunnel import TunnelLayer
from mitmproxy.test import taddons

from addons.exchanges import Exchanges
from addons.relay.layer import RelayLayer
from addons.relay.relay import Relay

# a TLS 1.2 client hello without extensions, enough to be recognised
HELLO = bytes.fromhex(
    "160301002d0100002903030000000000000000000000000000000000000000000000000000000000000000000002c02f0100"
)


def chosen(
    first: bytes, mode: str = "reverse:http://127.0.0.1:9", choose: Callable[[Context], Layer] | None = None
) -> Layer | None:
    """The layer that a connection gets whose client begins like this."""
    relay = Relay(Exchanges())
    with taddons.context(Proxyserver(), NextLayerAddon(), relay) as context:
        client = Client(
            peername=("127.0.0.1", 50000),
            sockname=("127.0.0.1", 8088),
            state=ConnectionState.OPEN,
            proxy_mode=ProxyMode.parse(mode),
        )
        below = Context(client, context.options)
        layers.modes.ReverseProxy(below)  # puts itself on the stack
        below.server.address = ("127.0.0.1", 9)
        choice = NextLayer(below)
        choice.layer = choose(below) if choose else None
        choice.data_client = lambda: first  # type: ignore[method-assign]  # what the client has said so far
        relay.next_layer(choice)
        return choice.layer


def test_http_gets_our_layer() -> None:
    assert type(chosen(b"GET / HTTP/1.1\r\n\r\n")) is RelayLayer


def test_http_within_tls_gets_our_layer() -> None:
    layer = chosen(HELLO)
    assert isinstance(layer, TunnelLayer)
    inner: Layer | None = layer
    while isinstance(inner, TunnelLayer):
        inner = inner.child_layer
    assert type(inner) is RelayLayer
    assert inner.context.layers[-1] is inner
    assert not any(type(one) is HttpLayer for one in inner.context.layers)


def test_nothing_else_gets_it() -> None:
    assert not isinstance(chosen(b"\x00\x01", mode="reverse:tcp://127.0.0.1:9"), RelayLayer)


def test_what_another_addon_has_chosen_is_replaced_too() -> None:
    assert type(chosen(b"", choose=lambda context: HttpLayer(context, HTTPMode.transparent))) is RelayLayer
    assert type(chosen(b"", choose=layers.TCPLayer)) is layers.TCPLayer


@pytest.mark.parametrize(("name", "value"), [("connection_strategy", "lazy"), ("http2", False), ("tcp_timeout", 7200)])
def test_it_sets_the_options_that_it_needs(name: str, value: object) -> None:
    with taddons.context(Proxyserver(), Relay(Exchanges())) as context:
        if name in context.options:
            assert getattr(context.options, name) == value


def test_it_trusts_whom_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/ours.pem")
    monkeypatch.setenv("SSL_CERT_DIR", "")
    with taddons.context(Relay(Exchanges())) as context:
        assert context.options.ssl_verify_upstream_trusted_ca == "/etc/ours.pem"
        assert context.options.ssl_verify_upstream_trusted_confdir is None


@pytest.mark.parametrize(("name", "told"), [("there.pem", False), ("gone.pem", True)])
def test_authorities_that_cannot_be_read_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, told: bool
) -> None:
    (tmp_path / "there.pem").touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / name))
    with taddons.context(Relay(Exchanges())) as context:
        assert context.options.ssl_verify_upstream_trusted_ca == str(tmp_path / name)
    assert (f"SSL_CERT_FILE names {tmp_path / name}, which cannot be read" in caplog.text) is told


def test_an_option_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/ours.pem")
    with taddons.context() as context:
        context.options.update(ssl_verify_upstream_trusted_ca="/etc/mine.pem")
        context.master.addons.add(Relay(Exchanges()))
        assert context.options.ssl_verify_upstream_trusted_ca == "/etc/mine.pem"
