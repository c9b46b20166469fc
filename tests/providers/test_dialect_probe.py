"""What an uncertain server is found to speak: every answer it may give, over a mock network and a clock in hand."""

import asyncio
import dataclasses

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.addresses import parse_base_url
from providers.client import Client
from providers.dialect_probe import MISSING_FRESH, RETRY, DialectProbe
from providers.exchange.account import AttemptAccount, ExchangeAccount, Outcome
from providers.llamacpp import LlamaCpp
from providers.openai import OpenAI
from providers.provider import LOCAL, Provider, Replica
from providers.secrets import Key
from providers.wire.endpoints import Dialect, Endpoint, endpoint_of

CHAT, MESSAGES, COUNT = "/v1/chat/completions", "/v1/messages", "/v1/messages/count_tokens"
RESPONSES, BARE = "/v1/responses", "/responses"
THERE = (200, 400, 411, 415, 422, 500)
MISSING = (404, 405, 501)
SAY_NOTHING = (302, 401, 403, 407, 408, 429, 502, 503, 504)
pytestmark = pytest.mark.anyio
WITHOUT_MESSAGES = frozenset((Dialect.CHAT, Dialect.RESPONSES))


def at(path: str) -> Endpoint:
    endpoint = endpoint_of("POST", path)
    assert endpoint is not None
    return endpoint


def llama(name: str = LOCAL, base_url: str = "http://llama", *, key: str = "", problem: str = "") -> Provider:
    return LlamaCpp(
        name=name,
        base_url=base_url,
        key=Key(key) if key else None,
        key_name="LLAMA_KEY",
        problem=problem,
        dialects=frozenset(Dialect),
        uncertain=LlamaCpp.recent_dialects,
    )


class World:
    """A server of which each path answers a status, or fails, as told; an old llama-server unless told."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.paths: dict[str, int | Exception] = {CHAT: 400, "/chat/completions": 400}
        self.hosts: dict[str, int | Exception] = {}  # servers that answer everything the same way
        self.asked: list[str] = []
        self.requests: list[httpx.Request] = []
        self.said: list[str] = []
        self.open = asyncio.Event()
        self.open.set()
        client = Client(httpx.MockTransport(self._answer))
        self.probe = DialectProbe(client, self.said.append, lambda: self.now)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        self.requests.append(request)
        await self.open.wait()
        answer = self.hosts.get(request.url.host, self.paths.get(request.url.path, 404))
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer)

    async def spoken(
        self, path: str = MESSAGES, provider: Provider | None = None, *, patience: float = 1.0
    ) -> frozenset[Dialect]:
        """What the provider is found to speak by a call of ``path``."""
        provider = provider or llama()
        await self.probe.know(provider, at(path), [], patience)
        return self.probe.as_found(provider, at(path)).dialects

    async def settle(self) -> None:
        """Let what runs in the background come to its end."""
        for _ in range(20):
            await asyncio.sleep(0)


@pytest.fixture(name="world")
def fixture_world() -> World:
    return World()


def ended(
    name: str = LOCAL, *, status: int = 200, outcome: Outcome = Outcome.OK, notes: str | None = None
) -> ExchangeAccount:
    account = ExchangeAccount("1", 0.0, name, "llamacpp", "messages", "messages", "m", "m", False)
    account.status, account.outcome, account.translation = status, outcome, notes
    return account


@pytest.mark.parametrize("status", THERE)
async def test_a_path_that_judges_the_body_is_there(world: World, status: int) -> None:
    world.paths[MESSAGES] = status
    assert await world.spoken() == frozenset(Dialect)
    assert world.asked == [MESSAGES]
    world.now += 1e9
    assert not world.probe.must_ask(llama(), at(MESSAGES))
    assert world.said == []


@pytest.mark.parametrize("status", MISSING)
async def test_a_path_that_is_missing_where_chat_is_there(world: World, status: int) -> None:
    world.paths[MESSAGES] = status
    assert await world.spoken() == WITHOUT_MESSAGES
    assert world.asked == [MESSAGES, CHAT]
    assert await world.spoken() == WITHOUT_MESSAGES
    assert len(world.asked) == 2
    assert world.said == ["local has no /v1/messages: messages calls to it are translated."]


@pytest.mark.parametrize("status", MISSING + SAY_NOTHING)
async def test_nothing_is_learned_where_chat_answers_no_better(world: World, status: int) -> None:
    world.paths[CHAT] = status
    assert await world.spoken() == frozenset(Dialect)
    assert world.asked == [MESSAGES, CHAT]
    assert world.probe.must_ask(llama(), at(MESSAGES))


@pytest.mark.parametrize(
    "answer", [*SAY_NOTHING, httpx.ConnectError("refused"), httpx.RemoteProtocolError("no HTTP")], ids=repr
)
async def test_what_says_nothing_is_asked_again_by_the_next_call(world: World, answer: int | Exception) -> None:
    world.paths[MESSAGES] = answer
    assert await world.spoken() == frozenset(Dialect)
    assert world.asked == [MESSAGES]
    del world.paths[MESSAGES]
    assert await world.spoken() == WITHOUT_MESSAGES


async def test_calls_do_not_wait_for_a_silent_server_one_after_the_other(world: World) -> None:
    world.paths[MESSAGES] = httpx.ReadTimeout("silent")
    assert await world.spoken() == frozenset(Dialect)
    assert not world.probe.must_ask(llama(), at(MESSAGES))
    world.now += RETRY
    del world.paths[MESSAGES]
    world.open.clear()
    assert await asyncio.wait_for(world.spoken(patience=60), 5) == frozenset(Dialect)
    world.open.set()
    await world.settle()
    assert await world.spoken() == WITHOUT_MESSAGES


async def test_a_call_waits_as_long_as_it_was_told_and_the_answer_counts_for_the_next(world: World) -> None:
    world.open.clear()
    assert await world.spoken(patience=0.01) == frozenset(Dialect)
    assert await world.spoken(patience=0.01) == frozenset(Dialect)
    assert world.asked == [MESSAGES]
    world.open.set()
    await world.settle()
    assert await world.spoken() == WITHOUT_MESSAGES


async def test_many_calls_share_one_question(world: World) -> None:
    assert await asyncio.gather(*(world.spoken() for _ in range(20))) == [WITHOUT_MESSAGES] * 20
    assert world.asked == [MESSAGES, CHAT]


async def test_each_path_is_asked_for_itself(world: World) -> None:
    world.paths |= {MESSAGES: 400, BARE: 400}
    assert await world.spoken() == frozenset(Dialect)
    assert await world.spoken(COUNT) == WITHOUT_MESSAGES
    assert await world.spoken(BARE) == frozenset(Dialect)
    assert await world.spoken("/messages") == WITHOUT_MESSAGES
    assert await world.spoken(RESPONSES) == {Dialect.CHAT, Dialect.MESSAGES}
    assert world.asked == [MESSAGES, COUNT, CHAT, BARE, "/messages", "/chat/completions", RESPONSES, CHAT]
    assert world.said[0] == "local has no /v1/messages/count_tokens: count_tokens calls to it are translated."


async def test_what_is_certain_is_not_asked(world: World) -> None:
    told = dataclasses.replace(llama(), uncertain=frozenset())
    openai = OpenAI(name="openai", base_url="http://o/v1", dialects=OpenAI.default_dialects)
    for provider, path in ((told, MESSAGES), (openai, MESSAGES), (llama(), CHAT), (llama(problem="no key"), MESSAGES)):
        assert await world.spoken(path, provider) == provider.dialects
        assert world.probe.as_found(provider, at(path)) is provider
    assert world.asked == []


async def test_something_missing_is_asked_for_again_without_waiting(world: World) -> None:
    await world.spoken()
    world.now += MISSING_FRESH - 1
    assert not world.probe.must_ask(llama(), at(MESSAGES))
    world.now += 1
    world.paths[MESSAGES] = 500
    assert await world.spoken() == WITHOUT_MESSAGES
    await world.settle()
    assert await world.spoken() == frozenset(Dialect)
    assert world.said[1:] == ["local has /v1/messages now: messages calls to it pass as they are."]


async def test_what_is_missing_stays_so_while_the_server_says_nothing(world: World) -> None:
    await world.spoken()
    world.paths[MESSAGES] = 503
    for wait in (MISSING_FRESH, RETRY):
        world.now += wait
        assert await world.spoken() == WITHOUT_MESSAGES
        await world.settle()
        assert await world.spoken() == WITHOUT_MESSAGES
    del world.paths[MESSAGES]
    world.now += RETRY
    await world.spoken()
    await world.settle()
    assert not world.probe.must_ask(llama(), at(MESSAGES))
    assert len(world.said) == 1


async def test_a_provider_that_was_changed_is_another_one(world: World) -> None:
    await world.spoken()
    changed = llama(base_url="http://llama:2")
    assert world.probe.as_found(changed, at(MESSAGES)) is changed
    world.paths[MESSAGES] = 400
    assert await world.spoken(provider=changed) == frozenset(Dialect)


def pool() -> Provider:
    servers = tuple(Replica(parse_base_url(f"http://{name}")) for name in ("one", "two", "three"))
    return dataclasses.replace(llama("gpu", "http://one"), endpoints=servers)


@pytest.mark.parametrize("first", [503, 401, httpx.ConnectError("refused"), httpx.ReadTimeout("silent")], ids=repr)
async def test_any_server_that_can_say_it_is_asked(world: World, first: int | Exception) -> None:
    world.hosts["one"] = world.hosts["two"] = first
    assert await world.spoken(provider=pool()) == WITHOUT_MESSAGES
    assert [request.url.host for request in world.requests] == ["one", "two", "three", "three"]


async def test_where_no_server_can_say_it_nothing_is_known(world: World) -> None:
    world.hosts = {"one": 503, "two": httpx.ConnectError("refused"), "three": 503}
    assert await world.spoken(provider=pool()) == frozenset(Dialect)
    assert world.probe.must_ask(pool(), at(MESSAGES))


async def test_what_was_asked_of_a_provider_before_it_was_changed_is_not_kept(world: World) -> None:
    await world.spoken(provider=pool())
    world.open.clear()
    await world.spoken(patience=0.01)
    world.probe.let_go(LOCAL)
    world.open.set()
    await world.settle()
    assert world.probe.must_ask(llama(), at(MESSAGES))
    assert not world.probe.must_ask(pool(), at(MESSAGES))
    assert LOCAL not in world.probe._findings  # its old key would be kept with it


@pytest.mark.parametrize(
    ("status", "outcome", "notes", "again"),
    [
        (200, Outcome.OK, None, False),
        (400, Outcome.CLIENT_ERROR, None, False),
        (503, Outcome.UPSTREAM_HTTP_ERROR, None, False),
        (404, Outcome.CLIENT_ERROR, "", False),
        (404, Outcome.CLIENT_ERROR, None, True),
        (501, Outcome.UPSTREAM_HTTP_ERROR, None, True),
        (503, Outcome.UPSTREAM_REFUSED, None, True),
        (503, Outcome.UPSTREAM_REFUSED, "", True),
        (502, Outcome.UPSTREAM_RESET, None, True),
        (200, Outcome.UPSTREAM_TRUNCATED, None, True),
    ],
)
async def test_how_a_call_ended_may_raise_the_question_anew(
    world: World, status: int, outcome: Outcome, notes: str | None, again: bool
) -> None:
    await world.spoken()
    for name in ("other", LOCAL):
        assert not world.probe.must_ask(llama(), at(MESSAGES))
        world.probe.heard(ended(name, status=status, outcome=outcome, notes=notes))
    assert world.probe.must_ask(llama(), at(MESSAGES)) is again


@pytest.mark.parametrize(("stale", "again"), [(False, True), (True, False)])
async def test_an_attempt_that_failed_counts_though_another_server_answered(
    world: World, stale: bool, again: bool
) -> None:
    account = ended("other")
    account.attempts.append(AttemptAccount(LOCAL, "m", outcome=Outcome.UPSTREAM_RESET, stale=stale))
    world.probe.heard(account)
    await world.spoken()
    world.probe.heard(account)
    assert world.probe.must_ask(llama(), at(MESSAGES)) is again


async def test_who_comes_back_may_be_another_version(world: World) -> None:
    world.paths[MESSAGES] = 400
    assert await world.spoken() == frozenset(Dialect)
    world.probe.forget(LOCAL)
    world.probe.forget("nobody")
    del world.paths[MESSAGES]
    assert await world.spoken() == WITHOUT_MESSAGES


Headers = list[tuple[str, str]]
CLIENTS: Headers = [
    ("Authorization", "Bearer sk-client"),
    ("X-Api-Key", "sk-clïent"),
    ("cookie", "c=1"),
    ("content-encoding", "gzip"),
]


@pytest.mark.parametrize(
    ("name", "key", "authorization"),
    [
        (LOCAL, "", "Bearer sk-client"),
        (LOCAL, "sk-own", "Bearer sk-own"),
        ("gpu", "", None),
        ("gpu", "sk-own", "Bearer sk-own"),
    ],
)
async def test_the_clients_key_goes_to_the_local_server_alone(
    world: World, name: str, key: str, authorization: str | None
) -> None:
    await world.probe.know(llama(name, key=key), at(MESSAGES), CLIENTS, 1)
    for request in world.requests:
        assert request.method == "POST"
        assert request.content == b""
        assert request.headers["content-length"] == "0"
        assert request.headers.get("authorization") == authorization
        assert not {"cookie", "content-encoding", "x-api-key"} & set(request.headers)
    assert len(world.requests) == 2


# Whatever a server answers and in whatever order things happen: chat is always spoken, nothing is spoken that the
# configuration does not name, and no call fails.
@given(st.lists(st.tuples(st.sampled_from((MESSAGES, COUNT, RESPONSES)), st.integers(200, 599), st.integers(200, 599))))
def test_chat_always_remains(steps: list[tuple[str, int, int]]) -> None:
    async def live() -> None:
        world = World()
        for path, status, control in steps:
            world.paths |= {path: status, CHAT: control}
            spoken = await world.spoken(path)
            assert Dialect.CHAT in spoken
            assert spoken <= frozenset(Dialect)
            world.now += RETRY

    asyncio.run(live())
