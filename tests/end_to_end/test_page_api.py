"""The page's API over real sockets: calls are recorded, told as they run, sent again; nobody else is let in."""

import contextlib
import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fake_answers import CHUNKED, SSE, echo_credentials, json_answer
from tests.fake_dialects import WORDS, chat_body, chat_events
from tests.fake_steps import Chunk, Gate, Head, LastChunk, WaitFor
from tests.rig_client import RawAnswer, exchange, open_stream, receive_until, request_bytes, send_raw
from tests.rig_gateway import CLIENT_SECRET, DIALECTS, KEYS, Gateway, ask

MODELS = {"chat": "gpt-9", "messages": "claude-9", "responses": "gpt-9"}
PATH = "/openai/v1/chat/completions"
API = "/patchbay/api/"


def asked(gateway: Gateway, path: str, method: str = "GET", *, host: str = "", **headers: str) -> RawAnswer:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    data = request_bytes(method, path, headers=named, host=host or f"127.0.0.1:{gateway.port}")
    return send_raw(gateway.port, data, method=method)


def told(gateway: Gateway, path: str) -> Any:
    answer = asked(gateway, API + path)
    assert answer.status == 200, answer.body
    assert not [value for value in (*KEYS.values(), CLIENT_SECRET) if value.encode() in answer.body]
    return answer.json()


class Events:
    """A feed that is read event by event."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self._response = response

    def until(self, name: str, **values: object) -> Any:
        """The data of the next event of this name that has these values; what comes before is passed over."""
        event = ""
        while line := self._response.readline().decode().rstrip("\n"):
            kind, _, value = line.partition(": ")
            if kind == "event":
                event = value
            elif kind == "data":
                data = json.loads(value)
                self._response.readline()
                if event == name and values.items() <= data.items():
                    return data
        raise AssertionError(f"the feed ended before {name}")


@contextlib.contextmanager
def feed(gateway: Gateway, path: str) -> Iterator[Events]:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    connection.request("GET", API + path)
    response = connection.getresponse()
    assert response.status == 200
    assert response.getheader("content-type") == "text/event-stream"
    try:
        yield Events(response)
    finally:
        response.close()
        connection.close()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_call_is_recorded_shown_and_sent_again(gateway: Gateway, dialect: str) -> None:
    answer = gateway.post(*ask(dialect, MODELS[dialect]))
    identifier = str(answer.get("x-patchbay-id"))
    exchange(gateway.database, identifier)
    shown = told(gateway, f"exchanges/{identifier}")["exchange"]
    assert (shown["outcome"], shown["snippet"]) == ("ok", "Say hello")
    assert shown["answer"]["parts"][0]["text"] == "".join(WORDS)
    assert identifier in [row["id"] for row in told(gateway, "history?search=hello&limit=200")["exchanges"]]
    again = told(gateway, f"exchanges/{identifier}/request?model=fast")
    streamed = gateway.post(again["path"], again["body"], (("origin", gateway.url), ("sec-fetch-site", "same-origin")))
    assert (streamed.status, streamed.get("x-patchbay-provider")) == (200, "local")
    exchange(gateway.database, str(streamed.get("x-patchbay-id")))
    assert str(streamed.get("x-patchbay-id")) in told(gateway, f"exchanges/{identifier}")["exchange"]["siblings"]


def test_a_stream_is_told_while_it_runs(gateway: Gateway) -> None:
    events = chat_events()
    gate = Gate()
    gateway.external.on(
        PATH,
        (Head(200, (*SSE, *CHUNKED)), *map(Chunk, events[:4]), WaitFor(gate), *map(Chunk, events[4:]), LastChunk()),
    )
    with feed(gateway, "live") as calls:
        calls.until("calls")
        with open_stream(gateway.port, *ask("chat", "gpt-9", stream=True)) as client:
            receive_until(client, events[3])
            running = calls.until("call", phase="streaming")
            assert (running["provider"], running["outcome"], running["estimated"]) == ("openai", None, True)
            with feed(gateway, f"live/{running['id']}") as one:
                begun = one.until("conversation")
                assert begun["messages"][0]["parts"][0]["text"] == "Say hello"
                one.until("piece")
                gate.open()
                assert one.until("end")["outcome"] == "ok"
            ended = calls.until("call", id=running["id"], phase="ended")
            assert (ended["output_tokens"], ended["estimated"]) == (len(WORDS), False)
    assert asked(gateway, f"{API}live/{running['id']}").status == 404


def test_models_providers_and_numbers(gateway: Gateway) -> None:
    gateway.post(*ask("chat", "gpt-9"))
    models = {model["name"]: model for model in told(gateway, "models")["models"]}
    assert (models["fake-model"]["state"], models["fake-model"]["local"]) == ("loaded", True)
    assert models["fast"]["alias_of"] == "local/qwen3-8b"
    providers = {provider["name"]: provider for provider in told(gateway, "providers")["providers"]}
    assert providers["openai"]["key"] == "configured"
    lines = [line for client in told(gateway, "providers")["clients"] for line in client["lines"]]
    assert f"export OPENAI_BASE_URL=http://127.0.0.1:{gateway.port}/v1" in lines
    assert told(gateway, "numbers?by=model")["total"]["exchanges"] > 0
    assert "openai" in told(gateway, "history/facets")["providers"]


def test_what_a_model_says_is_text_and_keys_are_not_shown(gateway: Gateway) -> None:
    script = "<script>alert(1)</script>"
    gateway.external.on(PATH, json_answer(chat_body((script,))))
    identifier = str(gateway.post(*ask("chat", "gpt-9")).get("x-patchbay-id"))
    exchange(gateway.database, identifier)
    answer = asked(gateway, f"{API}exchanges/{identifier}")
    assert answer.json()["exchange"]["answer"]["parts"][0]["text"] == script
    assert (answer.get("content-type"), answer.get("x-content-type-options")) == ("application/json", "nosniff")
    gateway.external.on(PATH, echo_credentials)
    refused = gateway.post(*ask("chat", "gpt-9"), (("authorization", f"Bearer {CLIENT_SECRET}"),))
    identifier = str(refused.get("x-patchbay-id"))
    exchange(gateway.database, identifier)
    for path in (f"exchanges/{identifier}", f"exchanges/{identifier}/request?model=m", "history?limit=200"):
        told(gateway, path)


FOREIGN: dict[str, dict[str, str]] = {
    "a name that was led here": {"host": "rebound.example"},
    "a name that looks like ours": {"host": "127.0.0.1.rebound.example"},
    "another site's page": {"origin": "http://rebound.example"},
    "another port's page": {"origin": "http://127.0.0.1:1"},
    "a link on another site": {"sec_fetch_site": "cross-site"},
    "another machine behind a proxy": {"x_forwarded_for": "192.0.2.7"},
}


@pytest.mark.parametrize("who", FOREIGN)
def test_nobody_else_is_shown_anything(gateway: Gateway, who: str) -> None:
    for path in ("/patchbay/", "/patchbay/static/main.js", f"{API}history", f"{API}live"):
        answer = asked(gateway, path, **FOREIGN[who])
        assert answer.status == 403, path
        assert answer.json()["error"]


def test_paths_lead_nowhere_else_and_nothing_is_written(gateway: Gateway) -> None:
    assert asked(gateway, "/patchbay/").get("etag")
    for path in (
        "static/../page.py",
        "static/..%2fpage.py",
        "static/%2e%2e/page.py",
        "static//etc/passwd",
        "api/../static",
    ):
        assert asked(gateway, f"/patchbay/{path}").status == 404, path
    for path in ("", "static/main.js", "api/history", "api/live"):
        answer = asked(gateway, f"/patchbay/{path}", "POST")
        assert (answer.status, answer.get("allow")) == (405, "GET, HEAD")
        assert asked(gateway, f"/patchbay/{path}", "HEAD").body == b""
    assert not gateway.local.requests
