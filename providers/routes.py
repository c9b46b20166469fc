"""Compiles what is written about models: the registry's ``models``, ``PATCHBAY_ROUTES``, the built-in map."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from providers.environment import ROUTES, Environment, Variable
from providers.errors import Problem
from providers.provider import Provider
from providers.registry_file import Document, nearest
from providers.registry_model import DeadlineEntry, ModelEntry
from providers.resolve import Rule, Target, is_pattern
from providers.virtual import DEMO

DEFAULT_ROUTES = "claude-*=anthropic, gpt-*=openai, o[0-9]*=openai"
_ENTRY = "pattern=provider[/model]"

# (what is wrong, what is allowed, the nearest spelling) → a problem at the right place
Blame = Callable[[str, str, str], Problem]


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
        compiled = ((one, self._follow(one, [one.text])) for one in written)
        return [Rule(one.text, target, one.origin, one.built_in) for one, target in compiled if target]

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
                yield _Written(text, ModelEntry(target=target), variable.place + ROUTES, variable.problem)

    def _follow(self, written: _Written, path: list[str]) -> Target | None:
        """Return where a rule leads, through aliases if need be; what stands further out wins over what it leads to."""
        text = written.entry.target
        provider = self.providers.get(text.partition("/")[0])
        alias = self._aliases.get(text)
        if alias and text not in self.providers and not (text == written.text and provider):
            return self._through(written, alias, [*path, text])
        if provider is None:
            names = [*self.providers, *self._aliases]
            wrong = f"leads to {text!r}, which is neither provider[/model] nor an alias"
            close = nearest(text.partition("/")[0], names)
            self.problems.append(written.blame(wrong, f"a model of {', '.join(self.providers)}", close))
            return None
        base = Target(provider, text.partition("/")[2] or None, {}, provider.deadlines)
        return _over(base, written.entry)

    def _through(self, written: _Written, alias: _Written, path: list[str]) -> Target | None:
        if path[-1] in path[:-1]:
            loop = path[path.index(path[-1]) :]
            if path[0] == min(loop):  # each loop is told once, where its first name stands
                first = self._aliases[path[0]]
                self.problems.append(first.blame(f"is an alias loop: {' → '.join(loop)}", "", ""))
            return None
        inner = self._follow(alias, path)
        return inner and _over(inner, written.entry)


def _over(base: Target, entry: ModelEntry) -> Target:
    params = MappingProxyType({**base.params, **entry.params})
    deadlines = (entry.deadlines or DeadlineEntry()).over(base.deadlines)
    facts = {**base.facts, **entry.quirks.facts()} if entry.quirks else base.facts
    return Target(base.provider, base.model, params, deadlines, facts)


def _from_file(text: str, entry: ModelEntry, document: Document) -> _Written:
    place = ("models", text)

    def blame(wrong: str, allowed: str, near: str) -> Problem:
        return document.problem(place, wrong, allowed, near)

    return _Written(text, entry, f"{document.source}:{document.line(place)}", blame)


def _built_in(routes: str) -> list[_Written]:
    pairs = (part.strip().partition("=") for part in routes.split(","))
    return [_Written(text, ModelEntry(target=target), "built in", _blameless, True) for text, _, target in pairs]


def _blameless(wrong: str, allowed: str, near: str) -> Problem:
    return Problem("built in", 0, "", wrong, allowed, near)
