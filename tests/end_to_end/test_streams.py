"""A stream reaches the client as the provider wrote it: byte for byte, and each piece before the next one is sent."""

import pytest

from tests.fake_answers import CHUNKED, SSE, gated, whole
from tests.fake_dialects import WORDS, chat_events, completions_events, messages_events, responses_events
from tests.fake_steps import Chunk, Head, LastChunk, Step, WaitFor
from tests.rig_client import open_stream, receive_until
from tests.rig_gateway import DIALECTS, Gateway, ask

MODELS = {"chat": "gpt-9", "messages": "claude-9", "responses": "gpt-9"}
UPSTREAM = {
    "chat": "/openai/v1/chat/completions",
    "messages": "/anthropic/v1/messages",
    "responses": "/openai/v1/responses",
}
EVENTS = {"chat": chat_events, "messages": messages_events, "responses": responses_events}


def noisy(dialect: str) -> bytes:
    """A stream with everything the SSE standard allows between and inside its events."""
    events = EVENTS[dialect](("Grüße ", "\u2603", " \U0001f600", "."))
    head, tail = b": comment\n\n:\n\n\n", b": before the end\n\n"
    crlf = [event.replace(b"\n", b"\r\n") if number % 2 else event for number, event in enumerate(events)]
    unspaced = [event.replace(b"data: ", b"data:") if number % 3 == 0 else event for number, event in enumerate(crlf)]
    unspaced.insert(2, b"id: 7\nretry: 100\nunknown: field\n: inside\n\n")
    return head + b"".join(unspaced[:-1]) + tail + unspaced[-1]


@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20], ids="{} byte pieces".format)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_stream_arrives_byte_for_byte(gateway: Gateway, dialect: str, size: int) -> None:
    sent = noisy(dialect)
    pieces: list[Step] = [Chunk(sent[at : at + size]) for at in range(0, len(sent), size)]
    gateway.external.on(UPSTREAM[dialect], (Head(200, (*SSE, *CHUNKED)), *pieces, LastChunk()))
    answer = gateway.post(*ask(dialect, MODELS[dialect], stream=True))
    assert answer.status == 200
    assert answer.whole
    assert answer.body == sent
    assert (answer.get("content-type") or "").startswith("text/event-stream")


@pytest.mark.parametrize("model", ["whatever", None], ids=["local", "external"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_piece_reaches_the_client_before_the_next_is_sent(
    gateway: Gateway, dialect: str, model: str | None
) -> None:
    events = EVENTS[dialect](WORDS)
    # what stands ahead of the first word may be held back until it: there is nothing in it that a user sees
    first = next(number for number, event in enumerate(events) if b'"Patchbay"' in event)
    pieces = [b"".join(events[: first + 1]), *events[first + 1 :]]
    gates = [WaitFor() for _ in pieces[1:]]
    path, body = ask(dialect, model or MODELS[dialect], stream=True)
    (gateway.local if model else gateway.external).on(path if model else UPSTREAM[dialect], gated(pieces, gates))
    received = b""
    with open_stream(gateway.port, path, body) as client:
        for piece, gate in zip(pieces, [*gates, WaitFor()], strict=True):
            received = receive_until(client, piece)
            gate.gate.open()
        if not received.endswith(b"0\r\n\r\n"):
            receive_until(client, b"0\r\n\r\n")


def test_what_stands_before_the_first_word_is_not_lost_when_the_connection_stays_idle(gateway: Gateway) -> None:
    """Comments of a long prompt phase belong to the answer like everything else."""
    gate = WaitFor()
    events = chat_events()
    rest: list[Step] = [Chunk(event) for event in events]
    gateway.local.on("/v1/chat/completions", (Head(200, (*SSE, *CHUNKED)), Chunk(b":\n\n"), gate, *rest, LastChunk()))
    path, body = ask("chat", "whatever", stream=True)
    with open_stream(gateway.port, path, body) as client:
        gate.gate.open()
        received = receive_until(client, b"[DONE]")
    assert b"\r\n\r\n" in received
    assert b":\n\n" in received.partition(b"\r\n\r\n")[2]


def test_the_old_completions_stream_too(gateway: Gateway) -> None:
    """A model that still completes gets the call as it is; others are asked to chat (`test_translation_notes`)."""
    model = "gpt-3.5-turbo-instruct"
    answer = gateway.post("/v1/completions", {"model": model, "prompt": "a", "stream": True})
    assert answer.body == b"".join(completions_events(model=model))


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("framing", ["content-length", "chunked"])
def test_a_plain_answer_arrives_byte_for_byte_with_white_space_ahead(
    gateway: Gateway, dialect: str, framing: str
) -> None:
    """OpenRouter sends blank lines ahead of a JSON body while it waits."""
    path, body = ask(dialect, MODELS[dialect])
    sent = b'\n \n\t\n{ "id" : "x\\u00e9" , "odd" : 1.0 }  \n'
    if framing == "chunked":
        head = Head(200, (("content-type", "application/json"), *CHUNKED))
        gateway.external.on(UPSTREAM[dialect], (head, Chunk(sent[:3]), Chunk(sent[3:]), LastChunk()))
    else:
        gateway.external.on(UPSTREAM[dialect], whole(sent, "application/json"))
    answer = gateway.post(path, body)
    assert (answer.status, answer.body, answer.whole) == (200, sent, True)


def test_the_providers_own_ids_and_limits_pass_and_its_cookies_do_not(gateway: Gateway) -> None:
    passing = (("x-request-id", "req_1"), ("retry-after-ms", "5"), ("x-ratelimit-remaining-requests", "9"))
    hidden = (("set-cookie", "session=1"), ("server", "cloudflare"))
    gateway.external.on(UPSTREAM["chat"], whole(b"{}", "application/json", headers=(*passing, *hidden)))
    answer = gateway.post(*ask("chat", "gpt-9"))
    for name, value in passing:
        assert answer.get(name) == value
    for name, _ in hidden:
        assert answer.get(name) is None


def test_anthropics_ids_and_limits_pass(gateway: Gateway) -> None:
    passing = (("request-id", "req_1"), ("anthropic-ratelimit-tokens-remaining", "9"))
    gateway.external.on(UPSTREAM["messages"], whole(b"{}", "application/json", headers=passing))
    answer = gateway.post(*ask("messages", "claude-9"))
    for name, value in passing:
        assert answer.get(name) == value
