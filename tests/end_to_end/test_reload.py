"""Edits of registry.yaml are picked up within two seconds while running; a broken edit keeps the old configuration."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fake_answers import CHUNKED, SSE, json_answer
from tests.fake_dialects import chat_body, chat_events
from tests.fake_steps import Chunk, Head, LastChunk, Script, WaitFor
from tests.rig_client import open_stream, receive_until
from tests.rig_gateway import WAYS, Behind, Gateway, ask, run_gateway

PROMISED_SECONDS = 2.0
ALLOWED_SECONDS = 3.0  # a busy test machine


@pytest.fixture(name="own", params=WAYS)
def fixture_own(request: pytest.FixtureRequest, upstreams: Behind, tmp_path: Path) -> Iterator[Gateway]:
    with run_gateway(str(request.param), upstreams, tmp_path) as gateway:
        yield gateway


def edit(gateway: Gateway, change: Callable[[str], str]) -> None:
    path = gateway.folder / "registry.yaml"
    path.write_text(change(path.read_text()))


def provider_of(gateway: Gateway, model: str) -> str | None:
    return gateway.post(*ask("chat", model)).get("x-patchbay-provider")


def wait_for_provider(gateway: Gateway, model: str, provider: str) -> None:
    deadline = time.monotonic() + ALLOWED_SECONDS
    while (answering := provider_of(gateway, model)) != provider:
        assert time.monotonic() < deadline, f"{model} is still answered by {answering}"
        time.sleep(0.1)


def test_an_edit_a_broken_edit_and_its_repair(own: Gateway) -> None:
    assert provider_of(own, "fast") == "local"
    edit(own, lambda text: text.replace("fast: local/qwen3-8b", "fast: groq/some-model"))
    wait_for_provider(own, "fast", "groq")

    edit(own, lambda text: text.replace("default_provider: local", "default_provdier: local"))
    said = own.program.wait_for_output("default_provdier", ALLOWED_SECONDS)
    assert "registry.yaml" in said
    assert "default_provider" in said
    for _ in range(3):
        assert provider_of(own, "fast") == "groq"
        time.sleep(1)
    assert len([line for line in own.program.output.splitlines() if "default_provdier" in line]) == 1

    edit(own, lambda text: text.replace("default_provdier", "default_provider").replace("groq/some-model", "hasty/m"))
    wait_for_provider(own, "fast", "hasty")
    assert "Traceback" not in own.program.output


@pytest.mark.parametrize("own", ["serve"], indirect=True)
@pytest.mark.parametrize("broken", ["", "providers: [", "models: {a: b, b: a}\n", "\x00"])
def test_every_kind_of_broken_file_keeps_the_old_configuration(own: Gateway, broken: str) -> None:
    (own.folder / "registry.yaml").write_text(broken)
    time.sleep(PROMISED_SECONDS)
    assert provider_of(own, "groq/some-model") == "groq"
    assert own.program.process.poll() is None


@pytest.mark.parametrize("own", ["serve"], indirect=True)
def test_a_reload_does_not_touch_a_stream_that_runs(own: Gateway) -> None:
    gate = WaitFor()
    events = chat_events()
    early, late = [Chunk(event) for event in events[:4]], [Chunk(event) for event in events[4:]]
    script: Script = (Head(200, (*SSE, *CHUNKED)), *early, gate, *late, LastChunk())
    own.external.on("/groq/openai/v1/chat/completions", script, json_answer(chat_body()))
    with open_stream(own.port, *ask("chat", "groq/some-model", stream=True)) as client:
        receive_until(client, events[3])
        edit(own, lambda text: text.replace("  groq:\n", "  gone:\n"))
        wait_for_provider(own, "groq/some-model", "local")
        gate.gate.open()
        receive_until(client, events[-1])
