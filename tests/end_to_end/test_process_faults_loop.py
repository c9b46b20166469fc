"""The event loop is kept, the process is stopped, the clock jumps (specs: faults, F38, F44, F45), each way."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from addons.process.loop_lag import START_UP
from tests.fake_answers import CHUNKED, SSE, json_answer
from tests.fake_dialects import chat_body, chat_events
from tests.fake_steps import Chunk, Head, LastChunk, Script, Stall, WaitFor
from tests.rig_client import dial, finished, open_stream, query, read_answer, receive_until, request_bytes
from tests.rig_gateway import WAYS, Behind, Gateway, ask, run_gateway

CHAT = ask("chat", "m")[0]
HASTY = "/hasty/v1/chat/completions"  # its deadlines are half a second, 2 s between two pieces
EVENTS = chat_events()

# Loaded by the interpreter itself, in front of everything. SIGRTMIN keeps the loop; the wall clock is as the file says.
IN_FRONT = """
import os, signal, time
wall, told = time.time, {told!r}
def keep_the_loop(number, frame): time.sleep(1.5)
signal.signal(signal.SIGRTMIN, keep_the_loop)
def jumping():
    try:
        return wall() + float(open(told).read())
    except (OSError, ValueError):
        return wall()
time.time = jumping
"""
KEEPER = """
import time
def requestheaders(flow):
    if flow.request.path == "/keep":
        time.sleep(0.8)
"""

Start = Callable[..., Gateway]


@pytest.fixture(name="start", params=WAYS)
def fixture_start(request: pytest.FixtureRequest, upstreams: Behind, tmp_path: Path) -> Iterator[Start]:
    """Starts gateways whose loop and wall clock the test can get at."""
    front = tmp_path / "front"
    front.mkdir()
    (front / "sitecustomize.py").write_text(IN_FRONT.format(told=str(tmp_path / "jump")))
    with contextlib.ExitStack() as stack:

        def start(*args: str, way: str = str(request.param)) -> Gateway:
            env = {"PYTHONPATH": str(front)}
            registry = upstreams.registry().replace("gap: 0.5", "gap: 2")
            running = run_gateway(way, upstreams, tmp_path, env=env, args=args, registry=registry)
            gateway = stack.enter_context(running)
            wait_until_watched(gateway)
            return gateway

        yield start


def wait_until_watched(gateway: Gateway) -> None:
    """The port is open a moment before the addons are told that all is running."""
    deadline = time.monotonic() + 10
    while not process_of(gateway)["loop_lag_seconds"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def wait_until_started() -> None:
    """In the first seconds nothing is told: to start up is slow, and nobody's fault. It is watched since before now."""
    time.sleep(START_UP)


def process_of(gateway: Gateway) -> Any:
    return gateway.get("/patchbay/health").json()["process"]


def test_who_keeps_the_loop_is_told(start: Start) -> None:
    gateway = start()
    wait_until_started()
    os.kill(gateway.program.process.pid, signal.SIGRTMIN)
    output = gateway.program.wait_for_output("The event loop goes on: it was kept for", 10)
    assert "The event loop has been kept for" in output
    assert "in keep_the_loop" in output
    assert process_of(gateway)["loop_lag_worst_seconds"] > 0.25
    assert process_of(gateway)["loop_blocked"] >= 1
    assert "Traceback" not in output


@pytest.mark.parametrize("start", ["mitmdump"], indirect=True)
def test_a_hook_that_keeps_the_loop_is_named(start: Start, tmp_path: Path) -> None:
    (tmp_path / "keeper.py").write_text(KEEPER)
    gateway = start("-s", str(tmp_path / "keeper.py"))
    wait_until_started()
    gateway.get("/keep")
    output = gateway.program.wait_for_output("The event loop goes on", 10)
    assert "keeper.py" in output
    assert "in requestheaders" in output


def stop_for(gateway: Gateway, seconds: float) -> None:
    process = gateway.program.process
    process.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    process.send_signal(signal.SIGCONT)


def test_what_came_while_it_was_stopped_counts_and_silence_too(start: Start) -> None:
    gateway = start()
    gate = WaitFor()
    head = Head(200, (*SSE, *CHUNKED))
    told: Script = (head, *map(Chunk, EVENTS[:3]), gate, *map(Chunk, EVENTS[3:]), LastChunk())
    silent: Script = (head, *map(Chunk, EVENTS[:3]), Stall())
    gateway.external.on(HASTY, told, silent)
    with contextlib.ExitStack() as stack:
        clients = []
        for _ in range(2):  # one after the other: the first gets the first answer
            client = stack.enter_context(open_stream(gateway.port, *ask("chat", "hasty/m", stream=True)))
            receive_until(client, EVENTS[2])
            clients.append(client)
        gateway.program.process.send_signal(signal.SIGSTOP)
        gate.gate.open()
        time.sleep(2.7)  # well over the deadline between two pieces
        gateway.program.process.send_signal(signal.SIGCONT)
        assert b"[DONE]" in receive_until(clients[0], b"0\r\n\r\n")
        assert b"upstream_timeout" in receive_until(clients[1], b"0\r\n\r\n")
    rows = finished(gateway.database, "select outcome from exchanges where outcome is not null", count=2)
    assert sorted(row["outcome"] for row in rows) == ["ok", "upstream_timeout_idle"]


def test_nobody_rushes_when_it_goes_on(start: Start) -> None:
    """All deadlines are over at once: each call is told so, and none is tried again behind the provider's back."""
    gateway = start()
    gateway.external.on(HASTY, (Stall(),))
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(open_stream(gateway.port, *ask("chat", "hasty/m"))) for _ in range(20)]
        gateway.external.wait_for(20)
        stop_for(gateway, 1.0)
        assert [read_answer(client).status for client in clients] == [504] * 20
    assert len(gateway.behind.posts()) == 20


def test_connections_that_were_idle_meanwhile_are_made_anew(start: Start) -> None:
    gateway = start()
    gateway.local.on(CHAT, json_answer(chat_body()))
    asked = request_bytes("POST", CHAT, b'{"model": "m", "messages": []}')
    with dial(gateway.port) as client:
        for _ in range(2):
            client.sendall(asked)
            assert read_answer(client).status == 200
        first, second = (request.connection for request in gateway.behind.posts())
        assert first is second
        wait_until_started()
        stop_for(gateway, 2.6)
        gateway.program.wait_for_output("stood still for")
        assert first.closed.wait(5)
        assert first.closed_by_peer
        client.sendall(asked)
        assert read_answer(client).status == 200
        assert gateway.behind.posts()[-1].connection is not first
    assert process_of(gateway)["loop_lag_worst_seconds"] >= 2


def test_the_wall_clock_jumps(start: Start, tmp_path: Path) -> None:
    """Deadlines, waits and streams go by another clock; rows say what the wall said."""
    gateway = start()
    gate = WaitFor()
    head = Head(200, (*SSE, *CHUNKED))
    gateway.local.on(CHAT, (head, *map(Chunk, EVENTS[:4]), gate, *map(Chunk, EVENTS[4:]), LastChunk()))
    gateway.external.on(HASTY, (Stall(),))
    with open_stream(gateway.port, *ask("chat", "m", stream=True)) as client:
        receive_until(client, EVENTS[3])
        for jump in ("3600", "-3600"):
            (tmp_path / "jump").write_text(jump)
            began = time.monotonic()
            with open_stream(gateway.port, *ask("chat", "hasty/m")) as other:
                assert read_answer(other).status == 504
            assert 0.4 < time.monotonic() - began < 4
        gate.gate.open()
        receive_until(client, EVENTS[-1])
    finished(gateway.database, "select id from exchanges where outcome is not null", count=3)
    rows = query(gateway.database, "select outcome, started_at, duration_us from exchanges order by rowid")
    assert [row["outcome"] for row in rows] == ["ok", *["upstream_timeout_first_byte"] * 2]
    now = time.time()
    assert [round((row["started_at"] - now) / 3600) for row in rows] == [0, 1, -1]
    assert all(0 < row["duration_us"] < 20e6 for row in rows)
