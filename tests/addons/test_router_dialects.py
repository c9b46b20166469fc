"""The router before servers that may lack a dialect: asks first, translates what is missing, learns from failures."""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from mitmproxy.http import Headers, HTTPFlow
from mitmproxy.test import taddons, tflow

from addons import router as module
from addons.configuration import Configuration
from addons.exchanges import Exchanges, InHand
from addons.options import declare
from addons.router import Router
from providers.exchange.account import Outcome
from tests.fake_answers import json_answer, no_answer_here
from tests.fake_requests import Request
from tests.fake_steps import Script, Stall
from tests.fake_upstream import FakeUpstream

pytestmark = pytest.mark.anyio
CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"
SAID = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
INPUT = {"input": "hi"}
REGISTRY = """
providers:
  local: {{kind: llamacpp, base_url: "{url}"{more}}}
  gpu: {{kind: llamacpp, base_url: "{url}/gpu"}}
"""


class Options:
    """Declares our options as `Configuration` does."""

    def load(self, loader: object) -> None:
        declare(loader)  # type: ignore[arg-type]  # mitmproxy calls it with its Loader


def old(request: Request) -> Script:
    """Answer as a llama-server without messages and responses: an empty body is no JSON, other paths are not there."""
    return json_answer({"error": {}}, 400) if request.path.endswith(CHAT) else no_answer_here(request)


def loading(request: Request) -> Script:
    return json_answer({"error": {"code": 503}}, 503)


@dataclass
class Routing:
    """A router before a fake local server."""

    router: Router
    exchanges: Exchanges
    server: FakeUpstream

    async def route(self, path: str = MESSAGES, model: str = "m") -> tuple[HTTPFlow, InHand]:
        flow: HTTPFlow = tflow.tflow()
        flow.request.method, flow.request.path = "POST", path
        flow.request.headers = Headers([(b"host", b"gw"), (b"authorization", b"Bearer sk-client")])
        flow.request.data.content = json.dumps({**(INPUT if path == RESPONSES else SAID), "model": model}).encode()
        in_hand = self.exchanges.admit(flow)
        if (waiting := self.router.request(flow)) is not None:
            await waiting
        return flow, in_hand

    async def path_to(self, path: str = MESSAGES, model: str = "m") -> str:
        """Where such a call is sent."""
        return (await self.route(path, model))[0].request.path

    def asked(self) -> list[str]:
        """The paths that the server was asked for, but for its list of models."""
        return [request.path for request in self.server.requests if request.method == "POST"]


@pytest.fixture(name="begin")
def fixture_begin(configure: Callable[..., Configuration]) -> Iterator[Callable[..., Routing]]:
    with FakeUpstream(old) as server, taddons.context(Options()):

        def begin(more: str = "") -> Routing:
            exchanges = Exchanges()
            configuration = configure(REGISTRY.format(url=server.url, more=more))
            return Routing(Router(exchanges, configuration), exchanges, server)

        yield begin


async def test_what_the_server_lacks_is_translated(begin: Callable[..., Routing]) -> None:
    routing = begin()
    for _ in range(2):
        flow, in_hand = await routing.route()
        assert flow.request.path == CHAT
        assert in_hand.account is not None
        assert in_hand.account.translation is not None
    assert routing.asked() == [MESSAGES, CHAT]
    assert [request.get("authorization") for request in routing.server.requests] == ["Bearer sk-client"] * 2
    assert await routing.path_to(RESPONSES) == CHAT


async def test_a_prompt_is_counted_here_where_the_server_cannot(begin: Callable[..., Routing]) -> None:
    flow, _ = await begin().route("/v1/messages/count_tokens")
    assert flow.response is not None
    assert flow.response.headers["x-patchbay-translation"] == "approximated=input_tokens"


async def test_what_it_speaks_passes_as_it_is(begin: Callable[..., Routing]) -> None:
    routing = begin()
    routing.server.on(MESSAGES, json_answer({"error": {}}, 500))
    flow, _ = await routing.route()
    assert flow.request.path == MESSAGES
    assert json.loads(flow.request.raw_content or b"") == SAID
    assert routing.asked() == [MESSAGES]


async def test_every_llama_server_is_asked_and_only_with_its_own_key(begin: Callable[..., Routing]) -> None:
    routing = begin()
    assert await routing.path_to(model="gpu/m") == f"/gpu{CHAT}"
    assert routing.asked() == [f"/gpu{MESSAGES}", f"/gpu{CHAT}"]
    asked = [request for request in routing.server.requests if request.method == "POST"]
    assert [request.get("authorization") for request in asked] == [None, None]


async def test_chat_and_what_the_registry_says_are_never_asked(begin: Callable[..., Routing]) -> None:
    assert await (chatting := begin()).path_to(CHAT) == CHAT
    assert await (told := begin(", dialects: [chat, messages]")).path_to() == MESSAGES
    assert await told.path_to(RESPONSES) == CHAT
    assert chatting.asked() == told.asked() == []


async def test_a_server_that_says_nothing_is_taken_for_a_new_one(begin: Callable[..., Routing]) -> None:
    routing = begin()
    routing.server.on(MESSAGES, loading, old)
    assert await routing.path_to() == MESSAGES
    assert await routing.path_to() == CHAT


async def test_a_call_waits_only_briefly(begin: Callable[..., Routing], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    routing = begin()
    routing.server.on(MESSAGES, (Stall(),))
    assert await asyncio.wait_for(routing.path_to(), 3) == MESSAGES
    routing.server.close_idle()


@pytest.mark.parametrize("hook", ["response", "error"])
async def test_who_was_away_is_asked_again(begin: Callable[..., Routing], hook: str) -> None:
    routing = begin()
    flow, in_hand = await routing.route()
    assert in_hand.account is not None
    in_hand.account.outcome = Outcome.UPSTREAM_REFUSED
    getattr(routing.router, hook)(flow)
    routing.server.on(MESSAGES, json_answer({"error": {}}, 400))
    assert await routing.path_to() == MESSAGES
    in_hand.account = None  # as after a call that was recorded, or refused at the gate
    getattr(routing.router, hook)(flow)
    getattr(routing.router, hook)(tflow.tflow())
    assert await routing.path_to() == MESSAGES
    assert routing.asked() == [MESSAGES, CHAT, MESSAGES]
