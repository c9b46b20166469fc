"""The addons in the order in which a flow meets them; both `addons/route.py` and `scripts/serve` run this chain."""

from addons.configuration import Configuration
from addons.exchanges import Exchanges
from addons.finished import Finished
from addons.flows.content_views import ContentViews
from addons.flows.conversation_commands import ConversationCommands
from addons.flows.flow_commands import FlowCommands
from addons.flows.kept_flows import KeptFlows
from addons.flows.marks import Marks
from addons.flows.replay import Replay
from addons.gate import Gate
from addons.health import Health
from addons.metrics_page import MetricsPage, Vitals
from addons.model_list import ModelList
from addons.pricer import Pricer
from addons.prober import Prober
from addons.process.descriptors import Descriptors
from addons.process.draining import Draining
from addons.process.listener import Listener
from addons.process.loaded_once import LoadedOnce
from addons.process.loop_lag import LoopLag
from addons.process.output import Output
from addons.recorder import Recorder
from addons.relay.patience import Patience
from addons.relay.relay import Relay
from addons.router import Router
from addons.telemetry.metrics import Metrics
from addons.tracer import Tracer
from addons.web.api import Sources
from addons.web.live import Live
from addons.web.page import Page
from providers.registry import Watcher


def make_chain(watcher: Watcher | None = None) -> list[object]:
    """Make one chain; ``watcher`` holds a registry that is already loaded."""
    exchanges, configuration = Exchanges(), Configuration(watcher)
    descriptors, output = Descriptors(), Output()
    listener = Listener(configuration, descriptors.admit)
    loop_lag, metrics = LoopLag(listener.freshen), Metrics(lambda: tuple(configuration.registry.secrets()))
    pricer, live = Pricer(configuration), Live(exchanges, lambda: configuration.registry.secrets())
    tracer, draining = Tracer(exchanges, configuration), Draining(configuration, listener)
    finished = Finished(pricer.settle_cost, metrics.observe, live.ended, tracer.finish)
    recorder = Recorder(exchanges, configuration, finished)
    health = Health(exchanges, configuration, draining, recorder, (loop_lag, descriptors, output))
    return [
        output,
        LoadedOnce(),
        configuration,
        loop_lag,
        *_entrance(exchanges, configuration, listener),
        Page(Sources(exchanges, configuration, health, live, pricer.prices)),
        draining,
        descriptors,
        MetricsPage(exchanges, configuration, recorder, metrics, Vitals(loop_lag, descriptors, output)),
        health,
        ModelList(exchanges, configuration),
        Router(exchanges, configuration),
        pricer,
        recorder,
        tracer,
        *_for_people(exchanges, configuration),
    ]


def _entrance(exchanges: Exchanges, configuration: Configuration, listener: Listener) -> list[object]:
    """Make what a connection and a request meet first, up to the gate."""
    met = [Prober(configuration), listener, Relay(exchanges), Patience(configuration)]
    return [*met, Replay(), Gate(exchanges, configuration)]


def _for_people(exchanges: Exchanges, configuration: Configuration) -> list[object]:
    """Make what shows flows to people, and what they can do with them, once a call is in the record."""
    return [Marks(exchanges), KeptFlows(), FlowCommands(configuration), ContentViews(), ConversationCommands()]
