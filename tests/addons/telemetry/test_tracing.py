"""Spans of calls, as a real receiver gets them."""

import threading
import time
from collections.abc import Iterator

import pytest

from addons import clock
from addons.telemetry.tracing import Tracing, over_http
from providers.exchange.account import AttemptAccount, ExchangeAccount, Outcome
from tests.addons.telemetry.test_metrics import account
from tests.otlp_receiver import Received, Receiver

SERVER, CLIENT = 2, 3
ERROR = 2
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
KEY = "a-key-of-ours-0123456789"


@pytest.fixture(name="receiver")
def fixture_receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with Receiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        yield receiver


@pytest.fixture(name="now")
def fixture_now(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The monotonic clock, in µs."""
    now = [5_000_000]
    monkeypatch.setattr(clock, "now_us", lambda: now[0])
    return now


def tracing(*, tells_content: bool = False) -> Tracing:
    return over_http(lambda: (KEY,), tells_content=tells_content)


WHOLE: dict[str, object] = {
    "started_at": 1_800_000_000.25,
    "kind": "anthropic",
    "provider": "anthropic",
    "model": "claude-9",
    "requested_model": "smart",
    "dialect": "messages",
    "operation": "messages",
    "status": 200,
    "session_id": "s-1",
    "input_tokens": 1204,
    "output_tokens": 356,
    "cache_read_tokens": 1100,
    "cache_write_tokens": 4,
    "reasoning_tokens": 12,
    "finish_reason": "stop",
    "ttft_us": 320_000,
    "duration_us": 2_000_000,
    "cost": 0.0123,
    "price_source": "registry",
}


def one_call(
    spans: Tracing, *, dials: int = 1, headers: dict[str, str] | None = None, **known: object
) -> ExchangeAccount:
    ended = account(**{**WHOLE, **known})
    trace = spans.begin(ended, headers or {})
    for _ in range(dials):
        trace.attempt_begins()
    spans.finish(ended)
    return ended


def sent(receiver: Receiver, spans: Tracing, count: int) -> list[Received]:
    assert spans.close(10)
    return receiver.wait(count)


def test_a_span_for_the_call_and_one_for_its_attempt(receiver: Receiver, now: list[int]) -> None:
    spans = tracing()
    attempt = AttemptAccount("anthropic", "claude-9", status=200, outcome=Outcome.OK, duration_us=1_900_000)
    ended = account(**{**WHOLE, "attempts": [attempt]})
    trace = spans.begin(ended, {})
    now[0] += 50_000
    trace.attempt_begins()
    now[0] += 1_950_000
    spans.finish(ended)
    whole, tried = sent(receiver, spans, 2)
    start = 1_800_000_000_250_000_000
    assert (whole.name, whole.kind, whole.start, whole.end) == ("chat claude-9", SERVER, start, start + 2_000_000_000)
    assert (tried.name, tried.kind) == ("chat claude-9", CLIENT)
    assert (tried.start, tried.end) == (start + 50_000_000, start + 1_950_000_000)
    assert (tried.trace, tried.parent, whole.parent) == (whole.trace, whole.span, "")
    assert whole.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-9",
        "gen_ai.request.stream": True,
        "gen_ai.conversation.id": "s-1",
        "gen_ai.usage.input_tokens": 1204,
        "gen_ai.usage.output_tokens": 356,
        "gen_ai.usage.cache_read.input_tokens": 1100,
        "gen_ai.usage.cache_creation.input_tokens": 4,
        "gen_ai.usage.reasoning.output_tokens": 12,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.response.time_to_first_chunk": 0.32,
        "http.response.status_code": 200,
        "patchbay.id": "pb-1",
        "patchbay.provider": "anthropic",
        "patchbay.requested_model": "smart",
        "patchbay.dialect": "messages",
        "patchbay.cost": 0.0123,
        "patchbay.price_source": "registry",
        "patchbay.attempts": 1,
        "patchbay.outcome": "ok",
    }
    assert tried.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-9",
        "http.response.status_code": 200,
        "patchbay.provider": "anthropic",
        "patchbay.attempt": 1,
        "patchbay.outcome": "ok",
    }
    assert whole.status == tried.status == (0, "")
    assert receiver.inbox.paths == ["/v1/traces"]
    assert whole.resource["service.name"] == "patchbay"
    assert whole.resource["service.version"]


def test_what_failed_is_an_error_and_each_attempt_has_its_own(receiver: Receiver, now: list[int]) -> None:
    spans = tracing()
    tries = [
        AttemptAccount("acme", "big", outcome=Outcome.UPSTREAM_RESET, input_tokens=5, cost=0.1, endpoint=2),
        AttemptAccount("anthropic", "claude-9"),
    ]
    one_call(spans, dials=2, attempts=tries, outcome=Outcome.RATE_LIMITED, status=429)
    whole, *tried = sent(receiver, spans, 3)
    assert whole.status == (ERROR, "rate_limited")
    assert whole.attributes["error.type"] == "rate_limited"
    assert [span.attributes["error.type"] for span in tried] == ["upstream_reset", "internal_error"]
    assert [span.attributes["gen_ai.provider.name"] for span in tried] == ["acme", "anthropic"]
    first = tried[0].attributes
    assert (first["patchbay.input_tokens"], first["patchbay.cost"], first["patchbay.endpoint"]) == (5, 0.1, 2)


def test_what_is_not_known_is_left_out(receiver: Receiver, now: list[int]) -> None:
    spans = tracing()
    blank = account(model="", requested_model="", stream=False, duration_us=None)
    spans.begin(blank, {})
    now[0] += 7
    spans.finish(blank)
    (whole,) = sent(receiver, spans, 1)
    assert not [name for name in whole.attributes if "usage" in name or name in ("patchbay.cost", "patchbay.client")]
    assert (whole.name, whole.end - whole.start) == ("generate", 7000)


def test_an_answer_that_was_there_already_has_an_attempt_too(receiver: Receiver, now: list[int]) -> None:
    spans = tracing()
    one_call(spans, dials=0, attempts=[AttemptAccount("anthropic", "claude-9", outcome=Outcome.OK)])
    assert len(sent(receiver, spans, 2)) == 2


def test_the_clients_span_is_the_parent_and_the_attempts_goes_on(receiver: Receiver, now: list[int]) -> None:
    spans = tracing()
    ended = account(**{**WHOLE, "attempts": [AttemptAccount("a", "b", outcome=Outcome.OK)]})
    trace = spans.begin(ended, {"traceparent": PARENT, "tracestate": "vendor=1", "x": "y"})
    trace.attempt_begins()
    fields = dict(trace.onto(((b"Traceparent", PARENT.encode()), (b"x", b"y"), (b"tracestate", b"vendor=1"))))
    spans.finish(ended)
    whole, tried = sent(receiver, spans, 2)
    assert (whole.trace, whole.parent) == ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
    assert fields == {
        b"x": b"y",
        b"traceparent": f"00-{whole.trace}-{tried.span}-01".encode(),
        b"tracestate": b"vendor=1",
    }


def test_what_the_client_does_not_sample_is_not_exported_but_goes_on(receiver: Receiver, now: list[int]) -> None:
    spans = tracing(tells_content=True)
    ended = account(**WHOLE)
    trace = spans.begin(ended, {"traceparent": PARENT.removesuffix("01") + "00"}, lambda: pytest.fail("not asked for"))
    trace.attempt_begins()
    assert dict(trace.onto(()))[b"traceparent"].startswith(b"00-0af7651916cd43dd8448eb211c80319c-")
    spans.finish(ended)
    one_call(spans)
    assert len(sent(receiver, spans, 1)) == 1


@pytest.mark.parametrize("tells", [False, True])
def test_what_was_said_is_told_only_if_asked_for_and_never_a_key(receiver: Receiver, tells: bool) -> None:
    spans = tracing(tells_content=tells)
    ended = account(model=f"big {KEY}")
    spans.begin(ended, {}, lambda: (f'[{{"role": "user", "text": "{KEY}"}}]', ""))
    spans.finish(ended)
    (whole,) = sent(receiver, spans, 1)
    said = whole.attributes.get("gen_ai.input.messages")
    assert said == ('[{"role": "user", "text": "[redacted]"}]' if tells else None)
    assert "gen_ai.output.messages" not in whole.attributes
    assert KEY.encode() not in receiver.inbox.raw


def test_what_was_never_begun_is_not_ended() -> None:
    spans = tracing()
    spans.finish(account())
    assert spans.close(10)


def test_the_environment_names_the_program(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "my-gateway")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=home")
    spans = tracing()
    one_call(spans)
    (whole,) = sent(receiver, spans, 1)
    assert whole.resource["service.name"] == "my-gateway"
    assert whole.resource["deployment.environment.name"] == "home"


def test_a_collector_that_hangs_holds_up_nobody(receiver: Receiver) -> None:
    receiver.inbox.hang = threading.Event()
    spans = tracing()
    began = time.monotonic()
    for number in range(600):  # more than one batch
        one_call(spans, id=f"pb-{number}")
    assert time.monotonic() - began < 5
    assert spans.close(0.2) is False
    assert time.monotonic() - began < 10
