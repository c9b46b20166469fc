"""The door is open to this machine alone, unless its owner says otherwise."""

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig import Program, free_port, run_command, run_mitmdump, run_serve
from tests.rig_client import RawAnswer, dial, read_answer, request_bytes
from tests.rig_gateway import DIALECTS, Behind, ask, assert_told_in_dialect, gateway_environment, skip_without


def own_address() -> str:
    """An address of this machine that is not loopback, "" if it has none. Connecting a UDP socket sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect(("203.0.113.1", 9))
        address = str(probe.getsockname()[0])
        return "" if address.startswith(("127.", "0.")) else address
    return ""


ADDRESS = own_address()


def ask_from_afar(program: Program, method: str, target: str, body: bytes = b"") -> RawAnswer:
    skip_without(bool(ADDRESS), "this machine has no address but loopback")
    with dial(program.port, ADDRESS) as client:
        client.sendall(request_bytes(method, target, body, (("x-afar", "1"),)))
        return read_answer(client, method)


@pytest.fixture(name="open_door", scope="module")
def fixture_open_door(all_upstreams: Behind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Mitmdump listens on all interfaces unless it is told otherwise."""
    folder = tmp_path_factory.mktemp("remote")
    (folder / "registry.yaml").write_text(all_upstreams.registry())
    with run_mitmdump(all_upstreams.local.url, gateway_environment(folder), folder) as program:
        yield program


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_call_from_another_machine_is_refused(open_door: Program, upstreams: Behind, dialect: str) -> None:
    path, body = ask(dialect, "gpt-9")
    answer = ask_from_afar(open_door, "POST", path, json.dumps(body).encode())
    error = assert_told_in_dialect(answer, dialect, upstreams, 403)
    assert "PATCHBAY_ALLOW_REMOTE" in error["message"]
    assert not upstreams.posts()


@pytest.mark.parametrize(("method", "target"), [("GET", "/props"), ("GET", "/v1/models"), ("POST", "/slots/0")])
def test_so_is_everything_else(open_door: Program, upstreams: Behind, method: str, target: str) -> None:
    upstreams.local.requests.clear()
    assert ask_from_afar(open_door, method, target).status == 403
    assert not [request for request in upstreams.local.requests if request.all("x-afar")]


def test_the_log_says_it_in_one_line(open_door: Program, upstreams: Behind) -> None:
    for _ in range(3):
        assert ask_from_afar(open_door, "GET", "/props").status == 403
    lines = [line for line in open_door.output.splitlines() if "PATCHBAY_ALLOW_REMOTE" in line]
    assert len(lines) == 1


def test_this_machine_itself_is_served_all_the_same(open_door: Program, upstreams: Behind) -> None:
    with dial(open_door.port) as client:
        client.sendall(request_bytes("GET", "/props"))
        assert read_answer(client, "GET").status == 200


def test_the_owner_may_open_the_door(all_upstreams: Behind, upstreams: Behind, tmp_path: Path) -> None:
    (tmp_path / "registry.yaml").write_text(upstreams.registry())
    env = gateway_environment(tmp_path, {"PATCHBAY_ALLOW_REMOTE": "1"})
    with run_mitmdump(all_upstreams.local.url, env, tmp_path) as program:
        assert ask_from_afar(program, "GET", "/props").status == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]", "192.0.2.77"])
def test_serve_refuses_to_listen_to_the_world(tmp_path: Path, host: str) -> None:
    ended = run_command(["serve"], {"PATCHBAY_LISTEN": f"{host}:{free_port()}"}, tmp_path)
    assert ended.returncode == 2, ended
    assert "PATCHBAY_ALLOW_REMOTE" in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr


def test_serve_may_be_told_to(all_upstreams: Behind, upstreams: Behind, tmp_path: Path) -> None:
    (tmp_path / "registry.yaml").write_text(upstreams.registry())
    port = free_port()
    more = {"PATCHBAY_ALLOW_REMOTE": "1", "PATCHBAY_LISTEN": f"0.0.0.0:{port}"}
    with run_serve(all_upstreams.local.url, gateway_environment(tmp_path, more), tmp_path, port=port) as program:
        assert ask_from_afar(program, "GET", "/props").status == 200
