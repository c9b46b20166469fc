"""Our own requests: providers' model lists, whether they are there, and downloads. The only importer of httpx.

No proxy from the environment (it might be ourselves), no redirects (a key never follows one), no body beyond a limit,
and one deadline over the whole request. A client is made for each request: these are rare, and nothing has to be
closed.
"""

import asyncio
import contextlib
import errno
import json
import socket
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import httpx
from pydantic import JsonValue

from providers.errors import Malformed, Rejected, TimedOut, Unauthorized, Unreachable, UpstreamError
from providers.provider import Provider, Replica
from providers.wire.endpoints import Dialect, Endpoint, Operation

TIMEOUT = 5.0
_LARGEST = 32 * 1024 * 1024
_USER_AGENT = ("user-agent", "patchbay")
_DOWNLOAD = (("accept", "image/*, application/pdf, */*;q=0.1"), ("accept-encoding", "identity"))
_PORTS = {"http": 80, "https": 443}
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
    """How a provider is: ``str()`` is ``ready``, ``no key: set X``, ``unreachable: …`` or ``unauthorized: …``.

    ``error`` is what stood in the way, None where nobody was asked or all is well.
    """

    ready: bool
    text: str
    error: UpstreamError | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return self.text


READY = State(True, "ready")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something can be downloaded: ``host`` in ASCII and without brackets; ``url`` without a fragment."""

    url: str
    scheme: str
    host: str
    port: int


def place_of(url: str, base: Place | None = None) -> Place:
    """Read an address, relative to ``base`` if there is one. ValueError says what is wrong and quotes nothing."""
    try:
        parsed = httpx.URL(url) if base is None else httpx.URL(base.url).join(url)
        host = parsed.raw_host.decode("ascii").strip("[]")
    except (httpx.InvalidURL, ValueError) as error:
        raise ValueError("its address cannot be read") from error
    if parsed.scheme not in _PORTS:
        raise ValueError("only http and https addresses can be downloaded")
    if not host:
        raise ValueError("its address names no host")
    if parsed.userinfo:
        raise ValueError("its address holds a user name or a password")
    port = _PORTS[parsed.scheme] if parsed.port is None else parsed.port
    if not 0 < port < 65536:
        raise ValueError("its address has a port that does not exist")
    return Place(str(parsed.copy_with(fragment=None)), parsed.scheme, host, port)


@dataclass(frozen=True, slots=True)
class Downloaded:
    """One answer to a GET. ``location`` is where it sends us on to, "" if it does not; then ``body`` is what it has."""

    location: str
    body: bytes


class Client:
    """Asks providers. ``transport`` replaces the network (a program that embeds Patchbay, a test)."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._transport = transport

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        try:
            return httpx.create_ssl_context(trust_env=True)  # SSL_CERT_FILE, SSL_CERT_DIR: as the relay does
        except OSError:  # that file cannot be read: nobody is trusted, and without TLS nobody need be
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    async def get_json(self, url: str, headers: Sequence[tuple[str, str]], timeout: float = TIMEOUT) -> JsonValue:
        """Return the JSON at ``url``; ``timeout`` (seconds) is for all of it. UpstreamError never tells the URL."""
        async with _within(timeout):
            body = await self._body(url, headers, timeout)
        try:
            parsed: JsonValue = json.loads(body)
        except ValueError as error:
            raise Malformed("its answer is not JSON") from error
        return parsed

    async def _body(self, url: str, headers: Sequence[tuple[str, str]], timeout: float) -> bytes:
        async with self._session(timeout) as session, session.stream("GET", url, headers=_sent(headers)) as response:
            if response.status_code in (401, 403):
                raise Unauthorized(response.status_code)
            if not response.is_success:
                raise Rejected(response.status_code)
            return await _limited(response.aiter_bytes(), _LARGEST)

    def _session(self, timeout: float) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=self._transport, verify=self._tls, trust_env=False, follow_redirects=False, timeout=timeout
        )

    async def knock(
        self,
        provider: Provider,
        endpoint: Endpoint,
        headers: Sequence[tuple[str, str]] = (),
        timeout: float = TIMEOUT,
        at: Replica | None = None,
    ) -> int:
        """Return the status with which a provider answers an empty POST, which tells whether it has such a path.

        No JSON at all, so that no server, however old, can find a request in it and run a model. ``headers`` are the
        client's credentials, for the local server alone; ``at`` is which of its servers, None: the first.
        UpstreamError where nobody answers.
        """
        own = provider.request_headers([("content-type", "application/json"), *headers], dialect=endpoint.dialect)
        sent, url = _sent([*own, *provider.auth_headers()]), provider.url_for(endpoint, at=at).url
        async with _within(timeout), self._session(timeout) as session:
            async with session.stream("POST", url, headers=sent, content=b"") as response:
                return response.status_code

    async def download(self, place: Place, address: str, largest: int, timeout: float) -> Downloaded:
        """GET ``place`` at the IP ``address``, which its name was found to have; ``timeout`` is for all of it.

        No key goes along, and no redirect is followed. UpstreamError, which is Malformed for more than ``largest``
        bytes, never tells the URL.
        """
        url = httpx.URL(place.url)
        # Connect to the address that was judged; the name is for the certificate and for the server's choice of site.
        headers = [("host", url.netloc.decode("ascii")), _USER_AGENT, *_DOWNLOAD]
        extensions = {"sni_hostname": place.host}
        async with (
            _within(timeout),
            self._session(timeout) as session,
            session.stream("GET", url.copy_with(host=address), headers=headers, extensions=extensions) as response,
        ):
            if response.has_redirect_location:
                return Downloaded(response.headers["location"], b"")
            if not response.is_success:
                raise Rejected(response.status_code)
            # not unpacked: what was asked for is no packed content, and a small body could become a huge one
            return Downloaded("", await _limited(response.aiter_raw(), largest))

    async def ask(
        self, provider: Provider, suffix: str, query: str = "", timeout: float = TIMEOUT, at: Replica | None = None
    ) -> JsonValue:
        """Return the JSON at ``suffix`` behind the provider's version prefix, asked with the provider's own key.

        ``at`` is which of its servers, None: the first.
        """
        return await self.get_json(*_question(provider, suffix, "/v1", at, query), timeout)

    async def look(self, provider: Provider, at: Replica, timeout: float = TIMEOUT) -> int:
        """Return the status with which a server answers the cheapest question; UpstreamError where nobody answers."""
        path = provider.quirks.health_path
        url, headers = _question(provider, path or provider.quirks.probe_path, "" if path else "/v1", at)
        async with _within(timeout), self._session(timeout) as session:
            async with session.stream("GET", url, headers=_sent(headers)) as response:
                return response.status_code

    async def slots(self, provider: Provider, at: Replica, timeout: float = TIMEOUT) -> JsonValue:
        """Return what a llama-server says of its slots: Rejected where that is switched off."""
        return await self.get_json(*_question(provider, provider.quirks.slots_path, "", at), timeout)

    async def probe(self, provider: Provider, timeout: float = TIMEOUT, at: Replica | None = None) -> State:
        """Say how the provider is. Costs no tokens; nothing is sent where a key is missing.

        ``at`` is which of its servers is asked, None: the first.
        """
        if not provider.ready:
            return State(False, provider.problem)
        if provider.virtual:
            return READY
        try:
            await self.ask(provider, provider.quirks.probe_path, timeout=timeout, at=at)
        except Unauthorized as error:
            return _unauthorized(provider, error)
        except Rejected as error:
            return READY if error.status in NO_SUCH_PATH else State(False, f"unreachable: {error}", error)
        except Malformed:
            return READY  # somebody is there and takes the key; how it answers calls is seen when they are made
        except UpstreamError as error:
            return State(False, f"unreachable: {error}", error)
        return READY

    async def probe_all(self, providers: Iterable[Provider], timeout: float = TIMEOUT) -> dict[str, State]:
        """Probe all at the same time: name → state, in the order given."""
        asked = list(providers)
        states = await asyncio.gather(*(self.probe(provider, timeout) for provider in asked))
        return {provider.name: state for provider, state in zip(asked, states, strict=True)}

    def probe_all_sync(self, providers: Iterable[Provider], timeout: float = TIMEOUT) -> dict[str, State]:
        """Do the same where no event loop runs."""
        return asyncio.run(self.probe_all(providers, timeout))


def _question(
    provider: Provider, suffix: str, prefix: str, at: Replica | None, query: str = ""
) -> tuple[str, list[tuple[str, str]]]:
    """Return URL and headers of a GET of ours, with the provider's own key."""
    dialect = Dialect.CHAT if Dialect.CHAT in provider.dialects else Dialect.MESSAGES
    endpoint = Endpoint(dialect, Operation.MODELS, suffix, prefix=prefix)
    headers = provider.request_headers([("accept", "application/json")], dialect=dialect)
    return provider.url_for(endpoint, query, at).url, [*headers, *provider.auth_headers()]


async def _limited(pieces: AsyncIterator[bytes], largest: int) -> bytes:
    body = bytearray()
    async for piece in pieces:
        body += piece
        if len(body) > largest:
            raise Malformed(f"its answer is larger than {largest} bytes")
    return bytes(body)


def _unauthorized(provider: Provider, error: Unauthorized) -> State:
    if provider.key is not None:
        said = f"unauthorized: it refuses the key in {provider.key_name} (status {error.status})"
        return State(False, said, error)
    if not provider.external:
        return State(True, "ready (it wants an API key, which clients send)")
    return State(False, f"unauthorized: it wants an API key, and none is configured (status {error.status})", error)


@contextlib.asynccontextmanager
async def _within(timeout: float) -> AsyncIterator[None]:
    """Give what is inside so many seconds, and its failures their names."""
    try:
        async with asyncio.timeout(timeout):
            yield
    except (TimeoutError, httpx.TimeoutException) as error:
        raise TimedOut(f"no answer within {timeout:g} s") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _failure(error) from error


def _sent(headers: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [_USER_AGENT, *((name, value) for name, value in headers if name.lower() != _USER_AGENT[0])]


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
