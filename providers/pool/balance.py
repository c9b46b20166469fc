"""Which of a provider's endpoints is asked first, and which then: by turns, by load, or by what stuck to them before.

Strategy: `Balancer.order` returns all endpoints that may be asked, so that a refused connection has somewhere to go.

* round_robin   smooth weighted turns (nginx's rule): over a cycle each gets exactly its weight, spread evenly.
* least_busy    the smallest load once it has the call too, (calls + 1) / weight; turns decide between equals.
* sticky        where a key is given: rendezvous hashing by weight. A key stays with its endpoint while that is there;
                when one goes, only its own keys move, and they come back with it.
"""

import math
from collections.abc import Container, Iterable, Mapping, Sequence
from fractions import Fraction
from hashlib import blake2b
from typing import Literal, Protocol

Balance = Literal["round_robin", "least_busy"]
_BITS = 52  # as many as a float holds below 1


class Member(Protocol):
    """One endpoint; ``name`` tells it from the others of its provider."""

    @property
    def name(self) -> str:
        """Its address."""

    @property
    def weight(self) -> int:
        """Its share, at least 1."""


class Balancer:
    """The turns of one provider's endpoints. Used from one event loop; a reload makes a new one."""

    def __init__(self, balance: Balance = "round_robin") -> None:
        self._least_busy = balance == "least_busy"
        self._credit: dict[str, int] = {}

    def order[M: Member](
        self,
        members: Sequence[M],
        *,
        in_flight: Mapping[str, int],
        key: str = "",
        excluded: Container[str] = (),
    ) -> list[M]:
        """Return the endpoints in the order to ask them, empty where all are ``excluded``.

        ``in_flight`` counts the calls at each by name (missing: none); ``key`` is what sticks, "" for nothing. Names
        in ``excluded`` (broken or full ones) are skipped and keep their place in the turns.
        """
        open_to = [member for member in members if member.name not in excluded]
        if len(open_to) < 2:
            return open_to
        if key:
            return sorted(open_to, key=lambda member: score(key, member), reverse=True)
        return self._by_load(open_to, in_flight) if self._least_busy else self._by_turns(open_to)

    def _by_load[M: Member](self, members: Sequence[M], in_flight: Mapping[str, int]) -> list[M]:
        loads = {member.name: _load(member, in_flight) for member in members}
        lowest = min(loads.values())
        first = self._next([member for member in members if loads[member.name] == lowest])
        return _first(first, sorted(members, key=lambda member: loads[member.name]))

    def _by_turns[M: Member](self, members: Sequence[M]) -> list[M]:
        first = self._next(members)
        return _first(first, sorted(members, key=lambda member: -self._credit[member.name]))

    def _next[M: Member](self, members: Sequence[M]) -> M:
        """Take a turn: each gains its weight, the richest is next and pays for all."""
        for member in members:
            self._credit[member.name] = self._credit.get(member.name, 0) + member.weight
        chosen = max(members, key=lambda member: self._credit[member.name])
        self._credit[chosen.name] -= sum(member.weight for member in members)
        return chosen


def score(key: str, member: Member) -> float:
    """How much ``key`` belongs to an endpoint (rendezvous hashing): the highest has it. Shares follow the weights."""
    digest = blake2b(f"{member.name}\0{key}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    part = ((int.from_bytes(digest) >> (64 - _BITS)) + 0.5) / 2**_BITS
    return -member.weight / math.log(part)


def _load(member: Member, in_flight: Mapping[str, int]) -> Fraction:
    return Fraction(in_flight.get(member.name, 0) + 1, member.weight)


def _first[M: Member](first: M, others: Iterable[M]) -> list[M]:
    return [first, *(member for member in others if member is not first)]
