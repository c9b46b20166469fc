"""The router: who answers, and what the flow then shows."""

import base64
import json
from collections.abc import Callable, Iterator

import anyio
import httpx
import pytest
from mitmproxy.http import Headers, HTTPFlow
from mitmproxy.test import taddons, tflow

from addons.configuration import Configuration
from addons.exchanges import Exchanges, InHand, Verdict
from addons.options import declare
from addons.router import Router
from providers.client import Client
from providers.exchange.account import EndedBy, Outcome
from providers.fetching import Fetcher
from providers.registry import Registry
from tests.addons.conftest import ACME_KEY


class Options:
    """Declares our options as `Configuration` does."""

    def load(self, loader: object) -> None:
        declare(loader)  # type: ignore[arg-type]  # mitmproxy calls it with its Loader


Routed = Callable[..., tuple[HTTPFlow, InHand]]


@pytest.fixture(name="routed")
def fixture_routed(configuration: Configuration) -> Iterator[Routed]:
    """Routes one admitted request."""

    def route(
        body: object, path: str = "/v1/chat/completions", method: str = "POST", **headers: str
    ) -> tuple[HTTPFlow, InHand]:
        flow: HTTPFlow = tflow.tflow()
        flow.request.method, flow.request.path = method, path
        fields = {"host": "localhost:8088", "content-type": "application/json", **headers}
        flow.request.headers = Headers([(name.replace("_", "-").encode(), v.encode()) for name, v in fields.items()])
        flow.request.data.content = body if isinstance(body, bytes) else json.dumps(body).encode()
        exchanges = Exchanges()
        in_hand = exchanges.admit(flow)
        waiting = Router(exchanges, configuration).request(flow)
        if waiting is not None:

            async def wait() -> None:
                await waiting

            anyio.run(wait)
        return flow, in_hand

    with taddons.context(Options()):
        yield route


def test_a_call_is_shown_as_the_provider_will_see_it(routed: Routed) -> None:
    flow, in_hand = routed(
        {"model": "big", "n": 1}, "/v1/chat/completions?x=1&key=secret-1", authorization="Bearer secret-2", x_odd="1"
    )
    request = flow.request
    assert request.url == "http://127.0.0.1:9901/v1/chat/completions?x=1"
    assert request.raw_content == b'{"model": "big-1", "n": 1}'
    headers = dict(request.headers.items())
    assert headers.pop("content-length") == str(len(request.raw_content))
    assert headers == {
        "host": "127.0.0.1:9901",
        "content-type": "application/json",
        "accept-encoding": "identity",
        "authorization": "Bearer <ACME_API_KEY>",
    }
    assert in_hand.verdict is Verdict.EXCHANGE
    assert in_hand.exchange is not None
    assert in_hand.exchange.account is in_hand.account
    assert in_hand.request == {"model": "big", "n": 1}
    assert in_hand.client_body == b'{"model": "big", "n": 1}'
    assert in_hand.secrets == (ACME_KEY,)


def test_what_the_client_sent_is_told_beside_without_credentials(routed: Routed) -> None:
    flow, _ = routed({"model": "big"}, "/v1/chat/completions?api_key=secret-1&x=1", cookie="secret-2", x_odd="1")
    told = flow.metadata
    assert told["patchbay.client_request"] == "POST /v1/chat/completions?x=1"
    assert ["x-odd", "1"] in told["patchbay.client_request_headers"]
    assert told["patchbay.client_request_body"] == '{"model": "big"}'
    assert "secret" not in repr(flow.get_state())


def test_a_body_that_is_not_changed_is_told_once(routed: Routed) -> None:
    flow, in_hand = routed(b' {"model" : "own.gguf"}\n')
    assert flow.request.raw_content == b' {"model" : "own.gguf"}\n'
    assert "patchbay.client_request_body" not in flow.metadata
    assert in_hand.account is not None
    assert in_hand.account.provider == "local"


def test_the_record_says_who_asked_what(routed: Routed) -> None:
    _, in_hand = routed(
        {"model": "big", "stream": True},
        "/api/v1/messages",
        user_agent="tester/1 " + "x" * 300,
        x_claude_code_session_id="s-1",
    )
    account = in_hand.account
    assert account is not None
    said = (account.provider, account.kind, account.dialect, account.operation, account.requested_model, account.model)
    assert said == ("acme", "compatible", "messages", "messages", "big", "big-1")
    assert (account.stream, account.session_id, account.client[:8], len(account.client)) == (
        True,
        "s-1",
        "tester/1",
        200,
    )
    assert (account.bytes_in, account.outcome) == (len(b'{"model": "big", "stream": true}'), None)
    assert account.id.startswith("pb-")


@pytest.mark.parametrize(
    ("body", "path", "status", "code", "provider"),
    [
        (b"{", "/v1/chat/completions", 400, "invalid_json", "patchbay"),
        (b"", "/v1/messages", 400, "invalid_json", "patchbay"),
        ({"model": 1}, "/v1/chat/completions", 400, "invalid_model", "patchbay"),
        ({"model": "locked"}, "/v1/chat/completions", 503, "provider_not_configured", "keyless"),
        (
            {"model": "chatter", "input": "hi", "previous_response_id": "r"},
            "/v1/responses",
            400,
            "not_translatable",
            "chatty",
        ),
    ],
)
def test_a_call_that_cannot_go_on_is_refused_and_recorded(
    routed: Routed, body: object, path: str, status: int, code: str, provider: str
) -> None:
    flow, in_hand = routed(body, path, user_agent="tester")
    assert flow.response
    error = flow.response.json()["error"]
    assert (flow.response.status_code, error.get("code") or error["details"]["error_code"]) == (status, code)
    account = in_hand.account
    assert account is not None
    assert (in_hand.exchange, in_hand.verdict) == (None, None)
    assert (account.provider, account.status, account.outcome) == (provider, status, Outcome.CLIENT_ERROR)
    assert (account.who_ended, account.error, account.client) == (EndedBy.GATEWAY, error["message"], "tester")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("POST", "/tokenize"), ("GET", "/models"), ("OPTIONS", "/v1/chat/completions")]
)
def test_anything_else_goes_to_the_local_server_as_it_is(routed: Routed, method: str, path: str) -> None:
    flow, in_hand = routed(b"not json", path, method, authorization="Bearer own", accept_encoding="br")
    assert in_hand.verdict is Verdict.FORWARD
    assert (in_hand.exchange, in_hand.account) == (None, None)
    assert (flow.request.host, flow.request.port, flow.request.path) == ("127.0.0.1", 8080, path)
    assert flow.request.headers["host"] == "127.0.0.1:8080"
    assert flow.request.headers["authorization"] == "Bearer own"
    assert flow.request.headers["accept-encoding"] == "br"
    assert flow.request.raw_content == b"not json"
    assert not flow.metadata


def test_a_merged_list_that_nobody_answered_goes_nowhere(routed: Routed) -> None:
    flow, in_hand = routed(b"", "/v1/models", "GET")
    assert (in_hand.verdict, flow.response) == (None, None)


def test_what_was_not_admitted_gets_no_verdict(configuration: Configuration) -> None:
    flow, exchanges = tflow.tflow(), Exchanges()
    Router(exchanges, configuration).request(flow)
    assert exchanges.of(flow) is None


def test_what_was_answered_gets_no_verdict(configuration: Configuration) -> None:
    flow, exchanges = tflow.tflow(resp=True), Exchanges()
    in_hand = exchanges.admit(flow)
    Router(exchanges, configuration).request(flow)
    assert in_hand.verdict is None


def test_ids_sort_by_time_and_do_not_repeat(routed: Routed) -> None:
    accounts = [in_hand.account for _, in_hand in (routed({"model": "big"}) for _ in range(3))]
    ids = [account.id for account in accounts if account]
    assert len({*ids}) == 3
    assert [one[:15] for one in ids] == sorted(one[:15] for one in ids)


PNG = b"\x89PNG\r\n\x1a\n..."
SEEN = {"model": "chatter", "max_tokens": 9, "messages": [
    {"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "https://x.example/secret"}}]},
]}  # fmt: skip


@pytest.fixture(name="pictures")
def fixture_pictures(configuration: Configuration) -> None:
    """The name `x.example` leads to this machine, where any path is a picture."""

    async def resolve(host: str, _port: int) -> list[str]:
        return ["127.0.0.1"] if host == "x.example" else []

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=httpx.ByteStream(PNG))

    configuration.fetcher = Fetcher(Client(httpx.MockTransport(answer)), resolve)


@pytest.mark.usefixtures("pictures")
def test_a_picture_is_downloaded_for_a_provider_that_takes_no_addresses(routed: Routed) -> None:
    flow, in_hand = routed(SEEN, "/v1/messages")
    assert in_hand.verdict is Verdict.EXCHANGE
    sent = json.loads(flow.request.raw_content or b"")["messages"][0]["content"][0]
    assert sent["image_url"]["url"] == f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    assert in_hand.request == SEEN


@pytest.mark.usefixtures("pictures")
def test_for_others_nothing_is_downloaded_from_here(routed: Routed) -> None:
    flow, in_hand = routed(SEEN, "/v1/messages", x_forwarded_for="203.0.113.9")
    assert flow.response
    error = flow.response.json()["error"]
    assert (flow.response.status_code, error["details"]["error_code"]) == (400, "url_not_downloaded")
    assert error["message"].startswith("messages.0.content.0.source.url: ")
    assert "public internet" in error["message"]
    assert b"secret" not in (flow.response.raw_content or b"")
    assert in_hand.verdict is None
    assert in_hand.account is not None
    assert (in_hand.account.provider, in_hand.account.outcome) == ("chatty", Outcome.CLIENT_ERROR)


@pytest.mark.usefixtures("pictures")
def test_the_setting_opens_private_networks_for_others(
    routed: Routed, configuration: Configuration, make_registry: Callable[..., Registry]
) -> None:
    configuration.registry = make_registry(PATCHBAY_FETCH_PRIVATE="1")
    _, in_hand = routed(SEEN, "/v1/messages", x_forwarded_for="203.0.113.9")
    assert in_hand.verdict is Verdict.EXCHANGE


@pytest.mark.usefixtures("pictures")
def test_a_download_may_follow_on_a_wait_for_the_local_list(routed: Routed) -> None:
    _, in_hand = routed({**SEEN, "model": "chatty/anything"}, "/v1/messages")
    assert in_hand.verdict is Verdict.EXCHANGE


def test_a_name_that_only_a_pattern_knows_waits_for_the_local_list(routed: Routed) -> None:
    """The local server may list it itself; one that does not answer costs a second, once."""
    flow, in_hand = routed({"model": "acme/anything"})
    assert in_hand.account is not None
    assert (in_hand.account.provider, in_hand.account.model) == ("acme", "anything")
    assert flow.request.port == 9901
