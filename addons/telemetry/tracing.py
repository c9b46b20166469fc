"""Spans of calls for OpenTelemetry: one for each exchange, a child for each attempt.

Strategy: spans are begun live, because their ids go to the provider (``traceparent``), and get what is known of them
from the account when the exchange has ended. They start at the account's wall time; what follows is told by the
monotonic clock. Ended spans wait in the SDK's bounded queue, and a thread of the SDK exports them: nothing here waits.

The exchange's span is a SERVER's and holds the numbers that are summed (tokens, cost); an attempt's is a CLIENT's and
has its own under ``patchbay.``, so that no dashboard counts them twice. What was said is in no span unless asked for.

This module needs the extra ``patchbay[otel]``: `addons.tracer` imports it only where spans are wanted.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from addons import clock
from addons.telemetry import genai_names as names
from providers.exchange.account import AttemptAccount, ExchangeAccount, Outcome
from providers.redaction import redact
from providers.version import version

Secrets = Callable[[], Sequence[str]]
# What was asked and what was answered, as JSON texts; "" for what is not known.
Content = Callable[[], tuple[str, str]]

_SDK = logging.getLogger("opentelemetry")
_PROPAGATOR = TraceContextTextMapPropagator()
_HEADERS = ("traceparent", "tracestate")
# Attribute of an exchange's span → the account's field; what is None, "" or not there is left out.
_OF_EXCHANGE = {
    names.REQUEST_STREAM: "stream",
    names.CONVERSATION: "session_id",
    names.INPUT_TOKENS: "input_tokens",
    names.OUTPUT_TOKENS: "output_tokens",
    names.CACHE_READ_TOKENS: "cache_read_tokens",
    names.CACHE_WRITE_TOKENS: "cache_write_tokens",
    names.REASONING_TOKENS: "reasoning_tokens",
    names.STATUS_CODE: "status",
    "patchbay.id": "id",
    "patchbay.provider": "provider",
    "patchbay.dialect": "dialect",
    "patchbay.client": "client",
    "patchbay.cost": "cost",
    "patchbay.price_source": "price_source",
    "patchbay.overhead_us": "overhead_us",
    "patchbay.request_id_upstream": "request_id_upstream",
    "patchbay.translation": "translation",
}
_OF_ATTEMPT = {
    names.STATUS_CODE: "status",
    "patchbay.provider": "provider",
    "patchbay.endpoint": "endpoint",
    "patchbay.connect_us": "connect_us",
    "patchbay.input_tokens": "input_tokens",
    "patchbay.output_tokens": "output_tokens",
    "patchbay.cost": "cost",
}


def _no_content() -> tuple[str, str]:
    return "", ""


class Trace:
    """One call as it goes on: its span, and those of its attempts so far."""

    def __init__(self, tracing: "Tracing", account: ExchangeAccount, parent: Context, content: Content) -> None:
        self._tracing = tracing
        self._account = account
        self._began = clock.now_us()
        self._content = content
        self._span = self._begin(parent, SpanKind.SERVER, self.moment(0))
        self._context = set_span_in_context(self._span, parent)
        self._attempts: list[tuple[Span, int]] = []  # with its start, wall time in ns

    def attempt_begins(self) -> None:
        """Another target is dialled."""
        now = self.moment(clock.now_us() - self._began)
        self._attempts.append((self._begin(self._context, SpanKind.CLIENT, now), now))

    def onto(self, fields: tuple[tuple[bytes, bytes], ...]) -> tuple[tuple[bytes, bytes], ...]:
        """Header fields with the attempt's ids instead of the client's."""
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier, set_span_in_context(self._attempts[-1][0]))
        kept = (field for field in fields if field[0].lower().decode("latin-1") not in _HEADERS)
        return (*kept, *((name.encode(), value.encode()) for name, value in carrier.items()))

    def moment(self, after_us: int) -> int:
        """Wall time in ns, so many µs after the start of the call."""
        return (round(self._account.started_at * 1e6) + after_us) * 1000

    def end(self) -> None:
        """The exchange has ended; what is known of it goes into the spans."""
        account, ended = self._account, self.moment(clock.now_us() - self._began)
        for number, attempt in enumerate(account.attempts):
            self._end_attempt(attempt, number, ended)
        operation, model = self._named(account.model or account.requested_model)
        _settle(self._span, account.outcome, f"{operation} {model}".strip(), self._facts(operation, model))
        self._span.end(ended)

    def _begin(self, parent: Context, kind: SpanKind, start: int) -> Span:
        # The sampler judges by the name: the final one is not known before the call is routed.
        operation, model = self._named(self._account.requested_model)
        return self._tracing.tracer.start_span(f"{operation} {model}".strip(), parent, kind, start_time=start)

    def _named(self, model: str) -> tuple[str, str]:
        return names.operation_name(self._account.operation), self._tracing.clean(model)

    def _end_attempt(self, attempt: AttemptAccount, number: int, ended: int) -> None:
        if number == len(self._attempts):  # nobody was dialled: the answer was there already
            self._attempts.append((self._begin(self._context, SpanKind.CLIENT, self.moment(0)), self.moment(0)))
        span, start = self._attempts[number]
        operation, model = self._named(attempt.model)
        kind = self._account.kind if attempt.provider == self._account.provider else ""
        facts = {
            names.OPERATION: operation,
            names.PROVIDER: names.provider_name(attempt.provider, kind),
            names.REQUEST_MODEL: model,
            "patchbay.attempt": number + 1,
            **_fields(attempt, _OF_ATTEMPT),
        }
        _settle(span, attempt.outcome, f"{operation} {model}".strip(), facts)
        # It began a moment before it was dialled: its end must not come after that of the whole.
        span.end(min(start + 1000 * (attempt.duration_us or 0), ended))

    def _facts(self, operation: str, model: str) -> dict[str, AttributeValue]:
        account = self._account
        facts: dict[str, AttributeValue] = {
            names.OPERATION: operation,
            names.PROVIDER: names.provider_name(account.provider, account.kind),
            names.REQUEST_MODEL: model,
            "patchbay.requested_model": self._tracing.clean(account.requested_model),
            "patchbay.attempts": len(account.attempts),
            **_fields(account, _OF_EXCHANGE),
        }
        if account.finish_reason:
            facts[names.FINISH_REASONS] = [account.finish_reason]
        if account.stream and account.ttft_us is not None:
            facts[names.TIME_TO_FIRST_CHUNK] = account.ttft_us / 1e6
        return {**facts, **self._said()}

    def _said(self) -> dict[str, AttributeValue]:
        if not (self._tracing.tells_content and self._span.is_recording()):
            return {}
        said = zip((names.INPUT_MESSAGES, names.OUTPUT_MESSAGES), self._content(), strict=True)
        return {name: self._tracing.clean(text) for name, text in said if text}


class Tracing:
    """Begins and ends traces; ``tells_content`` puts what was said into them. Exports by ``exporter``, off the loop."""

    def __init__(self, exporter: SpanExporter, secrets: Secrets, *, tells_content: bool = False) -> None:
        _SDK.setLevel(logging.NOTSET)
        self.tells_content = tells_content
        self._exporter = exporter
        self._secrets = secrets
        self._open: dict[str, Trace] = {}
        # Not at exit: that would wait for half a minute for a collector that is not there.
        self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self.tracer = self._provider.get_tracer("patchbay", version())

    def begin(self, account: ExchangeAccount, headers: Mapping[str, str], content: Content = _no_content) -> Trace:
        """Begin the trace of a call; ``headers`` (names in lower case) may name the client's own span."""
        carrier = {name: headers[name] for name in _HEADERS if name in headers}
        trace = self._open[account.id] = Trace(self, account, _PROPAGATOR.extract(carrier, Context()), content)
        return trace

    def finish(self, account: ExchangeAccount) -> None:
        """End the trace of a call, if it has one."""
        trace = self._open.pop(account.id, None)
        if trace is not None:
            trace.end()

    def clean(self, text: str) -> str:
        """Return text without keys: a client may write anything for a model's name."""
        return redact(text, self._secrets())

    def close(self, seconds: float) -> bool:
        """Export what waits, for so many seconds at most; whether all of it was."""
        closing = threading.Thread(target=self._provider.shutdown, name="patchbay-spans", daemon=True)
        closing.start()
        closing.join(seconds)
        if closing.is_alive():
            self._exporter.shutdown()  # ends its waiting between two tries
            _SDK.setLevel(logging.CRITICAL + 1)  # what it still says would come when nobody can log any more
            return False
        return True


def over_http(secrets: Secrets, *, tells_content: bool) -> Tracing:
    """Trace to where the environment says (``OTEL_EXPORTER_OTLP_…``). Raises ValueError for what it cannot mean."""
    return Tracing(OTLPSpanExporter(), secrets, tells_content=tells_content)


def _resource() -> Resource:
    """Say who we are: as the environment has it (OTEL_SERVICE_NAME), else our own name."""
    ours = Resource({SERVICE_NAME: "patchbay", SERVICE_VERSION: version()})
    found = Resource.create()
    named = {
        key: value
        for key, value in found.attributes.items()
        if key != SERVICE_NAME or not str(value).startswith("unknown_service")
    }
    return ours.merge(Resource(named, found.schema_url))


def _fields(account: ExchangeAccount | AttemptAccount, which: Mapping[str, str]) -> dict[str, AttributeValue]:
    return dict(_known(account, which))


def _known(account: ExchangeAccount | AttemptAccount, which: Mapping[str, str]) -> Iterator[tuple[str, AttributeValue]]:
    for name, field in which.items():
        value: AttributeValue | None = getattr(account, field)
        if value is not None and value != "":
            yield name, value


def _settle(span: Span, outcome: Outcome | None, name: str, facts: Mapping[str, AttributeValue]) -> None:
    ended = outcome or Outcome.INTERNAL_ERROR
    span.update_name(name)
    span.set_attributes({**facts, "patchbay.outcome": str(ended)})
    if ended is not Outcome.OK:
        span.set_attribute(names.ERROR_TYPE, str(ended))
        span.set_status(Status(StatusCode.ERROR, str(ended)))
