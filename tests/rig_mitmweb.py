"""mitmweb in front of the standard upstreams, and its API as its own page uses it."""

import contextlib
import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.rig import START_SECONDS, free_port, reachable, run_mitmweb
from tests.rig_client import Json
from tests.rig_gateway import Behind, Gateway, gateway_environment

_PASSWORD = "page-password"
_PAIR = "00" * 16  # mitmweb compares the cookie with the header, and no more


@dataclass(slots=True)
class WebPage:
    """mitmweb's API on loopback."""

    port: int

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One call of the API: its JSON, None where it says nothing; AssertionError for an error status."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"authorization": f"Bearer {_PASSWORD}", "cookie": f"_mitmproxy_xsrf={_PAIR}", "x-xsrftoken": _PAIR}
        try:
            payload = None if body is None else json.dumps(body)
            connection.request(method, path, payload, {**headers, "content-type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status < 400, (answer.status, text)
            return json.loads(text) if text else None
        finally:
            connection.close()

    def flows(self) -> list[Json]:
        """Every flow that it keeps, in its order."""
        flows: list[Json] = self.ask("GET", "/flows")
        return flows

    def wait_for(self, is_there: Callable[[list[Json]], bool], seconds: float = 10.0) -> list[Json]:
        """The flows, once they are as wanted; AssertionError after ``seconds``."""
        deadline = time.monotonic() + seconds
        while not is_there(flows := self.flows()):
            assert time.monotonic() < deadline, [flow["comment"] for flow in flows]
            time.sleep(0.05)
        return flows

    def wait_for_event(self, text: str, seconds: float = 10.0) -> None:
        """Return when the event log holds ``text``: it is written by a thread of its own."""
        deadline = time.monotonic() + seconds
        while not any(text in entry["message"] for entry in self.ask("GET", "/events")):
            assert time.monotonic() < deadline, text
            time.sleep(0.05)

    def change(self, flow: Json, **fields: Any) -> None:
        """Change a flow as a person does."""
        self.ask("PUT", f"/flows/{flow['id']}", fields)

    def run(self, command: str, *arguments: str) -> Json:
        """Run a command as its command bar does: ``value``, or ``error``."""
        said: Json = self.ask("POST", f"/commands/{command}", {"arguments": list(arguments)})
        return said


@contextlib.contextmanager
def run_web_gateway(
    upstreams: Behind, folder: Path, *, env: Mapping[str, str] | None = None, args: Sequence[str] = ()
) -> Iterator[tuple[Gateway, WebPage]]:
    """Run `mitmweb -s addons/route.py` with the standard registry."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "registry.yaml").write_text(upstreams.registry())
    environment, port = gateway_environment(folder, env), free_port()
    page = ("--web-port", str(port), "--set", f"web_password={_PASSWORD}")
    with run_mitmweb(upstreams.local.url, environment, folder, (*page, *args)) as program:
        deadline = time.monotonic() + START_SECONDS
        while not reachable(port):
            assert time.monotonic() < deadline, program.output
            time.sleep(0.02)
        yield Gateway("mitmweb", program, upstreams, folder, environment), WebPage(port)
