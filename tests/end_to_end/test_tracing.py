"""Calls as spans at a real receiver, and the ids that go to the provider."""

import json
import time
from collections.abc import Iterator

import pytest

from tests.fake_answers import json_answer
from tests.fake_dialects import error_body
from tests.otlp_receiver import Received, Receiver
from tests.rig_gateway import CLIENT_SECRET, KEYS, WAYS, Behind, Gateway, ask, run_gateway

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
FROM_CLIENT = (("traceparent", f"00-{TRACE}-{PARENT}-01"), ("tracestate", "vendor=1"))
MODELS = {"chat": "gpt-9", "messages": "claude-9", "responses": "gpt-9"}
SERVER, CLIENT = 2, 3


@pytest.fixture(name="receiver", scope="module")
def fixture_receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(name="traced", scope="module", params=WAYS)
def fixture_traced(
    request: pytest.FixtureRequest,
    all_upstreams: Behind,
    receiver: Receiver,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_BSP_SCHEDULE_DELAY": "50", "PATCHBAY_ATTEMPTS": "2"}
    content = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true", "OTEL_SERVICE_NAME": "my-gateway"}
    with run_gateway(
        request.param, all_upstreams, tmp_path_factory.mktemp("traced"), env={**env, **content}
    ) as gateway:
        yield gateway
        assert "Traceback" not in gateway.program.output
        assert "Calls are traced (OTEL_EXPORTER_OTLP_ENDPOINT)" in gateway.program.output


@pytest.fixture(name="clean")
def fixture_clean(traced: Gateway, upstreams: Behind, receiver: Receiver) -> Gateway:
    assert traced.behind is upstreams
    receiver.inbox.spans.clear()
    return traced


def told(receiver: Receiver, count: int) -> tuple[Received, list[Received]]:
    """The exchange's span and its attempts'."""
    spans = receiver.wait(count)
    (whole,) = [span for span in spans if span.kind == SERVER]
    return whole, [span for span in spans if span.kind == CLIENT]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("dialect", MODELS)
def test_a_call_is_a_span_with_its_attempt_below(
    clean: Gateway, receiver: Receiver, dialect: str, stream: bool
) -> None:
    assert clean.post(*ask(dialect, MODELS[dialect], stream=stream), FROM_CLIENT).status == 200
    whole, (tried,) = told(receiver, 2)
    assert (whole.trace, whole.parent, tried.parent) == (TRACE, PARENT, whole.span)
    assert whole.name == tried.name == f"chat {MODELS[dialect]}"
    assert whole.attributes["gen_ai.usage.input_tokens"] > 0
    assert whole.attributes["patchbay.outcome"] == tried.attributes["patchbay.outcome"] == "ok"
    assert whole.start <= tried.start <= tried.end <= whole.end
    assert abs(whole.end / 1e9 - time.time()) < 60
    assert json.loads(whole.attributes["gen_ai.input.messages"])[0]["parts"] == [
        {"type": "text", "content": "Say hello"}
    ]
    assert json.loads(whole.attributes["gen_ai.output.messages"])[0]["role"] == "assistant"
    assert whole.resource["service.name"] == "my-gateway"
    request = clean.external.requests[-1]
    assert request.all("traceparent") == [f"00-{TRACE}-{tried.span}-01"]
    assert request.all("tracestate") == ["vendor=1"]


def test_a_client_without_a_span_begins_a_trace_here(clean: Gateway, receiver: Receiver) -> None:
    clean.post(*ask("chat", "gpt-9"))
    whole, (tried,) = told(receiver, 2)
    assert whole.parent == ""
    (sent,) = clean.external.requests[-1].all("traceparent")
    assert sent.startswith(f"00-{whole.trace}-{tried.span}-0")


def test_each_attempt_has_its_span(clean: Gateway, receiver: Receiver) -> None:
    busy = json_answer(error_body("overloaded"), 503)
    clean.external.on("/openai/v1/chat/completions", busy, busy)
    clean.post(*ask("chat", "gpt-9"))
    whole, tried = told(receiver, 3)
    assert [span.attributes["patchbay.attempt"] for span in tried] == [1, 2]
    assert {span.parent for span in tried} == {whole.span}
    assert whole.status[0] == 2
    assert whole.attributes["http.response.status_code"] >= 500
    assert [request.all("traceparent")[0].split("-")[2] for request in clean.external.requests] == [
        span.span for span in tried
    ]


def test_a_refused_call_is_a_span_without_attempts(clean: Gateway, receiver: Receiver) -> None:
    assert clean.post("/v1/chat/completions", b"[]").status == 400
    whole, tried = told(receiver, 1)
    assert not tried
    assert whole.attributes["error.type"] == "client_error"


def test_no_key_is_exported(clean: Gateway, receiver: Receiver) -> None:
    secret = (("authorization", f"Bearer {CLIENT_SECRET}"),)
    clean.post(*ask("chat", "gpt-9", user=KEYS["OPENAI_API_KEY"]), secret)
    path, body = ask("chat", f"openai/{KEYS['OPENAI_API_KEY']}")
    body["messages"] = [{"role": "user", "content": KEYS["ANTHROPIC_API_KEY"]}]
    clean.post(path, body, secret)
    receiver.wait(4)
    assert not [key for key in (*KEYS.values(), CLIENT_SECRET) if key.encode() in receiver.inbox.raw]


def test_what_waits_is_exported_at_the_end(upstreams: Behind, tmp_path_factory: pytest.TempPathFactory) -> None:
    with Receiver() as receiver:
        env = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{receiver.url}/mine", "OTEL_BSP_SCHEDULE_DELAY": "60000"}
        with run_gateway("serve", upstreams, tmp_path_factory.mktemp("end"), env=env) as gateway:
            gateway.post(*ask("chat", "gpt-9"))
            assert gateway.program.stop() == 0
        assert len(receiver.inbox.spans) == 2
        assert receiver.inbox.paths == ["/mine"]
        assert "gen_ai.input.messages" not in receiver.inbox.spans[-1].attributes


def test_a_collector_that_is_not_there_costs_no_call(
    upstreams: Behind, tmp_path_factory: pytest.TempPathFactory
) -> None:
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{upstreams.hole}", "OTEL_BSP_SCHEDULE_DELAY": "20"}
    with run_gateway("serve", upstreams, tmp_path_factory.mktemp("hole"), env=env) as gateway:
        for _ in range(5):
            assert gateway.post(*ask("chat", "gpt-9")).status == 200
        began = time.monotonic()
        assert gateway.program.stop(15) == 0
        assert time.monotonic() - began < 10
        assert "could not be exported" in gateway.program.output


def test_without_an_endpoint_the_clients_ids_pass_as_they_are(
    upstreams: Behind, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with run_gateway("serve", upstreams, tmp_path_factory.mktemp("off")) as gateway:
        gateway.post(*ask("chat", "gpt-9"), FROM_CLIENT)
        gateway.post(*ask("chat", "gpt-9"))
    first, other = upstreams.external.requests[-2:]
    assert first.all("traceparent") == [FROM_CLIENT[0][1]]
    assert not other.all("traceparent")
