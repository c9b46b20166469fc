"""``patchbay export``: whole, valid, and without a key."""

import base64
import json
import os
import pty
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from addons.telemetry.schema import newest_version
from addons.telemetry.store import Store
from providers.exchange.account import AttemptAccount, Outcome
from providers.wire.endpoints import Operation, endpoint_of
from providers.wire.request import from_json
from scripts.export import command
from scripts.export_call import as_json
from scripts.export_har import PATHS, REBUILT
from tests.addons.telemetry.accounts import answered, begun, ended, request
from tests.scripts.recorded import QUESTION, fill, run

ROOT = Path(__file__).parents[2]
KEY = "hidden-key-of-the-provider-77"


@pytest.fixture(name="path")
def fixture_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The calls of `fill`, and one whose bodies were kept: it holds a key that is configured only now."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    path = tmp_path / "p.db"
    fill(path)
    store = Store(path, bodies="all")
    store.start()
    account = begun("cccc0001", dialect="messages", operation="messages", client=f"tool/{KEY}", provider="openai")
    body = {"model": "tiny", "messages": [{"role": "user", "content": f"my key is {KEY} \ud800"}]}
    ended(account, connect_us=100, ttfb_us=700, duration_us=2500, bytes_out=9, error=f"bad key {KEY}")
    account.attempts.append(AttemptAccount("openai", "gpt", 401, Outcome.UPSTREAM_HTTP_ERROR, f"no {KEY}"))
    raw = b"data: \xff " + KEY.encode()
    store.complete(account, body, json.dumps(body).encode(), answered(f"I saw {KEY}"), raw)
    store.admit(begun("dddd0001"))
    assert store.close(5)
    return path


def lines(path: Path, *arguments: str) -> list[dict[str, Any]]:
    result = run(command, path, "--jsonl", *arguments)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def archive(path: Path, *arguments: str) -> dict[str, Any]:
    result = run(command, path, "--har", *arguments)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


def test_lines_hold_everything(path: Path) -> None:
    found = lines(path)
    assert [line["id"] for line in found] == ["aaaa0001", "aaaa0002", "bbbb0001", "cccc0001", "dddd0001"]
    first = found[0]
    assert (first["requested_model"], first["model"], first["input_tokens"]) == ("smart", "claude-9", 1204)
    assert [attempt["outcome"] for attempt in first["attempts"]] == ["upstream_refused", "ok"]
    assert [message["role"] for message in first["messages"]] == ["system", "user"]
    assert from_json(first["messages"][1]).parts[0].text == QUESTION  # type: ignore[union-attr]  # it is a text
    assert [part["part"] for part in first["answer"]["parts"]] == ["reasoning", "text", "tool_call"]
    assert not {"seq", "run", "prompt_hash", "answer_hash"} & set(first)


def test_no_key_leaves(path: Path) -> None:
    assert KEY.encode() in b"".join(side.read_bytes() for side in path.parent.glob("p.db*"))
    for form in ("--har", "--jsonl"):
        text = run(command, path, form).stdout
        assert "[redacted]" in text
        assert KEY not in text
        for encoded in re.findall(r"[A-Za-z0-9+/]{12,}={0,2}", text):
            if len(encoded) % 4 == 0:
                assert KEY.encode() not in base64.b64decode(encoded)


def test_without_a_usable_configuration(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path.parent / "registry.yaml").write_text("providers: [")
    monkeypatch.setenv("PATCHBAY_REGISTRY", str(path.parent / "registry.yaml"))
    assert len(lines(path)) == 5


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        ("--provider anthropic", "aaaa0001"),
        ("--model smart", "aaaa0001"),
        ("--model claude-9", "aaaa0001"),
        ("--outcome upstream_truncated", "bbbb0001"),
        ("--since 1d --provider local --outcome ok", "aaaa0002"),
        ("--until 1d", "aaaa0001"),
        ("--provider nobody", ""),
    ],
)
def test_filters(path: Path, arguments: str, ids: str) -> None:
    assert " ".join(line["id"] for line in lines(path, *arguments.split())) == ids
    assert len(archive(path, *arguments.split())["log"]["entries"]) == len(ids.split())


# HAR 1.2: what each object must have; -1 stands for what is not known.
ENTRY = {"startedDateTime": str, "time": float, "request": dict, "response": dict, "cache": dict, "timings": dict}
REQUEST: dict[str, type] = {
    **dict.fromkeys(("method", "url", "httpVersion"), str),
    **dict.fromkeys(("cookies", "headers", "queryString"), list),
    **dict.fromkeys(("headersSize", "bodySize"), int),
    "postData": dict,
}
RESPONSE: dict[str, type] = {
    **dict.fromkeys(("status", "headersSize", "bodySize"), int),
    **dict.fromkeys(("statusText", "httpVersion", "redirectURL"), str),
    **dict.fromkeys(("cookies", "headers"), list),
    "content": dict,
}


def assert_shape(value: dict[str, Any], shape: dict[str, type]) -> None:
    for name, kind in shape.items():
        assert isinstance(value[name], kind), name
    assert {name for name in value if not name.startswith("_")} - set(shape) <= {"comment"}


def test_the_archive_is_one(path: Path) -> None:
    log = archive(path)["log"]
    assert log["version"] == "1.2"
    assert set(log["creator"]) == {"name", "version"}
    assert len(log["entries"]) == 5
    for entry in log["entries"]:
        assert_shape(entry, ENTRY)
        assert_shape(entry["request"], REQUEST)
        assert_shape(entry["response"], RESPONSE)
        assert datetime.fromisoformat(entry["startedDateTime"]).tzinfo is not None
        timings = entry["timings"]
        assert {"send", "wait", "receive"} <= set(timings)
        assert all(timings[name] >= 0 for name in ("send", "wait", "receive"))
        assert entry["time"] == pytest.approx(sum(span for span in timings.values() if span > 0))
        assert {"mimeType", "text"} <= set(entry["request"]["postData"])
        assert {"mimeType", "size"} <= set(entry["response"]["content"])
        for header in (*entry["request"]["headers"], *entry["response"]["headers"]):
            assert set(header) == {"name", "value"}


def test_bodies_are_kept_or_rebuilt_and_say_so(path: Path) -> None:
    rebuilt, _, failed, kept, open_one = archive(path)["log"]["entries"]
    assert rebuilt["_patchbay"]["bodies"] == {"request": "rebuilt", "answer": "rebuilt"}
    assert rebuilt["request"]["postData"]["comment"] == rebuilt["response"]["content"]["comment"] == REBUILT
    assert json.loads(rebuilt["request"]["postData"]["text"])["model"] == "smart"
    assert "tool_call" in rebuilt["response"]["content"]["text"]
    assert (failed["response"]["content"]["text"], failed["response"]["content"]["mimeType"]) == (
        "data: {}",
        "text/event-stream",
    )
    assert kept["_patchbay"]["bodies"] == {"request": "kept", "answer": "kept"}
    assert json.loads(kept["request"]["postData"]["text"])["messages"][0]["content"] == "my key is [redacted] \ud800"
    assert kept["request"]["url"].endswith("/v1/messages")
    assert base64.b64decode(kept["response"]["content"]["text"]) == b"data: \xff [redacted]"
    assert kept["response"]["content"]["encoding"] == "base64"
    timings = {name: kept["timings"][name] for name in ("connect", "wait", "receive")}
    assert timings == pytest.approx({"connect": 0.1, "wait": 0.6, "receive": 1.8})
    assert kept["response"]["statusText"] == HTTPStatus.OK.phrase
    assert (open_one["response"]["status"], open_one["response"]["statusText"]) == (0, "")
    assert "stopped" in open_one["response"]["content"]["text"]
    assert open_one["time"] == 0


def test_half_a_character_is_escaped() -> None:
    assert as_json({"said": "\ud800 ä"}) == '{"said": "\\ud800 \\u00e4"}'
    assert as_json({"said": "ä"}) == '{"said": "ä"}'


def test_every_operation_has_its_path() -> None:
    assert set(PATHS) == set(Operation) - {Operation.MODELS}
    for operation, path in PATHS.items():
        endpoint = endpoint_of("POST", path)
        assert endpoint is not None
        assert endpoint.operation == operation


def test_into_a_file(path: Path) -> None:
    target = path.parent / "calls.har"
    result = run(command, path, "--har", "-o", str(target))
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "wrote 5 calls" in result.stderr
    assert json.loads(target.read_text())["log"]["entries"]
    assert target.stat().st_mode & 0o777 == 0o600
    again = run(command, path, "--jsonl", "-o", str(target))
    assert again.exit_code == 1
    assert "--force replaces it" in again.output
    assert target.read_text().startswith('{"log"')
    assert run(command, path, "--jsonl", "-o", str(target), "--force").exit_code == 0
    assert target.read_text().startswith('{"id"')


def test_a_write_that_fails_leaves_nothing(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE bodies SET data = x'00' WHERE side = 'answer'")
        connection.commit()
    result = run(command, path, "--har", "-o", str(path.parent / "calls.har"))
    assert result.exit_code == 1
    assert "cannot be read" in result.output
    assert {file.name.partition("-")[0] for file in path.parent.iterdir()} == {"p.db"}
    result = run(command, path, "--har", "-o", str(path.parent / "none" / "calls.har"))
    assert result.exit_code == 1
    assert "cannot be written" in result.output


def test_asked_wrongly(path: Path, tmp_path: Path) -> None:
    assert "--har or --jsonl" in run(command, path).output
    with closing(sqlite3.connect(tmp_path / "bare.db")) as connection:
        connection.execute(f"PRAGMA user_version = {newest_version()}")
    result = run(command, tmp_path / "bare.db", "--jsonl")
    assert result.exit_code == 1
    assert "cannot be read" in result.output


def test_a_terminal_sees_how_far_it_is(path: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    program = "import scripts.export as e; e._TELL = -1; e.command()"
    line = [sys.executable, "-c", program, "--db", str(path), "--jsonl", "-o", str(tmp_path / "x.jsonl")]
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        done = subprocess.run(line, cwd=ROOT, stderr=theirs, check=False, timeout=60)
        os.close(theirs)
        seen = terminal.read(4096).decode()
    assert done.returncode == 0
    assert "4 calls …" in seen
    assert "wrote 5 calls" in seen


def test_a_reader_that_has_seen_enough(path: Path) -> None:
    program = "from scripts.export import command; command()"
    line = [sys.executable, "-c", program, "--db", str(path), "--jsonl"]
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run(line, cwd=ROOT, stdout=theirs, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    os.close(theirs)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_many_calls_are_read_in_pages(tmp_path: Path) -> None:
    store = Store(tmp_path / "p.db")
    store.start()
    for number in range(450):
        store.complete(ended(begun(f"n{number:04d}")), request("x"), None, None, None)
    assert store.close(10)
    assert [line["id"] for line in lines(tmp_path / "p.db")] == [f"n{number:04d}" for number in range(450)]
