"""A client's SDK that hangs up ends the work at once; a connection the provider had closed is dialled anew.

What a client may leave at otherwise is in `test_fault_wall_hangups`.

The product's promise is 200 ms between the client's close and the upstream seeing it; the assertions allow a second,
because a busy test machine may not run either end in time.
"""

import time

import pytest

from tests.fake_answers import CHUNKED, SSE, speak
from tests.fake_dialects import chat_events
from tests.fake_requests import Request
from tests.fake_steps import Chunk, Close, Head, Reset, Script, Stall
from tests.fake_upstream import Answer
from tests.rig_client import dial, read_answer, request_bytes
from tests.rig_gateway import Gateway, ask

ALLOWED_SECONDS = 1.0
HEAD = Head(200, (*SSE, *CHUNKED))


def place(gateway: Gateway, dialect: str, model: str, script: Answer) -> None:
    path, _ = ask(dialect, model)
    if model == "whatever":
        gateway.local.on(path, script)
    else:
        gateway.external.on(f"/hasty{path}", script)


def assert_upstream_sees_it(gateway: Gateway, left_at: float) -> None:
    connection = gateway.behind.posts()[0].connection
    assert connection.closed.wait(ALLOWED_SECONDS), "the upstream goes on working for nobody"
    assert connection.closed_by_peer
    assert connection.closed_at is not None
    assert connection.closed_at - left_at < ALLOWED_SECONDS


def test_the_sdk_closing_a_stream_ends_it_too(gateway: Gateway) -> None:
    place(gateway, "chat", "whatever", (HEAD, *[Chunk(event) for event in chat_events()[:4]], Stall()))
    with gateway.openai() as client:
        stream = client.chat.completions.create(
            model="whatever", messages=[{"role": "user", "content": "hi"}], stream=True
        )
        next(iter(stream))
        left_at = time.monotonic()
        stream.close()
        assert_upstream_sees_it(gateway, left_at)


def once_then(ending: Script) -> Answer:
    """An answer that serves a connection's first call only."""

    def answer(request: Request) -> Script:
        return ending if request.nth else speak(request)

    return answer


@pytest.mark.parametrize("model", ["whatever", "hasty/m"])
@pytest.mark.parametrize("ending", [(Close(),), (Reset(),)], ids=["closed", "reset"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_a_connection_that_dies_as_the_next_call_arrives_is_dialled_anew(
    gateway: Gateway, model: str, ending: Script, stream: bool
) -> None:
    place(gateway, "chat", model, once_then(ending))
    with dial(gateway.port) as client:
        for _ in range(3):
            path, _body = ask("chat", model)
            body = b'{"model":"%s","messages":[],"stream":%s}' % (model.encode(), b"true" if stream else b"false")
            client.sendall(request_bytes("POST", path, body))
            answer = read_answer(client)
            assert (answer.status, answer.whole) == (200, True)


def test_a_connection_that_was_closed_while_idle_is_dialled_anew(gateway: Gateway) -> None:
    with dial(gateway.port) as client:
        for _ in range(3):
            client.sendall(request_bytes("POST", "/v1/chat/completions", b'{"model":"gpt-9","messages":[]}'))
            assert read_answer(client).status == 200
            gateway.external.close_idle()
            time.sleep(0.05)


def test_a_new_connection_that_dies_is_not_tried_again(gateway: Gateway) -> None:
    """The provider may have begun to work: only a connection that had been idle is known not to have seen the call."""
    gateway.external.on("/hasty/v1/chat/completions", (Close(),))
    assert gateway.post(*ask("chat", "hasty/m")).status == 502
    assert len(gateway.behind.posts()) == 1
