"""Pictures and documents by URL, for a provider that gets the bytes alone; and pictures in an answer."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fake_answers import json_answer, streamed, whole
from tests.fake_dialects import chat_body
from tests.fake_requests import Request
from tests.fake_steps import Gate, Head, Script, WaitFor
from tests.fake_upstream import FakeUpstream
from tests.rig_client import Json, exchange
from tests.rig_gateway import WAYS, Behind, Gateway, ask, assert_told_in_dialect
from tests.rig_translation import (
    PAIRS,
    assert_valid_request,
    openai_client,
    run_translating,
    upstream_path,
)

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
PDF = b"%PDF-1.7\n" + bytes(range(256))
PICTURE, PAPER = (base64.b64encode(content).decode() for content in (PNG, PDF))
STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])


def files(request: Request) -> Script:
    """A file server with a picture, a document, a page, a way round, and a secret."""
    match request.path:
        case "/a.png":
            return whole(PNG, "application/octet-stream")
        case "/a.pdf":
            return whole(PDF, "application/pdf")
        case "/moved":
            return (Head(302, (("location", "/a.png"), ("content-length", "0"))),)
        case "/page":
            return whole(b"<html>the secret page</html>", "image/png")
    return whole(b"nothing", "text/plain", 404)


@pytest.fixture(name="running", scope="module", params=WAYS)
def fixture_running(
    request: pytest.FixtureRequest, all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    with run_translating(str(request.param), all_upstreams, tmp_path_factory.mktemp("translating")) as gateway:
        yield gateway


@pytest.fixture(name="server")
def fixture_server() -> Iterator[FakeUpstream]:
    with FakeUpstream(files) as server:
        yield server


def parts(dialect: str, picture: str, paper: str) -> list[Json]:
    """How a client of a dialect names a picture and a document by their addresses."""
    said: dict[str, list[Json]] = {
        "chat": [
            {"type": "image_url", "image_url": {"url": picture}},
            {"type": "file", "file": {"file_data": paper, "filename": "a.pdf"}},
        ],
        "messages": [
            {"type": "image", "source": {"type": "url", "url": picture}},
            {"type": "document", "source": {"type": "url", "url": paper}, "title": "a.pdf"},
        ],
        "responses": [
            {"type": "input_image", "image_url": picture, "detail": "auto"},
            {"type": "input_file", "file_url": paper, "filename": "a.pdf"},
        ],
    }
    return said[dialect]


def look(dialect: str, model: str, picture: str, paper: str, **more: Any) -> tuple[str, Json]:
    said = [{"role": "user", "content": parts(dialect, picture, paper)}]
    conversation: Json = {"input" if dialect == "responses" else "messages": said, **more}
    return ask(dialect, model, **conversation)


@STREAMED
@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_what_stands_at_an_address_is_sent_inline(
    gateway: Gateway, server: FakeUpstream, client: str, provider: str, stream: bool
) -> None:
    asked = look(client, f"only-{provider}/m", f"{server.url}/moved", f"{server.url}/a.pdf", stream=stream)
    answer = gateway.post(*asked)
    assert answer.status == 200, answer.body
    (sent,) = gateway.behind.posts()
    assert sent.path == upstream_path(provider)
    text = sent.body.decode()
    assert (PICTURE in text, PAPER in text, server.url in text) == (True, True, False)
    assert "image/png" in text
    assert_valid_request(provider, json.loads(sent.body))
    assert sorted(request.path for request in server.requests) == ["/a.pdf", "/a.png", "/moved"]
    assert not {
        name for request in server.requests for name, _ in request.headers if name in ("authorization", "cookie")
    }
    row = exchange(gateway.database, answer.get("x-patchbay-id") or "")
    assert (row["outcome"], row["translation"] or "") == ("ok", "")


@pytest.mark.parametrize("client", ["chat", "messages", "responses"])
def test_the_same_dialect_passes_addresses_untouched(gateway: Gateway, server: FakeUpstream, client: str) -> None:
    path, body = look(client, f"only-{client}/m", f"{server.url}/a.png", f"{server.url}/a.pdf")
    assert gateway.post(path, body).status == 200
    (sent,) = gateway.behind.posts()
    assert f"{server.url}/a.png" in sent.body.decode()
    assert not server.requests


@STREAMED
@pytest.mark.parametrize(
    ("path", "why"), [("/page", "no JPEG, PNG, GIF or WebP"), ("/missing", "answered 404"), ("/a.pdf", "no JPEG")]
)
@pytest.mark.parametrize(("client", "provider"), PAIRS[:3])
def test_what_cannot_be_had_is_refused_and_named(
    gateway: Gateway, server: FakeUpstream, client: str, provider: str, path: str, why: str, stream: bool
) -> None:
    asked = look(client, f"only-{provider}/m", f"{server.url}{path}", f"{server.url}/a.pdf", stream=stream)
    answer = gateway.post(*asked)
    error = assert_told_in_dialect(answer, client, gateway.behind, 400)
    assert why in error["message"]
    assert error["message"].startswith(("messages", "input"))
    assert server.url not in answer.body.decode()
    assert "secret page" not in answer.body.decode()
    assert not gateway.behind.posts()
    row = exchange(gateway.database, answer.get("x-patchbay-id") or "")
    assert (row["status"], row["outcome"]) == (400, "client_error")


@pytest.mark.parametrize(
    "headers", [(("x-forwarded-for", "203.0.113.9"),), (("origin", "https://pages.example"),)], ids=["proxy", "page"]
)
def test_nobody_else_makes_us_knock_at_this_machine(
    gateway: Gateway, server: FakeUpstream, headers: tuple[tuple[str, str], ...]
) -> None:
    answer = gateway.post(*look("chat", "only-messages/m", f"{server.url}/a.png", f"{server.url}/a.pdf"), headers)
    assert "public internet" in assert_told_in_dialect(answer, "chat", gateway.behind, 400)["message"]
    assert not server.requests


def test_a_slow_download_keeps_nobody_waiting(gateway: Gateway, server: FakeUpstream) -> None:
    gate = Gate()
    server.on("/slow", (WaitFor(gate), *whole(PNG, "image/png")))
    path, body = look("messages", "only-chat/m", f"{server.url}/slow", f"{server.url}/a.pdf")
    answers: list[int] = []
    slow = threading.Thread(target=lambda: answers.append(gateway.post(path, body).status))
    slow.start()
    server.wait_for(1)
    started = time.monotonic()
    assert gateway.post(*ask("messages", "only-chat/m")).status == 200
    assert time.monotonic() - started < 5
    assert not answers
    gate.open()
    slow.join(10)
    assert answers == [200]


IMAGE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}}


def chunk(delta: Json, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    value = {"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [choice]}
    return b"data: %s\n\n" % json.dumps(value).encode()


def picture_answer(request: Request) -> Script:
    """A text and a picture, as OpenRouter gives them."""
    if json.loads(request.body).get("stream"):
        deltas: list[Json] = [{"role": "assistant", "content": "Here it is."}, {"images": [{**IMAGE, "index": 0}]}]
        return streamed([*map(chunk, deltas), chunk({}, "stop"), b"data: [DONE]\n\n"])
    body = chat_body(("Here it is.",))
    body["choices"][0]["message"]["images"] = [IMAGE]
    return json_answer(body)


@STREAMED
def test_a_picture_of_an_answer_reaches_a_responses_client(gateway: Gateway, stream: bool) -> None:
    gateway.external.on(upstream_path("chat"), picture_answer)
    with openai_client(gateway.url) as client:
        if stream:
            with client.responses.stream(model="only-chat/m", input="Draw") as events:
                answer: Any = events.get_final_response()
        else:
            answer = client.responses.create(model="only-chat/m", input="Draw")
    assert answer.output_text == "Here it is."
    (drawn,) = [item for item in answer.output if item.type == "image_generation_call"]
    assert (drawn.result, drawn.output_format, drawn.status) == (PICTURE, "png", "completed")


def test_a_picture_that_a_client_cannot_be_given_is_noted(gateway: Gateway) -> None:
    gateway.external.on(upstream_path("chat"), picture_answer)
    answer = gateway.post(*ask("messages", "only-chat/m"))
    assert answer.status == 200
    assert [block["text"] for block in answer.json()["content"] if block["type"] == "text"] == ["Here it is."]
    assert answer.get("x-patchbay-translation") == "dropped=content.image"
    assert PICTURE not in answer.body.decode()
