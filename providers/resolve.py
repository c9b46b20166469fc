"""Which provider answers a model name, and why: aliases, the local server's ids, prefixes, patterns, the default.

The order is DESIGN section 6. Everything that can be wrong with a rule is found when the rules are compiled, so
resolving never fails: each name leads somewhere.
"""

import fnmatch
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from pydantic import JsonValue

from providers.exchange.price import Price
from providers.model_facts import Facts
from providers.pool.conditions import Conditions
from providers.provider import LOCAL, Deadlines, Provider
from providers.quirks import NO_FACTS
from providers.wire.capabilities import Capabilities

_WILDCARDS = re.compile(r"[*?\[]")
# A file on this machine: /models/x.gguf, ./x, ../x, ~/x, C:\x, anything/x.gguf.
_FILE = re.compile(r"(?:/|\.{1,2}[/\\]|~[/\\]|\\|[A-Za-z]:[/\\]).*|.*\.gguf", re.IGNORECASE | re.DOTALL)
NO_PARAMS: Mapping[str, JsonValue] = MappingProxyType({})
NO_FALLBACK: "Mapping[str, tuple[Target, ...]]" = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Target:
    """Who answers, as what. ``model`` None leaves the client's bytes alone; ``params`` are set in the body.

    ``facts``        the route's own word on what the model can be told
    ``when``         the conditions that a call must meet, all of them; empty: none
    ``fallback_on``  class of an error → who is asked then instead of the next target, in order
    ``price``        the route's own word on what its tokens cost, None where it has none
    ``rescue``       "prefill": a stream of this target that breaks off goes on at the next one that can continue it
    """

    provider: Provider
    model: str | None
    params: Mapping[str, JsonValue]
    deadlines: Deadlines
    facts: Facts = field(default_factory=lambda: NO_FACTS)
    when: tuple[Conditions, ...] = ()
    fallback_on: "Mapping[str, tuple[Target, ...]]" = field(default_factory=lambda: NO_FALLBACK)
    rescue: str = ""
    price: Price | None = None

    @property
    def name(self) -> str:
        """What people call it: provider/model, or the provider alone where the client's own word is the model."""
        return self.provider.name if self.model is None else f"{self.provider.name}/{self.model}"

    def instead(self, error: str) -> "tuple[Target, ...]":
        """Who takes over after an error of this class; empty where the registry names nobody."""
        return self.fallback_on.get(error, ())

    def capabilities(self, model: str) -> Capabilities:
        """What the provider's model can be told; ``model`` is what the client wrote, for routes that keep the name."""
        return self.provider.capabilities(self.model or model, self.facts)


@dataclass(frozen=True, slots=True)
class Route:
    """The targets in order, at least one. ``rule`` is alias, local_model, provider_prefix, pattern or default."""

    targets: tuple[Target, ...]
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Rule:
    """An alias or a pattern: what the client writes, where that leads (in order), and where it is written down.

    ``built_in`` rules are nobody's wish: they do not apply to names of files.
    """

    text: str
    targets: tuple[Target, ...]
    origin: str
    built_in: bool = False

    @property
    def is_pattern(self) -> bool:
        """It has a wildcard."""
        return is_pattern(self.text)


def is_pattern(text: str) -> bool:
    """Say whether ``text`` has a wildcard (``*``, ``?`` or ``[``)."""
    return _WILDCARDS.search(text) is not None


def literal_length(text: str) -> int:
    """How many characters of a pattern stand before its first wildcard."""
    found = _WILDCARDS.search(text)
    return found.start() if found else len(text)


class Resolver:
    """The compiled rules. Immutable; ``resolve`` is called for each request."""

    def __init__(self, providers: Mapping[str, Provider], default: str, rules: Sequence[Rule]) -> None:
        """Take the rules in order: of two with one text, or with literal prefixes of one length, the first wins."""
        self._providers = providers
        self._default = default
        once = {rule.text: rule for rule in reversed(rules)}
        kept = [rule for rule in rules if once[rule.text] is rule]
        self.aliases = {rule.text: rule for rule in kept if not rule.is_pattern and not rule.built_in}
        patterns = [rule for rule in kept if rule.is_pattern or rule.built_in]
        self.patterns = sorted(patterns, key=lambda rule: -literal_length(rule.text))
        self._matchers = [re.compile(fnmatch.translate(rule.text)).match for rule in self.patterns]

    def resolve(self, model: str | None, local_models: Collection[str] = ()) -> Route:
        """Return the route of ``model`` as the client wrote it (None or "": it wrote none)."""
        if not model:
            return self._defaulted("the request names no model")
        if rule := self.aliases.get(model):
            return _by_rule(rule, "alias", f"{model!r} is an alias ({rule.origin})")
        if model in local_models and LOCAL in self._providers:
            return _route(self._providers[LOCAL], None, "local_model", f"the local server lists {model!r}")
        name, _, rest = model.partition("/")
        if rest and (provider := self._providers.get(name)):
            return _route(provider, rest, "provider_prefix", f"{model!r} begins with the provider {name!r}")
        return self._by_pattern(model) or self._defaulted(f"no rule knows {model!r}")

    def _by_pattern(self, model: str) -> Route | None:
        is_file = _FILE.fullmatch(model) is not None
        for rule, matches in zip(self.patterns, self._matchers, strict=True):
            if matches(model) and not (is_file and rule.built_in):
                return _by_rule(rule, "pattern", f"{model!r} fits the pattern {rule.text!r} ({rule.origin})")
        return None

    def _defaulted(self, why: str) -> Route:
        return _route(self._providers[self._default], None, "default", f"{why}, so the default provider answers")


def _route(provider: Provider, model: str | None, rule: str, why: str) -> Route:
    targets = (Target(provider, model, NO_PARAMS, provider.deadlines),)
    return Route(targets, rule, _reason(why, targets))


def _by_rule(rule: Rule, name: str, why: str) -> Route:
    return Route(rule.targets, name, _reason(why, rule.targets))


def _reason(why: str, targets: tuple[Target, ...]) -> str:
    return f"{why}: it goes to {', then to '.join(map(_described, targets))}."


def _described(target: Target) -> str:
    renamed = "with the name unchanged" if target.model is None else f"as {target.model!r}"
    with_params = f", with {', '.join(target.params)} set" if target.params else ""
    when = f" (if {', '.join(map(str, target.when))})" if target.when else ""
    off = f" (not usable: {target.provider.problem})" if target.provider.problem else ""
    return f"{target.provider.name!r} {renamed}{with_params}{when}{off}"
