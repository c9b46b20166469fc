"""The addons in the order in which a flow meets them; both `addons/route.py` and `scripts/serve` run this chain."""

from addons.configuration import Configuration
from addons.draining import Draining
from addons.exchanges import Exchanges
from addons.gate import Gate
from addons.health import Health
from addons.listener import Listener
from addons.model_list import ModelList
from addons.recorder import Recorder
from addons.relay import Relay
from addons.replay import Replay
from addons.router import Router
from providers.registry import Watcher


def make_chain(watcher: Watcher | None = None) -> list[object]:
    """Make one chain; ``watcher`` holds a registry that is already loaded."""
    exchanges, configuration = Exchanges(), Configuration(watcher)
    listener, recorder = Listener(configuration), Recorder(exchanges, configuration)
    draining = Draining(configuration, listener)
    return [
        configuration,
        listener,
        Relay(exchanges),
        Replay(),
        Gate(exchanges, configuration),
        draining,
        Health(exchanges, configuration, draining, recorder),
        ModelList(exchanges, configuration),
        Router(exchanges, configuration),
        recorder,
    ]
