"""Which of a provider's servers is asked first in one call, and which then.

Strategy: the policy is pure (`providers.pool.balance`); here it meets providers, and remembers whose turn it is. A
provider with one address is answered without looking at the call. Servers that are full come after those with room,
broken ones last: each call takes one turn, among the best that there are.
"""

from collections.abc import Collection, Container, Mapping

from providers.pool.balance import Balancer
from providers.pool.call_facts import CallFacts
from providers.pool.stickiness import sticky_key
from providers.provider import Provider, Replica
from providers.resolve import Target

_NOTHING: Mapping[str, int] = {}


def is_shared(provider: Provider) -> bool:
    """Whether the calls at each of a provider's servers are counted: it has several, or a limit."""
    return len(provider.replicas) > 1 or provider.sharing.max_in_flight is not None


def judges_our_key(provider: Provider) -> bool:
    """Whether a provider judges our key, not the client's."""
    return provider.external or provider.key is not None


class Balancing:
    """The turns of all providers' servers. Used from one event loop, for as long as the program runs."""

    def __init__(self) -> None:
        self._balancers: dict[str, tuple[Provider, Balancer]] = {}

    def servers(
        self,
        target: Target,
        call: CallFacts,
        model: str,
        *,
        in_flight: Mapping[str, int] = _NOTHING,
        excluded: Container[str] = (),
    ) -> list[Replica]:
        """Return the servers of a target in the order to ask them: empty where all are ``excluded``, or it is virtual.

        ``model`` is what the client wrote; ``in_flight`` counts the calls at each server, by `Replica.name`;
        ``excluded`` holds the names of those that are broken or full.
        """
        provider = target.provider
        if len(provider.replicas) < 2:
            return [server for server in provider.replicas if server.name not in excluded]
        key = sticky_key(provider.sharing.sticky, call, target.model or model)
        return self._balancer(provider).order(provider.replicas, in_flight=in_flight, key=key, excluded=excluded)

    def in_order(
        self,
        target: Target,
        call: CallFacts,
        model: str,
        *,
        in_flight: Mapping[str, int],
        full: Collection[str],
        broken: Collection[str],
    ) -> list[Replica]:
        """Return all servers of a target in the order to ask them; ``full`` and ``broken`` ones by name.

        The other arguments are those of `servers`.
        """
        tries = (
            self.servers(target, call, model, in_flight=in_flight, excluded=excluded)
            for excluded in ((*broken, *full), broken, ())
        )
        first = next(filter(None, tries), [])
        others = [server for server in target.provider.replicas if server not in first]
        return [*first, *sorted(others, key=lambda server: server.name in broken)]

    def forget(self, provider: str) -> None:
        """Let go of a provider that was changed, and of its key."""
        self._balancers.pop(provider, None)

    def _balancer(self, provider: Provider) -> Balancer:
        """The turns of a provider's servers; a reload that changes them begins anew."""
        known = self._balancers.get(provider.name)
        if known and (known[0].replicas, known[0].sharing) == (provider.replicas, provider.sharing):
            return known[1]
        made = Balancer(provider.sharing.balance)
        self._balancers[provider.name] = (provider, made)
        return made
