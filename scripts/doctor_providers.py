"""What `patchbay doctor` finds out about providers: keys, servers, dialects, and models that nobody can answer."""

import asyncio
import ssl
import time
from collections.abc import Iterator

from providers.client import Client, State
from providers.dialect_probe import DialectProbe
from providers.errors import UpstreamError
from providers.provider import LOCAL, Provider, Replica
from providers.registry import Registry
from providers.support import Finding, Level
from providers.wire.endpoints import Endpoint, endpoint_of

ASK_SECONDS = 2.0
_LOADING = 503
# Where a dialect that only newer servers speak is found out.
_PATHS = ("/v1/messages", "/v1/responses")
# What a state says → what to do about it; the first that fits. {key}: the variable, {place}: where the server is.
_ADVICE: tuple[tuple[str, str], ...] = (
    ("refuses the key", "Put a key that is valid into {key}"),
    ("none is configured", "Name the variable of its key under api_key in registry.yaml, and set it"),
    ("connection refused", "Start it, or correct its base_url"),
    ("does not resolve", "Correct its base_url, or look at this machine's network and DNS"),
    ("no trusted TLS", "Behind a company's TLS inspection set SSL_CERT_FILE to its authorities; else correct base_url"),
    ("no answer within", "Look at the network on the way to it, and whether it is overloaded"),
    ("", "Look at its base_url, and at its own log"),
)


def routes(registry: Registry) -> Iterator[Finding]:
    """Yield the rules that lead to nobody who can be asked; those that nobody wrote wait for a key."""
    resolver = registry.resolver
    for rule in (*resolver.aliases.values(), *resolver.patterns):
        off = {target.provider.name: target.provider for target in rule.targets if not target.provider.ready}
        if not rule.built_in and all(target.provider.name in off for target in rule.targets):
            why = ", ".join(f"{name} has {provider.problem}" for name, provider in off.items())
            yield Finding(f"model {rule.text}", "warning", f"nobody can answer it: {why}")
    default = registry.providers[registry.default_provider]
    if not default.ready:
        yield Finding("default provider", "wrong", f"{default.name} has {default.problem}")


async def ask_providers(registry: Registry, client: Client) -> list[Finding]:
    """Ask every server of every provider, all at the same time, for `ASK_SECONDS` at most."""
    found = await asyncio.gather(*(_ask(provider, client) for provider in registry.providers.values()))
    return [finding for one in found for finding in one]


async def _ask(provider: Provider, client: Client) -> list[Finding]:
    if not provider.ready:
        # One that is there by itself is not missed; one that somebody has written down is.
        wanted = not provider.default_key_name or provider.name != provider.kind
        return [Finding(provider.name, "warning" if wanted else "ok", f"off, {provider.problem}")]
    if provider.virtual:
        return [Finding(provider.name, "ok", "built in")]
    servers = asyncio.gather(*(_ask_server(provider, server, client) for server in provider.replicas))
    found, spoken = await asyncio.gather(servers, _spoken(provider, client))
    return [_judged(provider, server, asked, spoken) for server, asked in zip(provider.replicas, found, strict=True)]


Asked = tuple[State, int, bool]  # how a server is, within how many ms it said so, whether it loads its model


async def _ask_server(provider: Provider, server: Replica, client: Client) -> Asked:
    began = time.monotonic()
    state, loading = await asyncio.gather(
        client.probe(provider, ASK_SECONDS, server), _is_loading(provider, server, client)
    )
    return state, round((time.monotonic() - began) * 1000), loading


async def _is_loading(provider: Provider, server: Replica, client: Client) -> bool:
    if not provider.quirks.health_path:
        return False
    try:
        return await client.look(provider, server, ASK_SECONDS) == _LOADING
    except UpstreamError:
        return False


async def _spoken(provider: Provider, client: Client) -> str:
    """Say what it speaks, as far as it can be found out; "" where that is known beforehand."""
    known = [endpoint for path in _PATHS if (endpoint := endpoint_of("POST", path)) is not None]
    endpoints = [endpoint for endpoint in known if endpoint.dialect in provider.uncertain]
    if not endpoints:
        return ""
    probe = DialectProbe(client, lambda _line: None)
    await asyncio.gather(*(probe.know(provider, endpoint, (), ASK_SECONDS) for endpoint in endpoints))
    return _told(provider, endpoints, probe)


def _told(provider: Provider, endpoints: list[Endpoint], probe: DialectProbe) -> str:
    lacks = [one.dialect for one in endpoints if one.dialect not in probe.as_found(provider, one).dialects]
    spoken = f"; speaks {', '.join(sorted(provider.dialects.difference(lacks)))}"
    return spoken + (f" ({', '.join(lacks)} calls are translated)" if lacks else "")


def _judged(provider: Provider, server: Replica, asked: Asked, spoken: str) -> Finding:
    state, latency, loading = asked
    about = provider.name if len(provider.replicas) == 1 else f"{provider.name} {provider.replicas.index(server) + 1}"
    key = f"key in {provider.key_name}, " if provider.key else ""
    if loading:
        said = f"{server.name} is loading its model"
        return Finding(about, "warning", said, "Calls wait for it; look again in a minute")
    if state.ready:
        more = state.text.removeprefix("ready")
        return Finding(about, "ok", f"{key}{server.name} answers in {latency} ms{more}{spoken}")
    said = f"{key}{server.name} {state.text}{_certificate(state.error)}"
    return Finding(about, _level(provider), said, _advice(provider, state.text))


def _level(provider: Provider) -> Level:
    """A llama-server in the usual place, of which nobody has said a word, need not be there."""
    usual = provider.name == LOCAL and provider.base_url == provider.default_base_url
    return "warning" if usual else "wrong"


def _advice(provider: Provider, said: str) -> str:
    advice = next(advice for words, advice in _ADVICE if words in said)
    if provider.name == LOCAL and "connection refused" in said:
        advice = "Start llama-server there, set PATCHBAY_LOCAL_BASE_URL, or use `serve --model FILE.gguf`"
    return advice.format(key=provider.key_name)


def _certificate(error: BaseException | None) -> str:
    """Say what is wrong with its certificate, "" if it is something else."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return f" ({error.verify_message})"
        error = error.__cause__ or error.__context__
    return ""
