"""What goes wrong at a provider of another dialect is told in the client's: as its SDK raises it, never as an end."""

import json
from collections.abc import Iterator

import anthropic
import openai
import pytest

from tests.fake_answers import CHUNKED, SSE, echo_credentials, json_answer, whole
from tests.fake_dialects import (
    WORDS,
    Json,
    anthropic_error,
    chat_events,
    error_body,
    messages_events,
    responses_events,
)
from tests.fake_steps import Chunk, Close, Head, LastChunk, Raw, Reset, Script, Sleep, Stall, Step
from tests.rig_client import exchange
from tests.rig_gateway import KEYS, SDK_ERRORS, WAYS, Behind, Gateway, ask, assert_error_shape, assert_told_in_dialect
from tests.rig_translation import PAIRS, chat_asks, openai_client, run_translating, say, upstream_path

EVENTS = {"chat": chat_events, "messages": messages_events, "responses": responses_events}
TERMINALS = {"chat": b"[DONE]", "messages": b"message_stop", "responses": b"response.completed"}
HEAD = Head(200, (*SSE, *CHUNKED))
BEGUN = 6  # events: enough for the first words in every dialect
STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
EVERY_PAIR = pytest.mark.parametrize(("client", "provider"), PAIRS)


@pytest.fixture(name="running", scope="module", params=WAYS)
def fixture_running(
    request: pytest.FixtureRequest, all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    with run_translating(str(request.param), all_upstreams, tmp_path_factory.mktemp("translating")) as gateway:
        yield gateway


def in_the_providers_words(provider: str, message: str, kind: str, code: str | None) -> Json:
    return anthropic_error(message, kind) if provider == "messages" else error_body(message, type_=kind, code=code)


# status at the provider → (type of Anthropic, type and code of OpenAI, what the openai SDK raises, what anthropic's)
REFUSALS: dict[int, tuple[str, str, str | None, type[Exception], type[Exception]]] = {
    400: (
        "invalid_request_error", "invalid_request_error", "unsupported_value",
        openai.BadRequestError, anthropic.BadRequestError,
    ),
    404: (
        "not_found_error", "invalid_request_error", "model_not_found", openai.NotFoundError, anthropic.NotFoundError,
    ),
    413: (
        "request_too_large", "invalid_request_error", None, openai.APIStatusError, anthropic.RequestTooLargeError,
    ),
    422: (
        "invalid_request_error", "invalid_request_error", None,
        openai.UnprocessableEntityError, anthropic.UnprocessableEntityError,
    ),
    429: ("rate_limit_error", "tokens", "rate_limit_exceeded", openai.RateLimitError, anthropic.RateLimitError),
    500: ("api_error", "server_error", None, openai.InternalServerError, anthropic.InternalServerError),
    503: ("overloaded_error", "server_error", None, openai.InternalServerError, anthropic.InternalServerError),
    529: ("overloaded_error", "server_error", None, openai.InternalServerError, anthropic.InternalServerError),
}  # fmt: skip


def refusal(provider: str, status: int, message: str) -> Script:
    in_messages, in_chat, code, _, _ = REFUSALS[status]
    payload = in_the_providers_words(provider, message, in_messages if provider == "messages" else in_chat, code)
    return json_answer(payload, status, (("retry-after", "7"), ("x-request-id", "req_upstream")))


@EVERY_PAIR
@pytest.mark.parametrize(("status", "stream"), [*((status, False) for status in REFUSALS), (429, True), (500, True)])
def test_the_provider_refuses(gateway: Gateway, status: int, client: str, provider: str, stream: bool) -> None:
    gateway.external.on(upstream_path(provider), refusal(provider, status, "The provider's own words"))
    *_, of_openai, of_anthropic = REFUSALS[status]
    raises = of_anthropic if client == "messages" else of_openai
    with pytest.raises(raises, match="The provider's own words") as caught:
        say(gateway.url, client, f"only-{provider}/m", stream=stream)
    assert isinstance(caught.value, openai.APIStatusError | anthropic.APIStatusError)
    overloaded = 529 if client == "messages" else 503
    assert caught.value.status_code == (overloaded if status in (503, 529) else status)
    assert caught.value.response.headers["retry-after"] == "7"
    assert caught.value.response.headers["x-request-id"] == "req_upstream"
    assert_error_shape(caught.value.response.json(), client)


TOO_LONG = {
    "chat": (
        "This model's maximum context length is 4096 tokens. However, your messages resulted in 5000 tokens.",
        "invalid_request_error", "context_length_exceeded",
    ),
    "messages": ("prompt is too long: 5000 tokens > 4096 maximum", "invalid_request_error", None),
    "responses": (
        "This model's maximum context length is 4096 tokens. However, your messages resulted in 5000 tokens.",
        "invalid_request_error", "context_length_exceeded",
    ),
}  # fmt: skip


@STREAMED
@EVERY_PAIR
def test_a_prompt_that_is_too_long_is_told_so_that_the_client_knows_it(
    gateway: Gateway, client: str, provider: str, stream: bool
) -> None:
    gateway.external.on(
        upstream_path(provider), json_answer(in_the_providers_words(provider, *TOO_LONG[provider]), 400)
    )
    answer = gateway.post(*ask(client, f"only-{provider}/m", stream=stream))
    error = assert_told_in_dialect(answer, client, gateway.behind, 400)
    assert error["message"] == TOO_LONG[client][0]
    if client != "messages":
        assert error["code"] == "context_length_exceeded"


@EVERY_PAIR
def test_a_refused_key_of_ours_is_never_the_clients_fault_and_never_shown(
    gateway: Gateway, client: str, provider: str
) -> None:
    gateway.external.on(upstream_path(provider), echo_credentials)
    answer = gateway.post(*ask(client, f"only-{provider}/m"))
    assert_told_in_dialect(answer, client, gateway.behind, 502)
    assert KEYS["GROQ_API_KEY"] in repr(gateway.external.requests[-1].headers)


HTML = b"<html><head><title>502</title></head><body>upstream-host.internal</body></html>"
# Ahead of the answer the pair makes no difference: three of them, each dialect once on either side.
FAULTS: dict[str, tuple[Script, int]] = {
    "closes without a word": ((Close(),), 502),
    "never answers": ((Stall(),), 504),
    "shows an HTML page": (whole(HTML, "text/html"), 502),
    "says nothing after the head of a stream": ((HEAD, Stall()), 504),
    "ends a stream that never began": ((HEAD, LastChunk()), 502),
    "cuts a plain answer short": (
        (Head(200, (("content-type", "application/json"), ("content-length", "100"))), Raw(b'{"id":1'), Close()), 502,
    ),
    "answers what is no JSON": (whole(b"hello", "application/json"), 502),
    "answers an object of another kind": (json_answer({"hello": "world"}), 502),
}  # fmt: skip


@pytest.mark.parametrize(
    ("client", "provider", "stream"),
    [("chat", "messages", True), ("messages", "responses", False), ("responses", "chat", True)],
)
@pytest.mark.parametrize("fault", FAULTS)
def test_the_provider(gateway: Gateway, fault: str, client: str, provider: str, stream: bool) -> None:
    script, status = FAULTS[fault]
    gateway.external.on(upstream_path(provider), script)
    answer = gateway.post(*ask(client, f"only-{provider}/m", stream=stream))
    error = assert_told_in_dialect(answer, client, gateway.behind, status)
    assert "internal" not in error["message"]
    assert answer.whole
    assert exchange(gateway.database, answer.get("x-patchbay-id") or "")["outcome"].startswith("upstream_")


# ----------------------------------------------------------------------------------------------------- within a stream


def overloaded(provider: str) -> bytes:
    """The provider's own error event."""
    return {
        "chat": b'data: {"error":{"message":"Overloaded just now","type":"overloaded_error","code":529}}\n\n',
        "messages": b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error",'
        b'"message":"Overloaded just now"}}\n\n',
        "responses": b'event: error\ndata: {"type":"error","code":"server_overloaded","message":"Overloaded just now",'
        b'"param":null,"sequence_number":9}\n\n',
    }[provider]


def failed_response() -> bytes:
    """How a responses provider ends an answer that failed."""
    error = {"code": "server_error", "message": "Overloaded just now"}
    response = {"id": "resp_1", "object": "response", "status": "failed", "error": error, "output": [], "model": "m"}
    payload = {"type": "response.failed", "sequence_number": 9, "response": response}
    return b"event: response.failed\ndata: " + json.dumps(payload).encode() + b"\n\n"


def assert_one_error_event(body: bytes, client: str) -> Json:
    """The last event of a stream is an error as the client's dialect has it, and there is no terminal event."""
    *before, last = [block for block in body.replace(b"\r\n", b"\n").split(b"\n\n") if block.strip()]
    assert TERMINALS[client] not in body
    assert not [block for block in before if b'"error":{' in block or b"event: error" in block]
    lines = dict(line.split(b": ", 1) for line in last.split(b"\n"))
    payload: Json = json.loads(lines[b"data"])
    assert lines.get(b"event") == (None if client == "chat" else b"error")
    if client == "responses":
        assert payload["type"] == "error"
        assert payload["message"]
    else:
        assert_error_shape(payload, client)
    return payload


@EVERY_PAIR
def test_an_error_within_the_stream_ends_the_clients_stream_as_an_error(
    gateway: Gateway, client: str, provider: str
) -> None:
    begun: list[Step] = [Chunk(event) for event in EVENTS[provider]()[:BEGUN]]
    gateway.external.on(
        upstream_path(provider), (HEAD, *begun, Sleep(0.1), Chunk(overloaded(provider)), Sleep(0.1), LastChunk())
    )
    answer = gateway.post(*ask(client, f"only-{provider}/m", stream=True))
    assert (answer.status, answer.whole) == (200, True)
    assert WORDS[0].encode() in answer.body
    assert "Overloaded just now" in repr(assert_one_error_event(answer.body, client))
    row = exchange(gateway.database, answer.get("x-patchbay-id") or "")
    assert (row["outcome"], row["who_ended"]) == ("upstream_http_error", "upstream")
    assert "Overloaded just now" in row["error"]
    with pytest.raises(SDK_ERRORS, match="Overloaded just now"):
        say(gateway.url, client, f"only-{provider}/m", stream=True)


@pytest.mark.parametrize("client", ["chat", "messages"])
def test_a_response_that_failed_is_an_error_too(gateway: Gateway, client: str) -> None:
    begun: list[Step] = [Chunk(event) for event in responses_events()[:BEGUN]]
    script = (HEAD, *begun, Sleep(0.1), Chunk(failed_response()), LastChunk())
    gateway.external.on(upstream_path("responses"), script)
    answer = gateway.post(*ask(client, "only-responses/m", stream=True))
    assert "Overloaded just now" in repr(assert_one_error_event(answer.body, client))


@STREAMED
@EVERY_PAIR
def test_an_error_ahead_of_all_content_is_a_real_one(
    gateway: Gateway, client: str, provider: str, stream: bool
) -> None:
    script = (HEAD, Chunk(EVENTS[provider]()[0]), Chunk(overloaded(provider)), LastChunk())
    gateway.external.on(upstream_path(provider), script)
    answer = gateway.post(*ask(client, f"only-{provider}/m", stream=stream))
    error = assert_told_in_dialect(answer, client, gateway.behind, 529 if client == "messages" else 503)
    assert error["message"] == "Overloaded just now"


# Within an event: what was sent of it must not reach the client. A reset may overtake what was written before it.
CUTS: dict[str, tuple[Step, ...]] = {
    "is closed": (Close(),),
    "is reset": (Sleep(0.1), Reset()),
    "ends cleanly without its last event": (LastChunk(),),
    "stalls": (Stall(),),
    "is closed within a line": (Chunk(b'data: {"half":'), Close()),
    "ends within a line": (Chunk(b'data: {"half":'), LastChunk()),
}
CUT_OUTCOMES = {"stalls": "upstream_timeout_idle"}


@pytest.mark.parametrize(("cut", "client", "provider"), [(cut, *pair) for cut in CUTS for pair in PAIRS])
def test_a_stream_that(gateway: Gateway, cut: str, client: str, provider: str) -> None:
    begun: list[Step] = [Chunk(event) for event in EVENTS[provider]()[:BEGUN]]
    gateway.external.on(upstream_path(provider), (HEAD, *begun, *CUTS[cut]))
    answer = gateway.post(*ask(client, f"only-{provider}/m", stream=True))
    assert (answer.status, answer.whole) == (200, True)
    assert WORDS[0].encode() in answer.body
    assert b"half" not in answer.body
    assert f"only-{provider}" in repr(assert_one_error_event(answer.body, client))
    row = exchange(gateway.database, answer.get("x-patchbay-id") or "")
    assert row["outcome"] == CUT_OUTCOMES.get(cut, "upstream_truncated")


@EVERY_PAIR
def test_the_sdk_raises_when_the_stream_is_cut(gateway: Gateway, client: str, provider: str) -> None:
    begun: list[Step] = [Chunk(event) for event in EVENTS[provider]()[:BEGUN]]
    gateway.external.on(upstream_path(provider), (HEAD, *begun, Close()))
    with pytest.raises(SDK_ERRORS, match=f"only-{provider}"):
        say(gateway.url, client, f"only-{provider}/m", stream=True)


@EVERY_PAIR
def test_a_stream_that_is_cut_is_no_answer_for_a_client_that_does_not_stream(
    gateway: Gateway, client: str, provider: str
) -> None:
    begun: list[Step] = [Chunk(event) for event in EVENTS[provider]()[:BEGUN]]
    gateway.external.on(upstream_path(provider), (HEAD, *begun, LastChunk()))
    answer = gateway.post(*ask(client, f"only-{provider}/m"))
    assert_told_in_dialect(answer, client, gateway.behind, 502)


@EVERY_PAIR
def test_a_stream_that_has_said_everything_is_whole_however_its_connection_ends(
    gateway: Gateway, client: str, provider: str
) -> None:
    events: list[Step] = [Chunk(event) for event in EVENTS[provider]()]
    script = (HEAD, *events, Close())
    gateway.external.on(upstream_path(provider), script)
    assert say(gateway.url, client, f"only-{provider}/m", stream=True).text == "".join(WORDS)


@pytest.mark.parametrize("provider", EVENTS)
def test_a_client_that_leaves_with_the_last_event_has_had_everything(gateway: Gateway, provider: str) -> None:
    """The openai SDK closes its connection at `[DONE]`, though the end of the body may still be under way."""
    events: list[Step] = [Chunk(event) for event in EVENTS[provider]()]
    gateway.external.on(upstream_path(provider), (HEAD, *events, Sleep(0.3), LastChunk()))
    with openai_client(gateway.url) as client:
        stream = client.chat.completions.create(model=f"only-{provider}/m", messages=chat_asks("hi"), stream=True)
        said = "".join(piece.choices[0].delta.content or "" for piece in stream if piece.choices)
        row = exchange(gateway.database, stream.response.headers["x-patchbay-id"])
    assert said == "".join(WORDS)
    assert (row["outcome"], row["finish_reason"]) == ("ok", "stop")
