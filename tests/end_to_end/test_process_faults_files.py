"""Descriptors run out: clients are turned away before accepting fails, and come in again soon (specs: faults, F43)."""

import contextlib
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fake_answers import CHUNKED, SSE, json_answer
from tests.fake_dialects import chat_body, chat_events
from tests.fake_steps import Chunk, Head, Stall
from tests.rig import (
    IMPATIENT,
    ROOT,
    UNBUFFERED,
    Program,
    free_port,
    mitmdump_command,
    run_program,
    serve_environment,
)
from tests.rig_client import RawAnswer, dial, open_stream, read_answer, receive_until
from tests.rig_gateway import DIALECTS, WAYS, Behind, Gateway, ask, gateway_environment

LIMIT = 256
CHAT = ask("chat", "m")[0]
EVENTS = chat_events()
TURNED_AWAY = {(529, "overloaded_error"), (503, "server_error")}
LIMITED = ["sh", "-c", f'ulimit -n {LIMIT} && exec "$@"', "sh"]


@pytest.fixture(name="gateway", params=WAYS)
def fixture_gateway(request: pytest.FixtureRequest, upstreams: Behind, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway that may hold few files."""
    way, port, env = str(request.param), free_port(), gateway_environment(tmp_path)
    (tmp_path / "registry.yaml").write_text(upstreams.registry())
    env = {**UNBUFFERED, **IMPATIENT, **env}
    if way == "serve":
        command, env, cwd = (
            [sys.executable, "-m", "scripts.cli", "serve"],
            serve_environment(upstreams.local.url, port, env),
            ROOT,
        )
    else:
        command, cwd = mitmdump_command(upstreams.local.url, port), tmp_path
    with run_program([*LIMITED, *command], env, tmp_path, port, cwd=cwd) as program:
        yield Gateway(way, program, upstreams, tmp_path, env)
    assert_clean(program)


def assert_clean(program: Program) -> None:
    for word in ("Traceback", "crashed", "Too many open files", "out of system resource"):
        assert word not in program.output, program.output[-3000:]


def process_of(gateway: Gateway) -> Any:
    return gateway.get("/patchbay/health").json()["process"]


def cpu_seconds(gateway: Gateway) -> float:
    """Of the program, up to now."""
    fields = Path(f"/proc/{gateway.program.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def answer_to(client: socket.socket) -> RawAnswer | None:
    """What a client is told; None where the connection was cut before it could read."""
    try:
        return read_answer(client)
    except ConnectionResetError:
        return None


def test_clients_are_turned_away_in_time_and_come_in_again(gateway: Gateway) -> None:
    gateway.local.on(CHAT, (Head(200, (*SSE, *CHUNKED)), *map(Chunk, EVENTS[:3]), Stall()))
    assert process_of(gateway)["open_files_limit"] == LIMIT
    turned_away: list[RawAnswer | None] = []
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(open_stream(gateway.port, *ask("chat", "m", stream=True))) for _ in range(70)]
        for stream in streams:
            receive_until(stream, EVENTS[2])
        # A burst, all at once, of three times what there is room for.
        burst = [stack.enter_context(open_stream(gateway.port, *ask("messages", "m"))) for _ in range(200)]
        answers = [answer_to(client) for client in burst]
        turned_away = [answer for answer in answers if answer is None or answer.status != 200]
        assert len(turned_away) > 100
        told = [answer for answer in turned_away if answer is not None]
        assert len(told) > len(turned_away) * 0.9
        for answer in told:
            # At the door the dialect is known only where the request is there already.
            assert (answer.status, answer.json()["error"]["type"]) in TURNED_AWAY
            assert answer.get("retry-after") == "1"
        # Who is in is not touched, and nothing spins.
        before = cpu_seconds(gateway)
        time.sleep(0.5)
        assert cpu_seconds(gateway) - before < 0.25
        assert process_of(gateway)["open_files"] < LIMIT
        assert process_of(gateway)["clients_shed"] >= len(turned_away)
    gateway.local.on(CHAT, json_answer(chat_body()))
    began = time.monotonic()
    while gateway.post(*ask("chat", "m")).status != 200:
        assert time.monotonic() - began < 1
    assert gateway.program.output.count("Clients are turned away") == 1


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("gateway", ["serve"], indirect=True)
def test_clients_that_say_nothing_do_not_keep_others_out(gateway: Gateway, dialect: str) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(LIMIT):
            stack.enter_context(dial(gateway.port))
        answer = gateway.post(*ask(dialect, "m"))
        assert answer.status == (529 if dialect == "messages" else 503)
    deadline = time.monotonic() + 1
    while gateway.post(*ask(dialect, "m")).status != 200:
        assert time.monotonic() < deadline
