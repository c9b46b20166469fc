"""A saved flow is a recording of the provider's side: it replays without network, with the same answer, and has no key.

The small recordings in tests/fixtures/flows are made by ``PATCHBAY_RECORD_FLOWS=1 … pytest -k regenerate`` here.
"""

import http.client
import os
from pathlib import Path

import pytest
from mitmproxy import io as mitm_io
from mitmproxy.http import HTTPFlow

from tests.rig import ROOT
from tests.rig_client import RawAnswer
from tests.rig_gateway import CLIENT_SECRET, KEYS, Behind, Gateway, ask, run_gateway

FIXTURES = ROOT / "tests" / "fixtures" / "flows"
MODELS = {"chat": "gpt-9", "messages": "claude-9", "responses": "gpt-9"}
CREDENTIALS = (
    ("authorization", f"Bearer {CLIENT_SECRET}"),
    ("x-api-key", CLIENT_SECRET),
    ("cookie", f"a={CLIENT_SECRET}"),
)
CALLS = [(dialect, stream) for dialect in MODELS for stream in (False, True)]
REPLAY = ("--set", "server_replay_extra=kill", "--set", "server_replay_ignore_port=true")
# Enough for every provider to be configured, with nobody behind the addresses.
DEAD_KEYS = dict.fromkeys(KEYS, "another-key-that-is-never-sent-0000")


def call(gateway: Gateway, dialect: str, stream: bool) -> RawAnswer:
    return gateway.post(*ask(dialect, MODELS[dialect], stream=stream), CREDENTIALS)


def record(upstreams: Behind, folder: Path, calls: list[tuple[str, bool]]) -> tuple[Path, list[RawAnswer]]:
    """Make calls through the product with `-w`; the file and what the client got."""
    flows = folder / "flows.mitm"
    with run_gateway("mitmdump", upstreams, folder, args=("-w", str(flows))) as gateway:
        answers = [call(gateway, dialect, stream) for dialect, stream in calls]
        assert gateway.program.stop() == 0, gateway.program.output
    return flows, answers


def without_network(registry: str, upstreams: Behind, refused: int) -> str:
    for port in (upstreams.local.port, upstreams.external.port):
        registry = registry.replace(f"127.0.0.1:{port}", f"127.0.0.1:{refused}")
    return registry


def flows_in(path: Path) -> list[HTTPFlow]:
    with path.open("rb") as file:
        return [flow for flow in mitm_io.FlowReader(file).stream() if isinstance(flow, HTTPFlow)]


def shown(answer: RawAnswer) -> tuple[int, bytes, str | None]:
    return answer.status, answer.body, answer.get("content-type")


def replay(upstreams: Behind, folder: Path, flows: list[Path], calls: list[tuple[str, bool]]) -> list[RawAnswer]:
    """Start the product with the provider's side played from a file, nobody behind it, and make the calls."""
    registry = without_network(upstreams.registry(), upstreams, upstreams.refused)
    args = (*(part for path in flows for part in ("-S", str(path))), *REPLAY)
    with run_gateway("mitmdump", upstreams, folder, registry=registry, env=DEAD_KEYS, args=args) as gateway:
        try:
            return [call(gateway, dialect, stream) for dialect, stream in calls]
        except OSError as error:
            error.add_note(gateway.program.output)
            raise


def test_a_recording_replays_with_the_same_answers_and_no_network(upstreams: Behind, tmp_path: Path) -> None:
    flows, answers = record(upstreams, tmp_path / "record", CALLS)
    assert all(answer.status == 200 for answer in answers)
    upstreams.external.requests.clear()
    upstreams.local.requests.clear()
    again = replay(upstreams, tmp_path / "replay", [flows], CALLS)
    assert [shown(answer) for answer in again] == [shown(answer) for answer in answers]
    assert not upstreams.posts()


def test_a_recording_shows_the_wire_and_no_key(upstreams: Behind, tmp_path: Path) -> None:
    flows, answers = record(upstreams, tmp_path, CALLS)
    raw = flows.read_bytes()
    for secret in (*KEYS.values(), CLIENT_SECRET):
        assert secret.encode() not in raw
    recorded = flows_in(flows)
    assert len(recorded) == len(CALLS)
    for flow, answer, (dialect, _) in zip(recorded, answers, CALLS, strict=True):
        provider = "anthropic" if dialect == "messages" else "openai"
        assert flow.request.path.startswith(f"/{provider}/v1/")
        assert flow.request.port == upstreams.external.port
        assert flow.response is not None
        assert flow.response.raw_content == answer.body
        assert any(str(key).startswith("patchbay") for key in flow.metadata)


def test_a_call_that_was_not_recorded_reaches_nobody(upstreams: Behind, tmp_path: Path) -> None:
    """mitmproxy kills it: the client's connection ends, or it gets an error, but the provider is not asked."""
    args = ("-S", str(fixture_file("chat", False)), *REPLAY)
    with run_gateway("mitmdump", upstreams, tmp_path, env=DEAD_KEYS, args=args) as gateway:
        try:
            assert call(gateway, "chat", True).status >= 400
        except (ConnectionError, http.client.HTTPException):
            pass
    assert not upstreams.posts()


RECORDINGS = [
    pytest.param(dialect, stream, id=f"{dialect}-{'streamed' if stream else 'plain'}") for dialect, stream in CALLS
]


def fixture_file(dialect: str, stream: bool) -> Path:
    return FIXTURES / f"{dialect}-{'streamed' if stream else 'plain'}.mitm"


def test_the_recordings_kept_here_still_replay(upstreams: Behind, tmp_path: Path) -> None:
    answers = replay(upstreams, tmp_path, [fixture_file(dialect, stream) for dialect, stream in CALLS], CALLS)
    for answer, (dialect, stream) in zip(answers, CALLS, strict=True):
        response = flows_in(fixture_file(dialect, stream))[0].response
        assert response is not None
        assert (answer.status, answer.body) == (200, response.raw_content)


@pytest.mark.parametrize(("dialect", "stream"), RECORDINGS)
def test_the_recordings_kept_here_hold_no_key(dialect: str, stream: bool) -> None:
    raw = fixture_file(dialect, stream).read_bytes()
    for leftover in (b"sk-", b"gsk_", b"provider-key", CLIENT_SECRET.encode(), b"Bearer c"):
        assert leftover not in raw


@pytest.mark.skipif("PATCHBAY_RECORD_FLOWS" not in os.environ, reason="only on request: PATCHBAY_RECORD_FLOWS=1")
@pytest.mark.parametrize(("dialect", "stream"), RECORDINGS)
def test_regenerate_the_recordings(upstreams: Behind, tmp_path: Path, dialect: str, stream: bool) -> None:
    flows, answers = record(upstreams, tmp_path, [(dialect, stream)])
    assert answers[0].status == 200
    kept = fixture_file(dialect, stream)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(flows.read_bytes())
