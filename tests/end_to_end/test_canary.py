"""Marked keys go in; calls succeed, fail, are cut and are in flight at the end; no mark comes out anywhere.

The sinks: everything printed (at the most talkative setting), saved flows, the HAR export, the database with its WAL
(unpacked where it is packed), whatever else the program writes to its folders, and every answer a client gets.
"""

import base64
import contextlib
import json
import sqlite3
import urllib.parse
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import zstandard

from tests.fake_answers import CHUNKED, SSE, echo_credentials, json_answer, speak
from tests.fake_dialects import anthropic_error, chat_events, error_body, messages_events
from tests.fake_requests import Request
from tests.fake_steps import Chunk, Head, Reset, Script, Sleep, Stall
from tests.fake_upstream import Answer
from tests.rig import run_command, run_mitmweb
from tests.rig_client import open_stream, receive_until
from tests.rig_gateway import RUNNERS, Behind, Gateway, ask, run_gateway

MARK = "CANARY7f3a"
KEYS = {
    "ANTHROPIC_API_KEY": f"sk-ant-api03-{MARK}anthropic",
    "OPENAI_API_KEY": f"sk-proj-{MARK}openai",
    "OPENROUTER_API_KEY": f"sk-or-v1-{MARK}openrouter",
    "GROQ_API_KEY": f"gsk_{MARK}groq",
    "HASTY_API_KEY": f"{MARK}hasty-without-any-known-shape",
}
TOKEN = f"client-{MARK}-token"
CREDENTIALS = (("authorization", f"Bearer {TOKEN}"), ("x-api-key", TOKEN), ("cookie", f"session={TOKEN}"))
MODELS = {
    "gpt-9": "chat",
    "claude-9": "messages",
    "openrouter/a/b": "chat",
    "groq/some-model": "chat",
    "hasty/m": "responses",
}
HEAD = Head(200, (*SSE, *CHUNKED))
FLOW_SINKS = ("-v", "-w", "{folder}/flows.mitm", "--set", "hardump={folder}/calls.har")


def forms(secret: str) -> list[bytes]:
    """The ways in which a secret may stand in a file."""
    raw = secret.encode()
    shifted = [base64.b64encode(b"x" * shift + raw)[4:-4] for shift in range(3)]
    return [raw, raw.hex().encode(), urllib.parse.quote(secret).encode(), *shifted]


SECRETS = [form for secret in (MARK, *KEYS.values(), TOKEN) for form in forms(secret) if len(form) > 8]


def leaks(data: bytes) -> list[bytes]:
    return [form for form in SECRETS if form in data]


def echo_in(status: int) -> Answer:
    """An error that quotes every header it was sent, in a field nobody expects."""

    def answer(request: Request) -> Script:
        quoted = json.dumps(dict(request.headers))
        error = anthropic_error if request.path.endswith("/messages") else error_body
        return json_answer({**error(f"bad: {quoted}"), "debug": dict(request.headers)}, status, (("x-echo", quoted),))

    return answer


def make_calls(gateway: Gateway) -> Iterator[bytes]:
    """Calls of every fate; yields what the client saw of each."""
    fates: list[Answer] = [speak, echo_credentials, echo_in(400), echo_in(500), (Reset(),), speak]
    for fate in fates:
        gateway.external.default = fate
        for model, dialect in MODELS.items():
            for stream in (False, True):
                answer = gateway.post(*ask(dialect, model, stream=stream), CREDENTIALS)
                yield repr(answer).encode()
    cut: Script = (HEAD, *[Chunk(event) for event in chat_events()[:4]], Sleep(0.05), Reset())
    gateway.external.on("/openai/v1/chat/completions", cut)
    yield repr(gateway.post(*ask("chat", "gpt-9", stream=True), CREDENTIALS)).encode()
    for page in ("/v1/models", "/v1/models/gpt-9", "/api/v1/models"):
        yield repr(gateway.get(page)).encode()


@contextlib.contextmanager
def in_flight(gateway: Gateway) -> Iterator[None]:
    """Streams that are open on the way through, before and after their first word."""
    begun: Script = (HEAD, *[Chunk(event) for event in messages_events()[:4]], Stall())
    gateway.external.on("/anthropic/v1/messages", begun)
    gateway.external.on("/openai/v1/chat/completions", (Stall(),))
    with (
        open_stream(gateway.port, *ask("messages", "claude-9", stream=True), CREDENTIALS) as one,
        open_stream(gateway.port, *ask("chat", "gpt-9"), CREDENTIALS),
    ):
        receive_until(one, messages_events()[3])
        gateway.external.wait_for(2)
        yield


def assert_files_are_clean(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert not leaks(path.read_bytes()), path


def assert_database_is_clean(database: Path) -> None:
    """Every value of every table, unpacked where it is packed."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        tables = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")]
        rows = 0
        for table in tables:
            for row in connection.execute(f'select * from "{table}"'):
                rows += 1
                for value in row:
                    assert not leaks(unpacked(value)), (table, row)
        assert rows > 10


def unpacked(value: object) -> bytes:
    if isinstance(value, bytes):
        with contextlib.suppress(zstandard.ZstdError):
            return zstandard.ZstdDecompressor().decompressobj().decompress(value)
        return value
    return str(value).encode()


CASES: dict[str, tuple[str, Sequence[str]]] = {"mitmdump": ("mitmdump", FLOW_SINKS), "serve": ("serve", ())}


@pytest.mark.parametrize("bodies", ["errors", "all"])
@pytest.mark.parametrize("case", CASES)
def test_no_mark_comes_out_anywhere(upstreams: Behind, tmp_path: Path, case: str, bodies: str) -> None:
    way, args = CASES[case]
    args = [arg.format(folder=tmp_path) for arg in args]
    env = {**KEYS, "PATCHBAY_BODIES": bodies}
    # asking a black hole for its models would only take time here
    registry = upstreams.registry().replace(f":{upstreams.hole}/", f":{upstreams.refused}/")
    with run_gateway(way, upstreams, tmp_path, registry=registry, env=env, args=args) as gateway:
        for seen in make_calls(gateway):
            assert not leaks(seen), seen
        sent = b"".join(request.head for request in gateway.external.requests)
        assert MARK.encode() in sent, "the calls did not use the marked keys"
        assert TOKEN.encode() not in sent
        upstreams.external.reset()
        with in_flight(gateway):
            assert_files_are_clean(tmp_path)  # the WAL as it is while running
            assert gateway.program.stop() == 0, gateway.program.output
        for command in (["log"], ["check"], ["models"], ["route", "gpt-9"]):
            ended = run_command(command, gateway.env, tmp_path)
            assert not leaks((ended.stdout + ended.stderr).encode()), command
    assert_files_are_clean(tmp_path)
    assert_database_is_clean(gateway.database)
    if args:
        assert (tmp_path / "flows.mitm").stat().st_size > 1000
        assert json.loads((tmp_path / "calls.har").read_text())["log"]["entries"]


def test_mitmweb_shows_no_mark(upstreams: Behind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RUNNERS, "mitmweb", run_mitmweb)
    args = [arg.format(folder=tmp_path) for arg in FLOW_SINKS]
    with run_gateway("mitmweb", upstreams, tmp_path, env=KEYS, args=args) as gateway:
        for seen in make_calls(gateway):
            assert not leaks(seen), seen
        upstreams.external.reset()
        with in_flight(gateway):
            gateway.program.stop()
    assert_files_are_clean(tmp_path)
