"""When calls are traced, when not, and what a person is told then."""

import asyncio
import json
import logging
import sys
from collections.abc import Awaitable, Iterator

import pytest
from mitmproxy.http import HTTPFlow
from mitmproxy.test import taddons, tflow

from addons.configuration import Configuration
from addons.exchanges import Exchanges
from addons.tracer import CONTENT, Tracer, start, wanted_by
from tests.addons.conftest import ACME_KEY
from tests.addons.telemetry.test_metrics import account
from tests.otlp_receiver import Receiver

pytestmark = pytest.mark.anyio

BASE, TRACES = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, ""),
        ({BASE: "http://c"}, BASE),
        ({TRACES: "http://c/v1/traces"}, TRACES),
        ({BASE: "http://c", TRACES: "http://d"}, TRACES),
        ({BASE: " "}, ""),
        ({BASE: "http://c", "OTEL_SDK_DISABLED": "True"}, ""),
        ({BASE: "http://c", "OTEL_TRACES_EXPORTER": "none"}, ""),
        ({BASE: "http://c", "OTEL_TRACES_EXPORTER": "otlp"}, BASE),
    ],
)
def test_an_endpoint_turns_it_on(environ: dict[str, str], wanted: str) -> None:
    assert wanted_by(environ) == wanted


def nothing() -> tuple[str, ...]:
    return ()


def test_without_the_sdk_a_warning_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delitem(sys.modules, "addons.telemetry.tracing", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    assert start(BASE, {}, nothing) is None
    assert f"{BASE} is set, but OpenTelemetry is not installed" in caplog.text
    assert "extra 'otel'" in caplog.text


def test_a_variable_that_is_not_usable_is_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "zip")
    monkeypatch.setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "many")
    assert start(BASE, {}, nothing) is None
    assert "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT" in caplog.text


def test_grpc_is_not_spoken_and_that_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv(BASE, "http://127.0.0.1:1")
    tracing = start(BASE, {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, nothing)
    assert tracing is not None
    assert tracing.close(5)
    assert "not by gRPC" in caplog.text


@pytest.mark.parametrize(("value", "tells"), [("true", True), ("SPAN_ONLY", True), ("false", False), ("", False)])
def test_content_is_told_when_asked_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, value: str, tells: bool
) -> None:
    monkeypatch.setenv(BASE, "http://127.0.0.1:1")
    with caplog.at_level(logging.INFO):
        tracing = start(BASE, {CONTENT: value}, nothing)
    assert tracing is not None
    assert tracing.close(5)
    assert tracing.tells_content is tells
    assert ("what is said" in caplog.text) is tells


@pytest.fixture(name="receiver")
def fixture_receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with Receiver() as receiver:
        monkeypatch.setenv(BASE, receiver.url)
        monkeypatch.setenv(CONTENT, "true")
        yield receiver


def admitted(exchanges: Exchanges, tracer: Tracer) -> HTTPFlow:
    flow: HTTPFlow = tflow.tflow()
    flow.request.headers["TraceParent"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    in_hand = exchanges.admit(flow)
    in_hand.account = account(model=ACME_KEY)
    in_hand.request = {"messages": [{"role": "user", "content": "Hello"}]}
    tracer.request(flow)
    return flow


@pytest.mark.parametrize("stops", [False, True])
async def test_a_call_becomes_a_span(receiver: Receiver, configuration: Configuration, stops: bool) -> None:
    exchanges = Exchanges()
    tracer = Tracer(exchanges, configuration)
    with taddons.context() as context:
        context.master.should_exit = asyncio.Event()
        tracer.running()
        in_hand = exchanges.of(admitted(exchanges, tracer))
        assert in_hand is not None
        assert in_hand.account is not None
        assert in_hand.trace is not None
        tracer.finish(in_hand.account)
        if stops:
            context.master.should_exit.set()
        closing: Awaitable[object] | None = tracer.done()
        assert (closing is not None) is stops
        if closing is not None:
            await closing
        assert tracer.done() is None
    (span,) = receiver.wait(1)
    assert span.parent == "b7ad6b7169203331"
    assert json.loads(span.attributes["gen_ai.input.messages"])[0]["parts"][0]["content"] == "Hello"
    assert ACME_KEY.encode() not in receiver.inbox.raw


async def test_spans_that_cannot_be_exported_are_told_as_lost(
    receiver: Receiver,
    configuration: Configuration,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("addons.tracer._CLOSE", 0.1)
    receiver.inbox.status = 503
    exchanges = Exchanges()
    tracer = Tracer(exchanges, configuration)
    with taddons.context() as context:
        context.master.should_exit = asyncio.Event()
        tracer.running()
        in_hand = exchanges.of(admitted(exchanges, tracer))
        assert in_hand is not None
        assert in_hand.account is not None
        tracer.finish(in_hand.account)
        tracer.done()
    assert "The last spans could not be exported" in caplog.text


async def test_where_it_is_off_nothing_is_done(configuration: Configuration) -> None:
    exchanges = Exchanges()
    tracer = Tracer(exchanges, configuration)
    with taddons.context():
        tracer.running()
        in_hand = exchanges.of(admitted(exchanges, tracer))
        assert in_hand is not None
        assert in_hand.trace is None
        tracer.finish(account())
        assert tracer.done() is None


async def test_what_is_no_call_has_no_span(receiver: Receiver, configuration: Configuration) -> None:
    exchanges = Exchanges()
    tracer = Tracer(exchanges, configuration)
    with taddons.context() as context:
        context.master.should_exit = asyncio.Event()
        tracer.running()
        flow: HTTPFlow = tflow.tflow()
        tracer.request(flow)
        in_hand = exchanges.admit(flow)
        tracer.request(flow)
        assert in_hand.trace is None
        tracer.done()
