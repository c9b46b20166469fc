"""Makes the providers of a registry from its entries, the environment and what is built in.

Each finding goes into the list of problems with its place; what can be made is made, so that one run tells
everything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from providers.addresses import BaseUrl, is_loopback, is_same_address, parse_base_url
from providers.environment import PROVIDER_VARIABLES, Environment
from providers.errors import Problem
from providers.kinds import KINDS
from providers.model_facts import SERVERS
from providers.provider import LOCAL, Provider, Replica, Sharing
from providers.quirks import NO_FACTS
from providers.registry_entry import DeadlineEntry
from providers.registry_file import Document, Place, nearest
from providers.registry_model import ProviderEntry
from providers.secrets import REFERENCES, Key, referred_name
from providers.virtual import DEMO
from providers.wire.endpoints import Dialect

# Providers that are there without being written down, and their kinds.
BUILT_IN: dict[str, str] = {
    LOCAL: "llamacpp",
    "anthropic": "anthropic",
    "openai": "openai",
    "openrouter": "openrouter",
    DEMO: "demo",
}
_EMPTY = ProviderEntry()


def _like(name: str, entry: ProviderEntry, kind: type[Provider]) -> str:
    """Whose row of facts fits: the one that is named, else for some kinds that of the provider's own name."""
    if entry.quirks and entry.quirks.like:
        return entry.quirks.like
    return name if kind.known_by_name and name in SERVERS else ""


def _sharing(entry: ProviderEntry) -> Sharing:
    return Sharing(entry.balance or "round_robin", entry.sticky, entry.max_in_flight, entry.max_queued or 0)


@dataclass(frozen=True, slots=True)
class _Value:
    """A value and whom to blame for it."""

    text: str
    blame: Problem


@dataclass
class Assembly:
    """What the providers are made from. ``local_base_url`` is the URL of mitmproxy's ``--mode reverse:URL``."""

    environment: Environment
    document: Document
    listen: tuple[str, int]
    local_base_url: str | None = None
    problems: list[Problem] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def providers(self, entries: Mapping[str, ProviderEntry], *, demo: bool) -> dict[str, Provider]:
        """Return all providers by name, the built-in ones first, also those that are not ready."""
        names = [name for name in BUILT_IN if name != DEMO or demo or name in entries]
        names += [name for name in entries if name not in BUILT_IN]
        made = {name: self._provider(name, entries.get(name, _EMPTY)) for name in names}
        return {name: provider for name, provider in made.items() if provider is not None}

    def _provider(self, name: str, entry: ProviderEntry) -> Provider | None:
        kind = self._kind(name, entry)
        if kind is None:
            return None
        self._refuse_idle_fields(name, entry, kind)
        several = self._lists_servers(name, entry)
        servers = self._servers(name, entry, kind) if several else self._one_server(name, entry, kind)
        key_name = self._key_name(name, entry, kind)
        key = self.environment.key(key_name) if key_name else None
        self._notice_bare_keys(name, servers if key else ())
        return kind(
            name=name,
            base_url=servers[0].name if servers else "",
            endpoints=servers if several else (),
            sharing=_sharing(entry),
            key=key,
            key_name=key_name,
            problem=self._problem(name, kind, key, key_name),
            dialects=frozenset(map(Dialect, entry.dialects)) if entry.dialects else kind.default_dialects,
            uncertain=frozenset() if entry.dialects else kind.recent_dialects,
            deadlines=(entry.deadlines or DeadlineEntry()).over(kind.default_deadlines),
            models=tuple(dict.fromkeys(entry.models or (DEMO,) if kind.virtual else entry.models or ())),
            attribution=self._headers(name, entry, kind.attribution_fields),
            account=self._headers(name, entry, kind.account_fields),
            like=_like(name, entry, kind),
            facts=entry.quirks.facts() if entry.quirks else NO_FACTS,
            price=entry.price.price() if entry.price else None,
        )

    def _notice_bare_keys(self, name: str, servers: tuple[Replica, ...]) -> None:
        for url in (server.url for server in servers):
            if url.scheme == "http" and not is_loopback(url.host):
                self.notices.append(f"provider {name!r} is sent its key unencrypted: {url} is no https:// address")

    def _kind(self, name: str, entry: ProviderEntry) -> type[Provider] | None:
        kind = entry.kind or BUILT_IN.get(name)
        if kind is None:
            self._blame(name, "kind", "is missing", ", ".join(KINDS))
            return None
        if kind not in KINDS:
            self._blame(name, "kind", f"is {kind!r}", ", ".join(KINDS), nearest(kind, KINDS))
        return KINDS.get(kind)

    def _refuse_idle_fields(self, name: str, entry: ProviderEntry, kind: type[Provider]) -> None:
        """Refuse a field that this kind does nothing with."""
        used = {*kind.attribution_fields, *kind.account_fields}
        idle = {"organization", "project", "referer", "title"} - used
        idle |= {"base_url", "endpoints", "api_key"} if kind.virtual else set()
        for field_name in sorted(idle & entry.model_fields_set):
            self._blame(name, field_name, f"means nothing for the kind {kind.kind!r}")

    def _one_server(self, name: str, entry: ProviderEntry, kind: type[Provider]) -> tuple[Replica, ...]:
        """Return where the provider is; nothing for a virtual one, and where nothing usable is written."""
        url = None if kind.virtual else self._base_url(name, entry, kind)
        return () if url is None else (Replica(url),)

    def _servers(self, name: str, entry: ProviderEntry, kind: type[Provider]) -> tuple[Replica, ...]:
        """Return the usable ones of ``endpoints``."""
        found: dict[BaseUrl, Replica] = {}
        for number, endpoint in enumerate(entry.endpoints or ()):
            value = self._referred(name, ("endpoints", number, "base_url"), endpoint.base_url)
            url = self._parsed(value, kind) if value else None
            if value and url in found:
                self._blame_for(value, f"is {url}, which stands twice: give the first one more weight instead")
            elif url:
                found[url] = Replica(url, endpoint.weight)
        return tuple(found.values())

    def _lists_servers(self, name: str, entry: ProviderEntry) -> bool:
        """Whether ``endpoints`` counts: one address from outside the file wins over all of them."""
        if entry.endpoints is None:
            return False
        variable = PROVIDER_VARIABLES.get(name, {}).get("base_url", "")
        wins = "--mode" if name == LOCAL and self.local_base_url else variable if self.environment.get(variable) else ""
        if wins:
            self.notices.append(f"provider {name!r}: the address in {wins} counts, its endpoints do not")
        return not wins

    def _base_url(self, name: str, entry: ProviderEntry, kind: type[Provider]) -> BaseUrl | None:
        value = self._written_url(name, entry, kind)
        if value is None:
            self._blame(name, "base_url", "is missing", "http(s)://HOST[:PORT][/PATH]")
            return None
        return self._parsed(value, kind)

    def _parsed(self, value: _Value, kind: type[Provider]) -> BaseUrl | None:
        try:
            url = parse_base_url(value.text.strip().rstrip("/").removesuffix(kind.surplus_prefix))
        except ValueError as error:
            self._blame_for(value, str(error), "http(s)://HOST[:PORT][/PATH]")
            return None
        if is_same_address((url.host, url.port), self.listen):
            self._blame_for(value, f"is {url}, where Patchbay itself listens: calls would go round in circles")
        return url

    def _written_url(self, name: str, entry: ProviderEntry, kind: type[Provider]) -> _Value | None:
        if name == LOCAL and self.local_base_url:
            return _Value(self.local_base_url, Problem("--mode", 0, "reverse", ""))
        if value := self._text(name, "base_url", entry.base_url):
            return value
        if not kind.default_base_url:
            return None
        return _Value(kind.default_base_url, self._problem_at(name, "base_url", ""))

    def _text(self, name: str, field_name: str, written: str | None) -> _Value | None:
        """Return what stands in a field: the variable that says the same, else the entry, a reference replaced."""
        same = PROVIDER_VARIABLES.get(name, {}).get(field_name)
        if same and (variable := self.environment.get(same)):
            return _Value(variable.value.strip(), variable.problem(""))
        return None if written is None else self._referred(name, (field_name,), written)

    def _referred(self, name: str, place: Place, written: str) -> _Value | None:
        """Return what stands in a place of the file, a reference replaced by the variable's value."""
        if (referred := referred_name(written)) is None:
            return _Value(written, self.document.problem(("providers", name, *place), ""))
        if (variable := self.environment.get(referred)) is None:
            wrong = f"refers to {referred}, which is not set"
            self.problems.append(self.document.problem(("providers", name, *place), wrong))
            return None
        return _Value(variable.value.strip(), variable.problem(""))

    def _headers(self, name: str, entry: ProviderEntry, fields: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """Return the configured ones of ``fields`` as headers; a value that cannot stand in a header is a problem."""
        found = []
        for field_name, header in fields.items():
            value = self._text(name, field_name, entry.model_dump().get(field_name))
            if value and value.text.isascii() and value.text.isprintable():
                found.append((header, value.text))
            elif value:
                self._blame_for(value, "has a control character or a letter outside ASCII: it becomes a header")
        return tuple(found)

    def _key_name(self, name: str, entry: ProviderEntry, kind: type[Provider]) -> str:
        if entry.api_key is None:  # the usual variable belongs to the usual provider: never sent to a second address
            return kind.default_key_name if BUILT_IN.get(name) == kind.kind else ""
        if (referred := referred_name(entry.api_key)) is None:
            wrong = "is no reference to a variable: a key never stands in this file, put it into .env"
            self._blame(name, "api_key", wrong if entry.api_key.strip() else "is empty", REFERENCES)
        return referred or ""

    def _problem(self, name: str, kind: type[Provider], key: Key | None, key_name: str) -> str:
        """Say why the provider cannot be used, or nothing: a llama-server answers without a key too."""
        if key is not None or not (kind.needs_key or key_name):
            return ""
        if not key_name:
            return "no key: name its variable under api_key"
        if name not in BUILT_IN:
            self.notices.append(f"provider {name!r} has no key: set {key_name}")
        return f"no key: set {key_name}" if name != LOCAL else ""

    def _problem_at(self, name: str, field_name: str, wrong: str, allowed: str = "", near: str = "") -> Problem:
        return self.document.problem(("providers", name, field_name), wrong, allowed, near)

    def _blame(self, name: str, field_name: str, wrong: str, allowed: str = "", near: str = "") -> None:
        self.problems.append(self._problem_at(name, field_name, wrong, allowed, near))

    def _blame_for(self, value: _Value, wrong: str, allowed: str = "") -> None:
        at = value.blame
        self.problems.append(Problem(at.source, at.line, at.key, wrong, allowed))
