"""The configuration as one immutable value: providers, rules, settings. `load` makes it, `Watcher` makes it anew.

Strategy: everything is judged once, at the edge; whoever holds a `Registry` never checks anything again. A call keeps
the registry it began with, so an edit never mixes the address of one generation with the key of another.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from providers.addresses import parse_listen
from providers.assemble import Assembly
from providers.environment import DEFAULT_PROVIDER, PREFIX, REGISTRY, Environment, gather
from providers.errors import ConfigurationError, Problem
from providers.file_signature import Signature
from providers.provider import LOCAL, Provider
from providers.registry_file import Document, nearest, read
from providers.registry_model import RegistryFile
from providers.registry_problems import problems as told
from providers.resolve import Resolver, Route, Rule, Target
from providers.routes import Compiler
from providers.settings import Settings
from providers.told import endpoints_told, targets_told
from providers.watch import Watcher

__all__ = ["Registry", "Route", "Rule", "Settings", "Target", "Watcher", "load"]

_ROOT = Path(__file__).resolve().parent.parent
# The repository's own folder; None where Patchbay is installed as a package.
ROOT = _ROOT if (_ROOT / "pyproject.toml").is_file() else None
FILE_NAME = "registry.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """The whole configuration.

    ``providers`` holds also those that are not ready. ``file`` is the registry.yaml that was read, if any; ``files``
    are all files that count, there or not, as they were when they were read. ``generation`` grows with each reload.
    """

    providers: Mapping[str, Provider]
    default_provider: str
    listen: tuple[str, int]
    database: Path
    settings: Settings
    resolver: Resolver = field(repr=False)
    notices: tuple[str, ...] = ()
    generation: int = 1
    file: Path | None = None
    files: Mapping[Path, Signature | None] = field(default_factory=dict)

    @property
    def local(self) -> Provider:
        """The server that answers everything that is no call of a model."""
        return self.providers[LOCAL]

    def resolve(self, model: str | None, local_models: Collection[str] = ()) -> Route:
        """Return who answers ``model`` (as the client wrote it); ``local_models``: ids the local server lists."""
        return self.resolver.resolve(model, local_models)

    def secrets(self) -> list[str]:
        """Return every key, for redaction."""
        return [provider.key.get_secret_value() for provider in self.providers.values() if provider.key]

    def explain(self) -> list[str]:
        """Return the configuration as lines for people, without any key."""
        lines = [
            f"configuration  {self.file or 'environment alone'}",
            f"listen         {self.listen[0]}:{self.listen[1]}",
            f"database       {self.database}",
        ]
        lines += [f"provider       {_described(provider)}" for provider in self.providers.values()]
        lines += [f"alias          {_rule(rule)}" for rule in self.resolver.aliases.values()]
        lines += [f"pattern        {_rule(rule)}" for rule in self.resolver.patterns]
        lines += [f"default        {self.default_provider}"]
        lines += [f"setting        {name} = {value}" for name, value in self.settings.model_dump().items()]
        return lines + [f"notice         {notice}" for notice in self.notices]


def _described(provider: Provider) -> str:
    where = endpoints_told(provider)
    state = provider.problem or ("key set" if provider.key else "no key needed")
    spoken = ", ".join(sorted(provider.dialects - provider.uncertain))
    if provider.uncertain:
        spoken += f", and {', '.join(sorted(provider.uncertain))} where it is found to"
    return f"{provider.name} ({provider.kind}) {where}: {state}; speaks {spoken}"


def _rule(rule: Rule) -> str:
    return f"{rule.text} → {targets_told(rule.targets)} ({rule.origin})"


def load(
    environ: Mapping[str, str],
    folder: Path,
    *,
    registry_file: Path | None = None,
    local_base_url: str | None = None,
    listen: tuple[str, int] | None = None,
    root: Path | None = ROOT,
) -> Registry:
    """Read the configuration of ``folder`` (the working folder) and ``environ`` (the real environment, never written).

    ``registry_file``, ``local_base_url`` and ``listen`` come from the command line and win over everything. Raises
    ConfigurationError with all findings at once.
    """
    environment = gather(environ, folder, root)
    document, file = _document(environment, folder, registry_file, root)
    shape = _shape(document)
    loading = _Loading(environment, document, shape, listen)
    registry = loading.registry(folder, file, local_base_url)
    if registry is None:
        raise ConfigurationError(loading.problems(), environment.files)
    return registry


def _document(
    environment: Environment, folder: Path, asked: Path | None, root: Path | None
) -> tuple[Document, Path | None]:
    """Find and read the registry file: the one asked for, else the working folder's, else the repository's."""
    variable = environment.get(REGISTRY)
    if asked is None and variable is not None:
        asked = Path(variable.value.strip()).expanduser()
    candidates = [folder / asked] if asked else [place / FILE_NAME for place in (folder, root) if place is not None]
    for path in candidates:
        environment.watch(path)
    for path in candidates:
        if asked is not None or path.exists():
            source = str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)
            return read(path, source), path
    return Document(FILE_NAME), None


def _shape(document: Document) -> RegistryFile:
    """Judge the file's shape; the findings go to the document, and then the result is empty."""
    try:
        return RegistryFile.model_validate(document.data, strict=True)
    except ValidationError as error:
        document.problems.extend(told(error, document, RegistryFile))
        return RegistryFile()


@dataclass
class _Loading:
    """One load: what it is made from, and what was found wrong."""

    environment: Environment
    document: Document
    shape: RegistryFile
    asked_listen: tuple[str, int] | None
    found: list[Problem] = field(default_factory=list)

    def problems(self) -> list[Problem]:
        return list(dict.fromkeys((*self.document.problems, *self.environment.problems, *self.found)))

    def registry(self, folder: Path, file: Path | None, local_base_url: str | None) -> Registry | None:
        """Return the registry, or None when there are problems."""
        if self.document.problems:  # what follows would only be told about holes
            return None
        settings = self._settings()
        listen = self.asked_listen or self._listen(settings)
        assembly = Assembly(self.environment, self.document, listen, local_base_url, self.found)
        providers = assembly.providers(self.shape.providers, demo=settings.demo)
        compiler = Compiler(providers, self.found)
        rules = compiler.rules(self.shape.models, self.document, self.environment)
        default = self._default_provider(providers)
        if self.problems():
            return None
        self.environment.tell_unknown()
        return Registry(
            providers=MappingProxyType(providers),
            default_provider=default,
            listen=listen,
            database=folder / Path(settings.db).expanduser(),
            settings=settings,
            resolver=Resolver(providers, default, rules),
            notices=tuple(dict.fromkeys((*self.environment.notices, *assembly.notices))),
            file=file,
            files=MappingProxyType(self.environment.files),
        )

    def _settings(self) -> Settings:
        """Return the file's settings with those of the environment on top."""
        given = self.shape.settings.model_dump(exclude_unset=True)
        for name in Settings.model_fields:
            if (variable := self.environment.get(PREFIX + name.upper())) is None:
                continue
            try:
                Settings.model_validate({name: variable.value.strip()})
            except ValidationError as error:
                findings = told(error, Document(variable.source), Settings)
                self.found.extend(variable.problem(one.wrong, one.allowed, one.nearest) for one in findings)
            else:
                given[name] = variable.value.strip()
        return Settings.model_validate(given)

    def _listen(self, settings: Settings) -> tuple[str, int]:
        try:
            return parse_listen(settings.listen)
        except ValueError as error:
            variable = self.environment.get(f"{PREFIX}LISTEN")
            wrong, allowed = f"{settings.listen!r} {error}", "HOST:PORT, such as 127.0.0.1:8088 or [::1]:8088"
            at = self.document.problem(("settings", "listen"), wrong, allowed)
            self.found.append(variable.problem(wrong, allowed) if variable else at)
            return ("127.0.0.1", 0)

    def _default_provider(self, providers: Mapping[str, Provider]) -> str:
        variable = self.environment.get(DEFAULT_PROVIDER)
        name = variable.value.strip() if variable else self.shape.default_provider or LOCAL
        if name not in providers:
            said = f"{name!r} is no provider", ", ".join(providers), nearest(name, providers)
            at = self.document.problem(("default_provider",), *said)
            self.found.append(variable.problem(*said) if variable else at)
        return name
