"""`patchbay serve`: what it refuses before a port opens, and the whole of it with a real engine behind."""

import asyncio
import dataclasses
import os
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from addons.process.file_limit import raise_file_limit
from providers.registry import load
from scripts.configuration import Refusal
from scripts.serve_command import Announcer, refuse_remote, refuse_taken
from tests.rig import run_serve
from tests.scripts.conftest import Run


@pytest.fixture
def taken() -> Iterator[int]:
    """A loopback port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--listen", "8088"], "'8088' is not HOST:PORT"),
        (["--listen", "127.0.0.1:99999"], "has the port 99999"),
        (["--listen", "0.0.0.0:0"], "0.0.0.0 is not a loopback address"),
        (["--listen", "192.0.2.1:0"], "Set PATCHBAY_ALLOW_REMOTE=1 if that is meant."),
        (["--ctx-size", "4096"], "which --model FILE.gguf starts"),
        (["--model", "gone.gguf"], "--model gone.gguf: No such file or directory"),
        (["--model", "registry.yaml"], "this is not a GGUF file"),
        (["--set", "nonsense"], "'nonsense' is not NAME=VALUE"),
        (["--set", "=1"], "'=1' is not NAME=VALUE"),
        (["--registry", "gone.yaml"], "gone.yaml: cannot be read"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_cannot_be_is_refused_with_a_sentence(run: Run, arguments: list[str], said: str) -> None:
    result = run("serve", *arguments)
    assert result.exit_code == 2, result.output
    assert said in result.output
    assert "Traceback" not in result.output


@pytest.mark.usefixtures("folder")
def test_a_port_in_use_is_told_in_one_line(run: Run, taken: int) -> None:
    result = run("serve", "--listen", f"127.0.0.1:{taken}")
    assert result.exit_code == 2
    said = f"patchbay: 127.0.0.1:{taken} is in use (another Patchbay?); --listen HOST:PORT takes another one\n"
    assert result.stderr == said
    result = run("serve", "--listen", "127.0.0.1:0", "--web-port", str(taken))
    assert result.exit_code == 2
    assert "--web-port PORT takes another one" in result.stderr


@pytest.mark.parametrize(
    ("host", "said"),
    [("192.0.2.1", "is not an address of this machine"), ("x" * 70, "cannot be listened on")],
)
def test_an_address_that_is_not_ours_is_told(host: str, said: str) -> None:
    with pytest.raises(Refusal, match=said):
        refuse_taken((host, 0), "--listen HOST:PORT")


def test_a_remote_address_is_served_when_that_is_meant(folder: Path) -> None:
    registry = load({"PATCHBAY_ALLOW_REMOTE": "1"}, folder, listen=("0.0.0.0", 0), root=None)
    refuse_remote(registry)
    closed = dataclasses.replace(registry, settings=registry.settings.model_copy(update={"allow_remote": False}))
    with pytest.raises(Refusal):
        refuse_remote(closed)


def test_the_soft_limit_of_files_becomes_the_hard_one() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lower = min(soft, 512)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lower, hard))
    try:
        raise_file_limit()
        raised = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        assert raised == min(hard, 1 << 20) if hard != resource.RLIM_INFINITY else raised > lower
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_address_is_told_before_any_provider_was_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    registry = load({}, folder, local_base_url="http://127.0.0.1:9", root=None)

    async def announce() -> str:
        announcer = Announcer(registry)
        announcer([("127.0.0.1", 1234)], "http://127.0.0.1:8081/?token=t")
        at_once = capsys.readouterr().out
        while len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0.01)
        return at_once

    at_once = asyncio.run(announce())
    assert (
        at_once == "Patchbay listens on http://127.0.0.1:1234\n"
        "The page            http://127.0.0.1:1234/patchbay/\n"
        "mitmweb shows the traffic on http://127.0.0.1:8081/?token=t\n"
    )
    rest = capsys.readouterr().out
    assert "local       unreachable: connection refused" in rest
    assert '"model": "demo"' in rest
    assert str(folder / "patchbay.db") in rest


@pytest.mark.engine
def test_serve_with_a_model_brings_the_engine_and_takes_it_away(
    engine: str, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert engine  # the wheel is there; this test starts its own
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    arguments = ["--model", str(tiny_model), "--ctx-size", "4096"]
    env = {"PATCHBAY_DB": str(tmp_path / "patchbay.db")}
    with run_serve("http://127.0.0.1:9", env, tmp_path, arguments) as program:
        banner = program.wait_for_output("curl", 20)
        assert "local       ready, 1 model" in banner
        assert '"model": "tiny"' in banner
        asked = {"model": "tiny", "messages": [{"role": "user", "content": "Hello"}]}
        answer = httpx.post(f"{program.url}/v1/chat/completions", json=asked, timeout=60)
        assert answer.json()["choices"][0]["message"]["content"].startswith("Hello from the tiny test model.")
        assert answer.headers["x-patchbay-provider"] == "local"
        assert program.stop() == 0
    assert not engines_of(tiny_model, except_for=engine)


def engines_of(model: Path, *, except_for: str) -> list[str]:
    """The command lines of engines that serve ``model``, without the session's own on that URL (Linux only)."""
    own_port = except_for.rpartition(":")[2]
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if (
            "scripts.engine_wheel" in words
            and str(model) in words
            and own_port not in words
            and str(os.getpid()) != process.name
        ):
            found.append(" ".join(words))
    return found
