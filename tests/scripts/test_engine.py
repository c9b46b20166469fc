"""The engine's start, end and refusals, with a real llama.cpp where it is installed, else with pretended servers."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from scripts.engine import (
    MAGIC,
    NO_ENGINE,
    Engine,
    EngineError,
    check_model,
    engine_command,
    engine_environment,
    free_port,
)

ROOT = Path(__file__).resolve().parents[2]
# A llama-server that loads for a while (503), then is healthy; it notes its process id, and its end.
LLAMA_SERVER = f"""#!{sys.executable}
import http.server, os, pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[2]).parent
(folder / "pid").write_text(str(os.getpid()))
print("arguments", *sys.argv[1:], flush=True)
def end(number, frame):
    (folder / "ended").write_text("politely")
    os._exit(0)
signal.signal(signal.SIGTERM, end if "stubborn" not in sys.argv[2] else signal.SIG_IGN)
ready = time.monotonic() + 0.3
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if time.monotonic() > ready else 503)
        self.send_header("content-length", "0")
        self.end_headers()
    def log_message(self, *arguments): pass
if "broken" in sys.argv[2]:
    print("out of memory, or so", flush=True)
    sys.exit(3)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Handler).serve_forever()
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "some model.gguf"
    path.write_bytes(MAGIC + bytes(100))
    return path


@pytest.fixture
def llama_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "bin" / "llama-server"
    path.parent.mkdir()
    path.write_text(LLAMA_SERVER)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(path.parent))
    return path


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # An orphan that has ended but that nobody has waited for yet counts as ended.
    state = Path(f"/proc/{pid}/stat")
    return not (state.exists() and state.read_text().rpartition(") ")[2].startswith("Z"))


def test_a_missing_file_and_one_that_is_no_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="No such file"):
        check_model(tmp_path / "gone.gguf")
    (tmp_path / "page.gguf").write_text("<html>")
    with pytest.raises(EngineError, match="not a GGUF file"):
        check_model(tmp_path / "page.gguf")
    with pytest.raises(EngineError, match="directory"):
        check_model(tmp_path)


def test_llama_server_on_path_is_preferred(llama_server: Path, model: Path) -> None:
    command = engine_command(model, 1234, 4096)
    assert command[0] == str(llama_server)
    assert " ".join(command[3:]) == "--alias some model --host 127.0.0.1 --port 1234 -c 4096 --jinja --metrics"


def test_without_any_engine_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, model: Path) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(EngineError) as refused:
        engine_command(model, 1, 0)
    assert str(refused.value) == NO_ENGINE


def test_the_engine_gets_no_providers_key() -> None:
    given = {"OPENAI_API_KEY": "k", "X_API_KEY_FILE": "f", "LLAMA_API_KEY": "its own", "PATH": "p"}
    kept = engine_environment(given)
    assert kept == {"LLAMA_API_KEY": "its own", "PATH": "p", "PYTHONPATH": str(ROOT)}


@pytest.mark.usefixtures("llama_server")
def test_it_waits_until_the_model_is_loaded_and_ends_with_us(model: Path) -> None:
    printed: list[str] = []
    said: list[str] = []
    with Engine(model, 512, log=printed.append, say=said.append) as running:
        assert httpx.get(f"{running.base_url}/health").status_code == 200
        pid = int((model.parent / "pid").read_text())
        assert is_alive(pid)
    assert (model.parent / "ended").read_text() == "politely"
    assert not is_alive(pid)
    assert printed[0].startswith("arguments -m")
    assert said == []


@pytest.mark.usefixtures("llama_server")
def test_an_engine_that_gives_up_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(MAGIC)
    said: list[str] = []
    with pytest.raises(EngineError, match=r"could not serve .*broken.gguf"), Engine(broken, say=said.append):
        pytest.fail("it never serves")
    assert said[0] == "the engine ended by itself (exit code 3); its last words:"
    assert said[-1] == "  out of memory, or so"


@pytest.mark.usefixtures("llama_server")
def test_an_engine_that_dies_while_serving_is_told(model: Path) -> None:
    said: list[str] = []
    with Engine(model, say=said.append):
        os.kill(int((model.parent / "pid").read_text()), signal.SIGKILL)
        wait_for(lambda: bool(said))
    assert said[0] == "the engine ended by itself (exit code 137); its last words:"


@pytest.mark.usefixtures("llama_server")
def test_the_engine_ends_when_its_parent_is_killed(model: Path) -> None:
    # Invariant: in whatever way we end, no process that holds gigabytes stays.
    program = "import sys, time; from pathlib import Path; from scripts.engine import Engine\n"
    program += "with Engine(Path(sys.argv[1])): print('up', flush=True); time.sleep(60)"
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(model)], stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert parent.stdout is not None
    with parent.stdout:
        assert parent.stdout.readline() == b"up\n"
        pid = int((model.parent / "pid").read_text())
        parent.kill()
        parent.wait()
    wait_for(lambda: not is_alive(pid))


@pytest.mark.slow
@pytest.mark.usefixtures("llama_server")
def test_an_engine_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    stubborn = tmp_path / "stubborn.gguf"
    stubborn.write_bytes(MAGIC)
    with Engine(stubborn):
        pid = int((tmp_path / "pid").read_text())
    assert not is_alive(pid)


def test_a_free_port_is_one() -> None:
    assert 1024 <= free_port() <= 65535


@pytest.mark.engine
def test_a_real_llama_cpp_answers_by_its_script(engine: str) -> None:
    listed = httpx.get(f"{engine}/v1/models").json()
    assert [model["id"] for model in listed["data"]] == ["tiny"]
    asked = {"model": "tiny", "messages": [{"role": "user", "content": "Hello"}]}
    answer = httpx.post(f"{engine}/v1/chat/completions", json=asked, timeout=60).json()
    assert answer["choices"][0]["message"]["content"].startswith("Hello from the tiny test model.")
    assert answer["choices"][0]["finish_reason"] == "stop"


@pytest.mark.engine
def test_a_real_llama_cpp_refuses_a_damaged_model(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(MAGIC + bytes(100))
    said: list[str] = []
    with pytest.raises(EngineError), Engine(damaged, say=said.append):
        pytest.fail("it never serves")
    assert any("failed to load model" in line for line in said)
