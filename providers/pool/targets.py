"""Which of a route's targets one call may be answered by, in order, and why the others are left out.

Strategy: four sieves in a row. Each gives a reason for what it takes out, and says what stays where it would take
everything:

1. conditions    nobody stays: the registry says so
2. barred        (not configured, not allowed) the first stays, whose own refusal the client is then told
3. too small     the prompt is longer than the model can read: what the route names for ``context_length`` takes over;
                 where it names nothing all stay, since the provider's own count is the better one
4. broken        (its breaker is open) the last stays: the breaker never takes the last target of a plan

The lengths are estimates: a target is too small if the prompt is over its window by more than a tenth.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from providers.pool.call_facts import CallFacts
from providers.pool.conditions import Conditions, unmet

CONTEXT_LENGTH = "context_length"
# An estimate of English text is up to a tenth too high; a target is not passed over for that.
_DOUBT = 1.1


class Candidate(Protocol):
    """A target of a route, as far as choosing goes."""

    @property
    def name(self) -> str:
        """What people call it: provider/model."""

    @property
    def when(self) -> tuple[Conditions, ...]:
        """All must hold; empty: always."""

    def instead(self, error: str) -> tuple[Self, ...]:
        """Who takes over after an error of this class, in order; empty where the registry names nobody."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A target that is not asked: its name, and why."""

    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.name}: {self.why}"


@dataclass(frozen=True, slots=True)
class Choice[T]:
    """The targets in the order in which they are asked, and those that are not. No target: none of them takes it."""

    targets: tuple[T, ...]
    left_out: tuple[LeftOut, ...] = ()

    def __str__(self) -> str:
        return "; ".join(map(str, self.left_out))


@dataclass(frozen=True, slots=True)
class Judge[T]:
    """What is known of targets from outside; each is asked only where it can make a difference.

    ``barred`` and ``broken`` give a reason, "" for none; ``window`` how many tokens the model can read, None: unknown.
    """

    barred: Callable[[T], str]
    window: Callable[[T], int | None]
    broken: Callable[[T], str]


def choose[T: Candidate](candidates: Sequence[T], call: CallFacts, judge: Judge[T]) -> Choice[T]:
    """Return who may answer ``call``, by the strategy above. No candidates: no targets."""
    if len(candidates) == 1 and not candidates[0].when and not candidates[0].instead(CONTEXT_LENGTH):
        return Choice(tuple(candidates))  # nothing to choose: nothing is worked out
    left_out: list[LeftOut] = []
    stay = _stay(candidates, call, judge, left_out)
    if len(stay) > 1:
        broken: list[LeftOut] = []
        whole = _sieve(stay, judge.broken, broken)
        left_out += broken if whole else broken[:-1]
        stay = whole or stay[-1:]
    return Choice(tuple(stay), tuple(left_out))


def _stay[T: Candidate](
    candidates: Sequence[T], call: CallFacts, judge: Judge[T], left_out: list[LeftOut]
) -> Sequence[T]:
    """What the first three sieves leave."""
    fitting = _sieve(candidates, lambda target: unmet(target.when, call), left_out)
    barred: list[LeftOut] = []
    allowed = _sieve(fitting, judge.barred, barred)
    left_out += barred if allowed else barred[1:]
    return _large_enough(allowed, call, judge, left_out) if allowed else fitting[:1]


def _large_enough[T: Candidate](
    targets: Sequence[T], call: CallFacts, judge: Judge[T], left_out: list[LeftOut]
) -> Sequence[T]:
    instead = _instead(targets, CONTEXT_LENGTH)
    if len(targets) == 1 and not instead:
        return targets
    small: list[LeftOut] = []
    enough = _sieve(targets, lambda target: too_small(judge.window(target), call), small)
    if enough:
        left_out += small
        return enough
    further: list[LeftOut] = []
    larger = _stay(instead, call, judge, further) if instead else []
    if not larger:
        return targets
    left_out += [*small, *further]
    return larger


def _instead[T: Candidate](targets: Sequence[T], error: str) -> Sequence[T]:
    """Who takes over, where the first target that names somebody says so."""
    return next((found for target in targets if (found := target.instead(error))), ())


def too_small(window: int | None, call: CallFacts) -> str:
    """Say why a model that reads ``window`` tokens cannot take a call, "" if it may (None: nobody knows)."""
    if window is None or call.tokens <= window * _DOUBT:
        return ""
    return f"the prompt has about {call.tokens} tokens, the model reads {window}"


def _sieve[T: Candidate](targets: Sequence[T], why: Callable[[T], str], left_out: list[LeftOut]) -> list[T]:
    """Return the targets without a reason against them; the others go to ``left_out``."""
    kept = []
    for target in targets:
        if reason := why(target):
            left_out.append(LeftOut(target.name, reason))
        else:
            kept.append(target)
    return kept
