"""Compiles what is written about models: the registry's ``models``, ``PATCHBAY_ROUTES``, the built-in map.

Strategy: an alias stands for all its targets, in their order, wherever it is named; so a compiled rule is a flat list.
What stands further out wins: the words of an alias give way to those of the entry that names it, and the words of an
entry to those beside one of its targets. Conditions add up. Each alias is compiled once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from providers.environment import ROUTES, Environment, Variable
from providers.errors import Problem
from providers.provider import Provider
from providers.registry_entry import DeadlineEntry
from providers.registry_file import Document, Place, nearest
from providers.registry_routes import ModelEntry, Overrides, TargetEntry
from providers.resolve import NO_PARAMS, Rule, Target, is_pattern
from providers.virtual import DEMO

DEFAULT_ROUTES = "claude-*=anthropic, gpt-*=openai, o[0-9]*=openai"
_ENTRY = "pattern=provider[/model]"
# Targets of one name, those of its fallbacks counted: more is a mistake, such as aliases that multiply each other.
MOST = 64

# (where in the entry, what is wrong, what is allowed, the nearest spelling) → a problem at the right place
Blame = Callable[[Place, str, str, str], Problem]
Targets = tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class _Written:
    text: str
    entry: ModelEntry
    origin: str
    blame: Blame
    built_in: bool = False


@dataclass
class Compiler:
    """Turns written rules into `Rule`s; ``problems`` collects those that lead nowhere."""

    providers: Mapping[str, Provider]
    problems: list[Problem] = field(default_factory=list)
    _aliases: dict[str, _Written] = field(default_factory=dict)
    _compiled: dict[str, Targets] = field(default_factory=dict)

    def rules(self, models: Mapping[str, ModelEntry], document: Document, environment: Environment) -> list[Rule]:
        """Return all rules in order of precedence: the environment's, the file's, the built-in ones."""
        variable = environment.get(ROUTES)
        written = [*(self._from_variable(variable) if variable else ())]
        written += [_from_file(text, entry, document) for text, entry in models.items()]
        written += [] if variable else _built_in(DEFAULT_ROUTES)
        if DEMO in self.providers:
            written += _built_in(f"{DEMO}={DEMO}")
        for one in reversed(written):  # the first of a name counts
            if not is_pattern(one.text) and not one.built_in:
                self._aliases[one.text] = one
        compiled = ((one, self._targets(one, [one.text])) for one in written)
        return [Rule(one.text, targets, one.origin, one.built_in) for one, targets in compiled if targets]

    def _from_variable(self, variable: Variable) -> Iterator[_Written]:
        seen: set[str] = set()
        for part in filter(None, (part.strip() for part in variable.value.replace("\n", ",").split(","))):
            text, equals, target = (side.strip() for side in part.partition("="))
            if not (text and equals and target):
                self.problems.append(variable.problem(f"{part!r} is no route", _ENTRY))
            elif text in seen:
                self.problems.append(variable.problem(f"{text!r} stands twice"))
            else:
                seen.add(text)
                yield _Written(text, ModelEntry(target=target), variable.place + ROUTES, _blaming(variable))

    def _targets(self, written: _Written, path: list[str]) -> Targets:
        """Return where a rule leads, in order; nothing where a problem has been told."""
        entry, found = written.entry, list[Target]()
        for number, one in enumerate(entry.entries()):
            place: Place = ("targets", number) if entry.targets else ()
            found += (_as_one(_over(base, entry), one) for base in self._follow(written, place, one.target, path))
        instead: dict[str, Targets] = {
            error: tuple(_over(base, entry) for base in self._follow(written, ("fallback_on", error), text, path))
            for error, text in entry.fallback_on.items()
        }
        targets = tuple(_with_rest(target, instead, entry.rescue) for target in _once(found))
        if (size := _size(targets)) > MOST:
            wrong = f"leads to {size} targets, fallbacks counted: at most {MOST} make sense"
            self.problems.append(written.blame((), wrong, "", ""))
            return ()
        return targets

    def _follow(self, written: _Written, place: Place, text: str, path: list[str]) -> Targets:
        """Return where ``text`` leads, which stands at ``place`` of an entry: to a provider, or through an alias."""
        provider = self.providers.get(text.partition("/")[0])
        alias = self._aliases.get(text)
        if alias and text not in self.providers and not (text == written.text and provider):
            return self._through(alias, [*path, text])
        if provider is None:
            names = [*self.providers, *self._aliases]
            wrong = f"leads to {text!r}, which is neither provider[/model] nor an alias"
            close = nearest(text.partition("/")[0], names)
            self.problems.append(written.blame(place, wrong, f"a model of {', '.join(self.providers)}", close))
            return ()
        return (Target(provider, text.partition("/")[2] or None, NO_PARAMS, provider.deadlines),)

    def _through(self, alias: _Written, path: list[str]) -> Targets:
        if path[-1] in path[:-1]:
            loop = path[path.index(path[-1]) : -1]
            first = loop.index(min(loop))  # told where its first name stands, whoever came upon it
            named = [*loop[first:], *loop[: first + 1]]
            blame = self._aliases[named[0]].blame
            self.problems.append(blame((), f"is an alias loop: {' → '.join(named)}", "", ""))
            return ()
        if alias.text not in self._compiled:
            self._compiled[alias.text] = self._targets(alias, path)
        return self._compiled[alias.text]


def _over(base: Target, entry: Overrides) -> Target:
    """What ``entry`` sets, set in a target that it leads to, and in those that stand in for it."""
    return replace(
        base,
        params=MappingProxyType({**base.params, **entry.params}),
        deadlines=(entry.deadlines or DeadlineEntry()).over(base.deadlines),
        facts={**base.facts, **entry.quirks.facts()} if entry.quirks else base.facts,
        price=entry.price.price() if entry.price else base.price,
        fallback_on=MappingProxyType(
            {error: tuple(_over(target, entry) for target in targets) for error, targets in base.fallback_on.items()}
        ),
    )


def _as_one(base: Target, one: TargetEntry) -> Target:
    """What stands beside one of several targets: its own words, and its condition beside those it has."""
    target = _over(base, one)
    return replace(target, when=(*target.when, one.when.conditions())) if one.when else target


def _with_rest(target: Target, instead: Mapping[str, Targets], rescue: str | None) -> Target:
    """What an entry says of failures: its own word wins, class by class, over that of an alias it leads to."""
    fallback_on = MappingProxyType({**target.fallback_on, **instead})
    rescue = target.rescue if rescue is None else rescue.replace("none", "")
    return replace(target, fallback_on=fallback_on, rescue=rescue)


def _once(targets: Iterable[Target]) -> list[Target]:
    """The targets without those that stood further ahead: two aliases may share one."""
    kept: list[Target] = []
    for target in targets:
        if target not in kept:
            kept.append(target)
    return kept


def _size(targets: Targets) -> int:
    """How many targets there are, and behind them."""
    return sum(1 + sum(map(_size, target.fallback_on.values())) for target in targets)


def _from_file(text: str, entry: ModelEntry, document: Document) -> _Written:
    place = ("models", text)

    def blame(inner: Place, wrong: str, allowed: str, near: str) -> Problem:
        return document.problem((*place, *inner), wrong, allowed, near)

    return _Written(text, entry, f"{document.source}:{document.line(place)}", blame)


def _blaming(variable: Variable) -> Blame:
    return lambda _, wrong, allowed, near: variable.problem(wrong, allowed, near)


def _built_in(routes: str) -> list[_Written]:
    pairs = (part.strip().partition("=") for part in routes.split(","))
    return [_Written(text, ModelEntry(target=target), "built in", _blameless, True) for text, _, target in pairs]


def _blameless(inner: Place, wrong: str, allowed: str, near: str) -> Problem:
    return Problem("built in", 0, ".".join(map(str, inner)), wrong, allowed, near)
