"""Whatever the upstream does before its answer has begun, the client gets a real HTTP error in its own dialect.

The provider `hasty` has deadlines of half a second, so that a missed one shows quickly.
"""

import time

import pytest

from tests.fake_answers import CHUNKED, SSE, json_answer, whole
from tests.fake_dialects import anthropic_error, chat_events, error_body, messages_events, responses_events
from tests.fake_steps import Chunk, Close, Head, Raw, Reset, Stall
from tests.fake_upstream import Answer
from tests.rig_client import dial, read_answer, request_bytes
from tests.rig_gateway import DIALECTS, SDK_ERRORS, Gateway, ask, assert_told_in_dialect, stream_of

SUFFIX = {"chat": "/chat/completions", "messages": "/messages", "responses": "/responses"}
EVENTS = {"chat": chat_events, "messages": messages_events, "responses": responses_events}
EVENT_HEAD = Head(200, (*SSE, *CHUNKED))
JSON_HEAD = Head(200, (("content-type", "application/json"), ("content-length", "100")))
HTML = b"<html><head><title>502 Bad Gateway</title></head><body>nginx at upstream-host.internal</body></html>"

# what the upstream does → the status a chat client gets (a messages client: see `told`)
FAULTS: dict[str, tuple[Answer, int]] = {
    "closes without a word": ((Close(),), 502),
    "never answers": ((Stall(),), 504),
    "talks garbage": ((Raw(b"220 smtp.upstream-host.internal ESMTP\r\n\r\n"), Close()), 502),
    "fails with an HTML page": (whole(HTML, "text/html; charset=utf-8", 500), 500),
    "resets within a plain answer": ((JSON_HEAD, Raw(b'{"id":1'), Reset()), 502),
    "stalls within a plain answer": ((JSON_HEAD, Raw(b'{"id":1'), Stall()), 504),
    "says nothing after the head of a stream": ((EVENT_HEAD, Stall()), 504),
    "sends only comments": ((EVENT_HEAD, Chunk(b": waiting\n\n"), Stall()), 504),
    "fails in a shape of its own": (json_answer({"detail": "bad things"}, 500), 500),
    "fails without a body": ((Head(500, (("content-length", "0"),)),), 500),
}
STREAMED = [pytest.param(False, id="plain"), pytest.param(True, id="streamed")]


def told(dialect: str, status: int) -> int:
    """Overload has its own number for Anthropic's clients."""
    return 529 if dialect == "messages" and status == 503 else status


@pytest.mark.parametrize("stream", STREAMED)
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("fault", FAULTS)
def test_the_upstream(gateway: Gateway, fault: str, dialect: str, stream: bool) -> None:
    script, status = FAULTS[fault]
    gateway.external.on(f"/hasty/v1{SUFFIX[dialect]}", script)
    began = time.monotonic()
    answer = gateway.post(*ask(dialect, "hasty/m", stream=stream))
    assert_told_in_dialect(answer, dialect, gateway.behind, told(dialect, status))
    assert b"internal" not in answer.body.replace(b"internal_error", b"").replace(b"internal_server_error", b"")
    assert time.monotonic() - began < 2.0
    assert answer.whole


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("fault", ["never answers", "closes without a word", "says nothing after the head of a stream"])
def test_the_sdk_raises_when_the_upstream(gateway: Gateway, fault: str, dialect: str) -> None:
    gateway.external.on(f"/hasty/v1{SUFFIX[dialect]}", FAULTS[fault][0])
    with pytest.raises(SDK_ERRORS) as caught:
        stream_of(gateway, dialect, "hasty/m")
    assert "hasty" in str(caught.value)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_rate_limit_passes_with_its_waiting_time(gateway: Gateway, dialect: str) -> None:
    payload = anthropic_error("Slow down", "rate_limit_error") if dialect == "messages" else error_body("Slow down")
    script = json_answer(payload, 429, (("retry-after", "7"), ("x-ratelimit-reset-tokens", "7s")))
    gateway.external.on(f"/hasty/v1{SUFFIX[dialect]}", script)
    answer = gateway.post(*ask(dialect, "hasty/m"))
    error = assert_told_in_dialect(answer, dialect, gateway.behind, 429)
    assert error["message"] == "Slow down"
    assert answer.get("retry-after") == "7"
    assert answer.get("x-ratelimit-reset-tokens") == "7s"


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("shape", ["own", "foreign"])
def test_what_the_provider_says_about_a_bad_request_reaches_the_client(
    gateway: Gateway, dialect: str, shape: str
) -> None:
    is_messages = (dialect == "messages") == (shape == "own")
    words = "max_tokens is too large"
    payload = anthropic_error(words) if is_messages else error_body(words, code="bad_number")
    gateway.external.on(f"/hasty/v1{SUFFIX[dialect]}", json_answer(payload, 400))
    answer = gateway.post(*ask(dialect, "hasty/m"))
    error = assert_told_in_dialect(answer, dialect, gateway.behind, 400)
    assert error["message"] == words
    if shape == "own":
        assert answer.json() == payload


@pytest.mark.parametrize(
    "fault", ["closes without a word", "never answers", "talks garbage", "fails with an HTML page"]
)
def test_the_clients_connection_goes_on_after_the_upstream(gateway: Gateway, fault: str) -> None:
    gateway.external.on("/hasty/v1/chat/completions", FAULTS[fault][0])
    with dial(gateway.port) as client:
        for model, status in (("hasty", FAULTS[fault][1]), ("groq", 200), ("hasty", FAULTS[fault][1]), ("groq", 200)):
            body = b'{"model":"%s/some-model","messages":[]}' % model.encode()
            client.sendall(request_bytes("POST", "/v1/chat/completions", body))
            assert read_answer(client).status == status


def test_a_local_server_that_is_loading_says_so(gateway: Gateway) -> None:
    loading = json_answer({"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}}, 503)
    for path in ("/v1/chat/completions", "/v1/messages", "/health"):
        gateway.local.on(path, loading)
    chat = gateway.post(*ask("chat", "whatever"))
    assert assert_told_in_dialect(chat, "chat", gateway.behind, 503, passed_on=True)["message"] == "Loading model"
    messages = gateway.post(*ask("messages", "whatever"))
    assert assert_told_in_dialect(messages, "messages", gateway.behind, 529)["message"] == "Loading model"
    assert gateway.get("/health").json() == {
        "error": {"message": "Loading model", "type": "unavailable_error", "code": 503}
    }
