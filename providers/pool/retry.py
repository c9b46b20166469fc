"""Which failed attempt may be followed by another, where, and after which wait.

Strategy: one table, `RULES`, has a row for each class of failure. Its column ``here`` says when the same target is
asked again, ``onward`` whether the next target of the plan is:

    NEVER     not here: it would say the same
    ALONE     only where nothing else is left to ask: another target answers at once, a wait does not
    FIRST     here first, then elsewhere: such failures pass, and the model that was asked for is worth a short wait
    ASKED     only after the wait that the provider asked for: a short one, or any where nothing else is left
    LOADING   as ALONE, asking again and again until the load deadline: it is not broken, it is not ready

``risky`` failures may have come after the model began to work: a repetition costs twice, so it needs the operator's
word (``repeat_sent``). A target that the registry names for a class (``fallback_on``) goes before the next of the plan,
and needs no further word. A repetition here never takes an attempt that a further target needs.

Waits double with each attempt at a target and are drawn at random, so that callers who failed together do not come back
together. A wait that would reach the total deadline is not made. Repetitions at one provider come out of a budget, a
part of its calls of late: when it is down, it gets little more than its usual calls. Going to another target is free:
for that one it is a first attempt, and its breaker looks after it.

All times are integer µs of the monotonic clock, as in `providers.exchange`.
"""

from dataclasses import dataclass
from enum import StrEnum

from providers.pool.error_class import ErrorClass
from providers.pool.retry_budget import RetryBudget


class Where(StrEnum):
    """Where the next attempt goes."""

    HERE = "here"  # the same target; which of its endpoints is for the balance to say
    NEXT = "next"  # the next target of the plan
    NAMED = "named"  # the target that the route's fallback_on names for this class
    STOP = "stop"  # nowhere: the client is told


@dataclass(frozen=True, slots=True)
class Ruling:
    """What follows a failed attempt, after ``wait_us`` (0 unless HERE). ``why`` is ASCII and fits into a header."""

    where: Where
    wait_us: int
    why: str


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The numbers of the rules, in µs where they are times.

    ``attempts``     most for one call, those at a loading server left out
    ``shortest``     of the waits; ``first`` is the longest first wait, it doubles up to ``longest``
    ``short_asked``  an asked wait up to this is kept although another target is left
    ``long_asked``   an asked wait above this ends the call: the client is told how long to wait
    ``poll``         between two attempts at a server that is loading its model; ``loading`` for how long in all
    ``repeat_sent``  failures after which the provider may have been at work are repeated, too
    """

    attempts: int = 3
    shortest: int = 100_000
    first: int = 500_000
    longest: int = 2_000_000
    short_asked: int = 500_000
    long_asked: int = 60_000_000
    poll: int = 1_000_000
    loading: int = 600_000_000
    repeat_sent: bool = False


DEFAULTS = RetryPolicy()


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a call stands when an attempt has failed, before anything was sent to the client.

    ``attempts``       made so far, the failed one included, those at a loading server left out
    ``here``           of these, at the target that has failed
    ``ahead``          how many targets of the plan are still to be asked
    ``named``          the classes for which ``fallback_on`` names a target that is still to be asked
    ``asked``          the wait that the provider asked for (`providers.pool.waits`), in µs; None if it did not
    ``deadline``       when the call must be over
    ``loading_since``  when the target first said that it was loading; None unless it did before
    """

    now: int
    deadline: int
    attempts: int
    here: int = 1
    ahead: int = 0
    named: frozenset[ErrorClass] = frozenset()
    asked: int | None = None
    loading_since: int | None = None


class Here(StrEnum):
    """When the same target is asked again (the strategy above)."""

    NEVER = "never"
    ALONE = "alone"
    FIRST = "first"
    ASKED = "asked"
    LOADING = "loading"


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the table."""

    here: Here
    onward: bool = True
    named: bool = True
    risky: bool = False


RULES: dict[ErrorClass, Rule] = {
    ErrorClass.REFUSED: Rule(Here.ALONE),
    ErrorClass.DNS: Rule(Here.ALONE),
    ErrorClass.TLS: Rule(Here.NEVER),
    ErrorClass.CONNECT_TIMEOUT: Rule(Here.ALONE),
    ErrorClass.RESET: Rule(Here.ALONE),
    ErrorClass.CUT: Rule(Here.ALONE, risky=True),
    ErrorClass.STALL: Rule(Here.ALONE, risky=True),
    ErrorClass.SERVER_ERROR: Rule(Here.FIRST),
    ErrorClass.GATEWAY_TIMEOUT: Rule(Here.ALONE, risky=True),
    # To ask an overloaded server again does not help it, and another stands ready (specs: faults, F26).
    ErrorClass.OVERLOADED: Rule(Here.ALONE),
    ErrorClass.LOADING: Rule(Here.LOADING),
    ErrorClass.RATE_LIMIT: Rule(Here.ASKED),
    ErrorClass.SPEND_LIMIT: Rule(Here.NEVER),
    ErrorClass.AUTH: Rule(Here.NEVER),
    # The next target in order is no larger; only a named one is known to be.
    ErrorClass.CONTEXT_LENGTH: Rule(Here.NEVER, onward=False),
    # Another provider must not be asked what this one would not answer.
    ErrorClass.CONTENT_FILTER: Rule(Here.NEVER, onward=False, named=False),
    ErrorClass.MALFORMED: Rule(Here.NEVER),
    ErrorClass.UNSUPPORTED: Rule(Here.NEVER),
    ErrorClass.REQUEST: Rule(Here.NEVER, onward=False, named=False),
    ErrorClass.ENDED: Rule(Here.NEVER, onward=False, named=False),
}
# The classes that a route may name a target for.
NAMEABLE = frozenset(kind for kind, row in RULES.items() if row.named)


def rule(
    kind: ErrorClass,
    standing: Standing,
    budget: RetryBudget,
    chance: float,
    policy: RetryPolicy = DEFAULTS,
) -> Ruling:
    """Say what follows an attempt that failed with ``kind``.

    ``budget`` is that of the provider which failed; it is charged where the ruling is HERE, but for a loading server.
    ``chance`` is a random number from 0 to below 1. Nothing here is for a failure after the commit.
    """
    row = RULES[kind]
    if standing.now >= standing.deadline:
        return Ruling(Where.STOP, 0, f"{kind}: the deadline has passed")
    elsewhere = _elsewhere(kind, row, standing, policy)
    others = standing.ahead + (elsewhere is Where.NAMED) if isinstance(elsewhere, Where) else 0
    wait = _wait_here(row, standing, policy, chance, others=others)
    if isinstance(wait, int):
        if row.here is Here.LOADING or budget.take(standing.now):
            return Ruling(Where.HERE, wait, f"{kind}: again after {-(-wait // 1000)} ms")
        wait = "the retry budget is spent"
    if isinstance(elsewhere, Where):
        return Ruling(elsewhere, 0, f"{kind}: {elsewhere} target")
    return Ruling(Where.STOP, 0, f"{kind}: {elsewhere if row.here is Here.NEVER else wait}")


def _elsewhere(kind: ErrorClass, row: Rule, standing: Standing, policy: RetryPolicy) -> Where | str:
    """Which other target is asked, or why none is."""
    is_named = row.named and kind in standing.named
    if not is_named and not row.onward:
        return "no other target is asked"
    if standing.attempts >= policy.attempts:
        return f"{standing.attempts} attempts were made"
    if is_named:
        return Where.NAMED
    if row.risky and not policy.repeat_sent:
        return "the provider may have been at work"
    return Where.NEXT if standing.ahead else "no target is left"


def _wait_here(row: Rule, standing: Standing, policy: RetryPolicy, chance: float, *, others: int) -> int | str:
    """How long to wait before the same target is asked again, or why it is not; ``others`` may still be asked, too."""
    if row.here is Here.NEVER or (others and row.here in (Here.ALONE, Here.LOADING)):
        return "another target is asked"
    if row.risky and not policy.repeat_sent:
        return "the provider may have been at work"
    if row.here is Here.LOADING:
        return _until_loaded(standing, policy, chance)
    if row.here is Here.ASKED and standing.asked is None:
        return "no wait was asked for"
    if policy.attempts - standing.attempts <= others:
        return f"{standing.attempts} attempts were made"
    if (standing.asked or 0) > (policy.short_asked if others else policy.long_asked):
        return f"the provider asks for {-(-(standing.asked or 0) // 1_000_000)} s"
    return _in_time(_pause(standing, policy, chance), standing)


def _pause(standing: Standing, policy: RetryPolicy, chance: float) -> int:
    """What was asked for and up to a tenth more, else a growing wait; at random between its bounds."""
    if standing.asked is not None:
        return max(policy.shortest, standing.asked) + int(chance * (standing.asked // 10))
    most = max(policy.shortest, min(policy.longest, policy.first << min(standing.here - 1, 32)))
    return policy.shortest + int(chance * (most - policy.shortest))


def _until_loaded(standing: Standing, policy: RetryPolicy, chance: float) -> int | str:
    """A wait between half of ``poll`` and all of it, unless it asked for a longer one."""
    wait = max(standing.asked or 0, policy.poll // 2 + int(chance * (policy.poll // 2)))
    since = standing.now if standing.loading_since is None else standing.loading_since
    if standing.now + wait > since + policy.loading:
        return "it has not loaded its model in time"
    return _in_time(wait, standing)


def _in_time(wait: int, standing: Standing) -> int | str:
    if standing.now + wait < standing.deadline:
        return wait
    return "the deadline would pass"
