"""The calls in hand: what the addons know of a flow, beside the flow.

A flow shows what goes over the wire and may be saved at any moment; the exchange, the provider with its key and the
verdict stand here, keyed by the flow itself and gone with it. Nothing goes upstream without a verdict, so a hook that
failed before it reached one refuses the request by itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol
from weakref import WeakKeyDictionary, WeakSet

from mitmproxy import http

from addons.relay.feed import Feed
from providers.exchange.account import ExchangeAccount
from providers.exchange.machine import Exchange
from providers.provider import Provider
from providers.recollection import Recollection


class Verdict(Enum):
    """What becomes of an admitted request."""

    FORWARD = auto()  # to the local server, as it is
    EXCHANGE = auto()  # an LLM call: an exchange answers it


class Trace(Protocol):
    """What follows a call for a tracing system, where there is one."""

    def attempt_begins(self) -> None:
        """Another target is dialled."""

    def onto(self, fields: tuple[tuple[bytes, bytes], ...]) -> tuple[tuple[bytes, bytes], ...]:
        """Header fields with the ids of the attempt that has begun."""
        ...


def _nobody(_name: str) -> Provider | None:
    return None


@dataclass(slots=True)
class InHand:
    """One admitted request.

    ``account`` is its record, complete from the start where we refused the call ourselves (there is no exchange then).
    ``provider`` (who is asked now), ``provider_of`` (by name) and ``secrets`` are those of the configuration that the
    request was routed by. ``request`` is the
    parsed body and ``client_body`` its bytes as the client sent them; ``client_closes`` that this is the last request
    on its connection; ``feed`` goes on with an answer of ours whose head is the flow's response. ``finished`` is the
    account once it is in the record; ``trace`` is there where calls are traced.
    """

    verdict: Verdict | None = None
    account: ExchangeAccount | None = None
    exchange: Exchange | None = None
    provider: Provider | None = None
    provider_of: Callable[[str], Provider | None] = _nobody
    request: dict[str, object] | None = None
    client_body: bytes = b""
    secrets: tuple[str, ...] = ()
    client_closes: bool = False
    feed: Feed | None = None
    finished: ExchangeAccount | None = None
    trace: Trace | None = None


class Exchanges:
    """Every flow that the gate has admitted and that has not ended.

    ``recollection`` is what translated ones leave behind for the next turns of their conversations.
    """

    def __init__(self) -> None:
        self.recollection = Recollection()
        self._in_hand: WeakKeyDictionary[http.HTTPFlow, InHand] = WeakKeyDictionary()
        self._failed: WeakSet[http.HTTPFlow] = WeakSet()

    def admit(self, flow: http.HTTPFlow) -> InHand:
        """Take a flow in hand; without this, no verdict can be found for it."""
        in_hand = self._in_hand[flow] = InHand()
        return in_hand

    def of(self, flow: http.HTTPFlow) -> InHand | None:
        """Return what is known of a flow, None if it was not admitted or has ended."""
        return self._in_hand.get(flow)

    def note_failure(self, flow: http.HTTPFlow) -> None:
        """A hook of this flow has failed, of whichever addon."""
        self._failed.add(flow)

    def has_failed(self, flow: http.HTTPFlow) -> bool:
        """Tell whether what a hook was to do with this flow may not have been done."""
        return bool(self._failed) and flow in self._failed

    def release(self, flow: http.HTTPFlow) -> InHand | None:
        """Let go of a flow that has ended."""
        return self._in_hand.pop(flow, None)

    def open(self) -> Iterator[tuple[http.HTTPFlow, InHand]]:
        """Return every exchange that has not ended."""
        for flow, in_hand in list(self._in_hand.items()):
            if in_hand.exchange is not None:
                yield flow, in_hand
