"""A collector on loopback: takes spans by OTLP over HTTP, as protobuf, and shows them as plain values."""

import gzip
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue


@dataclass(frozen=True, slots=True)
class Received:
    """One span; ids in hex, times in ns; ``resource`` are the attributes of the program."""

    name: str
    kind: int
    trace: str
    span: str
    parent: str
    start: int
    end: int
    attributes: dict[str, Any]
    status: tuple[int, str]
    resource: dict[str, Any]


@dataclass(slots=True)
class Inbox:
    """What came: the spans, the paths that were posted to, and how it is answered."""

    spans: list[Received] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    raw: bytes = b""
    status: int = 200
    hang: threading.Event | None = None


def _plain(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(each) for each in value.array_value.values]
    return getattr(value, str(kind))


def _read(body: bytes) -> list[Received]:
    request = ExportTraceServiceRequest.FromString(body)
    return [
        Received(
            span.name,
            span.kind,
            span.trace_id.hex(),
            span.span_id.hex(),
            span.parent_span_id.hex(),
            span.start_time_unix_nano,
            span.end_time_unix_nano,
            {pair.key: _plain(pair.value) for pair in span.attributes},
            (span.status.code, span.status.message),
            {pair.key: _plain(pair.value) for pair in group.resource.attributes},
        )
        for group in request.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    ]


class Receiver:
    """The collector; a context manager."""

    def __init__(self) -> None:
        self.inbox = inbox = Inbox()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                inbox.raw += body
                inbox.paths.append(self.path)
                if inbox.hang is not None:
                    inbox.hang.wait(60)
                if inbox.status == 200:
                    inbox.spans += _read(body)
                self.send_response(inbox.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.inbox.hang is not None:
            self.inbox.hang.set()
        self._server.shutdown()
        self._server.server_close()

    def wait(self, count: int, seconds: float = 10.0) -> list[Received]:
        """The spans, once there are ``count``, in the order of their starts; AssertionError after ``seconds``."""
        deadline = time.monotonic() + seconds
        while len(self.inbox.spans) < count:
            assert time.monotonic() < deadline, self.inbox.spans
            time.sleep(0.02)
        return sorted(self.inbox.spans, key=lambda span: (span.start, span.kind))
