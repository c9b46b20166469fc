"""The `model` field decides who answers, and everything else of the request arrives as it was sent."""

import json
import time

import pytest

from tests.fake_requests import Request
from tests.rig_client import Json
from tests.rig_gateway import DIALECTS, Gateway, ask

CHAT = "/chat/completions"
# asked model → (dialect, who answers, path there, model there)
ROUTES = {
    "exact alias": ("fast", "chat", "local", "/v1/chat/completions", "qwen3-8b"),
    "alias with a slash in its target": ("smart", "chat", "openrouter", f"/openrouter/api/v1{CHAT}", None),
    "pattern": ("gpt-9-mini", "chat", "openai", f"/openai/v1{CHAT}", "gpt-9-mini"),
    "pattern, messages": ("claude-sonnet-9", "messages", "anthropic", "/anthropic/v1/messages", "claude-sonnet-9"),
    "pattern, responses": ("gpt-9", "responses", "openai", "/openai/v1/responses", "gpt-9"),
    "provider prefix": ("groq/some-model", "chat", "groq", f"/groq/openai/v1{CHAT}", "some-model"),
    "only the first segment is cut": (
        "openrouter/meta/llama-9:free", "chat", "openrouter", f"/openrouter/api/v1{CHAT}", "meta/llama-9:free",
    ),
    "local prefix": ("local/anything", "chat", "local", "/v1/chat/completions", "anything"),
    "the local list wins over a pattern": ("gpt-oss-20b", "chat", "local", "/v1/chat/completions", "gpt-oss-20b"),
    "unknown goes to the default": ("whatever", "chat", "local", "/v1/chat/completions", "whatever"),
    "unknown first segment": ("qwen/qwen3", "chat", "local", "/v1/chat/completions", "qwen/qwen3"),
    "empty": ("", "chat", "local", "/v1/chat/completions", ""),
    "a path": ("/models/q/x.gguf", "chat", "local", "/v1/chat/completions", "/models/q/x.gguf"),
    "a relative path": ("models/x.gguf", "messages", "local", "/v1/messages", "models/x.gguf"),
    "a Windows path": ("C:\\models\\x.gguf", "responses", "local", "/v1/responses", "C:\\models\\x.gguf"),
}  # fmt: skip


def only_post(gateway: Gateway) -> Request:
    posts = gateway.behind.posts()
    assert len(posts) == 1, [request.target for request in posts]
    return posts[0]


def wait_for_local_models(gateway: Gateway) -> None:
    """The local list is asked for in the background; until it is there, patterns decide."""
    deadline = time.monotonic() + 5
    while gateway.post(*ask("chat", "gpt-oss-20b")).get("x-patchbay-provider") != "local":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    gateway.local.requests.clear()
    gateway.external.requests.clear()


@pytest.mark.parametrize("case", ROUTES)
def test_the_model_decides_who_answers(gateway: Gateway, case: str) -> None:
    asked, dialect, provider, path, sent = ROUTES[case]
    wait_for_local_models(gateway)
    answer = gateway.post(*ask(dialect, asked))
    assert answer.status == 200, answer
    request = only_post(gateway)
    assert request.target == path
    assert request in (gateway.local if provider == "local" else gateway.external).requests
    model = json.loads(request.body)["model"]
    assert model == sent or sent is None
    assert answer.get("x-patchbay-provider") == provider
    assert answer.get("x-patchbay-model") == model
    assert answer.get("x-patchbay-id")


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("body", [None, {"model": None}], ids=["missing", "null"])
def test_a_request_that_names_no_model_is_answered_locally(gateway: Gateway, dialect: str, body: Json | None) -> None:
    path, asked = ask(dialect, "")
    del asked["model"]
    sent = json.dumps({**asked, **(body or {})}).encode()
    assert gateway.post(path, sent).status == 200
    assert only_post(gateway).body == sent


ODD = (
    b'{ "messages" : [ {"role":"user", "content":"h\\u00e9 \xc3\xa9 \\"model\\": \\"fast\\""} ],\n'
    b'\t"metadata":{"model":"fast"}, "x" : 1.0e0 , "model" :\t"%s" , "big":12345678901234567890123, "model2":"fast"}\n'
)


def test_a_request_that_keeps_its_model_arrives_byte_for_byte(gateway: Gateway) -> None:
    sent = ODD % b"whatever"
    assert gateway.post("/v1/chat/completions", sent).status == 200
    assert only_post(gateway).body == sent


def test_a_renamed_model_changes_nothing_but_its_own_value(gateway: Gateway) -> None:
    assert gateway.post("/v1/chat/completions", ODD % b"fast").status == 200
    assert only_post(gateway).body == ODD % b"qwen3-8b"


def test_a_model_written_with_escapes_is_the_same_model(gateway: Gateway) -> None:
    assert gateway.post("/v1/chat/completions", ODD % b"f\\u0061st").status == 200
    assert only_post(gateway).body == ODD % b"qwen3-8b"


@pytest.mark.parametrize("given", [b"", b',"temperature": 0.9'], ids=["absent", "given by the client"])
def test_params_of_a_route_are_spliced_into_the_original_text(gateway: Gateway, given: bytes) -> None:
    before, after = b'{ "messages" : [ {"role":"user","content":"h\\u00e9"} ]', b' , "x" : 1.0e0}'
    assert gateway.post("/v1/chat/completions", before + b',"model":"smart"' + given + after).status == 200
    body = only_post(gateway).body
    assert json.loads(body) == {
        "messages": [{"role": "user", "content": "hé"}],
        "model": "anthropic/claude-opus-4.8",
        "temperature": 0.2,
        "x": 1.0,
    }
    assert body.count(b"temperature") == 1
    assert b'"messages" : [ {"role":"user","content":"h\\u00e9"} ]' in body
    assert b'"x" : 1.0e0' in body


SPELLINGS = [
    (prefix + suffix, dialect)
    for prefix in ("/v1", "/api/v1", "")
    for suffix, dialect in (("/chat/completions", "chat"), ("/messages", "messages"), ("/responses", "responses"))
]


@pytest.mark.parametrize(("path", "dialect"), SPELLINGS)
def test_calls_are_recognised_under_every_spelling_of_their_path(gateway: Gateway, path: str, dialect: str) -> None:
    _, body = ask(dialect, "hasty/m")
    assert gateway.post(path, body).get("x-patchbay-provider") == "hasty"
    suffix = path.removeprefix("/api").removeprefix("/v1")
    assert only_post(gateway).target == f"/hasty/v1{suffix}"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/completions", {"prompt": "a"}),
        ("/v1/embeddings", {"input": "a"}),
        ("/v1/messages/count_tokens", {"messages": [{"role": "user", "content": "a"}]}),
        ("/v1/responses/input_tokens", {"input": "a"}),
    ],
)
def test_the_other_operations_follow_the_model_too(gateway: Gateway, path: str, body: Json) -> None:
    answer = gateway.post(path, {"model": "hasty/m", **body})
    assert answer.status == 200
    assert answer.get("x-patchbay-provider") == "hasty"
    request = only_post(gateway)
    assert request.target == f"/hasty{path}"
    assert json.loads(request.body)["model"] == "m"


def test_the_query_of_a_call_reaches_the_provider(gateway: Gateway) -> None:
    path, body = ask("messages", "claude-9")
    assert gateway.post(f"{path}?beta=true", body).status == 200
    assert only_post(gateway).target == "/anthropic/v1/messages?beta=true"


# What each provider gets as its key, by header.
KEY_HEADERS = {
    "gpt-9": ("chat", "authorization", "Bearer sk-proj-provider-key-of-openai-0002"),
    "groq/some-model": ("chat", "authorization", "Bearer gsk_provider-key-of-groq-0004"),
    "claude-9": ("messages", "x-api-key", "sk-ant-api03-provider-key-of-anthropic-0001"),
}


@pytest.mark.parametrize("model", KEY_HEADERS)
def test_each_provider_gets_its_own_key_once_and_is_asked_for_plain_bytes(gateway: Gateway, model: str) -> None:
    dialect, header, value = KEY_HEADERS[model]
    path, body = ask(dialect, model)
    assert (
        gateway.post(path, body, (("accept-encoding", "gzip, br"), ("anthropic-version", "2023-06-01"))).status == 200
    )
    request = only_post(gateway)
    assert request.all(header) == [value]
    assert request.all("accept-encoding") == ["identity"]
    assert len(request.all("host")) == 1
    assert request.get("host") == f"127.0.0.1:{gateway.external.port}"


def test_one_client_connection_may_talk_to_several_providers_in_turn(gateway: Gateway) -> None:
    with gateway.openai() as client:
        for model in ("gpt-9", "whatever", "groq/some-model", "gpt-9"):
            client.chat.completions.create(model=model, messages=[{"role": "user", "content": "hi"}])
    targets = [request.target for request in gateway.behind.posts()]
    assert sorted(targets) == sorted(
        ["/v1/chat/completions", f"/groq/openai/v1{CHAT}", f"/openai/v1{CHAT}", f"/openai/v1{CHAT}"]
    )
