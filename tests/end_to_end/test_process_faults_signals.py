"""SIGHUP, edits and restarts, many of them; SIGTERM to mitmweb with the script (specs: faults, F35, F37)."""

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fake_answers import CHUNKED, SSE
from tests.fake_dialects import chat_events
from tests.fake_steps import Chunk, Head, LastChunk, Script, Stall, WaitFor
from tests.rig import (
    BIN,
    IMPATIENT,
    ROOT,
    UNBUFFERED,
    Program,
    free_port,
    run_mitmweb,
    run_program,
    run_serve,
)
from tests.rig_client import finished, open_stream, query, receive_until
from tests.rig_gateway import WAYS, Behind, Gateway, ask, gateway_environment, run_gateway

CHAT = ask("chat", "m")[0]
EVENTS = chat_events()
TIMES = 20


@pytest.fixture(name="own", params=WAYS)
def fixture_own(request: pytest.FixtureRequest, upstreams: Behind, tmp_path: Path) -> Iterator[Gateway]:
    with run_gateway(str(request.param), upstreams, tmp_path) as gateway:
        yield gateway
        assert "Traceback" not in gateway.program.output


def gated() -> tuple[Script, WaitFor]:
    """A stream that goes on when the test says so."""
    gate = WaitFor()
    return (Head(200, (*SSE, *CHUNKED)), *map(Chunk, EVENTS[:4]), gate, *map(Chunk, EVENTS[4:]), LastChunk()), gate


def body_of(received: bytes) -> bytes:
    """The body of a chunked answer, whole."""
    left, body = received.partition(b"\r\n\r\n")[2], b""
    while (size := int(left.partition(b"\r\n")[0], 16)) > 0:
        left = left.partition(b"\r\n")[2]
        body, left = body + left[:size], left[size + 2 :]
    return body


def health(gateway: Gateway) -> Any:
    return gateway.get("/patchbay/health").json()


def generation(gateway: Gateway) -> int:
    found: int = health(gateway)["configuration"]["generation"]
    return found


def wait_for_generation(gateway: Gateway, least: int) -> None:
    deadline = time.monotonic() + 5
    while generation(gateway) < least:
        assert time.monotonic() < deadline, gateway.program.output
        time.sleep(0.02)


def threads(gateway: Gateway) -> int:
    return len(os.listdir(f"/proc/{gateway.program.process.pid}/task"))


def test_a_storm_of_reloads_touches_no_stream_and_leaves_nothing(own: Gateway) -> None:
    script, gate = gated()
    own.local.on(CHAT, script)
    with open_stream(own.port, *ask("chat", "m", stream=True)) as client:
        received = receive_until(client, EVENTS[3])
        own.program.process.send_signal(signal.SIGHUP)
        wait_for_generation(own, 2)
        before = health(own)["process"]["open_files"], threads(own)
        registry = own.folder / "registry.yaml"
        for number in range(TIMES):
            registry.write_text(registry.read_text() + f"  storm-{number}: groq/some-model\n")
            own.program.process.send_signal(signal.SIGHUP)
            wait_for_generation(own, number + 3)
            assert own.post(*ask("chat", f"storm-{number}")).get("x-patchbay-provider") == "groq"
        after = health(own)["process"]["open_files"], threads(own)
        gate.gate.open()
        received += receive_until(client, b"0\r\n\r\n")
    assert body_of(received) == b"".join(EVENTS)
    assert after[0] - before[0] <= 3, (before, after)
    assert after[1] - before[1] <= 2, (before, after)


@pytest.mark.slow  # some twenty starts
def test_a_storm_of_restarts_follows_the_rules_of_a_stop(upstreams: Behind, tmp_path: Path) -> None:
    upstreams.local.on(CHAT, (Head(200, (*SSE, *CHUNKED)), *map(Chunk, EVENTS[:4]), Stall()))
    (tmp_path / "registry.yaml").write_text(upstreams.registry())
    port = free_port()
    for _ in range(TIMES):
        with run_serve(upstreams.local.url, gateway_environment(tmp_path), tmp_path, port=port) as program:
            with open_stream(port, *ask("chat", "m", stream=True)) as client:
                receive_until(client, EVENTS[3])
                program.process.terminate()
                assert b"gateway_shutdown" in receive_until(client, b"0\r\n\r\n")
            assert program.process.wait(5) == 0
    rows = query(tmp_path / "patchbay.db", "select outcome, count(*) as n from exchanges group by outcome")
    assert rows == [{"outcome": "shutdown", "n": TIMES}]


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_mitmweb_with_the_script_stops_as_it_should(upstreams: Behind, tmp_path: Path, name: signal.Signals) -> None:
    env = gateway_environment(tmp_path, {"PATCHBAY_SHUTDOWN_GRACE": "0.5"})
    (tmp_path / "registry.yaml").write_text(upstreams.registry())
    upstreams.local.on(CHAT, (Head(200, (*SSE, *CHUNKED)), *map(Chunk, EVENTS[:4]), Stall()))
    with run_mitmweb(upstreams.local.url, env, tmp_path) as program, contextlib.ExitStack() as stack:
        clients = []
        for _ in range(20):
            clients.append(stack.enter_context(open_stream(program.port, *ask("chat", "m", stream=True))))
            receive_until(clients[-1], EVENTS[3])
        program.process.send_signal(name)
        for client in clients:
            assert b"gateway_shutdown" in receive_until(client, b"0\r\n\r\n")
        assert program.process.wait(5) == 0
        assert "Traceback" not in program.output
    rows = query(tmp_path / "patchbay.db", "select outcome from exchanges")
    assert [row["outcome"] for row in rows] == ["shutdown"] * 20


@pytest.fixture(name="copied")
def fixture_copied(upstreams: Behind, tmp_path: Path) -> Iterator[tuple[Gateway, Path]]:
    """mitmdump with a copy of the script's folder: touching the one in use by everybody would reload everybody's."""
    house = tmp_path / "house"
    shutil.copytree(ROOT / "addons", house / "addons", ignore=shutil.ignore_patterns("__pycache__"))
    (house / "providers").symlink_to(ROOT / "providers")
    (tmp_path / "registry.yaml").write_text(upstreams.registry())
    script, port = house / "addons" / "route.py", free_port()
    env = {**UNBUFFERED, **IMPATIENT, **gateway_environment(tmp_path)}
    command = [str(BIN / "mitmdump"), "--mode", f"reverse:{upstreams.local.url}", "-p", str(port), "-s", str(script)]
    with run_program(command, env, tmp_path, port, cwd=tmp_path) as program:
        wait_for_health(program, upstreams, tmp_path)
        yield Gateway("mitmdump", program, upstreams, tmp_path, env), script


def wait_for_health(program: Program, upstreams: Behind, folder: Path) -> None:
    deadline = time.monotonic() + 10
    gateway = Gateway("mitmdump", program, upstreams, folder, {})
    while gateway.get("/patchbay/health").status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_script_whose_file_changes_or_goes_stays_as_it_was_loaded(copied: tuple[Gateway, Path]) -> None:
    gateway, script = copied
    answer, gate = gated()
    gateway.local.on(CHAT, answer)
    with open_stream(gateway.port, *ask("chat", "m", stream=True)) as client:
        received = receive_until(client, EVENTS[3])
        os.utime(script, (time.time() + 10,) * 2)
        time.sleep(1.3)  # mitmproxy looks once a second
        script.unlink()
        time.sleep(1.3)
        assert gateway.program.output.count("Loading script") == 1
        gate.gate.open()
        received += receive_until(client, b"0\r\n\r\n")
    assert body_of(received) == b"".join(EVENTS)
    row = finished(gateway.database, "select outcome from exchanges where outcome is not null")[0]
    assert row["outcome"] == "ok"
    assert gateway.post(*ask("chat", "groq/some-model")).get("x-patchbay-provider") == "groq"
    assert "Traceback" not in gateway.program.output
