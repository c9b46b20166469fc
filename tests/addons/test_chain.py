"""The chain in its order, as `mitmdump -s addons/route.py` and `scripts/serve` run it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from mitmproxy.addons.core import Core
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.test import taddons

from addons.chain import make_chain
from addons.options import OPTIONS
from providers.registry import Registry, Watcher

ROUTE = Path(__file__).resolve().parents[2] / "addons" / "route.py"
ORDER = [
    "Output",
    "LoadedOnce",
    "Configuration",
    "LoopLag",
    "Prober",
    "Listener",
    "Relay",
    "Patience",
    "Replay",
    "Gate",
    "Page",
    "Draining",
    "Descriptors",
    "MetricsPage",
    "Health",
    "ModelList",
    "Router",
    "Pricer",
    "Recorder",
    "Tracer",
    "Marks",
    "KeptFlows",
    "FlowCommands",
    "ContentViews",
    "ConversationCommands",
]
ALL_HOOKS = {
    "load",
    "running",
    "done",
    "configure",
    "requestheaders",
    "request",
    "response",
    "error",
    "next_layer",
    "server_connect",
    "patchbay_rest",
    "client_connected",
    "client_disconnected",
    "server_connected",
    "server_disconnected",
    "websocket_end",
}


def names(chain: list[object]) -> list[str]:
    return [type(addon).__name__ for addon in chain]


def test_the_gate_stands_before_whoever_answers_and_who_tells_of_a_call_behind_the_recorder() -> None:
    assert names(make_chain()) == ORDER


def test_chains_share_nothing(make_registry: Callable[..., Registry]) -> None:
    registry = make_registry()
    one, other = make_chain(Watcher(lambda: registry, registry)), make_chain(Watcher(lambda: registry, registry))
    assert not {id(addon) for addon in one} & {id(addon) for addon in other}


def test_every_option_is_declared_once_with_its_default(make_registry: Callable[..., Registry]) -> None:
    registry = make_registry()
    with taddons.context(Proxyserver(), *make_chain(Watcher(lambda: registry, registry))) as context:
        for option in OPTIONS:
            assert option.name.startswith("patchbay_")
            assert option.help.endswith(".")
            assert getattr(context.options, option.name) == option.default


def test_no_method_is_called_as_a_hook_by_accident() -> None:
    """mitmproxy calls every public name that equals one of its hooks."""
    from mitmproxy import hooks

    for addon in make_chain():
        public = {name for name in dir(addon) if not name.startswith("_")}
        assert public & set(hooks.all_hooks) <= ALL_HOOKS


def test_the_script_is_the_chain_and_finds_its_root_from_any_folder(tmp_path: Path) -> None:
    """As mitmproxy's loader does it: only the script's own folder is on the path."""
    code = (
        "import importlib.util, sys\n"
        f"sys.path.insert(0, {str(ROUTE.parent)!r})\n"
        f"spec = importlib.util.spec_from_file_location('__mitmproxy_script__.route', {str(ROUTE)!r})\n"
        "module = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(module)\n"
        "from mitmproxy import hooks\n"
        "assert not set(vars(module)) & (set(hooks.all_hooks) - {'addons'}), vars(module)\n"
        "print([type(addon).__name__ for addon in module.addons])\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == str(ORDER), done.stderr
    assert len(ROUTE.read_text().splitlines()) <= 50


def test_core_is_there_for_options() -> None:
    with taddons.context() as context:
        assert isinstance(context.master.addons.get("core"), Core)
