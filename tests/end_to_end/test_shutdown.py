"""SIGTERM: nobody new comes in, calls in flight end well or are told, all of them are recorded (specs: faults, F35)."""

import contextlib
import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from tests.fake_answers import CHUNKED, SSE, json_answer
from tests.fake_dialects import chat_body, chat_events, messages_events, responses_events
from tests.fake_steps import Chunk, Head, LastChunk, Script, Stall, WaitFor
from tests.rig import free_port, reachable
from tests.rig_client import (
    RawAnswer,
    dial,
    finished,
    open_stream,
    query,
    read_answer,
    receive_until,
    request_bytes,
)
from tests.rig_gateway import DIALECTS, WAYS, Behind, Gateway, ask, run_gateway

EVENTS: dict[str, list[bytes]] = {
    "chat": chat_events(),
    "messages": messages_events(),
    "responses": responses_events(),
}
BEGUN = {"chat": 4, "messages": 5, "responses": 6}  # events after which each stream has shown content
PATHS = {dialect: ask(dialect, "m")[0] for dialect in DIALECTS}
SLACK = 2.0  # seconds beyond the grace, by the specification

Start = Callable[..., Gateway]


@pytest.fixture(name="start", params=WAYS)
def fixture_start(request: pytest.FixtureRequest, upstreams: Behind, tmp_path: Path) -> Iterator[Start]:
    """Starts gateways with a grace, each way."""
    with contextlib.ExitStack() as stack:

        def start(grace: float) -> Gateway:
            env = {"PATCHBAY_SHUTDOWN_GRACE": str(grace)}
            return stack.enter_context(run_gateway(str(request.param), upstreams, tmp_path, env=env))

        yield start


def begun(dialect: str) -> tuple[Head | Chunk, ...]:
    """An answer up to where it has shown content."""
    return (Head(200, (*SSE, *CHUNKED)), *map(Chunk, EVENTS[dialect][: BEGUN[dialect]]))


def stall(gateway: Gateway) -> None:
    """Have every stream begin and then say nothing more."""
    for dialect in DIALECTS:
        gateway.local.on(PATHS[dialect], (*begun(dialect), Stall()))


def open_one(stack: contextlib.ExitStack, gateway: Gateway, dialect: str) -> socket.socket:
    client = stack.enter_context(open_stream(gateway.port, *ask(dialect, "m", stream=True)))
    receive_until(client, EVENTS[dialect][BEGUN[dialect] - 1])
    return client


def rest(client: socket.socket) -> bytes:
    """Everything up to the end of the connection, which must come."""
    client.settimeout(10)
    received = b""
    while piece := client.recv(65536):
        received += piece
    return received


def signal_and_wait_until_closed(gateway: Gateway) -> None:
    gateway.program.process.terminate()
    deadline = time.monotonic() + 5
    while reachable(gateway.port):
        assert time.monotonic() < deadline, "the port stays open"
        time.sleep(0.01)


def error_of(dialect: str, received: bytes) -> Any:
    """The error event that ends a stream; the framing must be complete behind it."""
    assert received.endswith(b"\r\n0\r\n\r\n"), received[-200:]
    lines = [line for line in received.splitlines() if line.startswith(b"data:")]
    assert b"[DONE]" not in lines[-1]
    payload = json.loads(lines[-1].removeprefix(b"data:"))
    return payload["error"] if dialect != "messages" else payload


def assert_told(dialect: str, received: bytes) -> None:
    error = error_of(dialect, received)
    if dialect == "messages":
        assert error["type"] == "error"
        assert error["error"]["type"] == "overloaded_error"
        assert error["error"]["details"]["error_code"] == "gateway_shutdown"
    else:
        assert error["code"] == "gateway_shutdown"
    assert b"not found" not in received.lower()


def exit_code(gateway: Gateway, seconds: float) -> int:
    return gateway.program.process.wait(seconds)


def assert_clean(gateway: Gateway) -> None:
    for word in ("Traceback", "crashed", "Task was destroyed", "never retrieved"):
        assert word not in gateway.program.output, gateway.program.output


def test_a_hundred_streams_are_told_and_recorded(start: Start) -> None:
    gateway = start(grace=0.7)
    stall(gateway)
    with contextlib.ExitStack() as stack:
        asked = [DIALECTS[number % 3] for number in range(100)]
        clients = [open_one(stack, gateway, dialect) for dialect in asked]
        began = time.monotonic()
        signal_and_wait_until_closed(gateway)
        for dialect, client in zip(asked, clients, strict=True):
            assert_told(dialect, rest(client))
        assert exit_code(gateway, 5) == 0
        took = time.monotonic() - began
    assert 0.7 <= took < 0.7 + SLACK
    rows = query(gateway.database, "select outcome, who_ended, status, error from exchanges")
    assert [(row["outcome"], row["who_ended"], row["status"]) for row in rows] == [("shutdown", "gateway", 200)] * 100
    assert "(100)" in gateway.program.output
    assert_clean(gateway)


def test_streams_that_end_within_the_grace_are_whole(start: Start) -> None:
    gateway = start(grace=20)
    gate = WaitFor()
    script: Script = (*begun("chat"), gate, *map(Chunk, EVENTS["chat"][BEGUN["chat"] :]), LastChunk())
    gateway.local.on(PATHS["chat"], script)
    with contextlib.ExitStack() as stack:
        client = open_one(stack, gateway, "chat")
        signal_and_wait_until_closed(gateway)
        gate.gate.open()
        began = time.monotonic()
        received = rest(client)
        assert exit_code(gateway, 5) == 0
        assert time.monotonic() - began < SLACK
    assert received.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    assert b"error" not in received
    (row,) = query(gateway.database, "select outcome from exchanges")
    assert row == {"outcome": "ok"}
    assert_clean(gateway)


def test_a_second_signal_is_now(start: Start) -> None:
    gateway = start(grace=60)
    stall(gateway)
    with contextlib.ExitStack() as stack:
        clients = {dialect: open_one(stack, gateway, dialect) for dialect in DIALECTS}
        signal_and_wait_until_closed(gateway)
        began = time.monotonic()
        gateway.program.process.terminate()
        for dialect, client in clients.items():
            assert_told(dialect, rest(client))
        assert exit_code(gateway, 5) == 0
        assert time.monotonic() - began < SLACK
    assert [row["outcome"] for row in query(gateway.database, "select outcome from exchanges")] == ["shutdown"] * 3
    assert_clean(gateway)


def test_idle_connections_hold_nothing_up(start: Start) -> None:
    gateway = start(grace=60)
    gateway.local.on(PATHS["chat"], json_answer(chat_body()))
    with dial(gateway.port) as used, dial(gateway.port) as silent:
        used.sendall(request_bytes("POST", PATHS["chat"], json.dumps(ask("chat", "m")[1]).encode()))
        assert read_answer(used).status == 200
        began = time.monotonic()
        gateway.program.process.terminate()
        assert exit_code(gateway, 5) == 0
        assert time.monotonic() - began < SLACK
        assert (rest(used), rest(silent)) == (b"", b"")
    assert_clean(gateway)


def answer_on(client: socket.socket, method: str, target: str, body: bytes = b"") -> RawAnswer:
    client.sendall(request_bytes(method, target, body))
    return read_answer(client, method)


def test_what_comes_on_open_connections_while_draining(start: Start) -> None:
    gateway = start(grace=60)
    stall(gateway)
    with contextlib.ExitStack() as stack:
        stream = open_one(stack, gateway, "chat")
        probe, late = stack.enter_context(dial(gateway.port)), stack.enter_context(dial(gateway.port))
        assert answer_on(probe, "GET", "/patchbay/health").status == 200
        assert answer_on(late, "GET", "/health").status == 200  # llama-server's own
        signal_and_wait_until_closed(gateway)

        health = answer_on(probe, "GET", "/patchbay/health")
        assert (health.status, health.json()["status"]) == (503, "draining")
        assert health.json()["calls_in_flight"] == 1
        refused = answer_on(late, "POST", PATHS["messages"], json.dumps(ask("messages", "m")[1]).encode())
        assert refused.status == 529
        assert refused.json()["error"]["details"]["error_code"] == "gateway_shutdown"
        assert refused.get("connection") == "close"
        assert rest(late) == b""

        gateway.program.process.terminate()
        assert_told("chat", rest(stream))
        assert exit_code(gateway, 5) == 0
    assert_clean(gateway)


def test_calls_without_an_answer_yet_get_a_real_error(start: Start) -> None:
    gateway = start(grace=0.3)
    gateway.local.on(PATHS["chat"], (Stall(),))
    gateway.local.on("/props", (Stall(),))
    gateway.local.on("/slots", (Head(200, CHUNKED), Chunk(b"begun"), Stall()))
    with contextlib.ExitStack() as stack:
        call, page, cut = (stack.enter_context(dial(gateway.port)) for _ in range(3))
        call.sendall(request_bytes("POST", PATHS["chat"], json.dumps(ask("chat", "m")[1]).encode()))
        page.sendall(request_bytes("GET", "/props"))
        cut.sendall(request_bytes("GET", "/slots"))
        receive_until(cut, b"begun")
        paths = [request.path for request in gateway.local.wait_for(3)]
        assert {PATHS["chat"], "/props", "/slots"} <= set(paths) or gateway.local.wait_for(4)
        gateway.program.process.terminate()
        answers = read_answer(call), read_answer(page, "GET")
        assert [answer.status for answer in answers] == [503, 503]
        assert [answer.json()["error"]["code"] for answer in answers] == ["gateway_shutdown"] * 2
        assert not rest(cut).endswith(b"0\r\n\r\n")
        assert exit_code(gateway, 5) == 0
    row = finished(gateway.database, "select outcome, status from exchanges")[0]
    assert (row["outcome"], row["status"]) == ("shutdown", 503)
    assert_clean(gateway)


def test_a_client_that_reads_nothing_holds_nobody_up(start: Start) -> None:
    gateway = start(grace=0.3)
    flood = [Chunk(EVENTS["chat"][1] * 400)] * 400
    gateway.local.on(PATHS["chat"], (*begun("chat"), *flood, Stall()))
    with contextlib.ExitStack() as stack:
        open_one(stack, gateway, "chat")
        time.sleep(0.3)  # until every buffer on the way is full
        began = time.monotonic()
        gateway.program.process.terminate()
        assert exit_code(gateway, 6) == 0
        assert time.monotonic() - began < 0.3 + SLACK
    assert query(gateway.database, "select outcome from exchanges") == [{"outcome": "shutdown"}]


def drive(gateway: Gateway, dialect: str) -> Iterator[object]:
    """The events of a stream as the official client yields them."""
    said: Any = [{"role": "user", "content": "hi"}]
    if dialect == "messages":
        with gateway.anthropic() as messages:
            yield from messages.messages.create(model="m", max_tokens=9, messages=said, stream=True)
        return
    with gateway.openai() as client:
        if dialect == "chat":
            yield from client.chat.completions.create(model="m", messages=said, stream=True)
        else:
            yield from client.responses.create(model="m", input="hi", stream=True)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_official_clients_raise(start: Start, dialect: str) -> None:
    gateway = start(grace=0.3)
    stall(gateway)
    stream = drive(gateway, dialect)
    next(stream)
    gateway.program.process.terminate()
    with pytest.raises((openai.APIError, anthropic.APIStatusError), match="shutting down"):
        for _ in stream:
            pass
    assert exit_code(gateway, 5) == 0


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_the_same_with_mitmwebs_page(upstreams: Behind, tmp_path: Path, name: signal.Signals) -> None:
    args = ("--web", "--web-port", str(free_port()))
    env = {"PATCHBAY_SHUTDOWN_GRACE": "60"}
    with run_gateway("serve", upstreams, tmp_path, env=env, args=args) as gateway, contextlib.ExitStack() as stack:
        stall(gateway)
        client = open_one(stack, gateway, "chat")
        gateway.program.process.send_signal(name)
        gateway.program.wait_for_output("calls in flight (1) have 60 s")
        gateway.program.process.send_signal(name)
        assert_told("chat", rest(client))
        assert exit_code(gateway, 5) == 0
        assert query(gateway.database, "select outcome from exchanges") == [{"outcome": "shutdown"}]
        assert_clean(gateway)
