"""From a client's call to the plan of who may answer it: route, conditions, targets in order."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import partial

from providers.calls import ReadCall, Refused
from providers.continuing import resumable
from providers.exchange import plan
from providers.pool.conditions import unmet
from providers.pool.targets import Judge, choose, too_small
from providers.provider import Provider
from providers.recollection import Recollection
from providers.registry import Registry
from providers.resolve import Target
from providers.targeting import AsFound, Servers, Targeting, as_it_is, as_listed

# How many tokens a provider's model reads, None where nobody knows.
Window = Callable[[Provider, str], int | None]


@dataclass(frozen=True, slots=True)
class Planned:
    """A call that can go on. ``model`` is what the client wrote, "" if nothing; ``value`` is the parsed body."""

    provider: Provider
    model: str
    stream: bool
    value: dict[str, object] = field(repr=False)
    plan: plan.Plan


def _unknown(_provider: Provider, _model: str) -> int | None:
    return None


def plan_call(
    registry: Registry,
    local_models: Collection[str],
    call: ReadCall,
    *,
    id: str,
    created: int,
    as_found: AsFound = as_it_is,
    recollection: Recollection | None = None,
    window: Window = _unknown,
    servers: Servers = as_listed,
) -> Planned:
    """Plan a call; ``id`` and ``created`` stand in an answer that is written anew. Raises Refused or NeedsMedia.

    ``recollection`` has what the client may have dropped of earlier answers; ``created`` is now, too. ``window`` tells
    how many tokens a target's model can read, None: nobody knows. ``servers`` orders those of a provider with several.
    """
    route = registry.resolve(call.model or None, local_models)
    targeting = Targeting(call, id, created, as_found, recollection, servers)
    chosen, left_out = _chosen(route.targets, targeting, window)
    targets = resumable(chosen, call)
    reason = "; ".join(filter(None, (route.reason, left_out)))
    # Where aliases with words of their own stand in a route, each of its targets has its own stand-ins.
    apart = any(target.fallback_on != targets[0].fallback_on for target in targets)
    later = tuple(partial(_further, target, targeting, window, apart=apart) for target in targets[1:])
    going_on = tuple(partial(targeting.go_on, target) for target in targets[1:]) if targets[0].rescue else ()
    instead = _instead(targets[0], targeting, window)
    made = plan.Plan(targeting.make(targets[0]), reason, later, instead, going_on, targeting.prompt_tokens)
    value = call.parsed.value
    return Planned(targets[0].provider, call.model, value.get("stream") is True, value, made)


def _chosen(targets: tuple[Target, ...], targeting: Targeting, window: Window) -> tuple[tuple[Target, ...], str]:
    """Who of a route's targets may answer this call, at least one, and why the others may not. Raises Refused."""
    if len(targets) == 1 and not targets[0].when and not targets[0].fallback_on:
        return targets, ""
    call = targeting.call
    facts = targeting.facts()
    judge = Judge[Target](
        barred=lambda target: str(targeting.barred(target) or ""),
        window=lambda target: window(target.provider, target.model or call.model),
        broken=lambda _: "",
    )
    choice = choose(targets, facts, judge)
    if not choice.targets:
        message = f"No target of {call.model!r} takes this call: {choice}."
        raise Refused(400, message, "no_target", model=call.model)
    return choice.targets, str(choice)


def _further(target: Target, targeting: Targeting, window: Window, *, apart: bool) -> plan.Target | None:
    """Make a target that is asked when the one before it has failed; None if it cannot be asked this."""
    made = targeting.make_if_possible(target)
    return replace(made, instead=_instead(target, targeting, window)) if made is not None and apart else made


def _instead(origin: Target, targeting: Targeting, window: Window) -> dict[str, tuple[plan.Make, ...]]:
    """Who takes over after which class of error of a target."""
    return {
        kind: tuple(partial(_stand_in, target, targeting, window) for target in named)
        for kind, named in origin.fallback_on.items()
    }


def _stand_in(target: Target, targeting: Targeting, window: Window) -> plan.Target | None:
    """Make a target that takes over; None if its conditions are not met, or its model is known to read less."""
    facts = targeting.facts()
    if unmet(target.when, facts) or too_small(window(target.provider, target.model or targeting.call.model), facts):
        return None
    return targeting.make_if_possible(replace(target, rescue=""))
