"""Tracer: calls as spans of OpenTelemetry, where an OTLP endpoint is named in the environment."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from mitmproxy import ctx, http

from addons.configuration import Configuration
from addons.exchanges import Exchanges, InHand
from addons.telemetry.span_content import input_messages, output_messages
from providers.exchange.account import ExchangeAccount

if TYPE_CHECKING:
    from addons.telemetry.tracing import Tracing

logger = logging.getLogger(__name__)

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_YES = frozenset(("true", "1", "span_only", "span_and_event"))
_CLOSE = 3.0  # seconds that a shutdown waits for a collector
_MISSING = (
    "%s is set, but OpenTelemetry is not installed (%s): no call is traced. Install Patchbay's extra 'otel', "
    "or opentelemetry-sdk and opentelemetry-exporter-otlp-proto-http."
)


class Tracer:
    """Begins a trace when a call is admitted; `finish` is told of each exchange that has ended."""

    def __init__(self, exchanges: Exchanges, configuration: Configuration) -> None:
        self._exchanges = exchanges
        self._configuration = configuration
        self._tracing: Tracing | None = None

    def running(self) -> None:
        """Begin to trace, if that is wanted."""
        if wanted := wanted_by(os.environ):
            self._tracing = start(wanted, os.environ, lambda: tuple(self._configuration.registry.secrets()))

    def request(self, flow: http.HTTPFlow) -> None:
        """A call has been admitted."""
        in_hand = self._exchanges.of(flow) if self._tracing is not None else None
        if self._tracing is None or in_hand is None or in_hand.account is None:
            return
        headers = {name.lower(): value for name, value in flow.request.headers.items()}
        in_hand.trace = self._tracing.begin(in_hand.account, headers, _content(in_hand, in_hand.account))

    def finish(self, account: ExchangeAccount) -> None:
        """A call has ended."""
        if self._tracing is not None:
            self._tracing.finish(account)

    def done(self) -> Awaitable[object] | None:
        """Export what is left, which may have to be waited for."""
        tracing, self._tracing = self._tracing, None
        if tracing is None:
            return None
        if ctx.master.should_exit.is_set():  # mitmproxy waits for the hook, and nobody else need be held up
            return asyncio.to_thread(_close, tracing)
        _close(tracing)
        return None


def wanted_by(environ: Mapping[str, str]) -> str:
    """Return the variable that names where spans go, "" where none are wanted."""
    off = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if off or environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none":
        return ""
    return next((name for name in ENDPOINTS if environ.get(name, "").strip()), "")


def start(wanted: str, environ: Mapping[str, str], secrets: Callable[[], Sequence[str]]) -> "Tracing | None":
    """Start tracing; where that cannot be, a warning says why, and calls are served without.

    The SDK reads its own variables; ``wanted`` is the one that names where spans go.
    """
    tells = environ.get(CONTENT, "").strip().lower() in _YES
    try:
        from addons.telemetry.tracing import over_http  # it takes 0.2 s to load, where it is there at all

        tracing = over_http(secrets, tells_content=tells)
    except ImportError as missing:
        logger.warning(_MISSING, wanted, missing.name)
        return None
    except ValueError as error:  # some of the SDK's variables are read as it is loaded
        logger.warning("A variable OTEL_… is not usable (%s): no call is traced.", error)
        return None
    if any(environ.get(name, "").strip().lower() == "grpc" for name in PROTOCOLS):
        logger.warning("Spans are exported as http/protobuf, not by gRPC: %s must name such a receiver.", wanted)
    logger.info("Calls are traced (%s)%s.", wanted, ", with what is said in them" if tells else "")
    return tracing


def _content(in_hand: InHand, account: ExchangeAccount) -> Callable[[], tuple[str, str]]:
    """Return what says what was said, once the call has ended."""

    def said() -> tuple[str, str]:
        answer = in_hand.exchange.answer if in_hand.exchange is not None else None
        return input_messages(account.dialect, in_hand.request), output_messages(answer)

    return said


def _close(tracing: "Tracing") -> None:
    if not tracing.close(_CLOSE):
        logger.warning("The last spans could not be exported within %g s; they are lost.", _CLOSE)
