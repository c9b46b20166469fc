"""The proxy of `scripts/serve`: few addons, those asked for on top, no scripts."""

from collections.abc import Callable

import pytest
from mitmproxy.addonmanager import traverse
from mitmproxy.proxy.mode_specs import ProxyMode

from addons import master
from addons.chain import make_chain
from addons.process.listener import DEAD_END, modes_for
from providers.registry import Registry, Watcher


@pytest.fixture(name="watcher")
def fixture_watcher(make_registry: Callable[..., Registry]) -> Watcher:
    registry = make_registry(PATCHBAY_LISTEN="127.0.0.1:0")
    return Watcher(lambda: registry, registry)


def names(addons: list[object]) -> list[str]:
    return [type(addon).__name__.lower() for addon in traverse(addons)]


CHAIN = names(make_chain())  # tests/addons/test_chain.py holds its order


@pytest.mark.anyio
async def test_only_what_is_needed_is_there(watcher: Watcher) -> None:
    proxy = master._slim_master(make_chain(watcher), {})
    assert names(proxy.addons.chain) == ["core", "proxyserver", *CHAIN, "nextlayer", "tlsconfig", "errorcheck"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("option", "addon"), [("save_stream_file", "save"), ("hardump", "savehar"), ("server_replay", "serverplayback")]
)
async def test_what_an_option_asks_for_is_there_too(watcher: Watcher, option: str, addon: str) -> None:
    proxy = master._slim_master(make_chain(watcher), {option: "x"})
    chain = names(proxy.addons.chain)
    assert chain.index("recorder") < chain.index(addon) < chain.index("tlsconfig")


@pytest.mark.anyio
async def test_mitmweb_has_our_chain_where_scripts_would_stand_and_no_scripts(watcher: Watcher) -> None:
    proxy = master._web_master(make_chain(watcher), 8765)
    chain = names(proxy.addons.chain)
    assert "scriptloader" not in chain
    first = chain.index(CHAIN[0])
    assert chain[first : first + len(CHAIN)] == CHAIN
    assert first < chain.index("nextlayer") < len(chain)
    options = proxy.options
    assert (options.web_host, options.web_port, options.web_open_browser) == ("127.0.0.1", 8765, False)


@pytest.mark.anyio
async def test_an_option_that_there_is_not_ends_it_at_once(watcher: Watcher, caplog: pytest.LogCaptureFixture) -> None:
    told: list[object] = []
    code = await master.run(
        watcher,
        web=False,
        web_port=None,
        verbose=False,
        options={"no_such_option": "1"},
        on_ready=lambda addresses, _page: told.append(addresses),
    )
    assert (code, told) == (2, [])
    assert "no_such_option" in caplog.text


@pytest.mark.parametrize(
    ("local", "listen", "mode"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1:8088", "reverse:http://127.0.0.1:8080@127.0.0.1:8088"),
        ("https://llama.example/base", "[::1]:9", "reverse:https://llama.example@::1:9"),
    ],
)
def test_the_mode_names_the_local_server_and_our_address(
    make_registry: Callable[..., Registry], local: str, listen: str, mode: str
) -> None:
    registry = make_registry("{}", PATCHBAY_LOCAL_BASE_URL=local, PATCHBAY_LISTEN=listen)
    (made,) = modes_for(registry)
    assert made == mode
    parsed = ProxyMode.parse(made)
    assert (parsed.listen_host(), parsed.listen_port()) == registry.listen


def test_a_local_server_without_an_address_is_a_dead_end() -> None:
    assert DEAD_END == "http://127.0.0.1:9"
