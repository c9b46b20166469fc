"""Targets and endpoints in words: what `patchbay check` and `patchbay route` say of them."""

from collections.abc import Iterator, Sequence

from providers.provider import Provider, Sharing
from providers.resolve import Target


def endpoints_told(provider: Provider) -> str:
    """Where a provider is: its address, or its servers and how calls are shared among them."""
    if not provider.endpoints:
        places = provider.base_url or "built in"
    else:
        places = ", ".join(f"{one.name} (weight {one.weight})" for one in provider.endpoints)
    return ", ".join([places, *sharing_told(provider.sharing, several=len(provider.endpoints) > 1)])


def sharing_told(sharing: Sharing, *, several: bool) -> Iterator[str]:
    """Yield how calls are shared, as far as it makes a difference."""
    if several:
        yield sharing.balance.replace("_", " ")
        if sharing.sticky:
            yield f"sticky by {sharing.sticky}"
    if sharing.max_in_flight is not None:
        yield f"at most {sharing.max_in_flight} calls at once" + (" at each" if several else "")
        yield f"{sharing.max_queued} waiting"


def targets_told(targets: Sequence[Target]) -> str:
    """The targets of a rule in a line, in order: names, parameters, conditions, what follows a failure."""
    failures = [tuple(failures_told(target)) for target in targets]
    shared = len(set(failures)) == 1  # said once, behind all of them
    told = (_target_told(target, () if shared else after) for target, after in zip(targets, failures, strict=True))
    return "; ".join([", then ".join(told), *(failures[0] if shared else ())])


def _target_told(target: Target, failures: Sequence[str]) -> str:
    params = f" with {', '.join(target.params)}" if target.params else ""
    when = f" if {when_told(target)}" if target.when else ""
    after = f" [{'; '.join(failures)}]" if failures else ""
    return target.name + params + when + after


def _stand_in(target: Target) -> str:
    off = f" (not usable: {target.provider.problem})" if target.provider.problem else ""
    return target.name + off


def when_told(target: Target) -> str:
    """The conditions of a target in words, "" for none."""
    return ", ".join(map(str, target.when))


def failures_told(target: Target) -> Iterator[str]:
    """Yield what the registry says of a target's failures, a line for each kind."""
    for error, targets in target.fallback_on.items():
        yield f"on {error} {', then '.join(map(_stand_in, targets))}"
    if target.rescue == "prefill":
        yield "a stream that breaks off goes on at the next target"
