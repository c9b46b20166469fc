"""A local server that was away and comes back as an old llama-server, and later as a new one, on the same port."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fake_answers import json_answer, no_answer_here, speak
from tests.fake_dialects import models_body
from tests.fake_requests import Request
from tests.fake_steps import Script
from tests.fake_upstream import FakeUpstream
from tests.rig import Program, free_port
from tests.rig_client import post
from tests.rig_gateway import RUNNERS, WAYS, ask, assert_error_shape
from tests.rig_translation import say

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"


def old_server(request: Request) -> Script:
    """Answer chat and the list of models; whatever is no JSON is refused before anything runs."""
    if request.path == "/v1/models":
        return json_answer(models_body("tiny"))
    return new_server(request) if request.path == CHAT else no_answer_here(request)


def new_server(request: Request) -> Script:
    """Answer every dialect, as a new one does."""
    if request.method == "POST" and not request.body:
        return json_answer({"error": {"code": 400, "message": "parse error", "type": "invalid_request_error"}}, 400)
    return speak(request)


def calls(server: FakeUpstream) -> list[str]:
    """The paths of the calls that a server got, without the questions what it speaks."""
    return [request.path for request in server.requests if request.method == "POST" and request.body]


def questions(server: FakeUpstream) -> list[str]:
    return [request.path for request in server.requests if request.method == "POST" and not request.body]


@pytest.fixture(name="place", params=WAYS)
def fixture_place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Program, int]]:
    """The running program and the port behind it, on which nobody listens yet."""
    port = free_port()
    env = {"PATCHBAY_DB": str(tmp_path / "patchbay.db")}
    with RUNNERS[str(request.param)](f"http://127.0.0.1:{port}", env, tmp_path, ()) as program:
        yield program, port
        assert "Traceback" not in program.output


def test_it_was_away_comes_back_old_and_later_new(place: tuple[Program, int]) -> None:
    program, port = place
    target, body = ask("messages", "tiny")
    away = post(program.port, target, body)
    assert away.status in (503, 529)
    assert "connection refused" in assert_error_shape(away.json(), "messages")["message"]

    with FakeUpstream(old_server, port=port) as server:
        answer = post(program.port, target, body)
        assert answer.status == 200, answer
        assert (answer.json()["type"], answer.json()["content"][0]["type"]) == ("message", "text")
        for dialect in ("messages", "responses", "chat"):
            for stream in (False, True):
                assert say(program.url, dialect, "tiny", stream=stream).text
        counted = post(program.port, f"{MESSAGES}/count_tokens", body)
        assert (counted.status, counted.json()["input_tokens"] > 0) == (200, True)
        assert set(calls(server)) == {CHAT}
        assert questions(server) == [MESSAGES, CHAT, "/v1/responses", CHAT, f"{MESSAGES}/count_tokens", CHAT]
    assert "local has no /v1/messages: messages calls to it are translated" in program.output

    assert post(program.port, target, body).status in (502, 503, 529)
    with FakeUpstream(new_server, port=port) as server:
        assert post(program.port, target, body).status == 200
        assert calls(server) == questions(server) == [MESSAGES]
