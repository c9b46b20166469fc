"""What happens with the account of a call that has ended, before it becomes a row: it is priced, counted, told."""

import logging
from collections.abc import Callable

from providers.exchange.account import ExchangeAccount

logger = logging.getLogger(__name__)

Listener = Callable[[ExchangeAccount], None]


class Finished:
    """Tells its listeners of each account, in their order; one that fails costs neither the others nor the record."""

    def __init__(self, *listeners: Listener) -> None:
        self._listeners = listeners

    def tell(self, account: ExchangeAccount) -> None:
        """Tell them, once for each exchange."""
        for listener in self._listeners:
            try:
                listener(account)
            except Exception:
                logger.exception("A finished call was not taken in whole; its record goes on.")
