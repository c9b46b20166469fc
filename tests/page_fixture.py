"""A stand-in for the page's API: serves the page as it lies in the tree, and answers what a test puts there.

It exists for the edges that real traffic cannot be made to show at will: a server that goes away in the middle of a
feed, half a year of numbers, a thousand models. It sends the same content security policy as the product.
"""

import contextlib
import json
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from tests.rig import ROOT

STATIC = ROOT / "addons" / "web" / "static"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
Json = dict[str, Any]
Event = tuple[str, Any]
_HANG_UP = ("", None)


class Feed:
    """Server-sent events of one path: ``opening`` is sent to whoever connects, ``send`` to everybody who listens."""

    def __init__(self, *opening: Event) -> None:
        self.opening: list[Event] = list(opening)
        self.connections = 0
        self._listeners: list[queue.Queue[Event]] = []
        self._lock = threading.Lock()

    def send(self, event: str, data: Any) -> None:
        """Tell everybody."""
        with self._lock:
            for listener in self._listeners:
                listener.put((event, data))

    def hang_up(self) -> None:
        """End every connection; those that come later are welcome."""
        self.send(*_HANG_UP)

    def listen(self) -> Iterator[Event]:
        """Yield what one connection gets."""
        own: queue.Queue[Event] = queue.Queue()
        with self._lock:
            self.connections += 1
            self._listeners.append(own)
            opening = list(self.opening)
        yield from opening
        while (event := own.get()) != _HANG_UP:
            yield event


class PageFixture:
    """What the stand-in answers. ``api`` is by path below /patchbay/api/: a value, or an error as (status, sentence).

    ``calls`` is by path of the API that clients use: the events of a stream, as bytes. ``asked`` and ``posted`` are
    what came.
    """

    def __init__(self) -> None:
        self.api: dict[str, Any] = {}
        self.feeds: dict[str, Feed] = {}
        self.calls: dict[str, list[bytes]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.posted: list[tuple[str, Json]] = []
        self.port = 0

    @property
    def url(self) -> str:
        """Where the page is, without a fragment."""
        return f"http://127.0.0.1:{self.port}/patchbay/"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fixture: ClassVar[PageFixture]

    def do_GET(self) -> None:
        split = urlsplit(self.path)
        path = split.path.removeprefix("/patchbay/")
        if not path.startswith("api/"):
            self._static("index.html" if path == "" else path.removeprefix("static/"))
            return
        name = path.removeprefix("api/")
        self.fixture.asked.append((name, {key: values[0] for key, values in parse_qs(split.query).items()}))
        if name in self.fixture.feeds:
            self._feed(self.fixture.feeds[name])
        else:
            self._json(self.fixture.api.get(name, (404, f"There is no {name}.")))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.fixture.posted.append((self.path, body))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("x-patchbay-id", "new")
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(b"".join(self.fixture.calls[self.path]))

    def _static(self, name: str) -> None:
        file: Path = STATIC / name
        if file.parent != STATIC or not file.is_file():
            self._json((404, "There is no such page."))
            return
        self._whole(200, file.read_bytes(), TYPES[file.suffix])

    def _json(self, value: Any) -> None:
        status, payload = (value[0], {"error": value[1]}) if isinstance(value, tuple) else (200, value)
        self._whole(status, json.dumps(payload).encode(), "application/json")

    def _whole(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.send_header("content-security-policy", CSP)
        self.end_headers()
        with contextlib.suppress(OSError):  # the page has left
            self.wfile.write(body)

    def _feed(self, feed: Feed) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for event, data in feed.listen():
            with contextlib.suppress(OSError):  # the page has left: the next event of the queue finds nobody
                self.wfile.write(f"event: {event}\ndata: {json.dumps(data)}\n\n".encode())
                self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what a test wants to know stands in ``asked``."""


@contextlib.contextmanager
def page_fixture() -> Iterator[PageFixture]:
    """Serve the page on a free port; every connection ends with it."""
    fixture = PageFixture()
    handler = type("Handler", (_Handler,), {"fixture": fixture})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        fixture.port = int(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield fixture
        finally:
            for feed in fixture.feeds.values():
                feed.hang_up()
            server.shutdown()
            thread.join(5)
