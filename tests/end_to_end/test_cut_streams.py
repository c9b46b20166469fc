"""Ends of streams beside the cuts of `test_fault_wall_streams`: a provider's own error, a good end, a long one."""

import time

import pytest

from tests.fake_answers import CHUNKED, SSE
from tests.fake_dialects import chat_events, messages_events, responses_events
from tests.fake_steps import Chunk, Close, Head, LastChunk, Raw, Sleep, Step
from tests.rig_gateway import DIALECTS, SDK_ERRORS, Gateway, ask, stream_of

SUFFIX = {"chat": "/chat/completions", "messages": "/messages", "responses": "/responses"}
EVENTS = {"chat": chat_events, "messages": messages_events, "responses": responses_events}
FIRST_PIECES = 6  # enough for the first words in every dialect
HEAD = Head(200, (*SSE, *CHUNKED))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_error_event_of_the_provider_passes_and_the_sdk_raises(gateway: Gateway, dialect: str) -> None:
    event = {
        "chat": b'data: {"error":{"message":"Overloaded","type":"overloaded_error","param":null,"code":529}}\n\n',
        "messages": b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error",'
        b'"message":"Overloaded"}}\n\n',
        "responses": b'event: error\ndata: {"type":"error","code":"overloaded","message":"Overloaded","param":null,'
        b'"sequence_number":9,"error":{"message":"Overloaded","type":"server_error","code":"overloaded"}}\n\n',
    }[dialect]
    pieces = EVENTS[dialect]()[:FIRST_PIECES]
    begun = [Chunk(piece) for piece in pieces]
    # a pause: what comes together with the first words can still become a real error
    gateway.external.on(f"/hasty/v1{SUFFIX[dialect]}", (HEAD, *begun, Sleep(0.1), Chunk(event), LastChunk()))
    answer = gateway.post(*ask(dialect, "hasty/m", stream=True))
    assert answer.body == b"".join(pieces) + event
    with pytest.raises(SDK_ERRORS, match="Overloaded"):
        stream_of(gateway, dialect, "hasty/m")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_stream_that_has_said_everything_is_whole_however_its_connection_ends(gateway: Gateway, dialect: str) -> None:
    events = EVENTS[dialect]()
    gateway.external.on(f"/hasty/v1{SUFFIX[dialect]}", (HEAD, *[Chunk(event) for event in events], Close()))
    answer = gateway.post(*ask(dialect, "hasty/m", stream=True))
    assert answer.body == b"".join(events)
    stream_of(gateway, dialect, "hasty/m")


def test_a_stream_without_framing_that_ends_with_its_connection_is_whole(gateway: Gateway) -> None:
    events = chat_events()
    gateway.external.on("/hasty/v1/chat/completions", (Head(200, SSE), *[Raw(event) for event in events], Close()))
    answer = gateway.post(*ask("chat", "hasty/m", stream=True))
    assert (answer.body, answer.whole) == (b"".join(events), True)


def test_a_large_plain_answer_that_breaks_is_visibly_cut(gateway: Gateway) -> None:
    """Beyond what is held back there is no way to say that something is missing but to cut the connection."""
    size = 3 << 20
    head = Head(200, (("content-type", "application/json"), ("content-length", str(2 * size))))
    gateway.external.on("/hasty/v1/chat/completions", (head, Raw(b'{"a":"' + b"x" * size), Close()))
    answer = gateway.post(*ask("chat", "hasty/m"))
    assert not answer.whole or answer.status == 502


@pytest.mark.slow
def test_a_stream_that_trickles_past_the_total_deadline_is_ended(gateway: Gateway) -> None:
    words = [Chunk(event) for event in chat_events(["word "] * 60)[:60]]
    pieces: list[Step] = []
    for word in words:
        pieces += [word, Sleep(0.15)]
    gateway.external.on("/hasty/v1/chat/completions", (HEAD, *pieces, LastChunk()))
    began = time.monotonic()
    answer = gateway.post(*ask("chat", "hasty/m", stream=True))
    assert 3.5 < time.monotonic() - began < 5.0
    assert b'"error"' in answer.body
    assert b"[DONE]" not in answer.body
