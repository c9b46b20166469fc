"""A client's credentials stay between the client and the local server; a provider's key stays between us and it."""

from collections.abc import Callable

import pytest

from tests.fake_answers import echo_credentials, json_answer, streamed
from tests.fake_dialects import chat_events, error_body
from tests.fake_requests import Request
from tests.fake_steps import Script
from tests.rig_gateway import KEYS, Gateway, ask

TOKEN = "client-secret-token-7777"
CREDENTIALS = (
    ("Authorization", f"Bearer {TOKEN}"),
    ("X-Api-Key", TOKEN),
    ("Api-Key", TOKEN),
    ("X-Goog-Api-Key", TOKEN),
    ("Proxy-Authorization", f"Basic {TOKEN}"),
    ("Cookie", f"session={TOKEN}"),
    ("X-Auth-Token", TOKEN),
    ("X-Forwarded-For", f"10.0.0.1, {TOKEN}"),
    ("OpenAI-Organization", f"org-{TOKEN}"),
    ("OpenAI-Project", f"proj-{TOKEN}"),
    ("X-Something-Private", TOKEN),
)
QUERY = f"?beta=true&key={TOKEN}&api_key={TOKEN}&api-key={TOKEN}&access_token={TOKEN}"
MODELS = {
    "gpt-9": ("chat", "OPENAI_API_KEY"),
    "claude-9": ("messages", "ANTHROPIC_API_KEY"),
    "openrouter/a/b": ("chat", "OPENROUTER_API_KEY"),
    "groq/some-model": ("chat", "GROQ_API_KEY"),
    "hasty/m": ("responses", "HASTY_API_KEY"),
}


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("model", MODELS)
def test_an_external_provider_sees_its_own_key_and_nothing_of_the_clients(
    gateway: Gateway, model: str, stream: bool
) -> None:
    dialect, key = MODELS[model]
    path, body = ask(dialect, model, stream=stream)
    assert gateway.post(path + QUERY, body, CREDENTIALS).status == 200
    request = gateway.external.requests[-1]
    sent = request.head + request.body
    assert TOKEN.encode() not in sent
    assert sent.count(KEYS[key].encode()) == 1
    for other, value in KEYS.items():
        assert other == key or value.encode() not in sent
    assert "beta=true" in request.target
    assert not request.all("x-forwarded-for")


def test_the_local_server_gets_no_providers_key(gateway: Gateway) -> None:
    path, body = ask("chat", "whatever")
    assert gateway.post(path + QUERY, body, CREDENTIALS).status == 200
    request = gateway.behind.posts()[0]
    assert not [value for value in KEYS.values() if value.encode() in request.head]
    assert ("Authorization", f"Bearer {TOKEN}") in request.headers
    assert request.target == path + QUERY


HARMLESS = (
    ("anthropic-beta", "context-1m"),
    ("anthropic-version", "2023-06-01"),
    ("user-agent", "my-client/1.0"),
    ("idempotency-key", "abc"),
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
)


def test_what_a_provider_needs_of_the_clients_headers_passes(gateway: Gateway) -> None:
    path, body = ask("messages", "claude-9")
    assert gateway.post(path, body, HARMLESS).status == 200
    request = gateway.external.requests[-1]
    for name, value in HARMLESS:
        assert request.all(name) == [value]


def test_attribution_is_for_openrouter_alone(gateway: Gateway) -> None:
    attribution = (("HTTP-Referer", "https://me.example"), ("X-Title", "Mine"))
    for model in ("openrouter/a/b", "gpt-9"):
        assert gateway.post(*ask("chat", model), attribution).status == 200
    openrouter, openai = gateway.external.requests[-2:]
    assert openrouter.all("http-referer") == ["https://me.example"]
    assert openrouter.all("x-title") == ["Mine"]
    assert not openai.all("http-referer")
    assert not openai.all("x-title")


def quoting(status: int, *, as_text: bool) -> Callable[[Request], Script]:
    """An upstream that quotes its key in an error with another status than 401."""

    def answer(request: Request) -> Script:
        shown = f"bad call with {request.all('authorization')}"
        if as_text:
            return json_answer(shown, status)
        return json_answer({**error_body(shown), "debug": {"headers": dict(request.headers)}}, status)

    return answer


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
@pytest.mark.parametrize("as_text", [False, True], ids=["object", "text"])
def test_a_provider_that_quotes_its_key_does_not_give_it_away(gateway: Gateway, status: int, as_text: bool) -> None:
    script = quoting(status, as_text=as_text)
    gateway.external.on("/openai/v1/chat/completions", script)
    answer = gateway.post(*ask("chat", "gpt-9"))
    assert answer.status >= 400
    assert KEYS["OPENAI_API_KEY"] not in repr(answer)
    assert KEYS["OPENAI_API_KEY"][8:] not in repr(answer)


def test_a_call_that_fails_is_no_leak_to_the_next(gateway: Gateway) -> None:
    gateway.external.on("/openai/v1/chat/completions", echo_credentials)
    assert gateway.post(*ask("chat", "gpt-9")).status == 502
    gateway.external.on("/openai/v1/chat/completions", streamed(chat_events()))
    assert gateway.post(*ask("chat", "gpt-9", stream=True)).body == b"".join(chat_events())


def test_the_model_list_shows_no_key(gateway: Gateway) -> None:
    answer = gateway.get("/v1/models")
    assert answer.status == 200
    assert not [value for value in KEYS.values() if value in repr(answer)]
