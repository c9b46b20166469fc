"""What mitmproxy shows of a model's call, through its own registry of views, as mitmweb and the console ask it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from mitmproxy import contentviews
from mitmproxy import io as mitm_io
from mitmproxy.exceptions import CommandError
from mitmproxy.flow import Error
from mitmproxy.http import Headers, HTTPFlow, Message
from mitmproxy.test import taddons, tflow, tutils

from addons.flows.content_views import ContentViews
from addons.relay.wire_view import body_hash
from providers.exchange.pace import Pace
from tests.fake_dialects import WORDS, chat_body, chat_events, messages_body, messages_events, responses_events
from tests.rig import ROOT

FLOWS = sorted((ROOT / "tests" / "fixtures" / "flows").glob("*.mitm"))
SAID = "".join(WORDS)
CALL = {"model": "gpt-9", "messages": [{"role": "user", "content": "Say hello"}]}


@pytest.fixture(autouse=True)
def fixture_views() -> Iterator[None]:
    with taddons.context(ContentViews()):
        yield


def flow_of(path: str, body: object, answer: bytes | None = None, kind: str = "application/json") -> HTTPFlow:
    flow: HTTPFlow = tflow.tflow(req=tutils.treq(method=b"POST", path=path.encode()))
    flow.request.content = body if isinstance(body, bytes) else json.dumps(body).encode()
    flow.request.headers["content-type"] = "application/json"
    if answer is not None:
        flow.response = tutils.tresp(content=answer, headers=Headers([(b"content-type", kind.encode())]))
    return flow


def show(flow: HTTPFlow, message: Message | None, view: str = "auto") -> contentviews.ContentviewResult:
    assert message is not None
    return contentviews.prettify_message(message, flow, view)


def events_flow(events: list[bytes], path: str = "/openai/v1/chat/completions") -> HTTPFlow:
    flow = flow_of(path, CALL, b"".join(events), "text/event-stream; charset=utf-8")
    pace = Pace()
    for number, event in enumerate(events):
        pace.add(len(event), 1_000 * number)
    flow.metadata["patchbay.pace"] = pace.told()
    return flow


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_recorded_flows_are_shown_by_themselves(path: Path) -> None:
    with path.open("rb") as file:
        (flow,) = mitm_io.FlowReader(file).stream()
    assert isinstance(flow, HTTPFlow)
    asked = show(flow, flow.request)
    assert (asked.view_name, asked.syntax_highlight) == ("Conversation", "yaml")
    assert "Say hello" in asked.text
    assert "model: " in asked.text
    answered = show(flow, flow.response)
    assert answered.view_name == ("Stream" if path.stem.endswith("streamed") else "Conversation")
    assert SAID in answered.text
    assert SAID in show(flow, flow.response, "conversation").text
    compared = show(flow, flow.request, "wire vs client").text
    assert "client sent:   POST /v1/" in compared
    assert "body: the same, byte for byte" in compared
    got = show(flow, flow.response, "Wire vs client").text
    assert ("body: the same" if "patchbay.client_status" in flow.metadata else "does not tell what the client") in got


def test_what_is_no_call_of_a_model_is_left_to_others() -> None:
    flow = flow_of("/props", {"a": 1}, b'{"b":1}')
    for message in (flow.request, flow.response):
        assert show(flow, message).view_name == "JSON"
    assert show(flow, flow.request, "conversation").text == "# JSON\na: 1\n"
    assert "no answer of a model" in show(flow, flow.response, "stream").text
    assert "not routed yet" in show(flow, flow.request, "wire vs client").text
    asked = flow_of("/v1/chat/completions", CALL)
    assert "no answer of a model" in show(asked, asked.request, "stream").text
    socket = tflow.twebsocketflow()
    assert show(socket, socket.request).view_name not in ("Conversation", "Stream", "Wire vs client")


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"no json", b"\xff"])
def test_garbage_falls_to_mitmproxys_own_views(body: bytes) -> None:
    flow = flow_of("/v1/messages", body, body)
    for message in (flow.request, flow.response):
        assert show(flow, message).view_name not in ("Conversation", "Stream")
        for view in ("conversation", "stream", "wire vs client"):
            assert "Couldn't parse" not in show(flow, message, view).text


def test_a_stream_has_its_times() -> None:
    flow = events_flow(chat_events())
    text = show(flow, flow.response).text
    assert f"# {len(chat_events())} events, from 0.0 ms to {len(chat_events()) - 1}.0 ms" in text
    flow.metadata["patchbay.pace"] = "5:5"  # of another body
    assert "was not noted" in show(flow, flow.response).text


def test_an_answer_without_a_type_is_known_by_its_bytes() -> None:
    flow = events_flow(messages_events(), "/anthropic/v1/messages")
    assert flow.response
    del flow.response.headers["content-type"]
    assert show(flow, flow.response).view_name == "Stream"


def test_a_cut_and_a_failed_stream() -> None:
    events = responses_events()
    flow = events_flow(events[:5], "/openai/v1/responses")
    flow.error = Error("upstream_reset: the connection\nwas closed")
    text = show(flow, flow.response).text
    assert "# It failed: upstream_reset: the connection was closed" in text
    assert "Patchbay" in text
    cut = events_flow(events, "/openai/v1/responses")
    assert cut.response
    cut.response.content = b"".join(events)[:-100]
    cut.metadata["patchbay.body_cut"] = True
    text = show(cut, cut.response).text
    assert "keeps only the beginning" in text
    assert "after the call began" in text


def test_a_refused_call_shows_its_error() -> None:
    flow = flow_of("/v1/messages", {"model": "m"}, b'{"type":"error","error":{"type":"x","message":"No such model."}}')
    assert flow.response
    flow.response.status_code = 404
    result = show(flow, flow.response)
    assert result.view_name == "Conversation"
    assert ", 404\n" in result.text
    assert "message: No such model." in result.text


def translated() -> HTTPFlow:
    """A messages client in front of a chat provider."""
    flow = flow_of("/openai/v1/chat/completions?api_key=hidden-1&x=1", CALL, json.dumps(chat_body()).encode())
    flow.metadata.update(
        {
            "patchbay.provider": "openai",
            "patchbay.model": "gpt-9",
            "patchbay.client_request": "POST /v1/messages",
            "patchbay.client_request_headers": [["user-agent", "tests/1"], "odd"],
            "patchbay.client_request_body": json.dumps({**CALL, "max_tokens": 5, "top_k": 3}),
            "patchbay.wire_body_hash": body_hash(flow.request.raw_content or b""),
            "patchbay.client_status": 200,
            "patchbay.client_headers": [["content-type", "application/json"]],
            "patchbay.client_body": json.dumps(messages_body()),
            "patchbay.translation": "dropped=top_k",
        }
    )
    return flow


def test_what_was_translated_is_compared() -> None:
    flow = translated()
    asked = show(flow, flow.request, "wire vs client").text
    for part in (
        "client sent:   POST /v1/messages\n",
        "provider got: POST http://address:22/openai/v1/chat/completions?x=1\n",
        "translated: dropped=top_k\n",
        "header - user-agent: tests/1\n",
        '-  "top_k": 3\n',
    ):
        assert part in asked, asked
    answered = show(flow, flow.response, "wire vs client").text
    assert "client got:   200\nprovider sent: 200\n" in answered
    assert '-  "type": "message",' in answered
    assert '+  "object": "chat.completion",' in answered
    assert show(flow, flow.request).text.startswith("# chat request to openai/gpt-9\n")


def test_what_cannot_be_compared_is_said() -> None:
    flow = translated()
    del flow.metadata["patchbay.client_request_body"]
    assert "body: the same" in show(flow, flow.request, "wire vs client").text
    flow.request.content = b"{}"
    assert "was edited after it had been routed" in show(flow, flow.request, "wire vs client").text
    del flow.metadata["patchbay.client_body"]
    assert "body: the same" in show(flow, flow.response, "wire vs client").text
    del flow.metadata["patchbay.client_status"]
    assert "does not tell what the client has got" in show(flow, flow.response, "wire vs client").text
    flow.metadata["patchbay.client_request_headers"] = None
    flow.metadata["patchbay.translation"] = 5
    assert "edited" in show(flow, flow.request, "wire vs client").text


def test_a_request_is_edited_in_the_console() -> None:
    flow = flow_of("/v1/chat/completions", CALL)
    text = show(flow, flow.request, "conversation").text
    assert contentviews.reencode_message(text, flow.request, flow, "conversation") == flow.request.content
    edited = contentviews.reencode_message(text.replace("hello", "goodbye"), flow.request, flow, "Conversation")
    assert edited == json.dumps(CALL).replace("hello", "goodbye").encode()


def test_an_edit_that_cannot_be_taken_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    flow = flow_of("/v1/chat/completions", CALL)
    text = show(flow, flow.request, "conversation").text.replace("role: user", "role: nobody")
    with pytest.raises(CommandError, match=r"line 4, messages\[0\].role: must be one of .*your text is in") as refused:
        contentviews.reencode_message(text, flow.request, flow, "conversation")
    assert isinstance(refused.value, ValueError)
    (kept,) = tmp_path.iterdir()
    assert kept.read_text() == text
    assert kept.stat().st_mode & 0o077 == 0
    assert flow.request.content == json.dumps(CALL).encode()


def test_what_cannot_be_edited_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    flow = events_flow(chat_events())
    assert flow.response
    with pytest.raises(CommandError, match="has been passed on"):
        contentviews.reencode_message("x", flow.response, flow, "conversation")
    other = flow_of("/props", {})
    with pytest.raises(CommandError, match="no call of a model"):
        contentviews.reencode_message("x", other.request, other, "conversation")
