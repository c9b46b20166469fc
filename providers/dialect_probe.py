"""Whether a server speaks a dialect that only newer versions of its kind speak: asked when it first matters.

Strategy: the path of the call is sent an empty POST (`Client.knock`), which no server can take for a request.
llama-server judges a path in this order: 503 while it loads, 401 without its key, 404 where it has no such path, and
only then the body: 400 or 500 (its source, and xllamacpp 2026.10: 2026-11-20; a router says 400, too, wanting a model).

    the path answers            and chat's path answers     so the dialect is
    200, 400, 411, 415, 422, 500  (not asked)                 spoken, until the server was away
    404, 405, 501               one of those above          missing, and asked again in the background at times
    404, 405, 501               anything else               unknown: the whole address may be wrong
    anything else, or nothing   (not asked)                 unknown

Unknown means: as the kind's newest version, and asked again by the next call; such calls mostly fail by themselves. A
finding belongs to one `Provider` value and ends when a connection to it fails: who comes back may be another version.
It is kept for each path, so that a server that speaks messages and cannot count them is known as that, too.
"""

import asyncio
import dataclasses
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from providers.client import NO_SUCH_PATH, TIMEOUT, Client
from providers.errors import TimedOut, UpstreamError
from providers.exchange.account import AttemptAccount, ExchangeAccount, Outcome
from providers.provider import Provider, Replica
from providers.wire.endpoints import Dialect, Endpoint, Operation

# Seconds. Something missing is asked for again, because servers are replaced by newer ones while nobody calls.
MISSING_FRESH = 600.0
RETRY = 15.0
_THERE = frozenset((200, 400, 411, 415, 422, 500))
_CHAT = "/chat/completions"
# The client's, that the local server may want; `Provider.request_headers` keeps them from everybody else.
_CREDENTIALS = ("authorization", "x-api-key")
_AWAY = frozenset(
    (
        Outcome.UPSTREAM_REFUSED,
        Outcome.UPSTREAM_DNS,
        Outcome.UPSTREAM_TLS,
        Outcome.UPSTREAM_RESET,
        Outcome.UPSTREAM_TIMEOUT_CONNECT,
        Outcome.UPSTREAM_TRUNCATED,
    )
)


@dataclass(frozen=True, slots=True)
class _Finding:
    """What is known of one path: ``spoken`` is ``asked`` without the dialect, where the path is missing.

    ``due`` is when it is to be asked again (monotonic seconds).
    """

    asked: Provider
    spoken: Provider
    due: float


class DialectProbe:
    """What the uncertain providers were found to speak. Used from one event loop; ``tell`` gets a line for people."""

    def __init__(
        self, client: Client, tell: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._tell = tell
        self._clock = clock
        self._findings: dict[str, dict[str, _Finding]] = {}
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}

    def as_found(self, provider: Provider, endpoint: Endpoint) -> Provider:
        """Return the provider as it is for this call: without the call's dialect if that is missing. Asks nobody."""
        if endpoint.dialect not in provider.uncertain:
            return provider
        finding = self._finding(provider, endpoint)
        return finding.spoken if finding else provider

    def must_ask(self, provider: Provider, endpoint: Endpoint) -> bool:
        """Whether `know` would ask: the dialect is uncertain, and unknown or known for long."""
        if endpoint.dialect not in provider.uncertain or not provider.ready:
            return False
        finding = self._finding(provider, endpoint)
        return finding is None or finding.due <= self._clock()

    async def know(
        self, provider: Provider, endpoint: Endpoint, headers: Sequence[tuple[str, str]], patience: float
    ) -> None:
        """Have `as_found` current; wait, for so many seconds, only where nothing is known. Never fails.

        ``headers`` are those of the call: its credentials may be what the local server wants.
        """
        if self.must_ask(provider, endpoint):
            task = self._task(provider, endpoint, list(_credentials(headers)))
            if self._finding(provider, endpoint) is None:
                await asyncio.wait([task], timeout=patience)

    def heard(self, account: ExchangeAccount) -> None:
        """Learn from how a call ended: a server that was away, or that lacks what it was asked, is asked anew."""
        if not self._findings:
            return
        attempts = [attempt for attempt in account.attempts if not attempt.stale]
        ends: list[ExchangeAccount | AttemptAccount] = [account, *attempts]
        for ended in ends:
            lacked = account.translation is None and ended.status in NO_SUCH_PATH
            if lacked or ended.outcome in _AWAY:
                self.forget(ended.provider)

    def forget(self, name: str) -> None:
        """Forget what the provider of this name speaks."""
        self._findings.pop(name, None)

    def let_go(self, name: str) -> None:
        """Forget a provider that was changed, and what is being asked of it: its old key must not be kept."""
        self.forget(name)
        for place in [place for place in self._running if place[0] == name]:
            del self._running[place]

    def _finding(self, provider: Provider, endpoint: Endpoint) -> _Finding | None:
        found = self._findings.get(provider.name, {}).get(provider.path_for(endpoint))
        return found if found and found.asked == provider else None

    def _task(self, provider: Provider, endpoint: Endpoint, headers: list[tuple[str, str]]) -> asyncio.Task[None]:
        """Return the running question about this path, or begin one."""
        place = (provider.name, provider.path_for(endpoint))
        running = self._running.get(place)
        if running is None or running.done():
            asking = self._ask(provider, endpoint, headers)
            running = asyncio.get_running_loop().create_task(asking, name=f"dialects of {provider.name}")
            self._running[place] = running
        return running

    async def _ask(self, provider: Provider, endpoint: Endpoint, headers: list[tuple[str, str]]) -> None:
        before, there, silent = self._finding(provider, endpoint), None, False
        try:
            there = await self._is_there(provider, endpoint, headers)
        except TimedOut:
            silent = True
        except UpstreamError:
            pass  # unknown, as the table has it; the call that wants to know meets the same and tells it
        if there is not None:
            self._found(provider, endpoint, before, there)
        elif before is not None or silent:  # what was known holds; and calls do not wait for a silent one, each again
            spoken = before.spoken if before else provider
            self._keep(endpoint, _Finding(provider, spoken, self._clock() + RETRY))

    async def _is_there(self, provider: Provider, endpoint: Endpoint, headers: list[tuple[str, str]]) -> bool | None:
        """Say whether the path is there, None for "unknown". Raises UpstreamError where nobody answers.

        The servers of a provider are all the same: the first that can say it counts.
        """
        failure: UpstreamError | None = None
        for server in provider.replicas:
            try:
                there = await self._is_there_at(server, provider, endpoint, headers)
            except UpstreamError as failed:
                failure = failed
                continue
            if there is not None:
                return there
        if failure is not None:
            raise failure
        return None

    async def _is_there_at(
        self, server: Replica, provider: Provider, endpoint: Endpoint, headers: list[tuple[str, str]]
    ) -> bool | None:
        each = TIMEOUT / len(provider.replicas)
        status = await self._client.knock(provider, endpoint, headers, each, server)
        if status in _THERE:
            return True
        if status not in NO_SUCH_PATH:
            return None
        chat = dataclasses.replace(endpoint, dialect=Dialect.CHAT, operation=Operation.CHAT, suffix=_CHAT)
        return False if await self._client.knock(provider, chat, headers, each, server) in _THERE else None

    def _found(self, provider: Provider, endpoint: Endpoint, before: _Finding | None, there: bool) -> None:
        was_there = before is None or endpoint.dialect in before.spoken.dialects
        dialect, path = endpoint.dialect, provider.path_for(endpoint)
        if there:
            spoken, due = provider, math.inf
            if not was_there:
                self._tell(f"{provider.name} has {path} now: {endpoint.operation} calls to it pass as they are.")
        else:
            spoken, due = dataclasses.replace(provider, dialects=provider.dialects - {dialect}), MISSING_FRESH
            if was_there:
                self._tell(f"{provider.name} has no {path}: {endpoint.operation} calls to it are translated.")
        self._keep(endpoint, _Finding(provider, spoken, self._clock() + due))

    def _keep(self, endpoint: Endpoint, finding: _Finding) -> None:
        if self._running.get((finding.asked.name, finding.asked.path_for(endpoint))) is not asyncio.current_task():
            return  # it was let go
        self._findings.setdefault(finding.asked.name, {})[finding.asked.path_for(endpoint)] = finding


def _credentials(headers: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield the client's credentials; one that is no ASCII cannot be a key."""
    return ((name, value) for name, value in headers if name.lower() in _CREDENTIALS and value.isascii())
