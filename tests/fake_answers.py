"""Ready-made scripts for the fake upstream: every dialect, the local server's own pages, and some bad manners."""

import json
import zlib
from collections.abc import Callable, Sequence
from typing import Any

from tests.fake_dialects import (
    INPUT_TOKENS,
    Json,
    anthropic_error,
    chat_body,
    chat_events,
    completions_body,
    completions_events,
    embeddings_body,
    error_body,
    messages_body,
    messages_events,
    models_body,
    responses_body,
    responses_events,
)
from tests.fake_requests import Request
from tests.fake_steps import Chunk, Head, Headers, LastChunk, Raw, Script, Sleep, Step, WaitFor, WebSocketEcho

SSE: Headers = (("content-type", "text/event-stream"), ("cache-control", "no-cache"))
CHUNKED: Headers = (("transfer-encoding", "chunked"),)


def json_answer(payload: Any, status: int = 200, headers: Headers = ()) -> Script:
    """A JSON answer with a right content-length."""
    return whole(json.dumps(payload).encode(), "application/json", status, headers)


def whole(body: bytes, content_type: str, status: int = 200, headers: Headers = ()) -> Script:
    """Any body with a right content-length."""
    framing = (("content-type", content_type), ("content-length", str(len(body))))
    return Head(status, (*framing, *headers)), Raw(body)


def streamed(events: Sequence[bytes], *, gap: float = 0.0, headers: Headers = ()) -> Script:
    """A chunked event stream, one chunk an event, ``gap`` seconds between."""
    between: tuple[Step, ...] = (Sleep(gap),) if gap else ()
    body = (step for event in events for step in (Chunk(event), *between))
    return Head(200, (*SSE, *CHUNKED, *headers)), *body, LastChunk()


def gated(pieces: Sequence[bytes], gates: Sequence[WaitFor]) -> Script:
    """A chunked event stream that sends piece k only after gate k-1 was opened."""
    body: list[Step] = [Chunk(pieces[0])]
    for gate, piece in zip(gates, pieces[1:], strict=True):
        body += [gate, Chunk(piece)]
    return Head(200, (*SSE, *CHUNKED)), *body, LastChunk()


def no_content_chunked(_: Request) -> Script:
    """A 204 that says chunked, as llama-server sends it."""
    return Head(204, CHUNKED), LastChunk()


def trailing(_: Request) -> Script:
    """A chunked answer with a trailer behind it."""
    headers = (("content-type", "text/plain"), *CHUNKED, ("trailer", "x-checksum"))
    return Head(200, headers), Chunk(b"body"), LastChunk((("x-checksum", "abc"),))


def gzipped(_: Request) -> Script:
    """A compressed JSON answer."""
    press = zlib.compressobj(wbits=31)
    body = press.compress(b'{"packed":true}') + press.flush()
    return whole(body, "application/json", headers=(("content-encoding", "gzip"),))


def echo_credentials(request: Request) -> Script:
    """A 401 that quotes the credentials it was sent, in its body and in a header: the worst an upstream can do."""
    shown = " ".join((*request.all("authorization"), *request.all("x-api-key")))
    if request.path.endswith("/messages"):
        return json_answer(anthropic_error(f"invalid x-api-key: {shown}", "authentication_error"), 401)
    return json_answer(error_body(f"Incorrect API key provided: {shown}", code="invalid_api_key"), 401)


def _asked(request: Request) -> Json:
    try:
        asked = json.loads(request.body)
    except ValueError:
        return {}
    return asked if isinstance(asked, dict) else {}


def _either(events: Callable[..., list[bytes]], body: Callable[..., Json]) -> Callable[[Request], Script]:
    def answer(request: Request) -> Script:
        asked = _asked(request)
        model = str(asked.get("model") or "fake-model")
        return streamed(events(model=model)) if asked.get("stream") is True else json_answer(body(model=model))

    return answer


def _local_page(request: Request) -> Script:
    body = {"path": request.target, "default_generation_settings": {"n_ctx": 4096}, "build_info": "fake"}
    return json_answer(body, headers=(("server", "llama.cpp"), ("access-control-allow-origin", "")))


_ENDPOINTS: dict[str, Callable[[Request], Script]] = {
    "/messages/count_tokens": lambda _: json_answer({"input_tokens": INPUT_TOKENS}),
    "/responses/input_tokens": lambda _: json_answer({"object": "response.input_tokens", "input_tokens": INPUT_TOKENS}),
    "/chat/completions": _either(chat_events, chat_body),
    "/completions": _either(completions_events, completions_body),
    "/messages": _either(messages_events, messages_body),
    "/responses": _either(responses_events, responses_body),
    "/embeddings": lambda request: json_answer(
        embeddings_body(model=str(_asked(request).get("model") or "fake-model"))
    ),
    "/models": lambda _: json_answer(models_body("fake-model")),
    "/props": _local_page,
    "/slots": lambda _: json_answer([{"id": 0, "n_ctx": 4096, "is_processing": False}]),
    "/tokenize": lambda _: json_answer({"tokens": [1, 2, 3]}),
    "/health": lambda _: json_answer({"status": "ok"}),
    "/nothing": no_content_chunked,
    "/trailers": trailing,
    "/gzip": gzipped,
    "/ws": lambda _: (WebSocketEcho(),),
}


def speak(request: Request) -> Script:
    """Answer every dialect under any prefix, and the local server's own pages; what is unknown gets a JSON 404."""
    if request.method == "OPTIONS":
        return no_content_chunked(request)
    path = request.path
    answer = next((answer for suffix, answer in _ENDPOINTS.items() if path.endswith(suffix)), None)
    script = answer(request) if answer else json_answer(error_body("File Not Found", code=404), 404)
    return script if request.method != "HEAD" else tuple(step for step in script if isinstance(step, Head))


def no_answer_here(request: Request) -> Script:
    """The default answer of an upstream that was given none."""
    body = b'{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}'
    headers = (("content-type", "application/json"), ("content-length", str(len(body))))
    return Head(404, headers), Raw(b"" if request.method == "HEAD" else body)
