"""The addons in the order in which a flow meets them; both `addons/route.py` and `scripts/serve` run this chain."""

from addons.configuration import Configuration
from addons.descriptors import Descriptors
from addons.draining import Draining
from addons.exchanges import Exchanges
from addons.finished import Finished
from addons.gate import Gate
from addons.health import Health
from addons.listener import Listener
from addons.loaded_once import LoadedOnce
from addons.loop_lag import LoopLag
from addons.metrics_page import MetricsPage, Vitals
from addons.model_list import ModelList
from addons.output import Output
from addons.prober import Prober
from addons.recorder import Recorder
from addons.relay import Relay
from addons.relay_patience import Patience
from addons.replay import Replay
from addons.router import Router
from addons.telemetry.metrics import Metrics
from providers.registry import Watcher


def make_chain(watcher: Watcher | None = None) -> list[object]:
    """Make one chain; ``watcher`` holds a registry that is already loaded."""
    exchanges, configuration = Exchanges(), Configuration(watcher)
    descriptors, output = Descriptors(), Output()
    listener = Listener(configuration, descriptors.admit)
    loop_lag, metrics = LoopLag(listener.freshen), Metrics(lambda: tuple(configuration.registry.secrets()))
    recorder = Recorder(exchanges, configuration, Finished(metrics.observe))
    draining = Draining(configuration, listener)
    return [
        output,
        LoadedOnce(),
        configuration,
        loop_lag,
        Prober(configuration),
        listener,
        Relay(exchanges),
        Patience(configuration),
        Replay(),
        Gate(exchanges, configuration),
        draining,
        descriptors,
        MetricsPage(exchanges, configuration, recorder, metrics, Vitals(loop_lag, descriptors, output)),
        Health(exchanges, configuration, draining, recorder, (loop_lag, descriptors, output)),
        ModelList(exchanges, configuration),
        Router(exchanges, configuration),
        recorder,
    ]
