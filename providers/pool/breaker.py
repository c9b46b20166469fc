"""Circuit breakers: who has failed so often of late that it is left alone for a while.

Strategy: one breaker per provider, endpoint and key. Each kind of trouble is counted apart, since one success tells
that none of them lasts; `LIMITS` has a row for each. A breaker opens for a time that doubles with each opening until
it has closed again:

    state      event                              → state
    closed     trouble, the n-th of its kind        open (the kind's first time)
    closed     success                              closed, nothing is counted any more
    open       its time has passed                  half open
    half open  a caller asks                        half open: this one is the probe, all others are denied
    half open  the probe meets trouble              open, twice as long, up to the kind's cap
    half open  nobody can say how the probe ended   half open: the next caller is the probe
    open, half open   success                       closed
    any        a wait was asked for                 open for that long, at least

A health check (`providers.probing`) says less than a call, and has its say where it can know (`Limits.proof`):

    it is refused a connection              counts as a refused call: the third in a row opens, half open opens again
    it is answered, after: refused          closed: there is a connection again
    it is answered, after: reset, timeout,  half open, if the check before had failed, too: what failed together may
      server_error                          be well together, and one call finds out
    after anything else, or it fails        nothing: calls may be answered all the same
      in any other way

What was admitted before a breaker opened says nothing of the time after it, and counts no more: neither its late
failures nor its late success. Only a wait that was asked for is news whoever brings it.

``last`` admits a caller who has no other target: it is better off with the provider's own answer than with ours. Such a
call never makes an open breaker stay open longer, but its success closes it.

A closed breaker that never opened and has nothing to count is not stored, so that healthy providers cost nothing. All
times are integer µs of the monotonic clock.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from providers.pool.error_class import ErrorClass
from providers.pool.trouble import LIMITS, LONGEST_ASKED, SILENT, TROUBLE, Limits, Proof, State, Trouble

MOST = 1024  # breakers that are kept
PROBE = 60_000_000  # µs after which a probe that has not reported is given up
_RETRY = 1_000_000  # µs: what a caller is told to wait while a probe is out


class Circuit(NamedTuple):
    """What a breaker is about; ``key`` is the name of the key, never its value, "" for none."""

    provider: str
    endpoint: str
    key: str = ""


class Permit(NamedTuple):
    """A caller was let through: it reports with this, once."""

    circuit: Circuit
    stamp: int
    is_probe: bool = False


@dataclass(frozen=True, slots=True)
class Denied:
    """The breaker is open: when it will be worth asking again, in µs, and why."""

    wait_us: int
    why: str


@dataclass(frozen=True, slots=True)
class CircuitState:
    """A breaker as it is shown: ``cause`` is what opened it last, "" if nothing has; ``wait_us`` is 0 unless open.

    ``openings`` counts since it was closed last, ``counts`` the troubles that have not opened it.
    """

    circuit: Circuit
    state: State
    cause: str
    wait_us: int
    openings: int
    counts: dict[str, int]


@dataclass(slots=True)
class _Breaker:
    """``until`` is None while it is closed; a probe is out while ``probe`` is one and ``probe_until`` is ahead."""

    counts: dict[Trouble, int] = field(default_factory=dict)
    until: int | None = None
    cause: Trouble | None = None
    openings: int = 0
    stamp: int = 0
    probe: Permit | None = None
    probe_until: int = 0

    def state(self, now: int) -> State:
        if self.until is None:
            return State.CLOSED
        return State.OPEN if now < self.until else State.HALF_OPEN

    def denied(self, now: int) -> Denied | None:
        """Why nobody is let through now; None if a caller may be."""
        if self.until is None:
            return None
        if now < self.until:
            return Denied(self.until - now, f"its breaker is open after: {self.cause}")
        if self.probe is not None and now < self.probe_until:
            return Denied(_RETRY, f"its breaker waits for a probe after: {self.cause}")
        return None

    def close(self) -> None:
        self.counts.clear()
        self.until = self.probe = None
        self.openings = 0


class Breakers:
    """All breakers, by provider, endpoint and key. ``opened`` counts the openings since the start, for the metrics.

    At most ``most`` are kept: of more, the one goes that has had no trouble for the longest, closed ones first.
    ``on_open`` is called with each opening: the circuit, its cause, now, and until when; also where a probe has failed,
    or a longer wait was asked for. ``on_close`` is called when one has closed that was not.
    """

    def __init__(self, limits: dict[Trouble, Limits] = LIMITS, *, most: int = MOST, probe_us: int = PROBE) -> None:
        self.opened = 0
        self.on_open: Callable[[Circuit, Trouble, int, int], object] = lambda *_: None
        self.on_close: Callable[[Circuit], object] = lambda _: None
        self._limits = limits
        self._most = most
        self._probe_us = probe_us
        self._stamp = 0  # one more with each opening
        self._known: OrderedDict[Circuit, _Breaker] = OrderedDict()
        self._changed: dict[str, int] = {}  # provider → the stamp before which no permit counts

    def admit(self, circuit: Circuit, now: int, *, last: bool = False) -> Permit | Denied:
        """Ask to be let through; ``last``: there is no other target."""
        breaker = self._known.get(circuit)
        if breaker is None or breaker.until is None:
            return Permit(circuit, self._stamp)
        denied = breaker.denied(now)
        if denied is None:
            breaker.probe = Permit(circuit, self._stamp, is_probe=True)
            breaker.probe_until = now + self._probe_us
            return breaker.probe
        return Permit(circuit, self._stamp) if last else denied

    def denied(self, circuit: Circuit, now: int) -> Denied | None:
        """What `admit` would say now, without asking for anything: None if it would let a caller through."""
        breaker = self._known.get(circuit)
        return None if breaker is None else breaker.denied(now)

    def answering(self, permit: Permit) -> None:
        """The attempt is committed: a breaker that is not closed closes; how it ends is still to be reported."""
        breaker = self._current(permit)
        if breaker is not None and breaker.until is not None:
            self._close(permit.circuit, breaker)

    def over(self, permit: Permit, failed: ErrorClass | None, now: int, *, asked: int | None = None) -> None:
        """The attempt has ended: well (None) or with a failure, after which the provider asked for a wait (µs)."""
        if failed in SILENT or permit.stamp < self._changed.get(permit.circuit.provider, 0):
            self.drop(permit)
        elif failed not in TROUBLE:  # an answer, though it may be one that the client does not like
            breaker = self._current(permit)
            if breaker is not None:
                self._close(permit.circuit, breaker)
        else:
            self._trouble(permit, TROUBLE[failed], now, asked)

    def drop(self, permit: Permit) -> None:
        """Nobody can say: the client left before, or an idle connection had been closed."""
        breaker = self._known.get(permit.circuit)
        if breaker is not None and breaker.probe is permit:
            breaker.probe = None

    @property
    def mark(self) -> int:
        """This moment, for `well` and `ails`: a breaker that opens later has a higher one."""
        return self._stamp

    def well(self, provider: str, endpoint: str, now: int, *, mark: int, was_ill: bool) -> None:
        """A health check that began at ``mark`` was answered well; ``was_ill``: the one before it was not."""
        for circuit, breaker in self._known.items():
            if circuit[:2] != (provider, endpoint) or breaker.stamp > mark:
                continue
            breaker.counts.pop(Trouble.REFUSED, None)
            if breaker.until is None or breaker.cause is None:
                continue
            proof = self._limits[breaker.cause].proof
            if proof is Proof.OVER:
                self._close(circuit, breaker)
            elif proof is Proof.PERHAPS and was_ill:
                breaker.until = min(breaker.until, now)

    def refused(self, circuit: Circuit, now: int) -> None:
        """A health check was refused a connection, as a call would have been: it counts as one."""
        breaker = self._known.get(circuit)
        permit = Permit(circuit, self._stamp)
        if breaker is not None and breaker.until is not None:
            if breaker.denied(now) is not None:
                return  # open, or somebody finds out
            breaker.probe = permit
        self._trouble(permit, Trouble.REFUSED, now, None)

    def ails(self, circuit: Circuit, mark: int) -> bool:
        """Whether it has opened since ``mark``, for a reason that a health check may see the end of."""
        breaker = self._known.get(circuit)
        if breaker is None or breaker.until is None or breaker.cause is None or breaker.stamp <= mark:
            return False
        return self._limits[breaker.cause].proof is not Proof.NOTHING

    def forget(self, provider: str) -> None:
        """Forget all about a provider, calls in flight included: its key or its address was changed."""
        self._stamp += 1
        self._changed[provider] = self._stamp
        for circuit in [circuit for circuit in self._known if circuit.provider == provider]:
            del self._known[circuit]

    def snapshot(self, now: int) -> list[CircuitState]:
        """Return the breakers that have had trouble; any other is closed."""
        return [
            CircuitState(
                circuit,
                breaker.state(now),
                breaker.cause or "",
                max(0, (breaker.until or now) - now),
                breaker.openings,
                {trouble.value: count for trouble, count in breaker.counts.items()},
            )
            for circuit, breaker in self._known.items()
        ]

    def _current(self, permit: Permit) -> _Breaker | None:
        """The breaker that a report still counts for: it has not opened since the permit was given."""
        breaker = self._known.get(permit.circuit)
        return breaker if breaker is not None and permit.stamp >= breaker.stamp else None

    def _trouble(self, permit: Permit, trouble: Trouble, now: int, asked: int | None) -> None:
        limits = self._limits[trouble]
        breaker = self._touch(permit.circuit)
        before = breaker.stamp
        if asked is not None and limits.obeys:
            self._open_as_asked(breaker, trouble, now, now + min(max(asked, 0), LONGEST_ASKED))
        elif self._current(permit) is None:
            return
        elif breaker.until is None:
            breaker.counts[trouble] = breaker.counts.get(trouble, 0) + 1
            if breaker.counts[trouble] >= limits.threshold:
                self._open_longer(breaker, trouble, now)
        elif permit is breaker.probe:
            self._open_longer(breaker, trouble, now)
        if breaker.stamp != before and breaker.until is not None:
            self.on_open(permit.circuit, trouble, now, breaker.until)

    def _close(self, circuit: Circuit, breaker: _Breaker) -> None:
        was_open = breaker.until is not None
        breaker.close()
        if was_open:
            self.on_close(circuit)

    def _open_as_asked(self, breaker: _Breaker, trouble: Trouble, now: int, until: int) -> None:
        """Open it, unless it is open for longer."""
        if breaker.until is None or breaker.until <= now:
            self.opened += 1
        elif until <= breaker.until:
            return
        self._open(breaker, trouble, until)

    def _open_longer(self, breaker: _Breaker, trouble: Trouble, now: int) -> None:
        limits = self._limits[trouble]
        self._open(breaker, trouble, now + min(limits.cap, limits.first << min(breaker.openings, 32)))
        breaker.openings += 1
        self.opened += 1

    def _open(self, breaker: _Breaker, trouble: Trouble, until: int) -> None:
        self._stamp += 1
        breaker.until, breaker.cause, breaker.stamp, breaker.probe = until, trouble, self._stamp, None
        breaker.counts.clear()

    def _touch(self, circuit: Circuit) -> _Breaker:
        """The breaker of a circuit that has trouble; room is made for it."""
        breaker = self._known.get(circuit)
        if breaker is None:
            if len(self._known) >= self._most:
                closed = (known for known, other in self._known.items() if other.until is None)
                del self._known[next(closed, next(iter(self._known)))]
            breaker = self._known[circuit] = _Breaker()
        self._known.move_to_end(circuit)
        return breaker
