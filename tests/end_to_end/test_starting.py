"""Every way to start works with nothing behind and no key; what is configured wrong is refused before a port opens."""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import anthropic
import openai
import pytest

from tests.fake_answers import speak
from tests.fake_ports import refused_port
from tests.fake_upstream import FakeUpstream
from tests.rig import (
    BIN,
    ROOT,
    ROUTE,
    UNBUFFERED,
    Program,
    free_port,
    mitmdump_command,
    reachable,
    run_command,
    run_mitmdump,
    run_mitmweb,
    run_program,
    run_serve,
    start_program,
)
from tests.rig_client import dial, get, post, request_bytes
from tests.rig_gateway import skip_without

Start = Callable[[str, Mapping[str, str], Path], "AbstractContextManager[Program]"]
WAYS: dict[str, Start] = {"mitmdump": run_mitmdump, "mitmweb": run_mitmweb, "serve": run_serve}


def database(folder: Path) -> dict[str, str]:
    """The recording in ``folder``; the registry too where there is one (a file that is named must exist)."""
    registry = folder / "registry.yaml"
    named = {"PATCHBAY_REGISTRY": str(registry)} if registry.exists() else {}
    return {"PATCHBAY_DB": str(folder / "patchbay.db"), **named}


@pytest.fixture(name="alone", scope="module", params=WAYS)
def fixture_alone(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Started on a machine with no llama-server and no key."""
    folder = tmp_path_factory.mktemp(str(request.param))
    env = {"PATCHBAY_DB": str(folder / "patchbay.db")}
    with refused_port() as port, WAYS[str(request.param)](f"http://127.0.0.1:{port}", env, folder) as program:
        yield program


def test_the_demo_answers_the_openai_sdk(alone: Program) -> None:
    with openai.OpenAI(base_url=f"{alone.url}/v1", api_key="any", max_retries=0) as client:
        whole = client.chat.completions.create(model="demo", messages=[{"role": "user", "content": "hi"}])
        said = whole.choices[0].message.content
        stream = client.chat.completions.create(model="demo", messages=[{"role": "user", "content": "hi"}], stream=True)
        pieces = [piece.choices[0].delta.content or "" for piece in stream if piece.choices]
        assert said
        assert "".join(pieces) == said
        assert client.responses.create(model="demo", input="hi").output_text
        with client.responses.stream(model="demo", input="hi") as responses:
            assert responses.get_final_response().output_text


def test_the_demo_answers_the_anthropic_sdk(alone: Program) -> None:
    with anthropic.Anthropic(base_url=alone.url, api_key="any", max_retries=0) as client:
        message = client.messages.create(model="demo", max_tokens=500, messages=[{"role": "user", "content": "hi"}])
        assert message.content[0].type == "text"
        with client.messages.stream(model="demo", max_tokens=500, messages=[{"role": "user", "content": "hi"}]) as said:
            assert "".join(said.text_stream) == message.content[0].text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "hi"}]}),
        ("/v1/messages", {"max_tokens": 500, "messages": [{"role": "user", "content": "hi"}]}),
        ("/v1/responses", {"input": "hi"}),
    ],
)
def test_the_demo_speaks_word_by_word(alone: Program, path: str, body: dict[str, object]) -> None:
    data = json.dumps({"model": "demo", "stream": True, **body}).encode()
    arrivals: list[float] = []
    with dial(alone.port) as client:
        client.sendall(request_bytes("POST", path, data))
        while not (piece := client.recv(65536)).endswith(b"0\r\n\r\n"):
            assert piece
            arrivals.append(time.monotonic())
    assert len(arrivals) >= 5
    assert arrivals[-1] - arrivals[0] > 0.1


def test_the_demo_is_in_the_model_list(alone: Program) -> None:
    listed = get(alone.port, "/v1/models").json()["data"]
    assert "demo" in [entry["id"] for entry in listed]


def test_a_call_for_the_local_server_says_that_it_is_not_there(alone: Program) -> None:
    answer = post(alone.port, "/v1/chat/completions", {"model": "any", "messages": []})
    assert answer.status == 503
    assert "local" in answer.json()["error"]["message"]


def test_nothing_is_said_about_crashes(alone: Program) -> None:
    assert "Traceback" not in alone.output
    assert "crashed" not in alone.output


def test_serve_prints_what_one_needs_to_know(tmp_path: Path) -> None:
    env = {"PATCHBAY_DB": str(tmp_path / "patchbay.db"), "GROQ_API_KEY": "x"}
    with refused_port() as port, run_serve(f"http://127.0.0.1:{port}", env, tmp_path) as program:
        output = program.wait_for_output("curl", 10)
    for text in (
        program.url, "unreachable: connection refused", "no key: set OPENAI_API_KEY", "no key: set ANTHROPIC_API_KEY",
        "export OPENAI_BASE_URL=", "export ANTHROPIC_BASE_URL=", str(tmp_path / "patchbay.db"), "demo",
    ):  # fmt: skip
        assert text in output


def test_the_printed_curl_gets_an_answer(tmp_path: Path) -> None:
    with refused_port() as port, run_serve(f"http://127.0.0.1:{port}", database(tmp_path), tmp_path) as program:
        output = program.wait_for_output("curl", 10)
        command = next(line for line in output.splitlines() if "curl" in line)
        body = re.search(r"-d '(\{.*\})'", command)
        address = re.search(rf"{program.url}(\S+)", command)
        assert body
        assert address
        answer = post(program.port, address[1].strip("'\""), body[1].encode())
    assert answer.status == 200
    assert answer.whole


def is_installed() -> bool:
    """Whether the repository's environment is complete: the script would install otherwise."""
    return any((ROOT / ".venv").glob(".patchbay-requirements*"))


def test_the_shell_script_serves_from_any_folder_within_two_seconds(tmp_path: Path) -> None:
    skip_without(is_installed(), "scripts/test has not made .venv here: the script would install first")
    with FakeUpstream(speak) as local:
        began = time.monotonic()
        with run_serve(local.url, database(tmp_path), tmp_path, shell=True) as program:
            assert get(program.port, "/props").status == 200
            assert time.monotonic() - began < 4.0  # the promise is 2 s; a busy test machine gets the double
            assert program.stop() == 0


def test_it_moves_itself_when_no_mode_is_given(tmp_path: Path) -> None:
    with FakeUpstream(speak) as local:
        port, first = free_port(), free_port()
        env = {
            "PATCHBAY_LISTEN": f"127.0.0.1:{port}",
            "PATCHBAY_LOCAL_BASE_URL": local.url,
            **database(tmp_path),
            **UNBUFFERED,
        }
        command = [str(BIN / "mitmdump"), "-p", str(first), "-s", str(ROUTE)]
        with run_program(command, env, tmp_path, port, cwd=tmp_path) as program:
            assert get(program.port, "/props").status == 200
            assert not reachable(first)


BROKEN = {
    "a literal key": ("providers:\n  openai: {kind: openai, api_key: sk-proj-abcdefghijklmnop123}\n", "api_key"),
    "an unknown field": ("providers:\n  openai: {kind: openai, api_kye: $OPENAI_API_KEY}\n", "api_key"),
    "a loop": ("models:\n  a: b\n  b: a\n", "a"),
    "no YAML": ("providers: [\n", "registry.yaml"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_registry_is_refused_before_a_port_opens(tmp_path: Path, case: str) -> None:
    text, named = BROKEN[case]
    (tmp_path / "registry.yaml").write_text(text)
    port = free_port()
    ended = run_command(["serve"], {**database(tmp_path), "PATCHBAY_LISTEN": f"127.0.0.1:{port}"}, tmp_path)
    said = ended.stdout + ended.stderr
    assert ended.returncode == 2, said
    assert re.search(r"registry\.yaml:\d+", said), said
    assert named in said
    assert "Traceback" not in said
    assert "sk-proj-abcdefghijklmnop123" not in said
    assert not reachable(port)


def test_mitmdump_refuses_a_broken_registry_too(tmp_path: Path) -> None:
    """It binds its port before it loads a script; it must not stay to serve on it."""
    (tmp_path / "registry.yaml").write_text(BROKEN["an unknown field"][0])
    port = free_port()
    program = start_program(
        mitmdump_command("http://127.0.0.1:9", port), database(tmp_path), tmp_path, port, cwd=tmp_path
    )
    try:
        assert program.process.wait(15) != 0
    finally:
        program.kill()
    assert re.search(r"registry\.yaml:2.*api_kye", program.output), program.output
    assert "Traceback" not in program.output


def test_an_upstream_that_is_ourselves_is_refused(tmp_path: Path) -> None:
    port = free_port()
    env = {"PATCHBAY_LISTEN": f"127.0.0.1:{port}", "PATCHBAY_LOCAL_BASE_URL": f"http://localhost:{port}"}
    ended = run_command(["serve"], {**database(tmp_path), **env}, tmp_path)
    assert ended.returncode == 2, ended
    assert "Traceback" not in ended.stderr


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with FakeUpstream(speak) as taken:
        env = {"PATCHBAY_LISTEN": f"127.0.0.1:{taken.port}", **database(tmp_path)}
        ended = run_command(["serve"], env, tmp_path)
    assert ended.returncode == 2, ended
    assert str(taken.port) in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
