"""``patchbay show``."""

import json
from pathlib import Path

import pytest

from providers.wire.request import MediaPart, OpaquePart, Part, ReasoningPart, RefusalPart, TextPart, ToolResultPart
from scripts.show import _part, command
from tests.scripts.recorded import QUESTION, fill, run


@pytest.fixture(name="path")
def fixture_path(tmp_path: Path) -> Path:
    path = tmp_path / "p.db"
    fill(path)
    return path


def test_a_conversation_reads_from_top_to_bottom(path: Path) -> None:
    result = run(command, path, "aaaa0001")
    assert result.exit_code == 0, result.output
    at = -1
    for text in (
        "smart → anthropic/claude-9",
        "conversation s1",
        "── system",
        "be brief",
        "── user",
        QUESTION,
        "── answer",
        "it will rain",
        "Let me look.",
        "[calls get_weather as call_1]",
        '"city": "Bergen"',
        "── attempts",
        "1. local/tiny  no status  upstream_refused",
        "connection refused",
        "2. anthropic/claude-9  200  ok",
        "1,204 input, 356 output, 1,100 cache read",
        "first token 320 ms, whole 4.20 s",
        "finish reason: tool_calls",
    ):
        assert result.output.find(text, at + 1) > at, text
        at = result.output.find(text, at + 1)


def test_a_call_without_an_answer_says_why(path: Path) -> None:
    output = run(command, path, "last").output
    assert "none: the answer was cut" in output
    assert "tokens: not known" in output


def test_json(path: Path) -> None:
    shown = json.loads(run(command, path, "aaaa0001", "--json").output)
    assert shown["input_tokens"] == 1204
    assert [attempt["outcome"] for attempt in shown["attempts"]] == ["upstream_refused", "ok"]
    assert [message["role"] for message in shown["messages"]] == ["system", "user"]
    assert shown["answer"]["parts"][2]["name"] == "get_weather"


def test_bodies(path: Path) -> None:
    assert run(command, path, "bbbb", "--body", "request").output == '{"messages":[]}'
    assert run(command, path, "bbbb", "--body", "answer").output == "data: {}"
    result = run(command, path, "aaaa0001", "--body", "answer")
    assert result.exit_code == 1
    assert "PATCHBAY_BODIES" in result.output


@pytest.mark.parametrize(
    ("name", "complaint"), [("zzz", "no call has an id that begins with zzz"), ("aaaa", "aaaa0001, aaaa0002")]
)
def test_names_that_name_no_call(path: Path, name: str, complaint: str) -> None:
    result = run(command, path, name)
    assert result.exit_code == 1
    assert complaint in result.output


def test_without_a_file(tmp_path: Path) -> None:
    result = run(command, tmp_path / "none.db", "last")
    assert (result.exit_code, list(tmp_path.iterdir())) == (1, [])
    assert "there is no record at" in result.output


@pytest.mark.parametrize(
    ("part", "shown"),
    [
        (ReasoningPart("", encrypted="x"), "(encrypted)"),
        (RefusalPart("no"), "[refusal] no"),
        (ToolResultPart("c1", (TextPart("rain"),)), "[result of c1]\nrain"),
        (ToolResultPart("c1", (), is_error=True), "[failed result of c1]"),
        (MediaPart("image", "image/png", 1234, "blake2b:00"), "[image image/png, 1,234 bytes: blake2b:00]"),
        (OpaquePart("server_tool", "{}"), "[server_tool] {}"),
    ],
)
def test_parts(part: Part, shown: str) -> None:
    assert shown in _part(part)
