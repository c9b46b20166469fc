"""Our own small requests to providers: their model lists, and whether they are there. The only importer of httpx.

No proxy from the environment (it might be ourselves), no redirects (a key never follows one), no body beyond a limit,
and one deadline over the whole request. A client is made for each request: these are rare, and nothing has to be
closed.
"""

import asyncio
import errno
import json
import socket
import ssl
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import httpx
from pydantic import JsonValue

from providers.errors import Malformed, Rejected, TimedOut, Unauthorized, Unreachable, UpstreamError
from providers.provider import Provider
from providers.wire.endpoints import Dialect, Endpoint, Operation

TIMEOUT = 5.0
_LARGEST = 32 * 1024 * 1024
_USER_AGENT = ("user-agent", "patchbay")
# Statuses of a server that is there and merely lacks the path that was asked.
NO_SUCH_PATH = (404, 405, 501)
_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (socket.gaierror, "its host name does not resolve"),
    (ssl.SSLError, "no trusted TLS connection"),
    (ConnectionRefusedError, "connection refused"),
    (ConnectionResetError, "connection reset"),
)


@dataclass(frozen=True, slots=True)
class State:
    """How a provider is: ``str()`` is ``ready``, ``no key: set X``, ``unreachable: …`` or ``unauthorized: …``."""

    ready: bool
    text: str

    def __str__(self) -> str:
        return self.text


READY = State(True, "ready")


class Client:
    """Asks providers. ``transport`` replaces the network (a program that embeds Patchbay, a test)."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._transport = transport

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return httpx.create_ssl_context(trust_env=False)

    async def get_json(self, url: str, headers: Sequence[tuple[str, str]], timeout: float = TIMEOUT) -> JsonValue:
        """Return the JSON at ``url``; ``timeout`` (seconds) is for all of it. UpstreamError never tells the URL."""
        try:
            async with asyncio.timeout(timeout):
                body = await self._body(url, headers, timeout)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise TimedOut(f"no answer within {timeout:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _failure(error) from error
        try:
            parsed: JsonValue = json.loads(body)
        except ValueError as error:
            raise Malformed("its answer is not JSON") from error
        return parsed

    async def _body(self, url: str, headers: Sequence[tuple[str, str]], timeout: float) -> bytes:
        sent = [_USER_AGENT, *((name, value) for name, value in headers if name.lower() != _USER_AGENT[0])]
        session = httpx.AsyncClient(
            transport=self._transport, verify=self._tls, trust_env=False, follow_redirects=False, timeout=timeout
        )
        async with session, session.stream("GET", url, headers=sent) as response:
            if response.status_code in (401, 403):
                raise Unauthorized(response.status_code)
            if not response.is_success:
                raise Rejected(response.status_code)
            body = bytearray()
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > _LARGEST:
                    raise Malformed(f"its answer is larger than {_LARGEST} bytes")
            return bytes(body)

    async def ask(self, provider: Provider, suffix: str, query: str = "", timeout: float = TIMEOUT) -> JsonValue:
        """Return the JSON at ``suffix`` behind the provider's version prefix, asked with the provider's own key."""
        dialect = Dialect.CHAT if Dialect.CHAT in provider.dialects else Dialect.MESSAGES
        endpoint = Endpoint(dialect, Operation.MODELS, suffix, prefix="/v1")
        headers = provider.request_headers([("accept", "application/json")], dialect=dialect)
        return await self.get_json(provider.url_for(endpoint, query).url, [*headers, *provider.auth_headers()], timeout)

    async def probe(self, provider: Provider, timeout: float = TIMEOUT) -> State:
        """Say how the provider is. Costs no tokens; nothing is sent where a key is missing."""
        if not provider.ready:
            return State(False, provider.problem)
        if provider.virtual:
            return READY
        try:
            await self.ask(provider, provider.quirks.probe_path, timeout=timeout)
        except Unauthorized as error:
            return _unauthorized(provider, error)
        except Rejected as error:
            return READY if error.status in NO_SUCH_PATH else State(False, f"unreachable: {error}")
        except Malformed:
            return READY  # somebody is there and takes the key; how it answers calls is seen when they are made
        except UpstreamError as error:
            return State(False, f"unreachable: {error}")
        return READY

    async def probe_all(self, providers: Iterable[Provider], timeout: float = TIMEOUT) -> dict[str, State]:
        """Probe all at the same time: name → state, in the order given."""
        asked = list(providers)
        states = await asyncio.gather(*(self.probe(provider, timeout) for provider in asked))
        return {provider.name: state for provider, state in zip(asked, states, strict=True)}

    def probe_all_sync(self, providers: Iterable[Provider], timeout: float = TIMEOUT) -> dict[str, State]:
        """Do the same where no event loop runs."""
        return asyncio.run(self.probe_all(providers, timeout))


def _unauthorized(provider: Provider, error: Unauthorized) -> State:
    if provider.key is not None:
        return State(False, f"unauthorized: it refuses the key in {provider.key_name} (status {error.status})")
    if not provider.external:
        return State(True, "ready (it wants an API key, which clients send)")
    return State(False, f"unauthorized: it wants an API key, and none is configured (status {error.status})")


def _failure(error: Exception) -> UpstreamError:
    """Name the cause in words that hold no address: httpx has it somewhere below its own exception."""
    causes = list(_causes(error))
    for kind, said in _REASONS:
        if any(isinstance(cause, kind) for cause in causes):
            return Unreachable(said)
    numbers = [cause.errno for cause in causes if isinstance(cause, OSError) and cause.errno]
    if numbers:
        return Unreachable(errno.errorcode.get(numbers[0], "no connection"))
    if isinstance(error, httpx.TransportError) and not isinstance(error, httpx.ProtocolError):
        return Unreachable("no connection")
    return Malformed("its answer is not HTTP")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Walk an exception, what it came from, and the members of groups."""
    if error is None:
        return
    yield error
    yield from _causes(error.__cause__ or error.__context__)
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from _causes(member)
