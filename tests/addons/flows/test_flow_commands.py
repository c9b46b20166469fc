"""What a person can do with a call in the command bar. (In a real mitmweb: tests/end_to_end/test_mitmweb_calls.py.)"""

import asyncio
import json
import logging
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mitmproxy import exceptions
from mitmproxy.http import HTTPFlow
from mitmproxy.test import taddons, tflow

from addons.configuration import Configuration
from addons.flows.flow_commands import FlowCommands
from addons.flows.marks import tell
from tests.addons.conftest import ACME_KEY
from tests.addons.flows.test_client_call import shown
from tests.addons.flows.test_replay import Listening
from tests.addons.telemetry.test_metrics import account

pytestmark = pytest.mark.anyio


@pytest.fixture(name="commands")
def fixture_commands(configuration: Configuration) -> Iterator[FlowCommands]:
    commands = FlowCommands(configuration)
    with taddons.context(Listening(), commands):  # type: ignore[no-untyped-call]  # mitmproxy's
        yield commands


class Door:
    """Stands where we listen: keeps what it is asked and answers in two pieces."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, host: str = "127.0.0.1") -> None:
        self.asked = b""
        self.ended = asyncio.Event()
        self._host = host
        self._monkeypatch = monkeypatch

    async def __aenter__(self) -> "Door":
        self._server = await asyncio.start_server(self._serve, self._host, 0)
        port = self._server.sockets[0].getsockname()[1]
        self._monkeypatch.setattr(Listening, "address", (self._host, port))
        self.at = f"[{self._host}]:{port}" if ":" in self._host else f"{self._host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        self.asked = head + await reader.readexactly(length)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\none")
        await writer.drain()
        writer.write(b"two")
        writer.close()
        self.ended.set()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_the_question_is_asked_again_of_another(
    commands: FlowCommands, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    async with Door(monkeypatch, host) as door:
        assert commands.resend(shown(), "chatty/c") == "Asked chatty/c: the answer comes as a new flow."
        await asyncio.wait_for(door.ended.wait(), 5)
    head, _, body = door.asked.partition(b"\r\n\r\n")
    assert body == b'{"model": "chatty/c"}'
    assert head.decode().split("\r\n") == [
        "POST /v1/chat/completions?x=1 HTTP/1.1",
        f"host: {door.at}",
        "x-odd: 1",
        f"content-length: {len(body)}",
        "connection: close",
    ]


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("nobody/x", "Nothing is called 'nobody/x'. Write PROVIDER/MODEL; the providers are acme,"),
        ("", "Nothing is called ''"),
        ("keyless/x", "keyless cannot be asked: "),
    ],
)
async def test_a_name_that_leads_nowhere_is_refused(commands: FlowCommands, target: str, words: str) -> None:
    with pytest.raises(exceptions.CommandError) as told:
        commands.resend(shown(), target)
    assert words in str(told.value)


async def test_a_body_that_holds_no_model_cannot_be_sent_again(commands: FlowCommands) -> None:
    with pytest.raises(exceptions.CommandError, match=r"cannot be sent again: .* not a JSON object"):
        commands.resend(edited(shown(), b"[1]"), "acme/big-1")


def edited(flow: HTTPFlow, body: bytes) -> HTTPFlow:
    flow.request.data.content = body
    return flow


async def test_where_nobody_listens_the_log_says_so(
    commands: FlowCommands, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Listening, "address", ("127.0.0.1", 1))
    commands.resend(shown(), "acme/big-1")
    async with asyncio.timeout(5):
        while not caplog.text:
            await asyncio.sleep(0.01)
    assert "could not be sent again to acme/big-1" in caplog.text


async def test_at_the_end_nobody_waits(commands: FlowCommands, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Door(monkeypatch):
        commands.resend(shown(), "acme/big-1")
        (task,) = [task for task in asyncio.all_tasks() if "_ask" in repr(task)]
        commands.done()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("flow", [tflow.tflow(), tflow.ttcpflow()])
async def test_other_flows_are_no_calls(commands: FlowCommands, flow: HTTPFlow, tmp_path: Path) -> None:
    with pytest.raises(exceptions.CommandError, match="no call"):
        commands.resend(flow, "acme/big-1")
    with pytest.raises(exceptions.CommandError, match="no call"):
        commands.export_curl(flow, str(tmp_path / "x"))
    with pytest.raises(exceptions.CommandError, match="these flows hold 1"):
        commands.compare([flow, shown()])


def answered(text: str) -> HTTPFlow:
    flow = shown()
    assert flow.response
    flow.response.data.content = json.dumps({"choices": [{"message": {"content": text}}]}).encode()
    tell(flow, account())
    return flow


async def test_answers_stand_side_by_side(commands: FlowCommands, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        text = commands.compare([answered("Hello"), answered(f"Good day, {ACME_KEY}")])
    line = text.splitlines()[-1]
    assert line.index("Hello") < line.index("Good day, [redacted]")
    assert text in caplog.text


@pytest.mark.parametrize("count", [0, 1, 7])
async def test_it_takes_some_to_compare(commands: FlowCommands, count: int) -> None:
    with pytest.raises(exceptions.CommandError, match=f"hold {count}"):
        commands.compare([answered("Hello")] * count)


def kept_bodies(body: bytes) -> HTTPFlow:
    flow = shown(body)
    flow.metadata.pop("patchbay.client_request_body", None)
    return flow


async def test_a_call_becomes_a_script_without_a_key(commands: FlowCommands, tmp_path: Path) -> None:
    script = tmp_path / "call.sh"
    body = json.dumps({"model": "big", "key": ACME_KEY}).encode()
    assert commands.export_curl(kept_bodies(body), str(script)).endswith(f"sh {script}")
    text = script.read_text()
    assert ACME_KEY not in text
    assert "[redacted]" in text
    assert "http://127.0.0.1:8088/v1/chat/completions?x=1" in text
    assert "Bearer PLACEHOLDER" in text
    assert stat.S_IMODE(script.stat().st_mode) == 0o600


async def test_a_long_body_stands_beside(
    commands: FlowCommands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Listening, "address", ("::1", 9000))
    body = json.dumps({"model": "big", "text": "x" * 100_000}).encode()
    told = commands.export_curl(kept_bodies(body), str(tmp_path / "call.sh"))
    assert "call.sh.body" in told
    assert (tmp_path / "call.sh.body").read_bytes() == body
    assert f"@{tmp_path / 'call.sh.body'}" in (tmp_path / "call.sh").read_text()
    assert "http://[::1]:9000/v1" in (tmp_path / "call.sh").read_text()


def beside(path: Path) -> Path:
    return path / "no folder" / "call.sh"


@pytest.mark.parametrize(("at", "words"), [(lambda path: path, "is there already"), (beside, "cannot be written: No")])
async def test_nothing_is_overwritten_and_a_failure_is_told(
    commands: FlowCommands, tmp_path: Path, at: Callable[[Path], Path], words: str
) -> None:
    with pytest.raises(exceptions.CommandError, match=words):
        commands.export_curl(shown(), str(at(tmp_path)))
