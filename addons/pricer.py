"""Pricer: finished calls get their cost (`providers.pricing`)."""

from addons.configuration import Configuration
from providers.exchange.account import ExchangeAccount
from providers.pricing import Prices


class Pricer:
    """Holds the prices; ``settle_cost`` is told of each call that has ended, before it is counted and recorded."""

    def __init__(self, configuration: Configuration) -> None:
        self.prices = Prices(lambda: configuration.registry, configuration.catalog)

    def running(self) -> None:
        """Have public prices loaded, beside what is served from now on."""
        self.prices.prepare()

    def settle_cost(self, account: ExchangeAccount) -> None:
        """Price a call that has ended."""
        self.prices.settle_cost(account)
